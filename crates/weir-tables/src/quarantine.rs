//! Rows that were set aside, with their place and the reason.

use std::path::Path;

use polars::prelude::{DataFrame, DataType, Field, IntoSeries as _, Schema, Series, UInt64Chunked};

use crate::column::text;
use crate::parquet::{ROW_GROUP, Reader, TableError, Writer, column};

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

/// Rows set aside being read, some at a time.
pub struct QuarantineReader(Reader);

impl QuarantineReader {
    /// Opens a file that [`QuarantineWriter`] wrote.
    ///
    /// # Errors
    /// [`TableError::Io`], or [`TableError::Corrupt`] for a file that is no Parquet.
    pub fn open(path: &Path) -> Result<Self, TableError> {
        Ok(Self(Reader::open(path)?))
    }

    /// The next rows; nothing at the end of the file.
    ///
    /// # Errors
    /// [`TableError::Io`], or [`TableError::Corrupt`] for a table of another kind.
    pub fn next_rows(&mut self) -> Result<Option<Vec<Quarantined>>, TableError> {
        let Some(frame) = self.0.next(ROW_GROUP / 8)? else { return Ok(None) };
        let path = &self.0.path;
        let texts = |name: &str| column(path, &frame, name, &DataType::String);
        let (file, reason, row) = (texts("file")?, texts("reason")?, texts("row")?);
        let line = column(path, &frame, "line", &DataType::UInt64)?;
        let text = |series: &Series, number: usize| {
            series.str().expect("checked type").get(number).unwrap_or_default().to_owned()
        };
        let rows = (0..frame.height()).map(|number| Quarantined {
            file: text(&file, number),
            line: line.u64().expect("checked type").get(number).unwrap_or_default(),
            reason: text(&reason, number),
            row: text(&row, number),
        });
        Ok(Some(rows.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_read_back_as_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("q.parquet");
        let row = |line| Quarantined { file: "flows/0".into(), line, reason: "é".into(), row: "{}".into() };
        let rows: Vec<Quarantined> = (0..ROW_GROUP as u64 / 8 + 3).map(row).collect();
        let mut writer = QuarantineWriter::create(&path).unwrap();
        rows.iter().for_each(|row| writer.push(row.clone()).unwrap());
        assert_eq!(writer.rows(), rows.len() as u64);
        writer.finish().unwrap();
        let mut reader = QuarantineReader::open(&path).unwrap();
        let mut again = Vec::new();
        while let Some(some) = reader.next_rows().unwrap() {
            again.extend(some);
        }
        assert_eq!(again, rows);
    }
}
