//! Reading a committed artifact.

use std::fs;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use weir_contract::files::MANIFEST;
use weir_contract::manifest::{self, FileEntry, Manifest};
use weir_contract::{Digest, json};

use crate::{ArtifactError, name, tree};

/// A committed artifact directory: its manifest is canonical and every file it names is there with its size.
#[derive(Debug, Clone)]
pub struct Artifact {
    dir: PathBuf,
    manifest: Manifest,
    digest: Digest,
}

impl Artifact {
    /// Opens the artifact in `dir`. Looks at sizes, not at contents; see [`Artifact::verify`].
    ///
    /// # Errors
    /// [`ArtifactError::Missing`] without a manifest, [`ArtifactError::UnknownVersion`] for one of another format,
    /// [`ArtifactError::Corrupt`] when it is not canonical, [`ArtifactError::MissingFile`] and
    /// [`ArtifactError::WrongSize`] for its files, [`ArtifactError::Io`] when reading fails.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, ArtifactError> {
        let dir = dir.as_ref().to_owned();
        let path = dir.join(MANIFEST);
        let bytes = fs::read(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ArtifactError::Missing { path: dir.clone() },
            _ => ArtifactError::Io { action: "read", path: path.clone(), source },
        })?;
        let manifest = parse(&path, &bytes)?;
        let artifact = Self { dir, manifest, digest: Digest::of(&bytes) };
        for entry in &artifact.manifest.files {
            check_size(&artifact.dir.join(&entry.path), entry.size)?;
        }
        Ok(artifact)
    }

    /// Reads every sealed file and compares its SHA-256 with the manifest.
    ///
    /// # Errors
    /// [`ArtifactError::WrongDigest`] for the first file, in the order of their names, that holds other bytes;
    /// [`ArtifactError::MissingFile`] or [`ArtifactError::Io`] when one cannot be read.
    pub fn verify(&self) -> Result<(), ArtifactError> {
        for entry in &self.manifest.files {
            let path = self.dir.join(&entry.path);
            let found = tree::digest_file(&path)?;
            if found != entry.sha256 {
                return Err(ArtifactError::WrongDigest { path, expected: entry.sha256, found });
            }
        }
        Ok(())
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// SHA-256 of the manifest's bytes, and so of everything sealed.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Where the file `name` is, or the folder, if there are sealed files in it.
    ///
    /// # Errors
    /// [`ArtifactError::NoSuchFile`] when the manifest names no such file.
    pub fn path(&self, name: &str) -> Result<PathBuf, ArtifactError> {
        let inside = |path: &str| path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let sealed = self.manifest.files.iter().any(|entry| inside(&entry.path));
        if name.is_empty() || !(sealed || self.is_unsealed(name)) {
            return Err(self.no_such_file(name));
        }
        Ok(self.dir.join(name))
    }

    /// The bytes of file `name`; those of a sealed file are compared with its SHA-256.
    ///
    /// # Errors
    /// [`ArtifactError::NoSuchFile`] when the manifest names no such file, [`ArtifactError::MissingFile`] when it
    /// is gone, [`ArtifactError::WrongDigest`] when it was changed, [`ArtifactError::Io`] when reading fails.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, ArtifactError> {
        let entry = self.entry(name);
        if entry.is_none() && !self.is_unsealed(name) {
            return Err(self.no_such_file(name));
        }
        let path = self.dir.join(name);
        let bytes = fs::read(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ArtifactError::MissingFile { path: path.clone() },
            _ => ArtifactError::Io { action: "read", path: path.clone(), source },
        })?;
        match entry.map(|entry| (entry.sha256, Digest::of(&bytes))) {
            Some((expected, found)) if expected != found => Err(ArtifactError::WrongDigest { path, expected, found }),
            _ => Ok(bytes),
        }
    }

    /// The JSON file `name` as a `T`, after [`Artifact::read`].
    ///
    /// # Errors
    /// Those of [`Artifact::read`]; [`ArtifactError::Corrupt`] when it is no JSON of a `T`.
    pub fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<T, ArtifactError> {
        let bytes = self.read(name)?;
        serde_json::from_slice(&bytes).map_err(|error| ArtifactError::corrupt(&self.dir.join(name), error.to_string()))
    }

    /// The JSON file `name` as a `T`, when its `format` is `known`. The version is looked at first, so that a newer
    /// file is not called corrupt.
    ///
    /// # Errors
    /// Those of [`Artifact::read_json`]; [`ArtifactError::UnknownVersion`] for a file of another version.
    pub fn read_versioned<T: DeserializeOwned>(&self, name: &str, known: u32) -> Result<T, ArtifactError> {
        self.read_versions(name, known..=known)
    }

    /// As [`Artifact::read_versioned`], for a type that reads several versions.
    ///
    /// # Errors
    /// Those of [`Artifact::read_versioned`].
    pub fn read_versions<T: DeserializeOwned>(
        &self,
        name: &str,
        known: RangeInclusive<u32>,
    ) -> Result<T, ArtifactError> {
        let value: serde_json::Value = self.read_json(name)?;
        let path = self.dir.join(name);
        match value.get("format").and_then(serde_json::Value::as_u64) {
            Some(found) if !u32::try_from(found).is_ok_and(|found| known.contains(&found)) => {
                Err(ArtifactError::UnknownVersion { path, found, known: *known.end() })
            }
            _ => serde_json::from_value(value).map_err(|error| ArtifactError::corrupt(&path, error.to_string())),
        }
    }

    /// The manifest's entry of the sealed file `name`.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<&FileEntry> {
        self.manifest.files.iter().find(|entry| entry.path == name)
    }

    fn is_unsealed(&self, name: &str) -> bool {
        self.manifest.unsealed.iter().any(|unsealed| unsealed == name)
    }

    fn no_such_file(&self, name: &str) -> ArtifactError {
        ArtifactError::NoSuchFile { path: self.dir.clone(), stage: self.manifest.stage.clone(), name: name.to_owned() }
    }
}

