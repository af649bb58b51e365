//! Pipes and files that grow: what is there is predicted at once, and the lines are handed on before more is waited for.
//!
//! A thread of its own reads ahead, a few portions at most, so that reading and predicting go side by side and a signal
//! is heeded while nothing comes. A pipe that is full gives what it holds, and its records are predicted together.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use weir_flows::{FlowReader, ReadError, SniffError};
use weir_stage::{Failure, Stage};

use super::Job;

/// Rows that are predicted together at most.
const BATCH: usize = 4_096;
/// Bytes that are read at a time, and how many such portions are read ahead.
const PORTION: usize = 256 << 10;
const AHEAD: usize = 4;
/// How long a wait goes on before it looks whether it should stop.
const TICK: Duration = Duration::from_millis(50);
/// How often a file is looked at that may have grown.
const LOOK: Duration = Duration::from_millis(100);

/// Writes a line for every record of a pipe, or of stdin for none.
///
/// # Errors
/// Bytes that are no flows; a pipe that cannot be read; interrupted.
pub(super) fn read(path: Option<&Path>, job: &mut Job<'_>) -> Result<(), Failure> {
    match path {
        None => predict(io::stdin(), "stdin", job),
        Some(path) => predict(open(path)?, &path.display().to_string(), job),
    }
}

/// Writes a line for every record of a file that grows, until the command should stop, which is its end.
///
/// # Errors
/// As [`read`], but for the end.
pub(super) fn follow(path: &Path, job: &mut Job<'_>) -> Result<(), Failure> {
    let result = predict(Growing(open(path)?), &path.display().to_string(), job);
    if job.stage.is_cancelled() { Ok(()) } else { result }
}

fn open(path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|error| {
        Failure::input(format!("failed to open {}: {error}", path.display())).hint("give existing flow files")
    })
}

fn predict(source: impl Read + Send + 'static, name: &str, job: &mut Job<'_>) -> Result<(), Failure> {
    let Job { format, rows, ids, sink, stage } = job;
    // Whoever stops us while we wait is told so, and not that the source cannot be read.
    let stopped = |error| stage.check().err().unwrap_or_else(|| Failure::from(error));
    let mut reader = FlowReader::new(Ahead::start(source, stage), name, *format).map_err(|error| match error {
        ReadError::Sniff { source: SniffError { starts, .. }, .. } if starts == "a Parquet file" => {
            Failure::input(format!("{name}: is a Parquet file, which cannot be read from a pipe")).hint("name the file")
        }
        other => stopped(other),
    })?;
    sink.begin()?;
    sink.flush()?;
    while let Some(mut batch) = reader.next_available(BATCH).map_err(stopped)? {
        ids.derive(&mut batch.flows);
        sink.lines(&rows.lines(name, &batch)?)?;
        sink.flush()?;
        if sink.is_closed() {
            return Ok(());
        }
        stage.check()?;
    }
    Ok(())
}

/// A file whose end is waited at. Its thread ends with the process.
struct Growing(File);

impl Read for Growing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer)? {
                0 => thread::sleep(LOOK),
                read => return Ok(read),
            }
        }
    }
}

/// A source that another thread reads.
struct Ahead<'a> {
    portions: Receiver<io::Result<Vec<u8>>>,
    current: Vec<u8>,
    taken: usize,
    stage: &'a Stage,
}

impl<'a> Ahead<'a> {
    fn start(mut source: impl Read + Send + 'static, stage: &'a Stage) -> Self {
        let (sender, portions) = sync_channel(AHEAD);
        thread::spawn(move || {
            loop {
                let mut bytes = vec![0; PORTION];
                let portion = match source.read(&mut bytes) {
                    Ok(0) => return,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Ok(read) => {
                        bytes.truncate(read);
                        Ok(bytes)
                    }
                    Err(error) => Err(error),
                };
                let ended = portion.is_err();
                // Nobody takes portions any more once the command is done.
                if sender.send(portion).is_err() || ended {
                    return;
                }
            }
        });
        Self { portions, current: Vec::new(), taken: 0, stage }
    }

    /// Waits for a portion; false at the end.
    fn wait(&mut self) -> io::Result<bool> {
        loop {
            match self.portions.recv_timeout(TICK) {
                Ok(portion) => {
                    (self.current, self.taken) = (portion?, 0);
                    return Ok(true);
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(false),
                Err(RecvTimeoutError::Timeout) if self.stage.is_cancelled() => return Err(io::Error::other("stopped")),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

impl Read for Ahead<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.current.len() && !self.wait()? {
            return Ok(0);
        }
        let rest = &self.current[self.taken..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.taken += length;
        Ok(length)
    }
}
