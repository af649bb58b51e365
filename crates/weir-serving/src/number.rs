//! Numbers in JSON.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};

/// A number as a double; true is 1 and false is 0.
pub(crate) struct Number(pub(crate) f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyNumber)
    }
}

struct AnyNumber;

impl Visitor<'_> for AnyNumber {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
        Ok(Number(number as f64))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
        Ok(Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Number, E> {
        Ok(Number(number))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Number, E> {
        Ok(Number(f64::from(u8::from(value))))
    }
}

/// Appends the shortest text that reads back as `number`; `null` where it is not finite.
pub(crate) fn write_number(out: &mut Vec<u8>, number: f64) {
    // Writing to memory does not fail.
    let _ = serde_json::to_writer(out, &number);
}

/// Appends `[...]`.
pub(crate) fn write_list<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (number, item) in items.into_iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}
