//! The feature table: unscaled f64 features with label, flow id and event time.

use std::ops::Range;
use std::path::Path;

use ndarray::Array2;
use polars::prelude::{Column, DataFrame, DataType, Field, Float64Chunked, IntoSeries as _, Schema, UInt8Chunked};
use weir_contract::flow::{self, TextColumn};

use crate::column::{text, times};
use crate::parquet::{ROW_GROUP, Reader, TableError, Writer, column, event_time_type};

/// A split of the feature table.
///
/// In Parquet the features come first, as f64 columns; then `label` u8 (1 = malicious), `flow_id` as string and
/// `event_time` as timestamp in ms, so that neither is taken for a feature.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FeatureTable {
    /// Feature names, in column order.
    pub names: Vec<String>,
    /// One column per feature.
    pub columns: Vec<Vec<f64>>,
    /// 0 or 1 per row.
    pub label: Vec<u8>,
    /// The flow's id per row.
    pub flow_id: TextColumn,
    /// Time of the record, milliseconds since 1970 UTC.
    pub event_time: flow::Column<i64>,
}

impl FeatureTable {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.label.len()
    }

    /// The features as a dense matrix `[rows, features]`, row-major.
    #[must_use]
    pub fn matrix(&self) -> Array2<f64> {
        let mut matrix = Array2::zeros((self.rows(), self.columns.len()));
        for (mut target, source) in matrix.columns_mut().into_iter().zip(&self.columns) {
            target.iter_mut().zip(source).for_each(|(target, &value)| *target = value);
        }
        matrix
    }

    /// Writes the table as Parquet.
    ///
    /// # Errors
    /// [`TableError::Io`].
    ///
    /// # Panics
    /// When the columns differ in length.
    pub fn write(&self, path: &Path) -> Result<(), TableError> {
        let mut writer = FeatureWriter::create(path, &self.names)?;
        let columns: Vec<&[f64]> = self.columns.iter().map(Vec::as_slice).collect();
        writer.append(&columns, &self.label, &self.flow_id, &self.event_time, 0..self.rows())?;
        writer.finish()
    }

    /// Reads a table with the features `names`, in this order.
    ///
    /// # Errors
    /// [`TableError::Io`], or [`TableError::Corrupt`] when the file is no Parquet, lacks a column, or holds a null, a
    /// value that is not finite, or a class above 1.
    pub fn read(path: &Path, names: &[&str]) -> Result<Self, TableError> {
        let mut reader = Reader::open(path)?;
        let rows = reader.rows();
        let Some(frame) = reader.next(rows)? else {
            return Ok(Self {
                names: names.iter().map(|&name| name.to_owned()).collect(),
                columns: vec![Vec::new(); names.len()],
                ..Self::default()
            });
        };
        Self::from_frame(path, &frame, names)
    }

    fn from_frame(path: &Path, frame: &DataFrame, names: &[&str]) -> Result<Self, TableError> {
        let mut table = Self { names: names.iter().map(|&name| name.to_owned()).collect(), ..Self::default() };
        for name in names {
            let series = column(path, frame, name, &DataType::Float64)?;
            let values: &Float64Chunked = series.f64().expect("checked type");
            let values: Vec<f64> = values.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
            if let Some(row) = values.iter().position(|value| !value.is_finite()) {
                return Err(TableError::corrupt(path, format!("row {row}: {name:?} is null or not finite")));
            }
            table.columns.push(values);
        }
        let series = column(path, frame, "label", &DataType::UInt8)?;
        let label: &UInt8Chunked = series.u8().expect("checked type");
        table.label = label.iter().map(|value| value.unwrap_or(u8::MAX)).collect();
        if let Some(row) = table.label.iter().position(|&class| class > 1) {
            return Err(TableError::corrupt(path, format!("row {row}: label is neither 0 nor 1")));
        }
        let series = column(path, frame, "flow_id", &DataType::String)?;
        table.flow_id = series.str().expect("checked type").iter().collect();
        let series = column(path, frame, "event_time", &event_time_type())?;
        table.event_time = series.to_physical_repr().i64().expect("milliseconds").iter().collect();
        Ok(table)
    }
}

/// A feature table being written, one row group after the other.
pub struct FeatureWriter {
    out: Writer,
    pending: FeatureTable,
}

impl FeatureWriter {
    /// Starts the file of a table with the features `names`.
    ///
    /// # Errors
    /// [`TableError::Io`].
    ///
    /// # Panics
    /// When two names are equal.
    pub fn create(path: &Path, names: &[String]) -> Result<Self, TableError> {
        let features = names.iter().map(|name| Field::new(name.as_str().into(), DataType::Float64));
        let schema: Schema = features
            .chain([
                Field::new("label".into(), DataType::UInt8),
                Field::new("flow_id".into(), DataType::String),
                Field::new("event_time".into(), event_time_type()),
            ])
            .collect();
        let pending =
            FeatureTable { names: names.to_vec(), columns: vec![Vec::new(); names.len()], ..FeatureTable::default() };
        Ok(Self { out: Writer::create(path, &schema)?, pending })
    }

