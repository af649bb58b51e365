//! Lines of a table to flows.

use memchr::memchr;

use crate::batch::{Batch, Row, excerpt};
use crate::decode::{Chunk, Decode, Head, HeadError, LINE_LIMIT, Progress};
use crate::format::Format;
use crate::table::record::{Fields, Quoted};
use crate::table::{Header, Table};

/// How many characters of a field a reason shows.
const FOUND: usize = 60;

pub(crate) struct TableDecoder<T: Table> {
    header: Header<T>,
    ignored: Vec<String>,
    missing: Vec<&'static str>,
}

impl<T: Table> TableDecoder<T> {
    pub(crate) fn new(format: Format, head: &[u8]) -> Result<Self, HeadError> {
        let header = Header::read(head);
        header.check(format, head)?;
        Ok(Self { ignored: header.ignored(), missing: header.missing(|_| true), header })
    }

    /// Reads the record whose fields have been split.
    #[inline(always)]
    fn record(&self, line: u64, fields: &Fields, text: &[u8], record: &[u8], batch: &mut Batch) {
        if fields.len() != self.header.names.len() {
            let expected = self.header.names.len();
            let reason = format!("expected {expected} fields as in the header, found {}", fields.len());
            return self.refuse(line, fields, text, record, reason, batch);
        }
        let (mut row, mut parts) = (Row::default(), T::Parts::default());
        for &(index, field) in &self.header.plan {
            let value = fields.get(text, index);
            if let Err(expected) = T::read(field, value, &mut row, &mut parts) {
                let (name, number) = (self.header.names[index].trim(), index + 1);
                let found = excerpt(value, FOUND);
                let more = if excerpt(value, FOUND + 1) == found { "" } else { "..." };
                let reason = format!("column {name:?} (field {number}): expected {expected}, found {found:?}{more}");
                return self.refuse(line, fields, text, record, reason, batch);
            }
        }
        match T::finish(&mut row, &parts) {
            Ok(()) => batch.push(line, &row),
            Err(expected) => self.refuse(line, fields, text, record, format!("expected {expected}"), batch),
        }
    }

    /// Counts what is no record but the header once more or a remark of the format's tool, and rejects the rest.
    #[cold]
    fn refuse(&self, line: u64, fields: &Fields, text: &[u8], record: &[u8], reason: String, batch: &mut Batch) {
        let is_name = |(index, name): (usize, &String)| fields.get(text, index) == name.as_bytes();
        let is_header = fields.len() == self.header.names.len() && self.header.names.iter().enumerate().all(is_name);
        if is_header || T::is_remark(record) {
            batch.skipped += 1;
        } else {
            batch.reject(line, reason, record);
        }
    }
}

impl<T: Table> Decode for TableDecoder<T> {
    fn head(&self) -> Head {
        self.header.head
    }

    fn decode(&self, chunk: Chunk<'_>, rows: usize, batch: &mut Batch) -> Progress {
        let separator = self.header.separator;
        let (mut fields, mut unquoted) = (Fields::default(), Vec::new());
        let mut done = Progress::default();
        let most = batch.records().saturating_add(rows);
        while batch.records() < most && done.bytes < chunk.bytes.len() {
            let rest = &chunk.bytes[done.bytes..];
            let line = chunk.first_line + done.lines;
            let (text, bytes) = match memchr(b'\n', rest) {
                Some(end) => (&rest[..end], end + 1),
                None if chunk.end => (rest, rest.len()),
                None => break,
            };
            let mut taken = Progress { bytes, lines: 1 };
            if text.len() > LINE_LIMIT {
                reject_long_line(line, text, batch);
            } else if T::COMMENT.is_some_and(|mark| text.first() == Some(&mark)) {
                batch.skipped += 1;
            } else if T::QUOTES && memchr(b'"', text).is_some() {
                let record = trim_carriage_return(text);
                match fields.split_quoted(rest, separator, chunk.end, &mut unquoted) {
                    Quoted::Incomplete => break,
                    Quoted::Record { bytes, lines } if lines == 1 || fields.len() == self.header.names.len() => {
                        taken = Progress { bytes, lines };
                        self.record(line, &fields, &unquoted, trim_line_end(&rest[..bytes]), batch);
                    }
                    Quoted::Record { lines, .. } => {
                        let (expected, found) = (self.header.names.len(), fields.len());
                        let reason = format!(
                            "expected {expected} fields as in the header, found {found} when reading on to line {} for a closing quote",
                            line + lines - 1
                        );
                        batch.reject(line, reason, record);
                    }
                    Quoted::Unclosed => {
                        let reason = format!(
                            "field {}: expected a closing quote, then a separator or line end",
                            fields.len() + 1
                        );
                        batch.reject(line, reason, record);
                    }
                }
            } else {
                let record = trim_carriage_return(text);
                if record.is_empty() {
                    batch.blank += 1;
                } else {
                    fields.split(record, separator);
                    if let Some(separator) = T::LAST_SEPARATOR {
                        fields.split_last(record, separator);
                    }
                    self.record(line, &fields, record, record, batch);
                }
            }
            done.bytes += taken.bytes;
            done.lines += taken.lines;
        }
        done
    }

    fn ignored_columns(&self) -> &[String] {
        &self.ignored
    }

    fn missing_columns(&self) -> &[&'static str] {
        &self.missing
    }
}

/// Rejects a line of which at least [`LINE_LIMIT`] bytes and one more are given.
pub(crate) fn reject_long_line(line: u64, start: &[u8], batch: &mut Batch) {
    batch.reject(line, format!("expected a line of at most {LINE_LIMIT} bytes, found a longer one"), start);
}

fn trim_line_end(record: &[u8]) -> &[u8] {
    trim_carriage_return(record.strip_suffix(b"\n").unwrap_or(record))
}

pub(crate) fn trim_carriage_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
