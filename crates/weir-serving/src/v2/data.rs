//! The member `data` of a tensor: numbers or texts, flat or nested as the shape.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};

/// Elements in row-major order, and how they were nested.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Data {
    pub(crate) numbers: Vec<f64>,
    pub(crate) texts: Vec<String>,
    /// Length of the arrays at each depth.
    lengths: Vec<Option<usize>>,
    /// How deep the elements are, once there is one.
    depth: Option<usize>,
}

/// Deeper nesting is that of no tensor that is taken.
const DEEPEST: usize = 8;

impl Data {
    pub(crate) fn len(&self) -> usize {
        self.numbers.len() + self.texts.len()
    }

    /// Whether a tensor of this shape may be written so: flat, or nested exactly as the shape.
    pub(crate) fn fits(&self, shape: &[usize]) -> bool {
        let flat = self.lengths.len() <= 1;
        let nested = || self.lengths.iter().copied().eq(shape.iter().map(|&length| Some(length)));
        shape.iter().product::<usize>() == self.len() && (flat || nested())
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut data = Self::default();
        deserializer.deserialize_seq(Element { data: &mut data, depth: 0 })?;
        Ok(data)
    }
}

/// A value at a depth: an array of such values, or an element.
struct Element<'d> {
    data: &'d mut Data,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Element<'_> {
    /// All elements are at one depth and of one kind.
    fn at_depth<E: Error>(&mut self, other_kind: bool) -> Result<(), E> {
        if *self.data.depth.get_or_insert(self.depth) != self.depth {
            return Err(E::custom("the arrays in data are not all nested alike"));
        }
        if other_kind { Err(E::custom("numbers and texts in one tensor")) } else { Ok(()) }
    }

    fn number<E: Error>(mut self, number: f64) -> Result<(), E> {
        self.at_depth(!self.data.texts.is_empty())?;
        self.data.numbers.push(number);
        Ok(())
    }
}

impl<'de> Visitor<'de> for Element<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("numbers or texts, in a flat array or nested as the shape says")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.number(number as f64)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.number(number as f64)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.number(number)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.number(f64::from(u8::from(value)))
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        self.at_depth(!self.data.numbers.is_empty())?;
        self.data.texts.push(text.to_owned());
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { data, depth } = self;
        if depth == DEEPEST || data.depth.is_some_and(|elements| elements <= depth) {
            return Err(A::Error::custom("the arrays in data are not all nested alike"));
        }
        let mut length = 0;
        while items.next_element_seed(Element { data: &mut *data, depth: depth + 1 })?.is_some() {
            length += 1;
        }
        if data.lengths.len() <= depth {
            data.lengths.resize(depth + 1, None);
        }
        if *data.lengths[depth].get_or_insert(length) != length {
            return Err(A::Error::custom("the arrays in data are not all of one length"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Data, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn flat_and_nested_data_fit_their_shape_only() {
        for (text, shape, fits) in [
            ("[1,2,3,4,5,6]", &[2, 3][..], true),
            ("[[1,2,3],[4,5,6]]", &[2, 3], true),
            ("[[1,2],[3,4],[5,6]]", &[2, 3], false),
            ("[[1],[2]]", &[2], false),
            ("[]", &[0, 3], true),
            ("[[],[]]", &[2, 0], true),
            ("[1]", &[], true),
            ("[1,2]", &[3], false),
        ] {
            assert_eq!(read(text).unwrap().fits(shape), fits, "{text} {shape:?}");
        }
    }

    #[test]
    fn ragged_and_mixed_data_are_refused() {
        for text in ["[[1,2],[3]]", "[1,[2]]", "[[1],2]", "[1,\"a\"]", "[null]", "[{}]", "1", &"[".repeat(99)] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
