//! Canonical JSON: keys sorted, two spaces of indentation, shortest round-trip numbers, one newline at the end.
//!
//! The same value has the same bytes in every build, whatever features serde_json was compiled with.

use serde::Serialize;
use serde_json::Value;

/// The canonical bytes of `value`.
///
/// # Errors
/// What serde_json says of a value that has no JSON form (a map with keys that are no strings).
pub fn to_canonical<T: Serialize>(value: &T) -> serde_json::Result<Vec<u8>> {
    let sorted = sort(serde_json::to_value(value)?);
    let mut bytes = serde_json::to_vec_pretty(&sorted)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Rebuilds every object with its keys in order; a plain `Value` may keep the order of insertion.
fn sort(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().map(|(key, value)| (key, sort(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sort).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_at_every_depth() {
        let value = serde_json::json!({"b": [{"z": 1, "a": 0.1}], "a": null});
        let text = String::from_utf8(to_canonical(&value).unwrap()).unwrap();
        assert_eq!(text, "{\n  \"a\": null,\n  \"b\": [\n    {\n      \"a\": 0.1,\n      \"z\": 1\n    }\n  ]\n}\n");
    }
}
