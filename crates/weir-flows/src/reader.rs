//! Streaming: any source of bytes to batches, in bounded memory.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use memchr::memchr;
use thiserror::Error;
use weir_contract::{Classify, ExitCode};
use weir_decompress::Decompress;

use crate::batch::Batch;
use crate::decode::{Chunk, Decode, HeadError, LINE_LIMIT};
use crate::format::{Format, SniffError, sniff};
use crate::json::first_record_is_whole;
use crate::table::{BOM, reject_long_line};
use crate::zeek_tsv::header_is_whole;

/// How many bytes are asked for at a time.
const BLOCK: usize = 256 << 10;

/// Reads flows from a source of bytes.
///
/// Memory: a batch, what [`Decompress`] needs for a packed source, and a buffer that grows to the longest line but not
/// beyond [`LINE_LIMIT`] and a block.
pub struct FlowReader<R: Read> {
    source: Decompress<R>,
    name: String,
    format: Format,
    decoder: Box<dyn Decode>,
    buffer: Buffer,
    /// The line on which the unread bytes start.
    line: u64,
    /// What stopped reading, until it is told.
    failed: Option<io::Error>,
}

/// Why flows cannot be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The source cannot be read.
    #[error("{name}: cannot be read at line {line}: {source}")]
    Io {
        /// The source.
        name: String,
        /// The line, counted from 1.
        line: u64,
        /// The reason.
        source: io::Error,
    },
    /// There is not a single byte.
    #[error("{name}: is empty; expected at least a header line")]
    Empty {
        /// The source.
        name: String,
    },
    /// No format fits.
    #[error("{name}: {source}")]
    Sniff {
        /// The source.
        name: String,
        /// How it starts and what was expected.
        source: SniffError,
    },
    /// The format asked for does not fit.
    #[error("{name}: {source}")]
    Head {
        /// The source.
        name: String,
        /// What is wrong with its head.
        source: HeadError,
    },
}

impl Classify for ReadError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Io { source, .. } if !matches!(source.kind(), ErrorKind::NotFound | ErrorKind::InvalidData) => {
                ExitCode::Retry
            }
            _ => ExitCode::Input,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { source, .. } if source.kind() == ErrorKind::InvalidData => {
                Some("fetch or pack the file again".to_owned())
            }
            Self::Io { .. } => None,
            Self::Empty { .. } => Some("give a file with flows".to_owned()),
            Self::Sniff { source, .. } if source.packed => {
                Some("unpack it first; gzip and zstd are read as they are".to_owned())
            }
            Self::Sniff { .. } => Some("give flows in one of these formats".to_owned()),
            Self::Head { .. } => Some("leave out --format to have the format recognised".to_owned()),
        }
    }
}

impl FlowReader<File> {
    /// Opens a file; see [`FlowReader::new`].
    ///
    /// # Errors
    /// As [`FlowReader::new`].
    pub fn open(path: &Path, format: Option<Format>) -> Result<Self, ReadError> {
        let name = path.display().to_string();
        match File::open(path) {
            Ok(file) => Self::new(file, &name, format),
            Err(source) => Err(ReadError::Io { name, line: 1, source }),
        }
    }
}

impl<R: Read> FlowReader<R> {
    /// Reads the head of a source, which may be packed with gzip or zstd. Errors call it `name`. Without a format the head
    /// decides.
    ///
    /// # Errors
    /// [`ReadError::Empty`], [`ReadError::Sniff`] and [`ReadError::Head`] when it is no flow file,
    /// [`ReadError::Io`] when it cannot be read.
    pub fn new(source: R, name: &str, format: Option<Format>) -> Result<Self, ReadError> {
        let Opened { source, format, decoder, mut buffer } = open(source, name, format)?;
        let head = decoder.head();
        buffer.start += head.bytes;
        Ok(Self { source, name: name.to_owned(), format, decoder, buffer, line: 1 + head.lines, failed: None })
    }

    /// The format being read.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// What decodes it, for the columns ignored and missing.
    #[must_use]
    pub fn decoder(&self) -> &dyn Decode {
        &*self.decoder
    }

    /// The next records, `rows` of them (at least one) unless the source ends before; nothing at its end.
    ///
    /// Batches depend on `rows` only, not on how the source portions its bytes.
    ///
    /// # Errors
    /// [`ReadError::Io`] when the source cannot be read, after all records before have been returned.
    pub fn next_batch(&mut self, rows: usize) -> Result<Option<Batch>, ReadError> {
        self.next(rows, true)
    }

    /// As [`FlowReader::next_batch`], but as soon as there is something: the source is not read again while records are
    /// waiting. For sources that pause, such as pipes; batches depend on how they portion their bytes.
    ///
    /// # Errors
    /// Those of [`FlowReader::next_batch`].
    pub fn next_available(&mut self, rows: usize) -> Result<Option<Batch>, ReadError> {
        self.next(rows, false)
    }