/// Reads a manifest: version first, so that a newer one is not called corrupt.
fn parse(path: &Path, bytes: &[u8]) -> Result<Manifest, ArtifactError> {
    let corrupt = |reason: String| ArtifactError::corrupt(path, reason);
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| corrupt(error.to_string()))?;
    let found = value.get("format").and_then(serde_json::Value::as_u64);
    let found = found.ok_or_else(|| corrupt("it has no format version".to_owned()))?;
    if found != u64::from(manifest::FORMAT) {
        return Err(ArtifactError::UnknownVersion { path: path.to_owned(), found, known: manifest::FORMAT });
    }
    let manifest: Manifest = serde_json::from_value(value).map_err(|error| corrupt(error.to_string()))?;
    let canonical = json::to_canonical(&manifest).map_err(|error| corrupt(error.to_string()))?;
    if canonical != bytes {
        return Err(corrupt("it is not in canonical form, so it was changed after it was written".to_owned()));
    }
    let names = manifest.files.iter().map(|entry| &entry.path).chain(&manifest.unsealed);
    for listed in names {
        name::check(listed).map_err(|error| corrupt(error.to_string()))?;
    }
    Ok(manifest)
}

fn check_size(path: &Path, expected: u64) -> Result<(), ArtifactError> {
    let metadata = fs::symlink_metadata(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ArtifactError::MissingFile { path: path.to_owned() },
        _ => ArtifactError::Io { action: "inspect", path: path.to_owned(), source },
    })?;
    if !metadata.is_file() {
        return Err(ArtifactError::corrupt(path, "an artifact holds plain files only, no links or devices"));
    }
    let found = metadata.len();
    if found == expected { Ok(()) } else { Err(ArtifactError::WrongSize { path: path.to_owned(), expected, found }) }
}
