//! The JSON files of a store: canonical, with the format's version and the digest of their own content.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use weir_contract::{Digest, json};

use crate::{FORMAT, StoreError};

/// The canonical bytes of `record` with `format` and `seal`. `record` has to be an object.
pub(crate) fn write<T: Serialize>(record: &T) -> Vec<u8> {
    let mut map = object(record);
    map.insert("format".to_owned(), FORMAT.into());
    let seal = digest(&Value::Object(map.clone()));
    map.insert("seal".to_owned(), seal.to_string().into());
    canonical(&Value::Object(map))
}

/// Reads what [`write`] has written.
///
/// # Errors
/// [`StoreError::Record`] when a byte differs, [`StoreError::Newer`] for a later format.
pub(crate) fn read<T: DeserializeOwned>(location: &str, key: &str, bytes: &[u8]) -> Result<T, StoreError> {
    let damaged = |reason: String| StoreError::Record { location: location.to_owned(), key: key.to_owned(), reason };
    let value: Value = serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
    // Also what JSON does not care for, as white space, is as it was written.
    if canonical(&value) != bytes {
        return Err(damaged("it is not the canonical JSON that was written".to_owned()));
    }
    let Value::Object(mut map) = value else { return Err(damaged("it is no JSON object".to_owned())) };
    let seal = map.remove("seal");
    if seal != Some(digest(&Value::Object(map.clone())).to_string().into()) {
        return Err(damaged("its content does not match its seal".to_owned()));
    }
    match map.remove("format").and_then(|format| format.as_u64()) {
        Some(found) if found == u64::from(FORMAT) => {}
        Some(found) => {
            let (location, key) = (location.to_owned(), key.to_owned());
            return Err(StoreError::Newer { location, key, found, known: FORMAT });
        }
        None => return Err(damaged("it has no format".to_owned())),
    }
    serde_json::from_value(Value::Object(map)).map_err(|error| damaged(error.to_string()))
}

/// The digest of a record without the named fields.
pub(crate) fn digest_without<T: Serialize>(record: &T, fields: &[&str]) -> Digest {
    let mut map = object(record);
    fields.iter().for_each(|field| drop(map.remove(*field)));
    digest(&Value::Object(map))
}

fn digest(value: &Value) -> Digest {
    Digest::of(&canonical(value))
}

fn object<T: Serialize>(record: &T) -> Map<String, Value> {
    match serde_json::to_value(record) {
        Ok(Value::Object(map)) => map,
        // Records are structs of this crate whose maps have text keys.
        other => unreachable!("a record is a JSON object, not {other:?}"),
    }
}

fn canonical(value: &Value) -> Vec<u8> {
    json::to_canonical(value).expect("a JSON value has a JSON form")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    type Record = BTreeMap<String, String>;

    fn record() -> Record {
        BTreeMap::from([("name".to_owned(), "flows".to_owned())])
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let bytes = write(&record());
        assert_eq!(read::<Record>("store", "a.json", &bytes).unwrap(), record());
        for at in 0..bytes.len() {
            assert!(read::<Record>("store", "a.json", &bytes[..at]).is_err(), "cut at {at}");
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                assert!(read::<Record>("store", "a.json", &flipped).is_err(), "bit {bit} of byte {at}");
            }
        }
    }

    #[test]
    fn a_later_format_is_named_as_such() {
        let mut map = object(&record());
        map.insert("format".to_owned(), 2.into());
        let seal = digest(&Value::Object(map.clone()));
        map.insert("seal".to_owned(), seal.to_string().into());
        let error = read::<Record>("store", "a.json", &canonical(&Value::Object(map))).unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 2, known: FORMAT, .. }), "{error}");
    }
}
