//! A directory for one test.

use std::fs;
use std::path::{Path, PathBuf};

/// A run directory that is removed when the test ends.
#[derive(Debug)]
pub struct TempRun(tempfile::TempDir);

impl TempRun {
    /// An empty one.
    ///
    /// # Panics
    /// When the system gives no temporary directory.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it touches the disk, which a default should not")]
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap_or_else(|error| panic!("no temporary directory: {error}")))
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The path of `name` in it, with `/` between parts.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file, with the folders in its name, and returns its path.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        let folder = path.parent().unwrap_or(self.path());
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, contents));
        written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }
}
