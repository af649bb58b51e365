//! The value of a member of an object, and what it reads as.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use weir_contract::flow::{Label, Transport};

use crate::batch::excerpt;
use crate::json::Clock;
use crate::table::Expected;
use crate::text::{address, time, words};

/// How many characters of a value a reason shows.
const FOUND: usize = 60;
/// Below it doubles with whole values are exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A value; arrays and objects are read over.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Unsigned(u64),
    Negative(i64),
    Float(f64),
    Text(Cow<'a, str>),
    Array,
    Object,
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("nothing"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Unsigned(number) => write!(f, "{number}"),
            Self::Negative(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number:?}"),
            Self::Text(text) => {
                let shown = excerpt(text.as_bytes(), FOUND);
                let more = if shown.len() < text.len() { "..." } else { "" };
                write!(f, "{shown:?}{more}")
            }
            Self::Array => f.write_str("an array"),
            Self::Object => f.write_str("an object"),
        }
    }
}

/// A count.
pub(crate) fn count(value: &Value<'_>) -> Result<Option<u64>, Expected> {
    whole(value).ok_or("a whole number from 0 to 18446744073709551615 or nothing")
}

/// A port.
pub(crate) fn port(value: &Value<'_>) -> Result<Option<u16>, Expected> {
    whole(value)
        .and_then(|number| number.map(u16::try_from).transpose().ok())
        .ok_or("a whole number from 0 to 65535 or nothing")
}

/// Seconds to nanoseconds.
pub(crate) fn seconds(value: &Value<'_>) -> Result<Option<u64>, Expected> {
    const EXPECTED: Expected = "a number of seconds from 0 to 18446744073 or nothing";
    match *value {
        Value::Null => Ok(None),
        Value::Unsigned(seconds) => seconds.checked_mul(1_000_000_000).map(Some).ok_or(EXPECTED),
        // The double next to a time in microseconds is less than half a nanosecond away for 48 days.
        Value::Float(seconds) if (0.0..1.8e10).contains(&seconds) => Ok(Some((seconds * 1e9).round() as u64)),
        _ => Err(EXPECTED),
    }
}

/// A time in nanoseconds since 1970 UTC.
pub(crate) fn moment(clock: Clock, value: &Value<'_>) -> Result<Option<i128>, Expected> {
    match (clock, value) {
        (_, Value::Null) => Ok(None),
        (_, Value::Text(text)) => time::nanoseconds(text.as_bytes()),
        (Clock::Seconds, Value::Unsigned(seconds)) if *seconds < 1_000_000_000_000 => {
            Ok(Some(i128::from(*seconds) * 1_000_000_000))
        }
        // A double holds the seconds since 1970 to a quarter of a microsecond, so that the microseconds which were
        // written are the nearest ones.
        (Clock::Seconds, Value::Float(seconds)) if seconds.abs() < 1e12 => {
            Ok(Some((seconds * 1e6).round() as i128 * 1000))
        }
        (Clock::Nanoseconds, Value::Unsigned(0)) => Ok(None),
        (Clock::Nanoseconds, Value::Unsigned(nanoseconds)) => Ok(Some(i128::from(*nanoseconds))),
        (Clock::Milliseconds, Value::Unsigned(milliseconds)) if i64::try_from(*milliseconds).is_ok() => {
            Ok(Some(i128::from(*milliseconds) * 1_000_000))
        }
        (Clock::Milliseconds, Value::Negative(milliseconds)) => Ok(Some(i128::from(*milliseconds) * 1_000_000)),
        (Clock::Milliseconds, Value::Float(milliseconds))
            if milliseconds.abs() < EXACT && milliseconds.fract() == 0.0 =>
        {
            Ok(Some(*milliseconds as i128 * 1_000_000))
        }
        (Clock::Milliseconds, _) => Err("whole milliseconds since 1970, an ISO-8601 time or nothing"),
        (Clock::Iso, _) => Err("an ISO-8601 time such as 2022-02-25T12:19:30.013Z or nothing"),
        (Clock::Seconds, _) => Err("seconds since 1970, an ISO-8601 time or nothing"),
        (Clock::Nanoseconds, _) => Err("nanoseconds since 1970, an ISO-8601 time or nothing"),
    }
}

