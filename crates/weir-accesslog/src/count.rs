//! From sources to counts.

use std::fmt::Write;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;
use weir_decompress::Decompress;

use crate::blocks::Blocks;
use crate::counter::{Counter, SourceLines};
use crate::counts::Counts;
use crate::parse::parse_line;
use crate::settings::Settings;

/// Blocks that are read and counted at a time: 4 MiB. A fixed number, as that of their bytes.
const ROUND: usize = 16;

/// A source of which none of so many first lines can be read is no access log.
const FIRST_LINES: u64 = 200;

/// What is put around the bytes of a file.
type Through<'a> = Box<dyn FnOnce(File) -> Box<dyn Read + Send + 'a> + 'a>;

/// Where lines come from: a file or a stream, plain or packed with gzip or zstd.
pub struct Source<'a> {
    name: String,
    input: Input<'a>,
}

enum Input<'a> {
    File(PathBuf, Through<'a>),
    Stream(Box<dyn Read + Send + 'a>),
}

impl<'a> Source<'a> {
    /// A file.
    #[must_use]
    pub fn file(path: &Path) -> Self {
        Self::file_through(path, |file| Box::new(file))
    }

    /// A file whose bytes, as they are on the disk, pass through what `through` puts around it, once each and in order: for
    /// a digest.
    #[must_use]
    pub fn file_through(path: &Path, through: impl FnOnce(File) -> Box<dyn Read + Send + 'a> + 'a) -> Self {
        let input = Input::File(path.to_owned(), Box::new(through));
        Self { name: path.display().to_string(), input }
    }

    /// A stream, such as standard input.
    #[must_use]
    pub fn stream(name: &str, stream: impl Read + Send + 'a) -> Self {
        Self { name: name.to_owned(), input: Input::Stream(Box::new(stream)) }
    }
}

/// Why a log cannot be counted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogError {
    /// It cannot be opened.
    #[error("cannot open {source_name}: {error}")]
    Open {
        /// Its name.
        source_name: String,
        /// Why.
        error: io::Error,
    },
    /// It cannot be read, or unpacked.
    #[error("cannot read {source_name}: {error}")]
    Read {
        /// Its name.
        source_name: String,
        /// Why.
        error: io::Error,
    },
    /// Too many of its lines are no requests.
    #[error(
        "{source_name} is no access log: {unreadable} of {lines} lines are no requests{reasons}; expected the common or \
         the combined format of Apache and nginx (leave the file out, or set the server's log format)"
    )]
    NotALog {
        /// Its name.
        source_name: String,
        /// Lines that were read.
        lines: u64,
        /// Of these, no requests.
        unreadable: u64,
        /// What is wrong with the first of them; empty without any.
        reasons: String,
    },
    /// Whoever watches said so.
    #[error("counting was stopped")]
    Stopped,
}

/// Counts the lines of sources by client, on all threads of the pool.
///
/// Files are read in the order of the times of their first requests, so that rotated files may come in any order; streams
/// come last. `goes_on` is asked now and then, with the unpacked bytes read so far, whether to go on. The same bytes give
/// the same counts for any number of threads. Memory is that of the clients and of two rounds of 4 MiB.
///
/// # Errors
/// [`LogError`] where a source cannot be read or is no access log: none of its first 200 lines is a request, or fewer than
/// half of all. An empty source is one.
pub fn count(
    mut sources: Vec<Source<'_>>,
    settings: &Settings,
    mut goes_on: impl FnMut(u64) -> bool,
) -> Result<Counts, LogError> {
    if sources.len() > 1 {
        let mut timed = Vec::new();
        for source in sources {
            timed.push((first_time(&source, settings)?, source));
        }
        timed.sort_by_key(|(time, _)| *time);
        sources = timed.into_iter().map(|(_, source)| source).collect();
    }
    let mut counter = Counter::new(settings);
    let mut bytes = 0;
    for source in sources {
        let Source { name, input } = source;
        count_source(&name, open(&name, input)?, &mut counter, |new| {
            bytes += new;
            goes_on(bytes)
        })?;
    }
    Ok(counter.finish())
}

fn count_source(
    name: &str,
    source: Box<dyn Read + Send + '_>,
    counter: &mut Counter,
    mut goes_on: impl FnMut(u64) -> bool,
) -> Result<(), LogError> {
    counter.begin_source(name);
    let failed = |error| LogError::Read { source_name: name.to_owned(), error };
    let mut blocks = Blocks::new(Decompress::new(source).map_err(failed)?);
    let mut round = blocks.next(ROUND).map_err(failed)?;
    while !round.is_empty() {
        let ((), next) = rayon::join(|| counter.add_blocks(&round), || blocks.next(ROUND));
        let SourceLines { lines, unreadable, .. } = *counter.source_lines();
        if lines >= FIRST_LINES && lines == unreadable {
            return Err(not_a_log(name, counter.source_lines()));
        }
        if !goes_on(round.iter().map(|block| block.len() as u64).sum()) {
            return Err(LogError::Stopped);
        }
        round = next.map_err(failed)?;
    }
    let SourceLines { lines, unreadable, .. } = *counter.source_lines();
    if unreadable > lines - unreadable {
        return Err(not_a_log(name, counter.source_lines()));
    }
    Ok(())
}

fn not_a_log(name: &str, source: &SourceLines) -> LogError {
    let mut reasons = String::new();
    for (line, reason) in &source.examples {
        let separator = if reasons.is_empty() { ": " } else { ", " };
        let _ = write!(reasons, "{separator}{reason} (line {line})");
    }
    LogError::NotALog { source_name: name.to_owned(), lines: source.lines, unreadable: source.unreadable, reasons }
}

fn open<'a>(name: &str, input: Input<'a>) -> Result<Box<dyn Read + Send + 'a>, LogError> {
    match input {
        Input::File(path, through) => Ok(through(open_file(name, &path)?)),
        Input::Stream(stream) => Ok(stream),
    }
}

fn open_file(name: &str, path: &Path) -> Result<File, LogError> {
    File::open(path).map_err(|error| LogError::Open { source_name: name.to_owned(), error })
}

/// When the first request of a source was, by its first block; streams, which can be read only once, come last.
fn first_time(source: &Source, settings: &Settings) -> Result<i64, LogError> {
    let Input::File(path, _) = &source.input else { return Ok(i64::MAX) };
    let name = &source.name;
    let failed = |error| LogError::Read { source_name: name.clone(), error };
    let file = open_file(name, path)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Ok(i64::MAX);
    }
    let first = Blocks::new(Decompress::new(file).map_err(failed)?).next(1).map_err(failed)?.concat();
    let mut lines = first.split(|byte| *byte == b'\n');
    let read = |line| parse_line(line, settings.client_field, &settings.trusted_proxies).ok();
    Ok(lines.find_map(read).map_or(i64::MIN, |entry| entry.time))
}
