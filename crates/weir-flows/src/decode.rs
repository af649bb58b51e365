//! The border between formats and IO: bytes in, flows out.

use memchr::memrchr;
use thiserror::Error;

use crate::batch::Batch;
use crate::format::Format;

/// The longest line that is read, in bytes without its line feed, and the longest object that spans lines. A longer one is
/// rejected.
pub const LINE_LIMIT: usize = 1 << 20;

/// Turns the bytes after a file's head into flows.
///
/// A decoder keeps what the head said and nothing else: chunks may be decoded in any order and on any thread.
pub trait Decode: Send + Sync {
    /// What the head of the file takes up.
    fn head(&self) -> Head;

    /// Decodes whole records from the start of a chunk until `rows` of them (flows and rejected) are added to the batch
    /// or no whole record is left.
    fn decode(&self, chunk: Chunk<'_>, rows: usize, batch: &mut Batch) -> Progress;

    /// The length of the largest prefix of `bytes`, which start at the start of a record, that ends where a record ends;
    /// nothing where none seems to.
    ///
    /// A guess: a record may go on behind what looks like its end. Then [`Decode::decode`] leaves its start over, and the
    /// bytes behind the cut have to be decoded again together with what was left.
    fn cut(&self, bytes: &[u8]) -> Option<usize> {
        memrchr(b'\n', bytes).map(|end| end + 1)
    }

    /// The columns of the file that no flow column is read from; one without a name as `column 1`.
    fn ignored_columns(&self) -> &[String];

    /// The columns of the format that the file lacks, so that they are null in all flows.
    fn missing_columns(&self) -> &[&'static str];
}

/// Bytes that start at the start of a record.
#[derive(Debug, Clone, Copy)]
pub struct Chunk<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// The line the first byte is on, counted from 1.
    pub first_line: u64,
    /// Whether the file ends where the bytes end, so that a last line without an end is whole.
    pub end: bool,
}

/// How far a decoder got in a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Bytes taken; the rest starts with a record.
    pub bytes: usize,
    /// Lines taken.
    pub lines: u64,
}

/// What comes before the first record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its length in bytes.
    pub bytes: usize,
    /// Its length in lines.
    pub lines: u64,
}

/// Why a file cannot be read as a given format.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HeadError {
    /// Columns without which there is no flow.
    #[error(
        "cannot be read as {format}: the header has no column {}; it starts with {starts}; expected {}",
        quoted(.missing),
        .format.describe()
    )]
    MissingColumns {
        /// The format asked for.
        format: Format,
        /// The columns it cannot do without.
        missing: Vec<&'static str>,
        /// How the file starts.
        starts: String,
    },
    /// A format of objects, and not one.
    #[error("cannot be read as {format}: there is no JSON object; it starts with {starts}; expected {}", .format.describe())]
    NoObject {
        /// The format asked for.
        format: Format,
        /// How the file starts.
        starts: String,
    },
    /// Two columns with the same meaning.
    #[error(
        "cannot be read as {format}: {first:?} and {second:?} are both the column \"{column}\"; remove one of them"
    )]
    DuplicateColumn {
        /// The format asked for.
        format: Format,
        /// The column as the format calls it.
        column: &'static str,
        /// One of the file's columns.
        first: String,
        /// The other.
        second: String,
    },
}

/// `"a", "b"`.
pub(crate) fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}
