//! A source in blocks of whole records, so that several threads can decode it.
//!
//! The protocol: take blocks under a lock ([`Blocks::next`]) and decode them on any thread ([`decode_block`]). Then go
//! through the results in the order of [`Block::index`]. Where [`Progress::bytes`] is all of a block, its batch stands.
//! Where a block leaves bytes over, because its last record goes on in the next block, its batch stands too, but what
//! the next block was decoded to is thrown away: the bytes left over are put before it ([`Block::join`]) and it is
//! decoded again, which may leave bytes over in turn. So a block has to be kept until the block before it has been
//! decoded; its buffer can then be given back ([`Blocks::recycle`]). The last block leaves nothing over.
//!
//! The batches joined in this order hold what [`FlowReader`](crate::FlowReader) gives for the source.

use std::io::{self, Cursor, Read};
use std::sync::Arc;

use memchr::{memchr, memchr_iter};
use weir_decompress::Decompress;

use crate::batch::Batch;
use crate::decode::{Chunk, Decode, LINE_LIMIT, Progress};
use crate::format::Format;
use crate::reader::{Opened, ReadError, open};

/// How many bytes are asked for at a time while the rest of an over-long line is passed over.
const SKIPPED: usize = 64 << 10;

/// Cuts a source into blocks.
///
/// Memory: a block, the buffers given back, and what [`Decompress`] needs for a packed source. A block is as long as asked
/// for and one record more; of a line longer than [`LINE_LIMIT`] it holds no more than shows that the line is too long.
pub struct Blocks<R: Read> {
    source: io::Chain<Cursor<Vec<u8>>, Decompress<R>>,
    name: String,
    format: Format,
    decoder: Arc<dyn Decode>,
    block_bytes: usize,
    /// What has been read behind the last cut.
    rest: Vec<u8>,
    spare: Vec<Vec<u8>>,
    index: u64,
    /// The line on which the next block starts.
    line: u64,
    /// Whether all of the source has been read.
    ended: bool,
    failed: Option<io::Error>,
    /// Whether the last block has been given.
    done: bool,
}

/// Bytes that start at the start of a record, or within one that the block before leaves over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its place in the source, counted from 0.
    pub index: u64,
    /// The line of the source on which its first byte lies, counted from 1.
    pub first_line: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether the source ends with it.
    pub end: bool,
}

impl Block {
    /// Puts what [`decode_block`] left over of the block before in front of this one.
    pub fn join(&mut self, left_over: &[u8]) {
        self.first_line -= line_ends(left_over);
        self.bytes.splice(..0, left_over.iter().copied());
    }
}

/// Decodes all whole records of a block; lines are those of the source.
pub fn decode_block(decoder: &dyn Decode, block: &Block, batch: &mut Batch) -> Progress {
    let chunk = Chunk { bytes: &block.bytes, first_line: block.first_line, end: block.end };
    decoder.decode(chunk, usize::MAX, batch)
}

impl<R: Read> Blocks<R> {
    /// Reads the head of a source, which may be packed with gzip or zstd. Errors call it `name`. Without a format the head
    /// decides. Blocks are about `block_bytes` long, at least one byte.
    ///
    /// # Errors
    /// As [`FlowReader::new`](crate::FlowReader::new).
    pub fn new(source: R, name: &str, format: Option<Format>, block_bytes: usize) -> Result<Self, ReadError> {
        let Opened { source, format, decoder, buffer } = open(source, name, format)?;
        let head = decoder.head();
        let unread = buffer.unread()[head.bytes..].to_vec();
        Ok(Self {
            source: Cursor::new(unread).chain(source),
            name: name.to_owned(),
            format,
            decoder: decoder.into(),
            block_bytes: block_bytes.max(1),
            rest: Vec::new(),
            spare: Vec::new(),
            index: 0,
            line: 1 + head.lines,
            ended: false,
            failed: None,
            done: false,
        })
    }

    /// The format being read.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// What decodes the blocks.
    #[must_use]
    pub fn decoder(&self) -> Arc<dyn Decode> {
        Arc::clone(&self.decoder)
    }

    /// The next block; nothing behind the one that ends the source. The last block may be empty.
    ///
    /// # Errors
    /// [`ReadError::Io`] when the source cannot be read, after a block of all whole records before.
    #[expect(clippy::should_implement_trait, reason = "an iterator's items end with the first error")]
    pub fn next(&mut self) -> Result<Option<Block>, ReadError> {
        if self.done {
            return match self.failed.take() {
                Some(source) => Err(ReadError::Io { name: self.name.clone(), line: self.line, source }),
                None => Ok(None),
            };
        }
        let mut bytes = self.spare.pop().unwrap_or_default();
        std::mem::swap(&mut bytes, &mut self.rest);
        self.fill(&mut bytes);
        let end = self.done && self.failed.is_none();
        let block = Block { index: self.index, first_line: self.line, bytes, end };
        self.index += 1;
        self.line += line_ends(&block.bytes);
        Ok(Some(block))
    }

    /// Gives the buffer of a block back, to be used again.
    pub fn recycle(&mut self, mut bytes: Vec<u8>) {
        bytes.clear();
        self.spare.push(bytes);
    }

    /// Reads on until there is a block, and keeps what was read behind it.
    fn fill(&mut self, bytes: &mut Vec<u8>) {
        loop {
            self.read(bytes, self.block_bytes);
            if self.ended {
                self.done = true;
                return;
            }
            let cut = self.decoder.cut(bytes);
            if cut.is_some() || self.failed.is_some() {
                self.done = self.failed.is_some();
                let cut = cut.unwrap_or(0);
                self.rest.extend_from_slice(&bytes[cut..]);
                bytes.truncate(cut);
                return;
            }
            if bytes.len() > LINE_LIMIT {
                bytes.truncate(LINE_LIMIT + 1);
                bytes.push(b'\n');
                self.skip_line();
                return;
            }
        }
    }

    /// Passes over bytes up to the end of the line, and keeps what was read behind it.
    fn skip_line(&mut self) {
        let mut skipped = Vec::new();
        loop {
            self.read(&mut skipped, SKIPPED);
            if let Some(end) = memchr(b'\n', &skipped) {
                self.rest.extend_from_slice(&skipped[end + 1..]);
                return;
            }
            skipped.clear();
            if self.ended || self.failed.is_some() {
                self.done = true;
                return;
            }
        }
    }

    /// Reads up to `length` bytes more.
    fn read(&mut self, bytes: &mut Vec<u8>, length: usize) {
        if self.ended || self.failed.is_some() {
            return;
        }
        bytes.reserve(length);
        match self.source.by_ref().take(length as u64).read_to_end(bytes) {
            Ok(new) => self.ended = new < length,
            Err(error) => self.failed = Some(error),
        }
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}
