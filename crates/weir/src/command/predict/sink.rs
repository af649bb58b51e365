//! Where the lines go.

use std::io::{self, ErrorKind, Write as _};

use weir_stage::Failure;

use super::rows::{Counts, Lines};
use crate::command::output::Output;

/// The destination of all lines, and how many records they are of.
pub(super) struct Sink {
    out: Output,
    counts: Counts,
    closed: bool,
}

impl Sink {
    pub(super) fn new(out: Output) -> Self {
        Self { out, counts: Counts::default(), closed: false }
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

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
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
