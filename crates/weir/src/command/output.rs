//! Where a command writes data: stdout, or a file that appears whole or not at all.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use weir_stage::Failure;

/// A destination that is complete only after [`Output::finish`].
pub(crate) enum Output {
    /// Standard output.
    Stdout(BufWriter<io::Stdout>),
    /// A file, under another name until it is whole.
    File { writer: BufWriter<NamedTempFile>, path: PathBuf },
    /// A pipe or a device, which cannot be replaced by another file.
    Stream { writer: BufWriter<File>, path: PathBuf },
}

impl Output {
    /// Opens `path`, or stdout for none and for `-`.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Self::Stdout(BufWriter::new(io::stdout())));
        };
        // The file behind a link is replaced, not the link.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if path.metadata().is_ok_and(|data| !data.is_file()) {
            let stream = OpenOptions::new().write(true).open(&path).map_err(|error| failure(&path, &error))?;
            return Ok(Self::Stream { writer: BufWriter::new(stream), path });
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // The umask takes from these permissions what it takes from any new file's.
        let mut file = tempfile::Builder::new();
        let file = file.prefix(".weir-").permissions(Permissions::from_mode(0o666)).tempfile_in(folder);
        let file = file.map_err(|error| failure(&path, &error))?;
        Ok(Self::File { writer: BufWriter::new(file), path })
    }

    /// Gives the file its name.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Stdout(mut stdout) => match stdout.flush() {
                // A reader that closed it early has what it wanted.
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(failure(Path::new("stdout"), &error)),
                _ => Ok(()),
            },
            Self::File { writer, path } => {
                let file = writer.into_inner().map_err(|error| failure(&path, error.error()))?;
                file.as_file().sync_all().map_err(|error| failure(&path, &error))?;
                file.persist(&path).map(|_| ()).map_err(|error| failure(&path, &error.error))
            }
            Self::Stream { mut writer, path } => writer.flush().map_err(|error| failure(&path, &error)),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(stdout) => stdout.write(bytes),
            Self::File { writer, .. } => writer.write(bytes),
            Self::Stream { writer, .. } => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.flush(),
            Self::File { writer, .. } => writer.flush(),
            Self::Stream { writer, .. } => writer.flush(),
        }
    }
}

pub(crate) fn failure(path: &Path, error: &io::Error) -> Failure {
    let message = format!("failed to write {}: {}", path.display(), error.kind());
    match error.kind() {
        io::ErrorKind::NotFound => Failure::usage(message).hint("make the folder first"),
        io::ErrorKind::PermissionDenied => Failure::usage(message).hint("name a place that you may write to"),
        _ => Failure::retry(message),
    }
}
