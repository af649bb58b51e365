//! Which format the first object of a file shows.

use std::fmt;

use memchr::memchr;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::json::frame::{self, NO_FLOWS, Piece};
use crate::json::record::Key;
use crate::json::{Framing, Json};
use crate::table::BOM;

/// How many marks of the format the first object of a file shows, and which it should show but does not.
pub(crate) fn marks<J: Json>(head: &[u8]) -> (usize, Vec<&'static str>) {
    if J::FRAMING == Framing::Objects && start(head).starts_with(NO_FLOWS) {
        return (J::MARKS.len(), Vec::new());
    }
    let mut paths = Paths::default();
    if let Some(object) = first_object(head) {
        // What is wrong behind the names that are found is for the reader to tell.
        let _ = paths.deserialize(&mut serde_json::Deserializer::from_slice(object));
    }
    let shown = |group: &&[&str]| group.iter().any(|path| paths.found.iter().any(|found| found == path));
    let (found, missing): (Vec<_>, Vec<_>) = J::MARKS.iter().copied().partition(shown);
    (found.len(), missing.into_iter().map(|group| group[0]).collect())
}

/// Whether a head holds the whole first record if that is an object, or shows that it is none.
pub(crate) fn first_record_is_whole(head: &[u8]) -> bool {
    let rest = start(head);
    match rest.first() {
        None => false,
        Some(b'{') => frame::piece(rest, false) != Piece::Incomplete,
        Some(_) => !NO_FLOWS.starts_with(rest),
    }
}

/// The first object, as far as the head holds it.
fn first_object(head: &[u8]) -> Option<&[u8]> {
    let rest = start(head);
    match frame::piece(rest, false) {
        _ if rest.first() != Some(&b'{') => None,
        Piece::Object(length) | Piece::Broken(length, _) => Some(&rest[..length]),
        _ => Some(rest),
    }
}

/// Whether the head shows an object, or that there are none.
pub(crate) fn has_object<J: Json>(head: &[u8]) -> bool {
    let rest = start(head);
    let empty = rest.is_empty() || rest.starts_with(b"]") || rest.starts_with(NO_FLOWS);
    memchr(b'{', head).is_some() || (J::FRAMING == Framing::Objects && empty)
}

/// The head from where the first object of a file or array starts.
fn start(head: &[u8]) -> &[u8] {
    let text = head.strip_prefix(BOM).unwrap_or(head).trim_ascii_start();
    text.strip_prefix(b"[").unwrap_or(text).trim_ascii_start()
}

/// Collects the paths of all members.
#[derive(Default)]
struct Paths {
    found: Vec<String>,
    path: String,
}

impl<'de> DeserializeSeed<'de> for &mut Paths {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Paths {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let outer = self.path.len();
        while let Some(Key(key)) = members.next_key()? {
            if outer > 0 {
                self.path.push('.');
            }
            self.path.push_str(&key);
            if self.path == "_source" {
                self.path.clear();
            } else {
                let path = self.path.strip_prefix("_source.").unwrap_or(&self.path);
                self.found.push(path.to_owned());
            }
            members.next_value_seed(&mut *self)?;
            self.path.truncate(outer);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}
