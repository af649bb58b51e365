//! Rows that were set aside, with their place and the reason.

use std::path::Path;

use polars::prelude::{Column, DataFrame, NamedFrom as _, Series};

use crate::parquet::{TableError, write};

/// One row set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// The input file, by its role in the manifest (`flows/0` is the first file given).
    pub file: String,
    /// The line in that file, from 1.
    pub line: u64,
    /// What was wrong.
    pub reason: String,
    /// The row: the line's text for one that could not be read, else the canonical flow as JSON.
    pub row: String,
}

/// Writes rows set aside as Parquet with the columns `file`, `line`, `reason`, `row`.
///
/// # Errors
/// [`TableError::Io`].
pub fn write_quarantine(path: &Path, rows: &[Quarantined]) -> Result<(), TableError> {
    let text = |name: &str, get: fn(&Quarantined) -> &str| -> Column {
        Series::new(name.into(), rows.iter().map(get).collect::<Vec<&str>>()).into()
    };
    let lines: Vec<u64> = rows.iter().map(|row| row.line).collect();
    let columns = vec![
        text("file", |row| &row.file),
        Series::new("line".into(), lines).into(),
        text("reason", |row| &row.reason),
        text("row", |row| &row.row),
    ];
    write(path, DataFrame::new(rows.len(), columns).expect("columns of one length and different names"))
}
