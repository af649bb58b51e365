//! Logs of this machine, copied while they may be written to.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use weir_stage::{Failure, Stage};

use super::source::unreadable;

const BLOCK: usize = 256 << 10;
/// How files of gzip and of zstd begin: lines are not seen in them.
const COMPRESSED: [&[u8]; 2] = [&[0x1f, 0x8b], &[0x28, 0xb5, 0x2f, 0xfd]];

/// Copies the file at `path` as it is at the start. If it has grown meanwhile, it is being written to, and what follows
/// its last whole line is left for the next time.
pub(super) fn copy_file(path: &Path, to: &Path, stage: &Stage) -> Result<(), Failure> {
    // Opened once: it stays the same file when another one gets its name.
    let mut from = File::open(path).map_err(unreadable(path))?;
    let metadata = from.metadata().map_err(unreadable(path))?;
    let start = if metadata.is_file() { metadata.len() } else { u64::MAX };
    let name = path.display().to_string();
    let mut copy = copy((&mut from).take(start), &name, to, stage)?;
    let grown = metadata.is_file() && from.metadata().map_err(unreadable(path))?.len() > start;
    if grown {
        cut(&mut copy).map_err(|error| unwritten(to, &error))?;
    }
    Ok(())
}

/// Copies standard input to its end.
pub(super) fn copy_stdin(to: &Path, stage: &Stage) -> Result<(), Failure> {
    copy(io::stdin().lock(), "standard input", to, stage).map(drop)
}

fn copy(mut from: impl Read, name: &str, to: &Path, stage: &Stage) -> Result<File, Failure> {
    let options = File::options().read(true).write(true).create(true).truncate(true).open(to);
    let mut copy = options.map_err(|error| unwritten(to, &error))?;
    let mut block = vec![0; BLOCK];
    loop {
        stage.check()?;
        let read = match from.read(&mut block) {
            Ok(0) => return Ok(copy),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Failure::input(format!("failed to read {name}: {error}"))),
        };
        copy.write_all(&block[..read]).map_err(|error| unwritten(to, &error))?;
    }
}

/// Cuts `file` after its last line end, unless it is compressed.
fn cut(file: &mut File) -> io::Result<()> {
    let mut begin = [0; 4];
    file.seek(SeekFrom::Start(0))?;
    let read = file.read(&mut begin)?;
    if COMPRESSED.iter().any(|magic| begin[..read].starts_with(magic)) {
        return Ok(());
    }
    let mut end = file.metadata()?.len();
    while end > 0 {
        let start = end.saturating_sub(BLOCK as u64);
        let mut block = vec![0; (end - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut block)?;
        if let Some(at) = block.iter().rposition(|&byte| byte == b'\n') {
            return file.set_len(start + at as u64 + 1);
        }
        end = start;
    }
    file.set_len(0)
}

pub(super) fn unwritten(path: &Path, error: &io::Error) -> Failure {
    let failure = Failure::retry(format!("failed to write {}: {error}", path.display()));
    match error.kind() {
        io::ErrorKind::StorageFull => failure.hint("make room on the disk, or name another one with --out"),
        _ => failure.hint("name a directory that you may write to with --out"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn cut_to(content: &[u8]) -> Vec<u8> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        cut(&mut File::options().read(true).write(true).open(file.path()).unwrap()).unwrap();
        fs::read(file.path()).unwrap()
    }

    #[test]
    fn what_follows_the_last_whole_line_is_cut() {
        assert_eq!(cut_to(b"one\ntwo\nthr"), b"one\ntwo\n");
        assert_eq!(cut_to(b"one\n"), b"one\n");
        assert_eq!(cut_to(b"one"), b"");
        assert_eq!(cut_to(b""), b"");
        let long = [b"one\n".as_slice(), &vec![b'x'; 2 * BLOCK + 1]].concat();
        assert_eq!(cut_to(&long), b"one\n");
        for compressed in [b"\x1f\x8b\n..".as_slice(), b"\x28\xb5\x2f\xfd\n.."] {
            assert_eq!(cut_to(compressed), compressed);
        }
    }

    #[test]
    fn a_file_that_nobody_writes_to_is_copied_whole() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("access.log"), dir.path().join("copy"));
        fs::write(&from, "one\ntwo").unwrap();
        fs::write(&to, "what an earlier attempt left, and longer").unwrap();
        copy_file(&from, &to, &Stage::silent()).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "one\ntwo");
    }
}
