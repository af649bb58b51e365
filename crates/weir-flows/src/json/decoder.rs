//! Objects to flows.

use std::marker::PhantomData;

use memchr::{memchr, memchr_iter, memrchr};

use crate::batch::Batch;
use crate::decode::{Chunk, Decode, Head, HeadError, LINE_LIMIT, Progress};
use crate::format::{Format, describe_start};
use crate::json::frame::{self, Piece};
use crate::json::head::has_object;
use crate::json::{Json, record};
use crate::table::{BOM, reject_long_line};

/// How the records of a file follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// One object per line.
    Lines,
    /// Objects that may span lines, in an array or one after the other.
    Objects,
}

pub(crate) struct JsonDecoder<J> {
    head: Head,
    format: PhantomData<fn() -> J>,
}

impl<J: Json> JsonDecoder<J> {
    /// Refuses a head in which no object starts.
    pub(crate) fn new(format: Format, head: &[u8]) -> Result<Self, HeadError> {
        if !has_object::<J>(head) {
            return Err(HeadError::NoObject { format, starts: describe_start(head) });
        }
        let bytes = if head.starts_with(BOM) { BOM.len() } else { 0 };
        Ok(Self { head: Head { bytes, lines: 0 }, format: PhantomData })
    }

    fn lines(&self, chunk: Chunk<'_>, most: usize, batch: &mut Batch) -> Progress {
        let mut done = Progress::default();
        let mut path = String::new();
        while batch.records() < most && done.bytes < chunk.bytes.len() {
            let rest = &chunk.bytes[done.bytes..];
            let line = chunk.first_line + done.lines;
            let (text, bytes) = match memchr(b'\n', rest) {
                Some(end) => (&rest[..end], end + 1),
                None if chunk.end => (rest, rest.len()),
                None => break,
            };
            let record = text.trim_ascii();
            if text.len() > LINE_LIMIT {
                reject_long_line(line, text, batch);
            } else if record.is_empty() {
                batch.blank += 1;
            } else {
                record::read::<J>(line, record, &mut path, batch);
            }
            done.bytes += bytes;
            done.lines += 1;
        }
        done
    }

    fn objects(&self, chunk: Chunk<'_>, most: usize, batch: &mut Batch) -> Progress {
        let mut done = Progress::default();
        let mut path = String::new();
        while batch.records() < most {
            let rest = &chunk.bytes[done.bytes..];
            let line = chunk.first_line + done.lines;
            let length = match frame::piece(rest, chunk.end) {
                Piece::Between(length) => length,
                Piece::NoFlows(length) => {
                    batch.skipped += 1;
                    length
                }
                Piece::Object(length) => {
                    record::read::<J>(line, &rest[..length], &mut path, batch);
                    length
                }
                Piece::Broken(length, reason) => {
                    batch.reject(line, reason.to_owned(), rest[..length].trim_ascii_end());
                    length
                }
                Piece::Incomplete => break,
            };
            done.bytes += length;
            done.lines += memchr_iter(b'\n', &rest[..length]).count() as u64;
        }
        done
    }
}

impl<J: Json> Decode for JsonDecoder<J> {
    fn head(&self) -> Head {
        self.head
    }

    fn decode(&self, chunk: Chunk<'_>, rows: usize, batch: &mut Batch) -> Progress {
        let most = batch.records().saturating_add(rows);
        match J::FRAMING {
            Framing::Lines => self.lines(chunk, most, batch),
            Framing::Objects => self.objects(chunk, most, batch),
        }
    }

    fn cut(&self, bytes: &[u8]) -> Option<usize> {
        match J::FRAMING {
            Framing::Lines => memrchr(b'\n', bytes).map(|end| end + 1),
            Framing::Objects => frame::cut(bytes),
        }
    }

    /// None: each record names its own fields.
    fn ignored_columns(&self) -> &[String] {
        &[]
    }

    /// None: each record names its own fields.
    fn missing_columns(&self) -> &[&'static str] {
        &[]
    }
}
