//! Logs that are still written.
//!
//! By asking now and then, not by inotify, which knows nothing of network file systems and of files that are not there yet.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use memchr::{memchr, memrchr};

use crate::parse::LINE_LIMIT;

/// Bytes that are read at a time.
const PORTION: usize = 256 << 10;

/// A file that was replaced is let go when nothing was written to it for so many polls: servers go on with the old one
/// until they are told to open the new one, and their children a little longer.
const SILENT_POLLS: u32 = 30;

/// Yields the lines of files, from their start and as they are appended, through rotation.
///
/// - Renamed, and created anew: the old file is read to its end, and on while something is still written to it.
/// - Copied, and truncated: read from the start again. What was written between the last look and the copy is lost, and so
///   is what is written behind the truncation where the file has grown beyond its old length until the next look.
/// - Missing: waited for.
/// - A line without its end is kept until that comes, or until its file is let go.
#[derive(Debug)]
pub struct Follower {
    followed: Vec<Followed>,
}

#[derive(Debug)]
struct Followed {
    path: PathBuf,
    /// The file of that name, while it was there.
    current: Option<Tail>,
    /// Those that were it before.
    replaced: Vec<Tail>,
}

/// A file that is read as it grows.
#[derive(Debug)]
struct Tail {
    file: File,
    device_and_inode: (u64, u64),
    at: u64,
    /// The start of a line without end.
    partial: Vec<u8>,
    /// Whether what comes up to the next line end is to be left out.
    skips: bool,
    silent_polls: u32,
}

impl Follower {
    /// Follows files, which need not be there yet.
    ///
    /// # Errors
    /// Where a file is there but cannot be read; the message names it.
    pub fn new(paths: &[PathBuf]) -> io::Result<Self> {
        let mut followed = Vec::new();
        for path in paths {
            let current = Tail::open(path).map_err(|error| named(path, &error))?;
            followed.push(Followed { path: path.clone(), current, replaced: Vec::new() });
        }
        Ok(Self { followed })
    }

    /// Reads what is new. `lines` gets the path and whole lines, at most 256 KiB and a line at a time.
    ///
    /// # Errors
    /// Where a file cannot be read, behind all others; the message names the first such. The next poll tries again.
    pub fn poll(&mut self, mut lines: impl FnMut(&Path, &[u8])) -> io::Result<()> {
        let mut result = Ok(());
        for followed in &mut self.followed {
            let path = followed.path.clone();
            let polled = followed.poll(&mut |new| lines(&path, new));
            result = result.and(polled.map_err(|error| named(&path, &error)));
        }
        result
    }
}

impl Followed {
    fn poll(&mut self, lines: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        // An old file that cannot be read any more, as one that was deleted on a server of files, is let go.
        self.replaced.retain_mut(|tail| {
            let goes_on = tail.read(lines).is_ok() && tail.silent_polls < SILENT_POLLS;
            if !goes_on {
                tail.finish(lines);
            }
            goes_on
        });
        // First who has the name now, then what the old one has: what came in between is not lost.
        let there = metadata(&self.path)?;
        if let Some(tail) = &mut self.current {
            let read = tail.read(lines);
            if there.is_none_or(|there| identity(&there) == tail.device_and_inode) {
                return read;
            }
        }
        if let Some(mut tail) = Tail::open(&self.path)? {
            tail.read(lines)?;
            self.replaced.extend(self.current.replace(tail));
        }
        Ok(())
    }
}

impl Tail {
    /// None where there is no such file.
    fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let device_and_inode = identity(&file.metadata()?);
        Ok(Some(Self { file, device_and_inode, at: 0, partial: Vec::new(), skips: false, silent_polls: 0 }))
    }

    fn read(&mut self, lines: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        if self.file.metadata()?.len() < self.at {
            self.at = 0;
            self.partial.clear();
            self.skips = false;
        }
        self.file.seek(SeekFrom::Start(self.at))?;
        self.silent_polls += 1;
        let mut portion = vec![0; PORTION];
        loop {
            match self.file.read(&mut portion) {
                Ok(0) => return Ok(()),
                Ok(new) => {
                    self.at += new as u64;
                    self.silent_polls = 0;
                    self.take(&portion[..new], lines);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Hands on whole lines and keeps the rest.
    fn take(&mut self, mut new: &[u8], lines: &mut dyn FnMut(&[u8])) {
        if self.skips {
            let Some(end) = memchr(b'\n', new) else { return };
            self.skips = false;
            new = &new[end + 1..];
            if !self.partial.is_empty() {
                self.partial.push(b'\n');
                lines(&std::mem::take(&mut self.partial));
            }
        }
        if let Some(end) = memrchr(b'\n', new) {
            let whole = &new[..=end];
            new = &new[end + 1..];
            if self.partial.is_empty() {
                lines(whole);
            } else {
                self.partial.extend_from_slice(whole);
                lines(&std::mem::take(&mut self.partial));
            }
        }
        self.partial.extend_from_slice(new);
        if self.partial.len() > LINE_LIMIT {
            // Enough that it shows.
            self.partial.truncate(LINE_LIMIT + 1);
            self.skips = true;
        }
    }

    /// A last line may lack its end.
    fn finish(&mut self, lines: &mut dyn FnMut(&[u8])) {
        if !self.partial.is_empty() {
            lines(&std::mem::take(&mut self.partial));
        }
    }
}

fn metadata(path: &Path) -> io::Result<Option<Metadata>> {
    match path.metadata() {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot follow {}: {error}", path.display()))
}
