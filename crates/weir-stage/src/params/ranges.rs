//! validator's errors: parameter, allowed range, value received.

use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

use super::place::Places;
use crate::Failure;

/// The failure that names every parameter of `section` out of its range, in the order of their names.
pub(crate) fn failure(section: &str, errors: &ValidationErrors, places: &Places) -> Failure {
    let mut found = Vec::new();
    collect(errors, &mut vec![section.to_owned()], &mut found);
    found.sort();
    let lines: Vec<String> =
        found.iter().map(|(path, what)| format!("{}: {}: {what}", places.of_path(path), path.join("."))).collect();
    Failure::usage(lines.join("\n"))
}

fn collect(errors: &ValidationErrors, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, String)>) {
    for (field, kind) in errors.errors() {
        // Where validator puts errors of a whole struct.
        let whole = field == "__all__";
        if !whole {
            path.push(field.to_string());
        }
        match kind {
            ValidationErrorsKind::Field(errors) => {
                found.extend(errors.iter().map(|error| (path.clone(), describe(error))));
            }
            ValidationErrorsKind::Struct(inner) => collect(inner, path, found),
            ValidationErrorsKind::List(items) => items.values().for_each(|inner| collect(inner, path, found)),
        }
        if !whole {
            path.pop();
        }
    }
}

fn describe(error: &ValidationError) -> String {
    let param = |name: &str| error.params.get(name).map(|value| value.to_string().replace('"', ""));
    let received = param("value").map(|value| format!(", received {value}")).unwrap_or_default();
    if let Some(message) = &error.message {
        return format!("{message}{received}");
    }
    let bounds: Vec<String> = [
        ("min", "at least"),
        ("exclusive_min", "above"),
        ("max", "at most"),
        ("exclusive_max", "below"),
        ("equal", "exactly"),
    ]
    .into_iter()
    .filter_map(|(name, words)| param(name).map(|bound| format!("{words} {bound}")))
    .collect();
    match (error.code.as_ref(), bounds.is_empty()) {
        ("length", false) => format!("expected a length of {}{received}", bounds.join(" and ")),
        (_, false) => format!("expected {}{received}", bounds.join(" and ")),
        (code, true) => format!("not allowed ({code}){received}"),
    }
}
