//! `--set section.key=value`.

use toml::Value;

use super::place::Places;
use super::{SECTIONS, explain};
use crate::Failure;

/// Applies one `--set` to the table; later ones win.
pub(crate) fn apply(set: &str, table: &mut toml::Table, places: &mut Places) -> Result<(), Failure> {
    let form = || Failure::usage(format!("--set {set}: expected section.key=value"));
    let (name, value) = set.split_once('=').ok_or_else(form)?;
    let path: Vec<String> = name.split('.').map(|part| part.trim().to_owned()).collect();
    let [section, keys @ ..] = path.as_slice() else { return Err(form()) };
    if path.iter().any(String::is_empty) || keys.is_empty() != (section == "seed") {
        return Err(form());
    }
    if !SECTIONS.contains(&section.as_str()) {
        let failure = Failure::usage(format!("--set {set}: no such section as {section}"));
        return Err(failure.hint(explain::nearest(section, SECTIONS)));
    }
    let (key, tables) = path.split_last().ok_or_else(form)?;
    let mut inner = table;
    for (depth, part) in tables.iter().enumerate() {
        let next = inner.entry(part.clone()).or_insert_with(|| Value::Table(toml::Table::new()));
        inner = next.as_table_mut().ok_or_else(|| {
            let holder = path[..=depth].join(".");
            Failure::usage(format!("--set {set}: {holder} is a value and has no {}", path[depth + 1]))
        })?;
    }
    inner.insert(key.clone(), parse(value.trim()));
    places.set(&path, format!("--set {set}"));
    Ok(())
}

/// The value in TOML; what is none is text, so that names need no quotes.
fn parse(value: &str) -> Value {
    let document: Result<toml::Table, _> = toml::from_str(&format!("value = {value}"));
    match document {
        Ok(mut table) if table.len() == 1 => table.remove("value").unwrap_or_else(|| Value::String(value.to_owned())),
        _ => Value::String(value.to_owned()),
    }
}
