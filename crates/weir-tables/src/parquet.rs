//! Reading and writing of data frames, with errors that name the file.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use polars::io::parquet::metadata::FileMetadataRef;
use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{
    ArrayRef, CompatLevel, DataFrame, DataType, ParquetCompression, ParquetReader, ParquetWriter, PolarsError, Schema,
    SerReader as _, Series, TimeUnit, TimeZone,
};
use polars_parquet::write::{
    CompressedPage, CompressionOptions, Encoding, ParquetType, StatisticsOptions, Version, WriteOptions,
    array_to_columns, compress, get_dtype_encoding,
};
use rayon::prelude::*;
use weir_contract::{Classify, ExitCode};

/// Rows of a row group: small enough to stream, large enough to compress.
pub(crate) const ROW_GROUP: usize = 1 << 17;

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
            Self::Corrupt { .. } => Some("make the file again with what wrote it; of a stage, with --force".to_owned()),
        }
    }
}

/// Milliseconds since 1970 UTC.
pub(crate) fn event_time_type() -> DataType {
    DataType::Datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC))
}

/// A file being written, one row group after the other.
pub(crate) struct Writer {
    path: PathBuf,
    out: BatchedWriter<BufWriter<File>>,
    columns: Vec<(ParquetType, Vec<Encoding>)>,
}

fn options() -> WriteOptions {
    WriteOptions {
        statistics: StatisticsOptions::default(),
        version: Version::V1,
        compression: CompressionOptions::Zstd(None),
        data_page_size: None,
    }
}

impl Writer {
    /// Starts the file.
    pub(crate) fn create(path: &Path, schema: &Schema) -> Result<Self, TableError> {
        let file = File::create(path).map_err(|error| TableError::io(path, error))?;
        let wrong = |error| TableError::polars(path, error);
        let mut out = ParquetWriter::new(BufWriter::new(file))
            .with_compression(ParquetCompression::Zstd(None))
            .batched(schema)
            .map_err(wrong)?;
        let encodings = schema.iter_values().map(|kind| {
            let arrow = kind.try_to_arrow(CompatLevel::newest()).map_err(wrong)?;
            Ok(get_dtype_encoding(&arrow))
        });
        let encodings: Vec<_> = encodings.collect::<Result<_, TableError>>()?;
        let types = out.parquet_schema().fields().iter().cloned();
        let columns = types.zip(encodings).collect();
        Ok(Self { path: path.to_owned(), out, columns })
    }

    /// Writes a row group. Columns are encoded and compressed side by side; polars' own writer compresses them one after
    /// the other.
    pub(crate) fn write(&mut self, frame: &DataFrame) -> Result<(), TableError> {
        let wrong = |error| TableError::polars(&self.path, error);
        let columns = frame.columns().par_iter().zip(&self.columns);
        let encoded = columns.map(|(column, (kind, encoding))| {
            let array = column.as_materialized_series().rechunk().to_arrow(0, CompatLevel::newest());
            encode(array, kind, encoding)
        });
        let encoded: Vec<Vec<CompressedPage>> = encoded.collect::<Result<_, _>>().map_err(wrong)?;
        self.out.write_row_group(frame.height() as u64, &encoded).map_err(wrong)
    }

    /// Ends the file.
    pub(crate) fn finish(self) -> Result<(), TableError> {
        self.out.finish().map(|_| ()).map_err(|error| TableError::polars(&self.path, error))
    }
}

/// The compressed pages of a column of plain values: it has one leaf.
fn encode(array: ArrayRef, kind: &ParquetType, encoding: &[Encoding]) -> Result<Vec<CompressedPage>, PolarsError> {
    let options = options();
    let leaves = array_to_columns(array, kind.clone(), options, encoding)?;
    let pages = leaves.into_iter().flatten();
    pages.map(|page| Ok(compress(page?, Vec::new(), options.compression)?)).collect()
}

/// A file being read, some rows at a time.
pub(crate) struct Reader {
    pub(crate) path: PathBuf,
    file: File,
    metadata: FileMetadataRef,
    rows: usize,
    next: usize,
}

impl Reader {
    /// Reads the file's footer.
    pub(crate) fn open(path: &Path) -> Result<Self, TableError> {
        let file = File::open(path).map_err(|error| TableError::io(path, error))?;
        let again = file.try_clone().map_err(|error| TableError::io(path, error))?;
        let mut reader = ParquetReader::new(again);
        let metadata = reader.get_metadata().map_err(|error| TableError::polars(path, error))?.clone();
        Ok(Self { path: path.to_owned(), file, rows: metadata.num_rows, metadata, next: 0 })
    }

    /// Rows of the file.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The next rows, `rows` of them unless the file ends before; nothing at its end.
    pub(crate) fn next(&mut self, rows: usize) -> Result<Option<DataFrame>, TableError> {
        if self.next >= self.rows {
            return Ok(None);
        }
        let file = self.file.try_clone().map_err(|error| TableError::io(&self.path, error))?;
        let rows = rows.min(self.rows - self.next);
        let mut reader = ParquetReader::new(file).with_slice(Some((self.next, rows))).set_rechunk(true);
        reader.set_metadata(self.metadata.clone());
        let frame = reader.finish().map_err(|error| TableError::polars(&self.path, error))?;
        if frame.height() != rows {
            let message = format!("ends after row {}, its footer says {}", self.next + frame.height(), self.rows);
            return Err(TableError::corrupt(&self.path, message));
        }
        self.next += rows;
        Ok(Some(frame))
    }
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
