//! The files below a directory, and their digests.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use weir_contract::Digest;
use weir_contract::digest::Digester;

use crate::ArtifactError;

/// SHA-256 of a file's bytes, read in pieces of 256 KiB.
///
/// # Errors
/// [`ArtifactError::MissingFile`] when there is no such file, [`ArtifactError::Io`] when reading fails.
pub fn digest_file(path: impl AsRef<Path>) -> Result<Digest, ArtifactError> {
    let path = path.as_ref();
    let mut file = File::open(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ArtifactError::MissingFile { path: path.to_owned() },
        _ => ArtifactError::Io { action: "open", path: path.to_owned(), source },
    })?;
    let mut digester = Digester::default();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(digester.finish()),
            Ok(read) => digester.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(ArtifactError::io("read", path)(error)),
        }
    }
}

/// What is below a directory.
pub(crate) struct Tree {
    /// Files as `(name with / between parts, path)`, sorted by name.
    pub(crate) files: Vec<(String, PathBuf)>,
    /// Folders, the root included, each after those inside it.
    pub(crate) folders: Vec<PathBuf>,
}

/// Walks `root`. A link, a device or a name that is not UTF-8 is refused: no manifest could describe it.
pub(crate) fn walk(root: &Path) -> Result<Tree, ArtifactError> {
    let mut tree = Tree { files: Vec::new(), folders: Vec::new() };
    visit(root, "", &mut tree)?;
    tree.files.sort();
    Ok(tree)
}

fn visit(folder: &Path, prefix: &str, tree: &mut Tree) -> Result<(), ArtifactError> {
    let list = ArtifactError::io;
    for entry in fs::read_dir(folder).map_err(list("list", folder))? {
        let entry = entry.map_err(list("list", folder))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(list("inspect", &path))?;
        let Some(part) = entry.file_name().to_str().map(str::to_owned) else {
            return Err(ArtifactError::corrupt(&path, "a name inside an artifact has to be UTF-8"));
        };
        if kind.is_dir() {
            visit(&path, &format!("{prefix}{part}/"), tree)?;
        } else if kind.is_file() {
            tree.files.push((format!("{prefix}{part}"), path));
        } else {
            return Err(ArtifactError::corrupt(&path, "an artifact holds plain files only, no links or devices"));
        }
    }
    tree.folders.push(folder.to_owned());
    Ok(())
}

/// Forces a file or folder to the disk.
pub(crate) fn sync(path: &Path) -> Result<(), ArtifactError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(ArtifactError::io("flush", path))
}
