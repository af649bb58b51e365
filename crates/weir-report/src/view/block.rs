//! What the block report shows: the decision and its reason, the clients, the groups, the time, the log.
//!
//! Requests are written by whoever sends them: see [`plain`] for what that text may not do here.

mod groups;
mod suspects;

use minijinja::Value;
use serde::Serialize;
use weir_contract::blocklist::{Detection, Method};

use crate::BlockReport;
use crate::chart::{self, Bar, Counted};
use crate::text;

/// Clients shown with their evidence in each of the two tables; the others are counted. With a botnet's hundred thousand
/// the page could be opened and sent by nobody.
const SHOWN: usize = 1_000;

#[derive(Debug, Serialize)]
pub(crate) struct Block {
    kicker: &'static str,
    heading: String,
    reason: String,
    is_listed: bool,
    decision: Decision,
    tiles: Vec<Tile>,
    notices: Vec<Notice>,
    clients: Option<Clients>,
    groups: Option<groups::Groups>,
    timeline: Option<Timeline>,
    listed: Vec<suspects::Suspect>,
    /// How many more are; empty for none.
    more_listed: String,
    spared: Vec<suspects::Spared>,
    more_spared: String,
    log: Log,
    parameters: Vec<(String, String)>,
}

/// What the clustering says, in the box beside the heading.
#[derive(Debug, Serialize)]
struct Decision {
    word: &'static str,
    sentence: String,
}

#[derive(Debug, Serialize)]
struct Tile {
    name: &'static str,
    value: String,
    of: String,
}

#[derive(Debug, Serialize)]
struct Notice {
    text: String,
    action: String,
    anchor: &'static str,
}

#[derive(Debug, Serialize)]
struct Clients {
    bars: Value,
    shown: String,
    is_partial: bool,
    of: String,
    is_logarithmic: bool,
}

#[derive(Debug, Serialize)]
struct Timeline {
    chart: Value,
    stretch: String,
}

