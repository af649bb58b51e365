//! Where the lines go.

use std::io::{self, ErrorKind, Write as _};

use weir_stage::Failure;

use super::rows::{Counts, Lines};
use crate::command::output::Output;

/// The destination of all lines, and how many records they are of.
pub(super) struct Sink {
    out: Output,
    /// What comes before the first line; it waits until there is something to read from.
    head: Option<&'static [u8]>,
    counts: Counts,
    closed: bool,
}

impl Sink {
    pub(super) fn new(out: Output, head: &'static [u8]) -> Self {
        Self { out, head: Some(head), counts: Counts::default(), closed: false }
    }

    /// Writes what comes before the first line, once.
    pub(super) fn begin(&mut self) -> Result<(), Failure> {
        self.head.take().map_or(Ok(()), |head| self.write(head))
    }

    /// Whether nobody reads any more; what is written then is lost.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Writes lines and counts their records.
    pub(super) fn lines(&mut self, lines: &Lines) -> Result<(), Failure> {
        self.counts.add(lines.counts);
        self.write(&lines.bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let result = self.out.write_all(bytes);
        self.check(result)
    }

    /// Hands on all that was written.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        let result = self.out.flush();
        self.check(result)
    }

    pub(super) fn finish(self) -> Result<Counts, Failure> {
        self.out.finish()?;
        Ok(self.counts)
    }

    /// A reader that closed the pipe has what it wanted.
    fn check(&mut self, result: io::Result<()>) -> Result<(), Failure> {
        match result {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.closed = true,
            Err(error) => return Err(Failure::retry(format!("failed to write predictions: {error}"))),
            Ok(()) => {}
        }
        Ok(())
    }
}
