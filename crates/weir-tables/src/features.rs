//! The feature table: unscaled f64 features with label, flow id and event time.

use std::path::Path;

use ndarray::Array2;
use polars::prelude::{
    Column, DataFrame, DataType, Float64Chunked, Int64Chunked, IntoSeries as _, NamedFrom as _, NewChunkedArray as _,
    Series, StringChunked, UInt8Chunked,
};
use weir_contract::flow::{self, TextColumn};

use crate::parquet::{TableError, column, event_time_type, read, write};

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
        let mut columns: Vec<Column> = self
            .names
            .iter()
            .zip(&self.columns)
            .map(|(name, values)| Float64Chunked::from_slice(name.as_str().into(), values).into_series().into())
            .collect();
        columns.push(Series::new("label".into(), &self.label).into());
        let mut ids = StringChunked::from_iter(self.flow_id.iter());
        ids.rename("flow_id".into());
        columns.push(ids.into_series().into());
        let times = Int64Chunked::from_iter_options("event_time".into(), self.event_time.iter());
        let times = times.into_series().cast(&event_time_type()).expect("whole numbers are milliseconds");
        columns.push(times.into());
        let frame = DataFrame::new(self.rows(), columns).expect("columns of one length and different names");
        write(path, frame)
    }

    /// Reads a table with the features `names`, in this order.
    ///
    /// # Errors
    /// [`TableError::Io`], or [`TableError::Corrupt`] when the file is no Parquet, lacks a column, or holds a null, a
    /// value that is not finite, or a class above 1.
    pub fn read(path: &Path, names: &[&str]) -> Result<Self, TableError> {
        let frame = read(path)?;
        let mut table = Self { names: names.iter().map(|&name| name.to_owned()).collect(), ..Self::default() };
        for name in names {
            let series = column(path, &frame, name, &DataType::Float64)?;
            let values: &Float64Chunked = series.f64().expect("checked type");
            let values: Vec<f64> = values.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
            if let Some(row) = values.iter().position(|value| !value.is_finite()) {
                return Err(TableError::corrupt(path, format!("row {row}: {name:?} is null or not finite")));
            }
            table.columns.push(values);
        }
        let series = column(path, &frame, "label", &DataType::UInt8)?;
        let label: &UInt8Chunked = series.u8().expect("checked type");
        table.label = label.iter().map(|value| value.unwrap_or(u8::MAX)).collect();
        if let Some(row) = table.label.iter().position(|&class| class > 1) {
            return Err(TableError::corrupt(path, format!("row {row}: label is neither 0 nor 1")));
        }
        let series = column(path, &frame, "flow_id", &DataType::String)?;
        table.flow_id = series.str().expect("checked type").iter().collect();
        let series = column(path, &frame, "event_time", &event_time_type())?;
        table.event_time = series.to_physical_repr().i64().expect("milliseconds").iter().collect();
        Ok(table)
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
    fn damage_is_named_with_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.parquet");
        table().write(&path).unwrap();
        let message = |names: &[&str]| FeatureTable::read(&path, names).unwrap_err().to_string();
        assert!(message(&["c"]).ends_with("t.parquet: column \"c\" is missing"));
        assert!(message(&["label"]).contains("column \"label\" is u8, expected f64"));
        std::fs::write(&path, b"no parquet").unwrap();
        assert!(matches!(FeatureTable::read(&path, &[]), Err(TableError::Corrupt { .. })));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(FeatureTable::read(&path, &[]), Err(TableError::Io { .. })));
    }
}
