//! Writing an artifact: lock, clear, write, seal.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;
use weir_contract::files::MANIFEST;
use weir_contract::manifest::{self, FileEntry, Manifest};
use weir_contract::{Digest, Seed, json};

use crate::checkpoint::{self, Checkpoint};
use crate::lock::Lock;
use crate::{Artifact, ArtifactError, MANIFEST_DRAFT, MARKER, MARKER_START, WORK, name, tree};

/// What a manifest records beside the files.
#[derive(Debug, Clone, PartialEq)]
pub struct Seal {
    /// The stage.
    pub stage: String,
    /// Digest over the sources of the stage.
    pub build: String,
    /// Digests of the inputs by role.
    pub inputs: BTreeMap<String, Digest>,
    /// The resolved parameters.
    pub parameters: Value,
    /// The seed, where the stage uses one.
    pub seed: Option<Seed>,
    /// Row counts by name.
    pub rows: BTreeMap<String, u64>,
}

/// An artifact being written. Dropped without [`Draft::commit`], it stays a directory without manifest that the
/// next [`Draft::begin`] clears.
pub struct Draft {
    dir: PathBuf,
    lock: Lock,
    unsealed: BTreeSet<String>,
}

impl Draft {
    /// Whether [`Draft::begin`] would take `dir`, as far as its content says; for refusing before a long work.
    ///
    /// # Errors
    /// [`ArtifactError::Foreign`] when the directory holds something and never was an artifact.
    pub fn check(dir: impl AsRef<Path>) -> Result<(), ArtifactError> {
        refuse_foreign(dir.as_ref())
    }

    /// Makes `dir` an empty draft: takes its lock, removes the manifest of an earlier artifact, then its files.
    ///
    /// # Errors
    /// [`ArtifactError::Foreign`] when the directory holds something and never was an artifact (nothing is
    /// touched), [`ArtifactError::Locked`] when another process writes it, [`ArtifactError::Output`] otherwise.
    pub fn begin(dir: impl AsRef<Path>) -> Result<Self, ArtifactError> {
        Self::begin_with(dir.as_ref(), &mut checkpoint::pass)
    }

    /// As [`Draft::begin`], but leaves the directory [`WORK`] in `dir` as it is. Take what is needed from it and remove it
    /// before [`Draft::commit`], which seals everything there is.
    ///
    /// # Errors
    /// Those of [`Draft::begin`].
    pub fn begin_over(dir: impl AsRef<Path>) -> Result<Self, ArtifactError> {
        Self::begin_keeping(dir.as_ref(), &[MARKER, WORK], &mut checkpoint::pass)
    }

    pub(crate) fn begin_with(dir: &Path, done: Checkpoint<'_>) -> Result<Self, ArtifactError> {
        Self::begin_keeping(dir, &[MARKER], done)
    }

    fn begin_keeping(dir: &Path, kept: &[&str], done: Checkpoint<'_>) -> Result<Self, ArtifactError> {
        refuse_foreign(dir)?;
        fs::create_dir_all(dir).map_err(ArtifactError::output("create", dir))?;
        done("directory created")?;
        let lock = Lock::take(dir)?;
        tree::sync(dir)?;
        done("locked")?;
        // The manifest goes first and for good, so that no half-cleared directory can look complete.
        remove(&dir.join(MANIFEST))?;
        tree::sync(dir)?;
        done("manifest removed")?;
        for entry in fs::read_dir(dir).map_err(ArtifactError::output("list", dir))? {
            let entry = entry.map_err(ArtifactError::output("list", dir))?;
            if !kept.iter().any(|kept| entry.file_name() == *kept) {
                remove(&entry.path())?;
                done("leftover removed")?;
            }
        }
        Ok(Self { dir: dir.to_owned(), lock, unsealed: BTreeSet::new() })
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where to write the sealed file `name`; folders in the name are created.
    ///
    /// # Errors
    /// [`ArtifactError::BadName`] for a name that leaves the directory or is reserved, [`ArtifactError::Output`]
    /// when a folder cannot be created.
    pub fn path(&self, name: &str) -> Result<PathBuf, ArtifactError> {
        let path = self.dir.join(name::check(name)?);
        let folder = path.parent().unwrap_or(&self.dir);
        fs::create_dir_all(folder).map_err(ArtifactError::output("create", folder))?;
        Ok(path)
    }

    /// Writes the sealed file `name`.
    ///
    /// # Errors
    /// Those of [`Draft::path`]; [`ArtifactError::Output`] when writing fails.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ArtifactError> {
        let path = self.path(name)?;
        fs::write(&path, bytes).map_err(ArtifactError::output("write", &path))
    }

    /// Writes `value` as canonical JSON to the sealed file `name`.
    ///
    /// # Errors
    /// Those of [`Draft::write`]; [`ArtifactError::Encode`] when the value has no JSON form.
    pub fn write_json<T: Serialize>(&self, name: &str, value: &T) -> Result<(), ArtifactError> {
        let bytes =
            json::to_canonical(value).map_err(|source| ArtifactError::Encode { name: name.to_owned(), source })?;
        self.write(name, &bytes)
    }

