//! Flow files to pieces of work: bytes of whole records, or rows of a table.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use weir_artifact::digest_file;
use weir_contract::digest::Digester;
use weir_contract::{Digest, FlowBatch};
use weir_flows::{Block, Blocks, Decode, Format};
use weir_stage::{Failure, ProgressHandle};
use weir_tables::FlowTableReader;

/// Bytes that are read and decoded at a time.
const BLOCK: usize = 2 << 20;

/// Rows of a table that are read at a time.
const ROWS: usize = 1 << 16;

/// The first bytes of a Parquet file.
const PARQUET: &[u8] = b"PAR1";

/// The role of input file `number` in manifests and quarantine. Unlike its path, it is the same wherever a run takes
/// place.
#[must_use]
pub fn role(number: usize) -> String {
    format!("flows/{number}")
}

/// The files that `given` stands for: a directory stands for the files in it in the order of their names, those whose name
/// begins with a dot left out.
///
/// # Errors
/// [`Failure::input`] for a directory that cannot be listed or holds no file.
pub fn flow_files(given: Vec<PathBuf>) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::with_capacity(given.len());
    for path in given {
        if !path.is_dir() {
            files.push(path);
            continue;
        }
        let inside =
            list(&path).map_err(|error| Failure::input(format!("failed to list {}: {error}", path.display())))?;
        if inside.is_empty() {
            return Err(Failure::input(format!("there is no file in {}", path.display()))
                .hint("give flow files, or a directory that holds them, with --data"));
        }
        files.extend(inside);
    }
    Ok(files)
}

fn list(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in dir.read_dir()? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a file starts as Parquet does.
///
/// # Errors
/// When it cannot be read.
pub fn is_parquet(path: &Path) -> io::Result<bool> {
    let mut start = [0; PARQUET.len()];
    let mut file = File::open(path)?;
    match file.read_exact(&mut start) {
        Ok(()) => Ok(start == PARQUET),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// A piece of the input.
pub(crate) struct Piece {
    /// The number of its file.
    pub(crate) file: u32,
    /// The number of the piece among all.
    pub(crate) number: u32,
    pub(crate) content: Content,
}

/// What a piece holds.
pub(crate) enum Content {
    /// Records of a text format.
    Text { decoder: Arc<dyn Decode>, block: Block },
    /// Rows of a table; the first is row `first` of its file, from 0.
    Rows { flows: Box<FlowBatch>, first: u64 },
}

/// All files, one piece after the other.
pub(crate) struct Input<'a> {
    files: &'a [PathBuf],
    format: Option<Format>,
    progress: &'a ProgressHandle,
    detail: &'a (dyn Fn(String) + Sync),
    open: Option<Open<'a>>,
    next_file: usize,
    next_piece: u32,
    /// Digests of the files read to their end.
    pub(crate) digests: Vec<Digest>,
}

enum Open<'a> {
    Text { blocks: Box<Blocks<Source<'a>>>, digest: Arc<Mutex<Digester>> },
    Table { reader: FlowTableReader, digest: Digest, first: u64 },
}

impl<'a> Input<'a> {
    pub(crate) fn new(
        files: &'a [PathBuf],
        format: Option<Format>,
        progress: &'a ProgressHandle,
        detail: &'a (dyn Fn(String) + Sync),
    ) -> Self {
        Self { files, format, progress, detail, open: None, next_file: 0, next_piece: 0, digests: Vec::new() }
    }

    /// The next piece, or nothing when all files are read.
    ///
    /// # Errors
    /// A file that cannot be read or is no flow file at all.
    pub(crate) fn next(&mut self) -> Result<Option<Piece>, Failure> {
        loop {
            let Some(open) = &mut self.open else {
                let Some(path) = self.files.get(self.next_file) else { return Ok(None) };
                self.open = Some(self.start(path)?);
                self.next_file += 1;
                continue;
            };
            let content = match open {
                Open::Text { blocks, .. } => {
                    blocks.next()?.map(|block| Content::Text { decoder: blocks.decoder(), block })
                }
                Open::Table { reader, first, .. } => reader.next(ROWS)?.map(|flows| {
                    let start = *first;
                    *first += flows.len() as u64;
                    Content::Rows { flows: Box::new(flows), first: start }
                }),
            };
            let Some(content) = content else {
                self.digests.push(match self.open.take() {
                    Some(Open::Text { digest, .. }) => digest.lock().expect("no reader panicked").clone().finish(),
                    Some(Open::Table { digest, .. }) => digest,
                    None => unreachable!("a file is open"),
                });
                continue;
            };
            let number = self.next_piece;
            self.next_piece += 1;
            return Ok(Some(Piece { file: self.next_file as u32 - 1, number, content }));
        }
    }

    /// Gives back the bytes of a piece, to be filled again.
    pub(crate) fn recycle(&mut self, bytes: Vec<u8>) {
        if let Some(Open::Text { blocks, .. }) = &mut self.open {
            blocks.recycle(bytes);
        }
    }

    fn start(&self, path: &'a Path) -> Result<Open<'a>, Failure> {
        let name = path.display().to_string();
        let failed = |error: io::Error| {
            Failure::input(format!("failed to open {name}: {error}")).hint("give existing flow files with --data")
        };
        if self.format.is_none() && is_parquet(path).map_err(failed)? {
            (self.detail)(format!("{name}: parquet"));
            let digest = digest_file(path)?;
            self.progress.advance(path.metadata().map_or(0, |data| data.len()));
            return Ok(Open::Table { reader: FlowTableReader::open(path)?, digest, first: 0 });
        }
        let file = File::open(path).map_err(failed)?;
        let digest = Arc::new(Mutex::new(Digester::default()));
        let source = Source { file, digest: Arc::clone(&digest), progress: self.progress };
        let blocks = Blocks::new(source, &name, self.format, BLOCK)?;
        (self.detail)(format!("{name}: {}", blocks.format()));
        Ok(Open::Text { blocks: Box::new(blocks), digest })
    }
}

/// A file that is digested as it is read, and reports how far that is.
struct Source<'a> {
    file: File,
    digest: Arc<Mutex<Digester>>,
    progress: &'a ProgressHandle,
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.digest.lock().expect("no reader panicked").update(&buffer[..read]);
        self.progress.advance(read as u64);
        Ok(read)
    }
}