#[derive(Debug, Serialize)]
struct Log {
    sources: Vec<String>,
    counts: Vec<(&'static str, String)>,
    unreadable: String,
    examples: Vec<Example>,
}

#[derive(Debug, Serialize)]
struct Example {
    source: String,
    line: String,
    reason: String,
    text: String,
}

pub(crate) fn view(report: &BlockReport<'_>) -> Block {
    let detection = report.detection;
    let listed = detection.listed.len() as u64;
    Block {
        kicker: match detection.method {
            Method::Robust => "K-Means that may abstain",
            Method::Article => "K-Means as in the article",
        },
        heading: match listed {
            0 => "Nobody is listed".to_owned(),
            1 => "1 client is listed".to_owned(),
            n => format!("{} clients are listed", text::count(n)),
        },
        reason: text::stopped(&text::capitalised(&plain(&detection.reason))),
        is_listed: listed > 0,
        decision: decision(detection),
        tiles: tiles(detection),
        notices: notices(detection),
        clients: clients(detection),
        groups: detection.grouping.as_ref().map(|grouping| groups::view(grouping, detection.method)),
        timeline: timeline(detection),
        listed: detection.listed.iter().take(SHOWN).map(suspects::listed).collect(),
        more_listed: more(detection.listed.len()),
        spared: detection.spared.iter().take(SHOWN).map(suspects::spared).collect(),
        more_spared: more(detection.spared.len()),
        log: log(detection),
        parameters: report.parameters.iter().map(|(name, value)| (plain(name), plain(value))).collect(),
    }
}

/// How many of `clients` are not shown; empty for none.
fn more(clients: usize) -> String {
    match clients.saturating_sub(SHOWN) {
        0 => String::new(),
        rest => text::counted(rest as u64, "more client"),
    }
}

/// Text from a request, harmless to the eye: characters that are not seen, or that turn the direction of what follows
/// around, are written as `\u{202e}`. Tags are the business of whoever puts it into the page.
fn plain(text: &str) -> String {
    let is_deceptive = |character: char| {
        let directions = ['\u{200b}'..='\u{200f}', '\u{2028}'..='\u{202e}', '\u{2060}'..='\u{206f}'];
        character.is_control() || character == '\u{feff}' || directions.iter().any(|range| range.contains(&character))
    };
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_deceptive(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

fn decision(detection: &Detection) -> Decision {
    let (word, sentence) = match &detection.grouping {
        None => ("No clustering", "There are fewer than two clients to tell apart.".to_owned()),
        Some(_) if detection.method == Method::Article => {
            ("Always two groups", "This method does not ask whether there are two groups.".to_owned())
        }
        Some(grouping) if grouping.two_groups => {
            let high = text::counted(grouping.high.clients, "client");
            ("Two groups", format!("The clients are two groups; {high} in the attacking one."))
        }
        Some(_) => {
            ("The clustering abstains", "The clients are not two groups; only the limit per second counts.".into())
        }
    };
    Decision { word, sentence }
}

fn tiles(detection: &Detection) -> Vec<Tile> {
    let log = &detection.log;
    let of_listed: u64 = detection.listed.iter().map(|suspect| suspect.evidence.requests).sum();
    let surplus: u64 = log.timeline.iter().map(|stretch| stretch.surplus).sum();
    let tile = |name, value, of| Tile { name, value, of };
    vec![
        tile("Clients", text::count(log.clients), format!("{} listed", text::count(detection.listed.len() as u64))),
        tile(
            "Requests",
            text::count(log.requests),
            format!("{} from those listed", text::percent(of_listed, log.requests)),
        ),
        tile("Surplus", text::percent(surplus, log.requests), format!("{} refused or repeated", text::count(surplus))),
        tile("Spared", text::count(detection.spared.len() as u64), "would be listed but for a cap".to_owned()),
    ]
}

fn notices(detection: &Detection) -> Vec<Notice> {
    let log = &detection.log;
    let mut notices = Vec::new();
    if !detection.spared.is_empty() {
        notices.push(Notice {
            text: format!("{} spared by a cap.", text::counted(detection.spared.len() as u64, "client")),
            action: "Look at them before you raise it.".to_owned(),
            anchor: "spared",
        });
    }
    if log.unreadable > 0 {
        let share = text::percent(log.unreadable, log.lines);
        notices.push(Notice {
            text: format!("{} ({share}) could not be read.", text::counted(log.unreadable, "line")),
            action: "They count for nobody.".to_owned(),
            anchor: "log",
        });
    }
    if let Some(missing) = log.missing {
        notices.push(Notice {
            text: format!(
                "There were more clients than are counted exactly: up to {} of one may be missing.",
                text::counted(missing, "request")
            ),
            action: "Raise blocklist.maximum_clients for exact counts.".to_owned(),
            anchor: "log",
        });
    }
    notices
}

fn clients(detection: &Detection) -> Option<Clients> {
    let bar = |client: &weir_contract::blocklist::ClientBar| Bar {
        name: client.client.to_string(),
        value: client.requests,
        marked: client.listed,
    };
    let bars: Vec<Bar> = detection.top_clients.iter().map(bar).collect();
    let marked = bars.iter().filter(|bar| bar.marked).count();
    let description =
        format!("The {} with the most requests, {marked} of them listed", text::counted(bars.len() as u64, "client"));
    (!bars.is_empty()).then(|| Clients {
        is_logarithmic: chart::is_logarithmic(&bars),
        shown: text::count(bars.len() as u64),
        is_partial: (bars.len() as u64) < detection.log.clients,
        of: text::count(detection.log.clients),
        bars: chart::bars("Requests per client", &description, &bars, "listed"),
    })
}

fn timeline(detection: &Detection) -> Option<Timeline> {
    let log = &detection.log;
    let counted = |stretch: &weir_contract::blocklist::Stretch| Counted {
        start: stretch.start,
        requests: stretch.requests,
        surplus: stretch.surplus,
    };
    let stretches: Vec<Counted> = log.timeline.iter().map(counted).collect();
    (!stretches.is_empty()).then(|| Timeline {
        chart: chart::timeline(&stretches, log.stretch_seconds),
        stretch: chart::duration(u64::from(log.stretch_seconds)),
    })
}

fn log(detection: &Detection) -> Log {
    let log = &detection.log;
    let mut counts = vec![
        ("Lines", text::count(log.lines)),
        ("Requests", text::count(log.requests)),
        ("Unreadable lines", text::count(log.unreadable)),
        ("Outside the time asked for", text::count(log.outside)),
        ("Clients", text::count(log.clients)),
    ];
    counts.extend(log.first.map(|first| ("First request", moment(first))));
    counts.extend(log.last.map(|last| ("Last request", moment(last))));
    let example = |line: &weir_contract::blocklist::UnreadableLine| Example {
        source: plain(&line.source),
        line: text::count(line.line),
        reason: plain(&line.reason),
        text: plain(&line.text),
    };
    Log {
        sources: log.sources.iter().map(|source| plain(source)).collect(),
        counts,
        unreadable: text::count(log.unreadable),
        examples: log.unreadable_examples.iter().map(example).collect(),
    }
}

/// Seconds since 1970 as a date in UTC.
fn moment(seconds: i64) -> String {
    text::moment(seconds.saturating_mul(1000))
}
