//! What a file is: its length, digests and rows, counted while it passes.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use weir_contract::Digest;
use weir_contract::digest::Digester;

use crate::{FetchError, Watcher};

pub(crate) const CHUNK: usize = 256 << 10;

/// A file of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name, without folders.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// CRC-32 as in zip archives.
    pub crc32: u32,
    /// Its digest.
    pub sha256: Digest,
    /// Lines after the first, which is the header.
    pub rows: u64,
}

/// Counts what is written to it.
#[derive(Default)]
pub(crate) struct Tally {
    bytes: u64,
    crc32: crc32fast::Hasher,
    sha256: Digester,
    line_ends: u64,
    last: u8,
}

impl Tally {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn finish(self, name: &str) -> Member {
        let unended = u64::from(self.bytes > 0 && self.last != b'\n');
        Member {
            name: name.to_owned(),
            bytes: self.bytes,
            crc32: self.crc32.finalize(),
            sha256: self.sha256.finish(),
            rows: (self.line_ends + unended).saturating_sub(1),
        }
    }
}

impl Write for Tally {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes += bytes.len() as u64;
        self.crc32.update(bytes);
        self.sha256.update(bytes);
        self.line_ends += bytes.iter().filter(|&&byte| byte == b'\n').count() as u64;
        self.last = bytes.last().copied().unwrap_or(self.last);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The file `name` of `dir`, if it is there with `bytes` bytes.
pub(crate) fn existing(
    dir: &Path,
    name: &str,
    bytes: u64,
    watcher: &Watcher<'_>,
) -> Result<Option<Member>, FetchError> {
    let path = dir.join(name);
    let failed = || FetchError::io("read", &path);
    let mut file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(failed())?,
    };
    if file.metadata().map_err(failed())?.len() != bytes {
        return Ok(None);
    }
    let mut tally = Tally::default();
    let mut buffer = vec![0; CHUNK];
    loop {
        watcher.check()?;
        match file.read(&mut buffer).map_err(failed())? {
            0 => return Ok(Some(tally.finish(name))),
            read => tally.write_all(&buffer[..read]).map_err(failed())?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_the_lines_after_the_header_with_or_without_a_last_line_end() {
        for (text, rows) in [("", 0), ("a,b\n", 0), ("a,b\n1,2\n3,4\n", 2), ("a,b\n1,2\n3,4", 2)] {
            let mut tally = Tally::default();
            text.bytes().for_each(|byte| tally.write_all(&[byte]).unwrap());
            assert_eq!(tally.finish("x.csv").rows, rows, "{text:?}");
        }
    }

    #[test]
    fn the_crc_is_that_of_zip() {
        let mut tally = Tally::default();
        tally.write_all(b"123456789").unwrap();
        // The check value of CRC-32/ISO-HDLC.
        assert_eq!(tally.finish("x").crc32, 0xCBF4_3926);
    }
}
