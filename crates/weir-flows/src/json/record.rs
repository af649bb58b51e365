//! One object to one flow.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use weir_contract::flow::{Label, Transport};

use crate::batch::{Batch, Row};
use crate::json::value::{self, Value};
use crate::json::{Field, Json, Way};
use crate::table::Expected;

/// Reads one object into the batch: as a flow, as passed over, or as rejected. `path` is a buffer.
pub(crate) fn read<J: Json>(line: u64, text: &[u8], path: &mut String, batch: &mut Batch) {
    // Checked once, so that the parser need not check every text in it.
    let Ok(json) = std::str::from_utf8(text) else {
        return batch.reject(line, "expected a JSON object in UTF-8".to_owned(), text);
    };
    path.clear();
    let mut draft = Draft::default();
    let mut reason = None;
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let object: Object<'_, '_, J> = Object::record(path, &mut draft, &mut reason);
    let parsed = deserializer.deserialize_map(object).and_then(|()| deserializer.end());
    let outcome = match (parsed, reason) {
        (Err(error), _) => Err(syntax(&error)),
        (Ok(()), _) if draft.kind.as_deref().is_some_and(|kind| !J::is_flow(kind)) => {
            batch.skipped += 1;
            return;
        }
        (Ok(()), Some(reason)) => Err(reason),
        (Ok(()), None) => draft.row::<J>(),
    };
    match outcome {
        Ok(row) => batch.push(line, &row),
        Err(reason) => batch.reject(line, reason, text),
    }
}

/// What the members of an object say, before it is a flow.
#[derive(Debug, Default)]
pub(crate) struct Draft<'a> {
    kind: Option<Cow<'a, str>>,
    flow_id: Option<Cow<'a, str>>,
    source_ip: Option<IpAddr>,
    destination_ip: Option<IpAddr>,
    source_port: Option<u16>,
    destination_port: Option<u16>,
    transport: Option<Transport>,
    /// Times in nanoseconds since 1970 UTC.
    start: Option<i128>,
    end: Option<i128>,
    time: Option<i128>,
    duration_ns: Option<u64>,
    bytes: Counter,
    packets: Counter,
    last: Option<bool>,
    label: Option<Label>,
    attack: Option<Cow<'a, str>>,
}

impl<'a> Draft<'a> {
    fn set(&mut self, field: Field, value: &Value<'a>) -> Result<(), Expected> {
        match field {
            Field::Kind => self.kind = value::text(value)?,
            Field::FlowId => self.flow_id = value::id(value)?,
            Field::SourceIp => self.source_ip = value::ip(value)?,
            Field::DestinationIp => self.destination_ip = value::ip(value)?,
            Field::SourcePort => self.source_port = value::port(value)?,
            Field::DestinationPort => self.destination_port = value::port(value)?,
            Field::Transport => self.transport = value::transport(value)?,
            Field::Start(clock) => self.start = value::moment(clock, value)?,
            Field::End(clock) => self.end = value::moment(clock, value)?,
            Field::Time(clock) => self.time = value::moment(clock, value)?,
            Field::Duration => self.duration_ns = value::count(value)?,
            Field::DurationSeconds => self.duration_ns = value::seconds(value)?,
            Field::Bytes(way) => *self.bytes.at(way) = value::count(value)?,
            Field::Packets(way) => *self.packets.at(way) = value::count(value)?,
            Field::Last => self.last = value::boolean(value)?,
            Field::Label => self.label = value::label(value)?,
            Field::LooseLabel => self.label = value::label(value).unwrap_or(None),
            Field::Attack => self.attack = value::attack(value)?,
        }
        Ok(())
    }

    /// The flow, or why there is none.
    pub(crate) fn row<J: Json>(&self) -> Result<Row<'_>, String> {
        let address = |address: Option<IpAddr>, path| {
            address.ok_or_else(|| mismatch(path, "an IPv4 or IPv6 address", &Value::Null))
        };
        let source_ip = address(self.source_ip, J::ADDRESSES[0])?;
        let destination_ip = address(self.destination_ip, J::ADDRESSES[1])?;
        let transport = match (self.transport, J::TRANSPORT) {
            (Some(Transport::Icmp), _) if source_ip.is_ipv6() => Transport::Icmp6,
            (Some(transport), _) => transport,
            (None, None) => Transport::Other,
            (None, Some(path)) => return Err(mismatch(path, "a transport", &Value::Null)),
        };
        let duration_ns = match (self.duration_ns, self.start, self.end) {
            (None, Some(start), Some(end)) => Some(
                u64::try_from(end - start)
                    .map_err(|_| format!("expected an end after the start, found one {} ns before it", start - end))?,
            ),
            (duration, _, _) => duration,
        };
        let end = self.end.or_else(|| Some(self.start? + i128::from(duration_ns?)));
        let has_ports = !matches!(transport, Transport::Icmp | Transport::Icmp6);
        Ok(Row {
            flow_id: self.flow_id.as_deref(),
            event_time: end.or(self.time).or(self.start).map(milliseconds),
            source_ip,
            destination_ip,
            source_port: self.source_port.filter(|_| has_ports),
            destination_port: self.destination_port.filter(|_| has_ports),
            transport,
            bytes: self.bytes.sum("bytes")?,
            packets: self.packets.sum("packets")?,
            duration_ns,
            last: self.last,
            label: self.label,
            attack: self.attack.as_deref(),
        })
    }

    /// The flow of an object with the names of the canonical table, as it says, or why there is none.
    pub(crate) fn canonical_row(&self) -> Result<Row<'_>, String> {
        let address = |address: Option<IpAddr>, path| {
            address.ok_or_else(|| mismatch(path, "an IPv4 or IPv6 address", &Value::Null))
        };
        Ok(Row {
            flow_id: self.flow_id.as_deref(),
            event_time: self.time.map(milliseconds),
            source_ip: address(self.source_ip, "source_ip")?,
            destination_ip: address(self.destination_ip, "destination_ip")?,
            source_port: self.source_port,
            destination_port: self.destination_port,
            transport: self.transport.ok_or_else(|| mismatch("transport", "a transport", &Value::Null))?,
            bytes: self.bytes.both,
            packets: self.packets.both,
            duration_ns: self.duration_ns,
            last: self.last,
            label: self.label,
            attack: self.attack.as_deref(),
        })
    }
}