    /// Appends `rows` of columns that are as long as each other.
    ///
    /// # Errors
    /// [`TableError::Io`].
    pub fn append(
        &mut self,
        columns: &[&[f64]],
        label: &[u8],
        flow_id: &TextColumn,
        event_time: &flow::Column<i64>,
        rows: Range<usize>,
    ) -> Result<(), TableError> {
        let mut next = rows.start;
        while next < rows.end {
            let end = rows.end.min(next + ROW_GROUP - self.pending.rows());
            for (pending, column) in self.pending.columns.iter_mut().zip(columns) {
                pending.extend_from_slice(&column[next..end]);
            }
            self.pending.label.extend_from_slice(&label[next..end]);
            for row in next..end {
                self.pending.flow_id.push(flow_id.get(row));
                self.pending.event_time.push(event_time.get(row));
            }
            next = end;
            if self.pending.rows() == ROW_GROUP {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// [`TableError::Io`].
    pub fn finish(mut self) -> Result<(), TableError> {
        if self.pending.rows() > 0 {
            self.flush()?;
        }
        self.out.finish()
    }

    fn flush(&mut self) -> Result<(), TableError> {
        let empty = vec![Vec::new(); self.pending.names.len()];
        let rows = self.pending.rows();
        let columns = std::mem::replace(&mut self.pending.columns, empty);
        let mut series: Vec<Column> = self
            .pending
            .names
            .iter()
            .zip(columns)
            .map(|(name, values)| Float64Chunked::from_vec(name.as_str().into(), values).into_series().into())
            .collect();
        let label = std::mem::take(&mut self.pending.label);
        series.push(UInt8Chunked::from_vec("label".into(), label).into_series().into());
        series.push(text("flow_id", rows, std::mem::take(&mut self.pending.flow_id).iter()));
        series.push(times(&std::mem::take(&mut self.pending.event_time)));
        let frame = DataFrame::new(rows, series).expect("columns of one length and different names");
        self.out.write(&frame)
    }
}

/// A feature table being read, some rows at a time.
pub struct FeatureReader {
    reader: Reader,
    names: Vec<String>,
}

impl FeatureReader {
    /// Opens a table with the features `names`.
    ///
    /// # Errors
    /// As [`FeatureTable::read`].
    pub fn open(path: &Path, names: &[String]) -> Result<Self, TableError> {
        Ok(Self { reader: Reader::open(path)?, names: names.to_vec() })
    }

    /// The next rows, `rows` of them unless the file ends before; nothing at its end.
    ///
    /// # Errors
    /// As [`FeatureTable::read`]; rows are counted from the first of this call.
    pub fn next(&mut self, rows: usize) -> Result<Option<FeatureTable>, TableError> {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        match self.reader.next(rows)? {
            Some(frame) => FeatureTable::from_frame(&self.reader.path, &frame, &names).map(Some),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> FeatureTable {
        FeatureTable {
            names: vec!["b".to_owned(), "a".to_owned()],
            columns: vec![vec![0.1, f64::MAX, -0.0], vec![1.0, 2.0, 3.0]],
            label: vec![0, 1, 0],
            flow_id: [Some("x"), Some("y"), None].into_iter().collect(),
            event_time: [Some(1_645_791_570_013), None, Some(0)].into_iter().collect(),
        }
    }

    #[test]
    fn a_table_reads_back_as_written_and_has_the_same_bytes_twice() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("1.parquet"), dir.path().join("2.parquet"));
        table().write(&one).unwrap();
        table().write(&two).unwrap();
        assert_eq!(FeatureTable::read(&one, &["b", "a"]).unwrap(), table());
        assert_eq!(FeatureTable::read(&one, &["a"]).unwrap().matrix(), ndarray::array![[1.0], [2.0], [3.0]]);
        assert_eq!(std::fs::read(one).unwrap(), std::fs::read(two).unwrap());
    }

    #[test]
    fn rows_read_in_pieces_are_those_of_the_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.parquet");
        let rows = ROW_GROUP + 5;
        let long = FeatureTable {
            names: vec!["a".to_owned()],
            columns: vec![(0..rows).map(|row| row as f64).collect()],
            label: vec![1; rows],
            flow_id: (0..rows).map(|_| Some("x")).collect(),
            event_time: (0..rows).map(|row| Some(row as i64)).collect(),
        };
        long.write(&path).unwrap();
        let mut reader = FeatureReader::open(&path, &long.names).unwrap();
        let mut values = Vec::new();
        while let Some(some) = reader.next(100_000).unwrap() {
            values.extend(some.columns[0].iter().copied());
        }
        assert_eq!(values, long.columns[0]);
        assert_eq!(FeatureTable::read(&path, &["a"]).unwrap(), long);
    }

    #[test]
    fn damage_is_named_with_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.parquet");
        table().write(&path).unwrap();
        let message = |names: &[&str]| FeatureTable::read(&path, names).unwrap_err().to_string();
        assert!(message(&["c"]).ends_with("t.parquet: column \"c\" is missing"));
        assert!(message(&["label"]).contains("column \"label\" is u8, expected f64"));
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert!(matches!(FeatureTable::read(&path, &[]), Err(TableError::Corrupt { .. })));
        std::fs::write(&path, b"no parquet").unwrap();
        assert!(matches!(FeatureTable::read(&path, &[]), Err(TableError::Corrupt { .. })));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(FeatureTable::read(&path, &[]), Err(TableError::Io { .. })));
    }
}
