//! Where a parameter was set: a line of the file, or a `--set`.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::Failure;

/// The places of all parameters of a file and of the `--set` after it.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    source: String,
    places: BTreeMap<Vec<String>, String>,
}

impl Places {
    pub(crate) fn of(source: &str, text: &str, table: &DeTable<'_>) -> Self {
        let mut places = BTreeMap::new();
        each(table, &mut Vec::new(), &mut |entry| {
            places.insert(entry.path.to_vec(), format!("{source}:{}", line_of(text, entry.key.start)));
        });
        Self { source: source.to_owned(), places }
    }

    /// Notes that `path` was set on the command line.
    pub(crate) fn set(&mut self, path: &[String], place: String) {
        self.places.insert(path.to_vec(), place);
    }

    /// The place of `path`, or of the nearest table around it.
    pub(crate) fn of_path(&self, path: &[String]) -> &str {
        let around = (1..=path.len()).rev().map(|length| &path[..length]);
        around.filter_map(|path| self.places.get(path)).next().unwrap_or(&self.source)
    }

    /// `<place>: <name>: <what>`.
    pub(crate) fn failure(&self, path: &[String], name: &str, what: impl std::fmt::Display) -> Failure {
        Failure::usage(format!("{}: {name}: {what}", self.of_path(path)))
    }
}

/// The line that byte `at` of `text` is on, from 1.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|&byte| byte == b'\n').count()
}

/// The path of the innermost key or value that covers `span`; empty when only the whole document does.
pub(crate) fn path_at(table: &DeTable<'_>, span: &Range<usize>) -> Vec<String> {
    let mut innermost: Option<(usize, Vec<String>)> = None;
    let covers = |outer: &Range<usize>| outer.start <= span.start && span.end <= outer.end;
    each(table, &mut Vec::new(), &mut |entry| {
        for outer in [entry.key, entry.value].into_iter().filter(|outer| covers(outer)) {
            if innermost.as_ref().is_none_or(|(length, _)| outer.len() < *length) {
                innermost = Some((outer.len(), entry.path.to_vec()));
            }
        }
    });
    innermost.map(|(_, path)| path).unwrap_or_default()
}

/// An entry of a table: its path and where its key and value are in the text.
struct Entry<'a> {
    path: &'a [String],
    key: Range<usize>,
    value: Range<usize>,
}

/// Visits every entry of a table and of the tables in it.
fn each(table: &DeTable<'_>, path: &mut Vec<String>, visit: &mut dyn FnMut(Entry<'_>)) {
    for (key, value) in table {
        path.push(key.get_ref().to_string());
        visit(Entry { path, key: key.span(), value: value.span() });
        if let DeValue::Table(inner) = value.get_ref() {
            each(inner, path, visit);
        }
        path.pop();
    }
}
