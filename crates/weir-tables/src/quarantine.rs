//! Rows that were set aside, with their place and the reason.

use std::path::Path;

use polars::prelude::{DataFrame, DataType, Field, IntoSeries as _, Schema, UInt64Chunked};

use crate::column::text;
use crate::parquet::{ROW_GROUP, TableError, Writer};

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

/// Rows set aside being written as Parquet with the columns `file`, `line`, `reason`, `row`.
pub struct QuarantineWriter {
    out: Writer,
    pending: Vec<Quarantined>,
    rows: u64,
}

impl QuarantineWriter {
    /// Starts the file.
    ///
    /// # Errors
    /// [`TableError::Io`].
    pub fn create(path: &Path) -> Result<Self, TableError> {
        let types = [
            ("file", DataType::String),
            ("line", DataType::UInt64),
            ("reason", DataType::String),
            ("row", DataType::String),
        ];
        let schema: Schema = types.into_iter().map(|(name, kind)| Field::new(name.into(), kind)).collect();
        Ok(Self { out: Writer::create(path, &schema)?, pending: Vec::new(), rows: 0 })
    }

    /// Appends a row.
    ///
    /// # Errors
    /// [`TableError::Io`].
    pub fn push(&mut self, row: Quarantined) -> Result<(), TableError> {
        self.pending.push(row);
        self.rows += 1;
        // Texts are long: smaller row groups than those of numbers.
        if self.pending.len() == ROW_GROUP / 8 { self.flush() } else { Ok(()) }
    }

    /// Rows appended so far.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Ends the file.
    ///
    /// # Errors
    /// [`TableError::Io`].
    pub fn finish(mut self) -> Result<(), TableError> {
        if !self.pending.is_empty() {
            self.flush()?;
        }
        self.out.finish()
    }

    fn flush(&mut self) -> Result<(), TableError> {
        let rows = std::mem::take(&mut self.pending);
        let texts =
            |name: &str, get: fn(&Quarantined) -> &str| text(name, rows.len(), rows.iter().map(|row| Some(get(row))));
        let lines = rows.iter().map(|row| row.line).collect();
        let columns = vec![
            texts("file", |row| &row.file),
            UInt64Chunked::from_vec("line".into(), lines).into_series().into(),
            texts("reason", |row| &row.reason),
            texts("row", |row| &row.row),
        ];
        self.out.write(&DataFrame::new(rows.len(), columns).expect("columns of one length and different names"))
    }
}
