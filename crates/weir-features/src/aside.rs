//! Rows that could not be read, kept until the artifact is written.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use weir_stage::Failure;

/// A record that is no flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unreadable {
    /// The number of its file.
    pub(crate) file: u32,
    /// The line in that file, from 1.
    pub(crate) line: u64,
    pub(crate) reason: String,
    pub(crate) text: String,
}

/// Any number of them, in an unnamed file in a directory.
pub(crate) struct Unreadables {
    dir: PathBuf,
    out: Option<BufWriter<File>>,
    count: u64,
}

impl Unreadables {
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), out: None, count: 0 }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn push(&mut self, row: &Unreadable) -> Result<(), Failure> {
        self.count += 1;
        self.write(row).map_err(|error| failure(&self.dir, &error))
    }

    fn write(&mut self, row: &Unreadable) -> io::Result<()> {
        if self.out.is_none() {
            self.out = Some(BufWriter::new(tempfile::tempfile_in(&self.dir)?));
        }
        let out = self.out.as_mut().expect("just opened");
        serde_json::to_writer(&mut *out, row)?;
        out.write_all(b"\n")
    }

    /// All rows, in the order in which they came.
    pub(crate) fn for_each(&mut self, mut each: impl FnMut(Unreadable) -> Result<(), Failure>) -> Result<(), Failure> {
        let Some(out) = &mut self.out else { return Ok(()) };
        let failed = |error: io::Error| failure(&self.dir, &error);
        out.flush().map_err(failed)?;
        let file = out.get_mut();
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        for line in BufReader::new(&*file).lines() {
            let row = serde_json::from_str(&line.map_err(failed)?).map_err(|error| failed(error.into()))?;
            each(row)?;
        }
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok(())
    }
}

fn failure(dir: &Path, error: &io::Error) -> Failure {
    Failure::retry(format!("failed to use a temporary file in {}: {error}", dir.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_in_their_order_as_often_as_asked() {
        let dir = tempfile::tempdir().unwrap();
        let mut rows = Unreadables::new(dir.path());
        let row = |line| Unreadable { file: 0, line, reason: "no\n\"flow\"".to_owned(), text: "é".to_owned() };
        for line in 1..=2 {
            rows.push(&row(line)).unwrap();
        }
        for _ in 0..2 {
            let mut again = Vec::new();
            rows.for_each(|row| {
                again.push(row);
                Ok(())
            })
            .unwrap();
            assert_eq!(again, [row(1), row(2)]);
        }
        rows.push(&row(3)).unwrap();
        let mut count = 0;
        rows.for_each(|_| {
            count += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!((count, rows.count()), (3, 3));
    }
}