    fn next(&mut self, rows: usize, full: bool) -> Result<Option<Batch>, ReadError> {
        let rows = rows.max(1);
        let mut batch = Batch::default();
        if self.failed.is_none()
            && let Err(error) = self.read_batch(rows, full, &mut batch)
        {
            self.failed = Some(error);
        }
        if !batch.is_empty() {
            return Ok(Some(batch));
        }
        match self.failed.take() {
            Some(source) => {
                // What follows the failure starts in the middle of a line, so that nothing more can be read.
                self.buffer = Buffer { ended: true, ..Buffer::default() };
                Err(ReadError::Io { name: self.name.clone(), line: self.line, source })
            }
            None => Ok(None),
        }
    }

    /// Reads on until the batch has its rows, or where it need not be `full`, until there is anything in it.
    fn read_batch(&mut self, rows: usize, full: bool, batch: &mut Batch) -> io::Result<()> {
        loop {
            let end = self.buffer.ended;
            let chunk = Chunk { bytes: self.buffer.unread(), first_line: self.line, end };
            let done = self.decoder.decode(chunk, rows - batch.records(), batch);
            self.buffer.start += done.bytes;
            self.line += done.lines;
            if batch.records() >= rows || end || !(full || batch.is_empty()) {
                return Ok(());
            }
            if self.buffer.has_long_line() {
                reject_long_line(self.line, self.buffer.unread(), batch);
                self.line += 1;
                self.buffer.skip_line(&mut self.source)?;
                if batch.records() >= rows {
                    return Ok(());
                }
            } else {
                self.buffer.fill(&mut self.source)?;
            }
        }
    }
}

/// A source whose head has been read.
pub(crate) struct Opened<R: Read> {
    pub(crate) source: Decompress<R>,
    pub(crate) format: Format,
    pub(crate) decoder: Box<dyn Decode>,
    /// What has been read, from the start of the head.
    pub(crate) buffer: Buffer,
}

/// Reads the head of a source and finds its decoder; see [`FlowReader::new`].
pub(crate) fn open<R: Read>(source: R, name: &str, format: Option<Format>) -> Result<Opened<R>, ReadError> {
    let failed = |source| ReadError::Io { name: name.to_owned(), line: 1, source };
    let mut source = Decompress::new(source).map_err(failed)?;
    let mut buffer = Buffer::default();
    let (format, decoder) = loop {
        buffer.fill(&mut source).map_err(failed)?;
        let head = buffer.unread();
        let may_grow = !buffer.ended && head.len() <= LINE_LIMIT;
        if may_grow && !(first_record_is_whole(head) && header_is_whole(head)) {
            continue;
        }
        if head.is_empty() || head == BOM {
            return Err(ReadError::Empty { name: name.to_owned() });
        }
        let format = format
            .map_or_else(|| sniff(head), Ok)
            .map_err(|source| ReadError::Sniff { name: name.to_owned(), source })?;
        match format.decoder(head) {
            // The first lines may be damaged.
            Err(HeadError::NoObject { .. }) if may_grow => {}
            Err(source) => return Err(ReadError::Head { name: name.to_owned(), source }),
            Ok(decoder) => break (format, decoder),
        }
    };
    Ok(Opened { source, format, decoder, buffer })
}

/// Bytes read but not yet decoded.
#[derive(Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    filled: usize,
    ended: bool,
}

impl Buffer {
    pub(crate) fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.filled]
    }

    /// Whether the bytes are the start of a line that is too long.
    fn has_long_line(&self) -> bool {
        self.unread().len() > LINE_LIMIT && memchr(b'\n', self.unread()).is_none()
    }

    /// Reads until a line ends in the new bytes, the line is too long, or the source ends.
    fn fill(&mut self, source: &mut impl Read) -> io::Result<()> {
        loop {
            let new = self.read(source)?;
            if self.ended || self.unread().len() > LINE_LIMIT {
                return Ok(());
            }
            if memchr(b'\n', &self.bytes[self.filled - new..self.filled]).is_some() {
                return Ok(());
            }
        }
    }

    /// Drops bytes up to the end of the line.
    fn skip_line(&mut self, source: &mut impl Read) -> io::Result<()> {
        loop {
            if let Some(end) = memchr(b'\n', self.unread()) {
                self.start += end + 1;
                return Ok(());
            }
            self.start = self.filled;
            if self.ended {
                return Ok(());
            }
            self.read(source)?;
        }
    }

    /// Reads once, at most a block, and returns how many bytes came.
    fn read(&mut self, source: &mut impl Read) -> io::Result<usize> {
        if self.bytes.len() < self.filled + BLOCK {
            self.bytes.copy_within(self.start..self.filled, 0);
            self.filled -= self.start;
            self.start = 0;
        }
        if self.bytes.len() < self.filled + BLOCK {
            self.bytes.resize(self.filled + BLOCK, 0);
        }
        loop {
            match source.read(&mut self.bytes[self.filled..self.filled + BLOCK]) {
                Ok(new) => {
                    self.filled += new;
                    self.ended = new == 0;
                    return Ok(new);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
