//! Where a command writes data: stdout, or a file that appears whole or not at all.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use weir_stage::Failure;

/// A destination that is complete only after [`Output::finish`].
pub(crate) enum Output {
    /// Standard output.
    Stdout(BufWriter<io::Stdout>),
    /// A file, under another name until it is whole.
    File { writer: BufWriter<NamedTempFile>, path: PathBuf },
}

impl Output {
    /// Opens `path`, or stdout for none and for `-`.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Self::Stdout(BufWriter::new(io::stdout())));
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = tempfile::Builder::new().prefix(".weir-").tempfile_in(folder);
        let file = file.map_err(|error| failure(path, &error))?;
        Ok(Self::File { writer: BufWriter::new(file), path: path.to_owned() })
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
                readable(&file).map_err(|error| failure(&path, &error))?;
                file.as_file().sync_all().map_err(|error| failure(&path, &error))?;
                file.persist(&path).map(|_| ()).map_err(|error| failure(&path, &error.error))
            }
        }
    }
}

/// A temporary file is its owner's alone; the result is what the umask makes of a new file.
fn readable(file: &NamedTempFile) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(stdout) => stdout.write(bytes),
            Self::File { writer, .. } => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.flush(),
            Self::File { writer, .. } => writer.flush(),
        }
    }
}

pub(crate) fn failure(path: &Path, error: &io::Error) -> Failure {
    Failure::retry(format!("failed to write {}: {error}", path.display()))
}