    /// Writes the file `name` outside the digest: for what was measured, and for pages about it.
    ///
    /// # Errors
    /// Those of [`Draft::write`].
    pub fn write_unsealed(&mut self, name: &str, bytes: &[u8]) -> Result<(), ArtifactError> {
        self.write(name, bytes)?;
        self.unsealed.insert(name.to_owned());
        Ok(())
    }

    /// Hashes everything in the directory, forces it to the disk and writes the manifest, last and by rename.
    ///
    /// # Errors
    /// [`ArtifactError::Corrupt`] for links and names that are not UTF-8, [`ArtifactError::Io`] and
    /// [`ArtifactError::Output`] when reading or writing fails; the directory then stays a draft.
    pub fn commit(self, seal: Seal) -> Result<Artifact, ArtifactError> {
        self.commit_with(seal, &mut checkpoint::pass)
    }

    pub(crate) fn commit_with(self, seal: Seal, done: Checkpoint<'_>) -> Result<Artifact, ArtifactError> {
        let bytes = self.sealed_manifest(seal, done)?;
        let partial = self.dir.join(MANIFEST_DRAFT);
        fs::write(&partial, &bytes).map_err(ArtifactError::output("write", &partial))?;
        done("manifest written")?;
        tree::sync(&partial)?;
        let path = self.dir.join(MANIFEST);
        fs::rename(&partial, &path).map_err(ArtifactError::output("rename", &partial))?;
        done("manifest renamed")?;
        tree::sync(&self.dir)?;
        let artifact = Artifact::open(&self.dir)?;
        self.lock.finish()?;
        done("marker removed")?;
        Ok(artifact)
    }

    fn sealed_manifest(&self, seal: Seal, done: Checkpoint<'_>) -> Result<Vec<u8>, ArtifactError> {
        let tree = tree::walk(&self.dir)?;
        let mut files = Vec::new();
        for (name, path) in tree.files {
            if name == MARKER {
                continue;
            }
            tree::sync(&path)?;
            if !self.unsealed.contains(&name) {
                let size = fs::metadata(&path).map_err(ArtifactError::io("inspect", &path))?.len();
                files.push(FileEntry { sha256: tree::digest_file(&path)?, path: name, size });
            }
            done("file sealed")?;
        }
        for folder in &tree.folders {
            tree::sync(folder)?;
        }
        if let Some(parent) = self.dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            tree::sync(parent)?;
        }
        let Seal { stage, build, inputs, parameters, seed, rows } = seal;
        let unsealed = self.unsealed.iter().cloned().collect();
        let format = manifest::FORMAT;
        let manifest = Manifest { format, stage, build, inputs, parameters, seed, files, unsealed, rows };
        json::to_canonical(&manifest).map_err(|source| ArtifactError::Encode { name: MANIFEST.to_owned(), source })
    }
}

/// Refuses a directory that holds something and was never written by a stage.
fn refuse_foreign(dir: &Path) -> Result<(), ArtifactError> {
    let foreign = |found: String| Err(ArtifactError::Foreign { path: dir.to_owned(), found });
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return foreign("it is a file".to_owned()),
        Err(error) => return Err(ArtifactError::output("list", dir)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(ArtifactError::output("list", dir))?.file_name().to_string_lossy().into_owned());
    }
    // A killed writer may have left nothing but this.
    names.retain(|name| name != WORK);
    names.sort();
    // A marker that is not ours would be overwritten by the lock, so it is refused beside a manifest of ours, too.
    let foreign_marker = own_marker(dir) == Some(false);
    if names.is_empty() || !foreign_marker && (has_own_manifest(dir) || own_marker(dir) == Some(true)) {
        return Ok(());
    }
    foreign(format!("it holds {} and was not written by weir", names[0]))
}

/// Whether the marker in `dir`, where there is one, was left by a writer: a plain file, empty or with its text.
fn own_marker(dir: &Path) -> Option<bool> {
    let path = dir.join(MARKER);
    let metadata = fs::symlink_metadata(&path).ok()?;
    if !metadata.is_file() {
        return Some(false);
    }
    let file = match fs::File::open(&path) {
        // Its writer has committed meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        opened => opened,
    };
    let mut start = Vec::new();
    let read = file.and_then(|file| file.take(MARKER_START.len() as u64).read_to_end(&mut start));
    Some(read.is_ok() && (start.is_empty() || start == MARKER_START.as_bytes()))
}

/// Whether `manifest.json` is one of ours, be it of another version or damaged: other programs use that name too.
fn has_own_manifest(dir: &Path) -> bool {
    let Ok(bytes) = fs::read(dir.join(MANIFEST)) else { return false };
    match serde_json::from_slice::<Value>(&bytes) {
        Ok(value) => {
            let is = |key: &str, of_kind: fn(&Value) -> bool| value.get(key).is_some_and(of_kind);
            is("format", Value::is_u64)
                && is("stage", Value::is_string)
                && is("build", Value::is_string)
                && is("inputs", Value::is_object)
                && is("files", Value::is_array)
                && is("unsealed", Value::is_array)
        }
        Err(_) => {
            let text = String::from_utf8_lossy(&bytes);
            ["\"build\":", "\"files\":", "\"path\":", "\"sha256\":"].iter().all(|key| text.contains(key))
        }
    }
}

fn remove(path: &Path) -> Result<(), ArtifactError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ArtifactError::output("remove", path)(error)),
        _ => Ok(()),
    }
}
