//! One writer per directory: an advisory lock on the marker file, released by the system when the writer dies.

use std::fs::{self, File, TryLockError};
use std::io::{Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::{ArtifactError, MARKER, MARKER_START};

/// The held lock.
pub(crate) struct Lock {
    // Held for its lock alone.
    _file: File,
    marker: PathBuf,
}

impl Lock {
    /// Takes the lock of `dir`, which must exist, and leaves the marker in it.
    pub(crate) fn take(dir: &Path) -> Result<Self, ArtifactError> {
        let marker = dir.join(MARKER);
        loop {
            let mut file = File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&marker)
                .map_err(ArtifactError::output("create", &marker))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(ArtifactError::Locked { path: dir.to_owned(), holder: holder(&marker) });
                }
                Err(TryLockError::Error(error)) => return Err(ArtifactError::output("lock", &marker)(error)),
            }
            // The writer before us removes the marker when it commits: then this is the lock of a deleted file.
            if !is_same_file(&file, &marker) {
                continue;
            }
            let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
            file.set_len(0)
                .and_then(|()| file.rewind())
                .and_then(|()| write!(file, "{MARKER_START}{} on {}", std::process::id(), host.trim()))
                .map_err(ArtifactError::output("write", &marker))?;
            return Ok(Self { _file: file, marker });
        }
    }

    /// Removes the marker, then lets go of the lock.
    pub(crate) fn finish(self) -> Result<(), ArtifactError> {
        fs::remove_file(&self.marker).map_err(ArtifactError::output("remove", &self.marker))
    }
}

fn is_same_file(file: &File, path: &Path) -> bool {
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(named)) => identity(held) == identity(named),
        _ => false,
    }
}

fn holder(marker: &Path) -> String {
    match fs::read_to_string(marker) {
        Ok(text) if !text.is_empty() => text,
        _ => "another process".to_owned(),
    }
}