/// An address, null only when there is none.
pub(crate) fn ip(value: &Value<'_>) -> Result<Option<IpAddr>, Expected> {
    match value {
        Value::Null => Ok(None),
        Value::Text(text) => address::ip(text.as_bytes()).map(Some),
        _ => Err("an IPv4 or IPv6 address"),
    }
}

/// A transport by name or IP protocol number.
pub(crate) fn transport(value: &Value<'_>) -> Result<Option<Transport>, Expected> {
    match value {
        Value::Null => Ok(None),
        Value::Text(text) => match &**text {
            // What Suricata and goflow2 write.
            "TCP" => Ok(Some(Transport::Tcp)),
            "UDP" => Ok(Some(Transport::Udp)),
            // What Zeek writes.
            "unknown_transport" => Ok(Some(Transport::Other)),
            text => words::transport(text.as_bytes()).map(Some),
        },
        _ => whole(value)
            .and_then(|number| u8::try_from(number?).ok())
            .map(|number| Some(Transport::from_protocol(number)))
            .ok_or("tcp, udp, icmp, ipv6-icmp, another IP protocol's name or number, or nothing"),
    }
}

/// A truth value.
pub(crate) fn boolean(value: &Value<'_>) -> Result<Option<bool>, Expected> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(value) => Ok(Some(*value)),
        _ => Err("true, false or nothing"),
    }
}

/// A label.
pub(crate) fn label(value: &Value<'_>) -> Result<Option<Label>, Expected> {
    match value {
        Value::Null => Ok(None),
        Value::Unsigned(0) | Value::Bool(false) => Ok(Some(Label::Benign)),
        Value::Unsigned(1) | Value::Bool(true) => Ok(Some(Label::Malicious)),
        Value::Text(text) => words::label(text.as_bytes()),
        _ => Err("benign, malicious, 0, 1 or nothing"),
    }
}

/// The name of an attack.
pub(crate) fn attack<'a>(value: &Value<'a>) -> Result<Option<Cow<'a, str>>, Expected> {
    let Some(name) = text(value)? else { return Ok(None) };
    let unset = matches!(&*name, "-" | "(empty)") || words::attack(name.as_bytes())?.is_none();
    Ok((!unset).then_some(name))
}

/// Text.
pub(crate) fn text<'a>(value: &Value<'a>) -> Result<Option<Cow<'a, str>>, Expected> {
    match value {
        Value::Null => Ok(None),
        Value::Text(text) => Ok(words::text(text.as_bytes())?.is_some().then(|| text.clone())),
        _ => Err("text or nothing"),
    }
}

/// Text, or a whole number as its digits.
pub(crate) fn id<'a>(value: &Value<'a>) -> Result<Option<Cow<'a, str>>, Expected> {
    match value {
        Value::Unsigned(number) => Ok(Some(number.to_string().into())),
        Value::Null | Value::Text(_) => text(value),
        _ => Err("text, a whole number or nothing"),
    }
}

/// Null or a whole number; nothing for any other value.
fn whole(value: &Value<'_>) -> Option<Option<u64>> {
    match *value {
        Value::Null => Some(None),
        Value::Unsigned(number) => Some(Some(number)),
        Value::Float(number) if (0.0..=EXACT).contains(&number) && number.fract() == 0.0 => Some(Some(number as u64)),
        _ => None,
    }
}

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(Value::Unsigned(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value<'de>, E> {
        Ok(u64::try_from(number).map_or(Value::Negative(number), Value::Unsigned))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value<'de>, E> {
        Ok(Value::Float(number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'de>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Array)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value<'de>, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Object)
    }
}
