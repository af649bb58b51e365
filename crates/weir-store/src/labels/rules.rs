//! Label rules: conditions over the columns of a flow.

use std::ops::RangeInclusive;

use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;
use weir_contract::{FlowBatch, Label, Transport};

use super::address::AddressSet;
use super::{LabelError, Verdict};
use crate::Time;

/// A rule, ready to be asked. A condition that the file does not name always holds.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    /// File and number, for people.
    pub(super) name: String,
    source: Option<AddressSet>,
    destination: Option<AddressSet>,
    either: Option<AddressSet>,
    source_port: Option<Vec<RangeInclusive<u16>>>,
    destination_port: Option<Vec<RangeInclusive<u16>>>,
    transport: Option<Vec<Transport>>,
    from: Option<i64>,
    to: Option<i64>,
    pub(super) verdict: Verdict,
}

impl Rule {
    /// Whether all conditions hold for a row. The cheap ones are asked first.
    pub(super) fn matches(&self, flows: &FlowBatch, row: usize) -> bool {
        let port = |ranges: &Option<Vec<RangeInclusive<u16>>>, port: Option<u16>| match ranges {
            Some(ranges) => port.is_some_and(|port| ranges.iter().any(|range| range.contains(&port))),
            None => true,
        };
        let within = |from: Option<i64>, to: Option<i64>| match flows.event_time.get(row) {
            Some(time) => from.is_none_or(|from| from <= time) && to.is_none_or(|to| time < to),
            None => false,
        };
        let (source, destination) = (flows.source_ip[row], flows.destination_ip[row]);
        self.transport.as_ref().is_none_or(|known| known.contains(&flows.transport[row]))
            && port(&self.destination_port, flows.destination_port.get(row))
            && port(&self.source_port, flows.source_port.get(row))
            && (self.from.is_none() && self.to.is_none() || within(self.from, self.to))
            && self.source.as_ref().is_none_or(|set| set.contains(source))
            && self.destination.as_ref().is_none_or(|set| set.contains(destination))
            && self.either.as_ref().is_none_or(|set| set.contains(source) || set.contains(destination))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    default: Option<Spanned<String>>,
    #[serde(default)]
    rule: Vec<Spanned<Text>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    source: Option<OneOrMore<String>>,
    destination: Option<OneOrMore<String>>,
    either: Option<OneOrMore<String>>,
    source_port: Option<OneOrMore<Port>>,
    destination_port: Option<OneOrMore<Port>>,
    transport: Option<OneOrMore<String>>,
    from: Option<Moment>,
    to: Option<Moment>,
    label: String,
    attack: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore<T> {
    One(T),
    More(Vec<T>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Port {
    Number(i64),
    Range(String),
}

/// A TOML date and time, or one in quotes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Plain(Datetime),
    Quoted(String),
}

/// The rules of a file and its default.
pub(super) fn read(file: &str, text: &str) -> Result<(Vec<Rule>, Option<Label>), LabelError> {
    let line = |at: usize| 1 + text.bytes().take(at).filter(|&byte| byte == b'\n').count() as u64;
    let content: File = toml::from_str(text)
        .map_err(|error| LabelError::new(file, error.span().map_or(1, |span| line(span.start)), error.message()))?;
    let default = match &content.default {
        Some(value) => {
            let wrong = |reason| LabelError::new(file, line(value.span().start), format!("default: {reason}"));
            Some(label(value.get_ref()).map_err(wrong)?)
        }
        None => None,
    };
    if content.rule.is_empty() && default.is_none() {
        return Err(LabelError::new(file, 1, "there is neither a [[rule]] nor a default"));
    }
    let mut rules = Vec::new();
    for (number, rule) in (1..).zip(content.rule) {
        let start = rule.span().start;
        let checked = check(format!("{file}, rule {number}"), rule.into_inner());
        rules.push(checked.map_err(|reason| LabelError::new(file, line(start), format!("rule {number}: {reason}")))?);
    }
    Ok((rules, default))
}

fn check(name: String, text: Text) -> Result<Rule, String> {
    let label = label(&text.label)?;
    if label == Label::Benign && text.attack.is_some() {
        return Err("a benign flow has no attack".to_owned());
    }
    if text.attack.as_deref() == Some("") {
        return Err("the attack has no name: leave it out".to_owned());
    }
    let rule = Rule {
        name,
        source: addresses("source", text.source)?,
        destination: addresses("destination", text.destination)?,
        either: addresses("either", text.either)?,
        source_port: list("source_port", text.source_port, port)?,
        destination_port: list("destination_port", text.destination_port, port)?,
        transport: list("transport", text.transport, transport)?,
        from: text.from.map(|moment| time("from", moment)).transpose()?,
        to: text.to.map(|moment| time("to", moment)).transpose()?,
        verdict: Verdict { label, attack: text.attack },
    };
    if let (Some(from), Some(to)) = (rule.from, rule.to)
        && from >= to
    {
        return Err("from is not before to: no flow can match".to_owned());
    }
    let sets = [&rule.source, &rule.destination, &rule.either];
    let ports = [&rule.source_port, &rule.destination_port];
    let no_condition = sets.iter().all(|set| set.is_none()) && ports.iter().all(|set| set.is_none());
    if no_condition && rule.transport.is_none() && rule.from.is_none() && rule.to.is_none() {
        return Err("it has no condition; for all flows without a label there is `default`, for all flows \
                    either = [\"0.0.0.0/0\", \"::/0\"]"
            .to_owned());
    }
    Ok(rule)
}

fn label(text: &str) -> Result<Label, String> {
    text.parse().map_err(|()| format!("expected the label benign or malicious, received {text:?}"))
}

/// The values of a condition, which has at least one.
fn list<T, V>(
    name: &str,
    values: Option<OneOrMore<T>>,
    value: impl Fn(T) -> Result<V, String>,
) -> Result<Option<Vec<V>>, String> {
    let values = match values {
        None => return Ok(None),
        Some(OneOrMore::One(one)) => vec![one],
        Some(OneOrMore::More(more)) => more,
    };
    if values.is_empty() {
        return Err(format!("{name} is an empty list, which no flow can match: leave it out"));
    }
    let checked: Result<Vec<V>, String> = values.into_iter().map(value).collect();
    checked.map(Some).map_err(|reason| format!("{name}: {reason}"))
}

fn addresses(name: &str, values: Option<OneOrMore<String>>) -> Result<Option<AddressSet>, String> {
    let Some(texts) = list(name, values, Ok)? else { return Ok(None) };
    let mut set = AddressSet::default();
    for text in texts {
        set.add(&text).map_err(|reason| format!("{name}: {reason}"))?;
    }
    Ok(Some(set))
}

fn port(port: Port) -> Result<RangeInclusive<u16>, String> {
    let wrong =
        |found: &str| format!("expected a port of 0 to 65535 or a range such as \"8000-8080\", received {found}");
    match port {
        Port::Number(number) => {
            let number = u16::try_from(number).map_err(|_| wrong(&number.to_string()))?;
            Ok(number..=number)
        }
        Port::Range(text) => {
            let (first, last) = text.split_once('-').unwrap_or((&text, &text));
            let number = |part: &str| part.trim().parse::<u16>().map_err(|_| wrong(&format!("{text:?}")));
            let (first, last) = (number(first)?, number(last)?);
            if first > last { Err(wrong(&format!("{text:?}"))) } else { Ok(first..=last) }
        }
    }
}

fn transport(text: String) -> Result<Transport, String> {
    let names = Transport::ALL.map(Transport::name);
    text.parse().map_err(|()| format!("expected one of {}, received {text:?}", names.join(", ")))
}

fn time(name: &str, moment: Moment) -> Result<i64, String> {
    let text = match moment {
        Moment::Plain(time) => time.to_string(),
        Moment::Quoted(text) => text,
    };
    text.parse::<Time>().map(|time| time.0).map_err(|error| format!("{name}: {error}"))
}
