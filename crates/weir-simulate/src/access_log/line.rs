//! A request as a line of the combined format.

use std::io::{self, Write};

use super::request::{Referer, Request, Target};
use super::site::{Site, push_letters};
use crate::line_text::{civil, push_number};

/// Lines are handed on in pieces of about this many bytes.
const PIECE: usize = 1 << 16;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Writes lines; [`LineWriter::finish`] hands on what is left.
pub(super) struct LineWriter<'a, W: Write> {
    out: &'a mut W,
    buffer: Vec<u8>,
    /// Seconds since 1970 of time 0.
    start: i64,
    /// The last second written and its text.
    time: (u64, String),
}

impl<'a, W: Write> LineWriter<'a, W> {
    /// `start` in milliseconds since 1970.
    pub(super) fn new(out: &'a mut W, start: i64) -> Self {
        let start = start / 1_000;
        Self { out, buffer: Vec::with_capacity(PIECE + 1_024), start, time: (0, timestamp(start)) }
    }

    pub(super) fn write(&mut self, now_ns: u64, request: &Request, site: &Site) -> io::Result<()> {
        let second = now_ns / 1_000_000_000;
        if self.time.0 != second {
            self.time = (second, timestamp(self.start + second as i64));
        }
        let line = &mut self.buffer;
        line.extend_from_slice(request.client.text());
        line.extend_from_slice(b" - - [");
        line.extend_from_slice(self.time.1.as_bytes());
        line.extend_from_slice(b"] \"");
        if matches!(request.target, Target::Garbage(_)) {
            site.push_path(line, request.target);
        } else {
            line.extend_from_slice(request.method.as_bytes());
            line.push(b' ');
            site.push_path(line, request.target);
            line.extend_from_slice(b" HTTP/1.1");
        }
        line.extend_from_slice(b"\" ");
        push_number(line, u64::from(request.status));
        line.push(b' ');
        push_number(line, u64::from(request.bytes));
        line.extend_from_slice(b" \"");
        match request.referer {
            Referer::None => line.push(b'-'),
            Referer::Page(page) => {
                line.extend_from_slice(b"https://www.example.com");
                site.push_path(line, Target::Page(page));
            }
            Referer::SearchEngine(bits) => {
                line.extend_from_slice(b"https://search.example/?q=");
                push_letters(line, bits, b'a');
            }
        }
        line.extend_from_slice(b"\" \"");
        line.extend_from_slice(request.agent.as_bytes());
        line.extend_from_slice(b"\"\n");
        if line.len() >= PIECE {
            self.out.write_all(line)?;
            line.clear();
        }
        Ok(())
    }

    pub(super) fn finish(self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.out.flush()
    }
}

/// `02/Mar/2026:08:00:00 +0000` for seconds since 1970 UTC.
fn timestamp(seconds: i64) -> String {
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{day:02}/{}/{year:04}:{hour:02}:{minute:02}:{second:02} +0000", MONTHS[month as usize - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_those_of_the_common_log_format() {
        assert_eq!(timestamp(0), "01/Jan/1970:00:00:00 +0000");
        assert_eq!(timestamp(1_772_438_400), "02/Mar/2026:08:00:00 +0000");
        assert_eq!(timestamp(4_102_444_799), "31/Dec/2099:23:59:59 +0000");
    }
}