/// A count of both directions, or of each.
#[derive(Debug, Default)]
struct Counter {
    both: Option<u64>,
    forward: Option<u64>,
    backward: Option<u64>,
}

impl Counter {
    fn at(&mut self, way: Way) -> &mut Option<u64> {
        match way {
            Way::Both => &mut self.both,
            Way::Forward => &mut self.forward,
            Way::Backward => &mut self.backward,
        }
    }

    /// Both directions; one that is absent counts nothing.
    fn sum(&self, what: &str) -> Result<Option<u64>, String> {
        if self.both.is_some() || (self.forward.is_none() && self.backward.is_none()) {
            return Ok(self.both);
        }
        let (forward, backward) = (self.forward.unwrap_or(0), self.backward.unwrap_or(0));
        forward.checked_add(backward).map(Some).ok_or_else(|| {
            format!("expected at most 18446744073709551615 {what} in both directions, found {forward} + {backward}")
        })
    }
}

/// No time that is read is further from 1970 than 10^12 seconds, and no duration longer than 2^64 ns.
fn milliseconds(nanoseconds: i128) -> i64 {
    nanoseconds.div_euclid(1_000_000) as i64
}

/// What is wrong with the syntax, and at which byte of the record it shows.
fn syntax(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let (line, column) = (error.line(), error.column());
    let text = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    match line {
        0 | 1 => format!("expected a JSON object: {text} (byte {column} of the record)"),
        _ => format!("expected a JSON object: {text} (byte {column} of line {line} of the record)"),
    }
}

fn mismatch(path: &str, expected: Expected, found: &Value<'_>) -> String {
    format!("field {path:?}: expected {expected}, found {found}")
}

/// An object being read: the whole record, or one within it.
pub(crate) struct Object<'w, 'a, J> {
    /// The path of the object.
    path: &'w mut String,
    draft: &'w mut Draft<'a>,
    /// What is wrong with the first field that cannot be read.
    reason: &'w mut Option<String>,
    format: PhantomData<J>,
}

impl<'w, 'a, J: Json> Object<'w, 'a, J> {
    /// The record itself; `path` is empty.
    pub(crate) fn record(path: &'w mut String, draft: &'w mut Draft<'a>, reason: &'w mut Option<String>) -> Self {
        Self { path, draft, reason, format: PhantomData }
    }

    fn members<A: MapAccess<'a>>(&mut self, mut members: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = members.next_key()? {
            self.member(&key, &mut members)?;
        }
        Ok(())
    }

    /// Reads the value of the member `key`; whether the format has such a member.
    pub(crate) fn member<A: MapAccess<'a>>(&mut self, key: &str, members: &mut A) -> Result<bool, A::Error> {
        let outer = self.path.len();
        if outer > 0 {
            self.path.push('.');
        }
        self.path.push_str(key);
        let mut known = true;
        if let Some(field) = J::field(self.path) {
            self.set(field, &members.next_value()?);
        } else if J::descends(self.path) {
            members.next_value_seed(Inner(self))?;
        } else {
            members.next_value::<IgnoredAny>()?;
            known = false;
        }
        self.path.truncate(outer);
        Ok(known)
    }

    /// Reads the value of the member `key` of the record into `field`.
    pub(crate) fn read<A: MapAccess<'a>>(&mut self, key: &str, field: Field, members: &mut A) -> Result<(), A::Error> {
        self.path.push_str(key);
        self.set(field, &members.next_value()?);
        self.path.clear();
        Ok(())
    }

    fn set(&mut self, field: Field, value: &Value<'a>) {
        if let Err(expected) = self.draft.set(field, value)
            && self.reason.is_none()
        {
            *self.reason = Some(mismatch(self.path, expected, value));
        }
    }
}

impl<'a, J: Json> Visitor<'a> for Object<'_, 'a, J> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, members: A) -> Result<(), A::Error> {
        self.members(members)
    }
}

/// An object within the record; null is one without members.
struct Inner<'o, 'w, 'a, J>(&'o mut Object<'w, 'a, J>);

impl<'a, J: Json> DeserializeSeed<'a> for Inner<'_, '_, 'a, J> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'a, J: Json> Visitor<'a> for Inner<'_, '_, 'a, J> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "field {:?} to be an object or nothing", self.0.path)
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'a>>(self, members: A) -> Result<(), A::Error> {
        self.0.members(members)
    }
}

/// The name of a member.
pub(crate) struct Key<'a>(pub(crate) Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(AnyKey)
    }
}

struct AnyKey;

impl<'de> Visitor<'de> for AnyKey {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(name)))
    }

    fn visit_str<E>(self, name: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(name.to_owned())))
    }
}
