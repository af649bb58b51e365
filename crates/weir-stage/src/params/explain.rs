//! serde's errors in the words of a parameter file.

use toml::de::DeTable;

use super::place::{Places, path_at};
use crate::Failure;

/// The failure for an error from reading `text`, the written-out section `section`.
pub(crate) fn failure(section: &str, text: &str, error: &toml::de::Error, places: &Places) -> Failure {
    let mut path = vec![section.to_owned()];
    if let (Some(span), Ok(table)) = (error.span(), DeTable::parse(text)) {
        // An empty span stands for the section as a whole.
        path.extend(if span.is_empty() { Vec::new() } else { path_at(table.get_ref(), &span) });
    }
    let message = error.message();
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let fail = |path: &[String], what: String| places.failure(path, &path.join("."), what);
    match quoted.as_slice() {
        [unknown, known @ ..] if message.starts_with("unknown field") => {
            if path.last().is_none_or(|last| last != unknown) {
                path.push((*unknown).to_owned());
            }
            fail(&path, "unknown parameter".to_owned()).hint(nearest(unknown, known))
        }
        [missing, ..] if message.starts_with("missing field") => {
            path.push((*missing).to_owned());
            fail(&path, "missing parameter".to_owned())
        }
        [unknown, known @ ..] if message.starts_with("unknown variant") => {
            let what = format!("expected one of {}, received {unknown}", known.join(", "));
            fail(&path, what).hint(nearest(unknown, known))
        }
        _ => {
            let body = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
            let what = match body.and_then(|body| body.split_once(", expected ")) {
                Some((received, expected)) => {
                    format!("expected {}, received {}", in_words(expected), received.replace('`', ""))
                }
                None => message.replace('\n', ", "),
            };
            fail(&path, what)
        }
    }
}

/// `did you mean X? known are ...`, or only what is known when nothing is near.
pub(crate) fn nearest(unknown: &str, known: &[&str]) -> String {
    if known.is_empty() {
        return "there are no parameters here".to_owned();
    }
    let list = known.join(", ");
    match weir_contract::nearest(unknown, known.iter().copied()) {
        Some(name) => format!("did you mean {name}? known are {list}"),
        None => format!("known are {list}"),
    }
}

/// Rust's names of types in words.
fn in_words(expected: &str) -> &str {
    match expected {
        "f64" | "f32" => "a number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "a nonzero u16" | "a nonzero u32" | "a nonzero u64" | "a nonzero usize" => "a whole number, 1 or more",
        "a string" | "a borrowed string" => "a text",
        "a boolean" => "true or false",
        "a sequence" => "an array",
        "a map" => "a table",
        other => other.strip_prefix("struct ").map_or(other, |_| "a table"),
    }
}
