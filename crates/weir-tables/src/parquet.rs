//! Reading and writing of data frames, with errors that name the file.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use polars::prelude::{
    DataFrame, DataType, ParquetCompression, ParquetReader, ParquetWriter, PolarsError, SerReader as _, Series,
    TimeUnit,
};
use weir_contract::{Classify, ExitCode};

/// Rows of a row group: small enough to stream, large enough to compress.
const ROW_GROUP: usize = 1 << 17;

/// Why a table could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file could not be opened, read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no Parquet, or a column is missing or of another type.
    #[error("{}: {message}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}

impl TableError {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    pub(crate) fn corrupt(path: &Path, message: impl ToString) -> Self {
        Self::Corrupt { path: path.to_owned(), message: message.to_string() }
    }

    fn polars(path: &Path, error: PolarsError) -> Self {
        match error {
            PolarsError::IO { error, .. } => Self::io(path, std::io::Error::new(error.kind(), error.to_string())),
            other => Self::corrupt(path, other),
        }
    }
}

impl Classify for TableError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => ExitCode::Input,
            Self::Io { .. } => ExitCode::Retry,
            Self::Corrupt { .. } => ExitCode::Input,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { .. } => None,
            Self::Corrupt { .. } => Some("run the stage that wrote the file again, with --force".to_owned()),
        }
    }
}

/// Milliseconds since 1970 UTC. Not marked with a zone: polars' feature for that brings in every zone of the world.
pub(crate) fn event_time_type() -> DataType {
    DataType::Datetime(TimeUnit::Milliseconds, None)
}

pub(crate) fn write(path: &Path, mut frame: DataFrame) -> Result<(), TableError> {
    let file = File::create(path).map_err(|error| TableError::io(path, error))?;
    let mut out = BufWriter::new(file);
    ParquetWriter::new(&mut out)
        .with_compression(ParquetCompression::Zstd(None))
        .with_row_group_size(Some(ROW_GROUP))
        .finish(&mut frame)
        .map_err(|error| TableError::polars(path, error))?;
    out.flush().map_err(|error| TableError::io(path, error))
}

pub(crate) fn read(path: &Path) -> Result<DataFrame, TableError> {
    let file = File::open(path).map_err(|error| TableError::io(path, error))?;
    ParquetReader::new(file).set_rechunk(true).finish().map_err(|error| TableError::polars(path, error))
}

/// A column of a frame, of the type `wanted`.
pub(crate) fn column(path: &Path, frame: &DataFrame, name: &str, wanted: &DataType) -> Result<Series, TableError> {
    let column = frame.column(name).map_err(|_| TableError::corrupt(path, format!("column {name:?} is missing")))?;
    if column.dtype() != wanted {
        let message = format!("column {name:?} is {}, expected {wanted}", column.dtype());
        return Err(TableError::corrupt(path, message));
    }
    Ok(column.as_materialized_series().clone())
}
