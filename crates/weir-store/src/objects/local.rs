//! A store in a directory: what is written is on the disk before it gets its name.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use tempfile::NamedTempFile;
use weir_contract::digest::Digester;

use super::{Entry, Extension, Guard, Object, Objects};
use crate::{StoreError, Time};

/// Where writers write before they rename.
const UNFINISHED: &str = "tmp";
const LOCK: &str = "lock";
/// Nothing here is changed in place, so nobody gets the right to. New files obey the umask as well.
const READ_ONLY: u32 = 0o444;
const PIECE: usize = 1 << 20;

/// The directory.
pub(super) struct Directory {
    root: PathBuf,
}

impl Directory {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    /// A new file that goes away unless it gets a name.
    fn unfinished(&self) -> Result<NamedTempFile, StoreError> {
        let folder = self.path(UNFINISHED);
        make_folder(&folder)?;
        tempfile::Builder::new()
            .permissions(Permissions::from_mode(READ_ONLY))
            .tempfile_in(&folder)
            .map_err(StoreError::io("create a file in", &folder))
    }

    fn lock(&self, take: fn(&File) -> io::Result<()>) -> Result<Guard, StoreError> {
        let folder = self.path(UNFINISHED);
        make_folder(&folder)?;
        let path = folder.join(LOCK);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(StoreError::io("create", &path))?;
        match take(&file) {
            Ok(()) => Ok(Guard(Some(file))),
            // A file system without locks: the age of objects has to keep the two apart, as on S3.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(Guard(None)),
            Err(error) => Err(StoreError::io("lock", &path)(error)),
        }
    }

    /// Gives a finished file the name of its object, also where that exists: whatever was there is whole again.
    fn publish(&self, file: NamedTempFile, object: &Object) -> Result<(), StoreError> {
        let target = self.path(&object.key());
        let folder = parent(&target);
        make_folder(folder)?;
        file.as_file().sync_all().map_err(StoreError::io("write", &target))?;
        file.persist(&target).map_err(|error| StoreError::io("create", &target)(error.error))?;
        sync(folder)
    }
}

impl Objects for Directory {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.path(key);
        present(fs::read(&path)).map_err(StoreError::io("read", &path))
    }

    fn put_new(&self, key: &str, bytes: &[u8]) -> Result<bool, StoreError> {
        let target = self.path(key);
        let folder = parent(&target);
        make_folder(folder)?;
        let mut file = self.unfinished()?;
        file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(StoreError::io("write", &target))?;
        match file.persist_noclobber(&target) {
            Ok(_) => sync(folder).map(|()| true),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(StoreError::io("create", &target)(error.error)),
        }
    }

    fn put_file(&self, path: &Path, extension: Extension) -> Result<Object, StoreError> {
        let mut source = File::open(path).map_err(StoreError::io("read", path))?;
        if !source.metadata().map_err(StoreError::io("read", path))?.is_file() {
            return Err(StoreError::Source { path: path.to_owned(), reason: "it is no plain file".to_owned() });
        }
        let mut file = self.unfinished()?;
        let target = file.path().to_owned();
        let (mut digester, mut size) = (Digester::default(), 0);
        let mut buffer = vec![0; PIECE];
        loop {
            let read = match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(StoreError::io("read", path)(error)),
            };
            digester.update(&buffer[..read]);
            file.write_all(&buffer[..read]).map_err(StoreError::io("write", &target))?;
            size += read as u64;
        }
        let object = Object { sha256: digester.finish(), size, extension };
        self.publish(file, &object)?;
        Ok(object)
    }

    fn put_bytes(&self, bytes: &[u8], extension: Extension) -> Result<Object, StoreError> {
        let object = Object::of(bytes, extension);
        let mut file = self.unfinished()?;
        file.write_all(bytes).map_err(StoreError::io("write", &self.path(&object.key())))?;
        self.publish(file, &object)?;
        Ok(object)
    }

    fn local(&self, object: &Object, _again: bool) -> Result<Option<PathBuf>, StoreError> {
        let path = self.path(&object.key());
        let found = path.try_exists().map_err(StoreError::io("inspect", &path))?;
        Ok(found.then_some(path))
    }

    fn stat(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        let path = self.path(key);
        match present(fs::symlink_metadata(&path)).map_err(StoreError::io("inspect", &path))? {
            Some(metadata) => entry(key.to_owned(), &path, &metadata).map(Some),
            None => Ok(None),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, StoreError> {
        let mut found = Vec::new();
        for name in self.names(folder)? {
            let key = format!("{folder}/{name}");
            let path = self.path(&key);
            // What another process has removed meanwhile is not there.
            match present(fs::symlink_metadata(&path)).map_err(StoreError::io("inspect", &path))? {
                Some(metadata) if metadata.is_dir() => found.extend(self.list(&key)?),
                Some(metadata) => found.push(entry(key, &path, &metadata)?),
                None => {}
            }
        }
        Ok(found)
    }

    fn names(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let path = self.path(folder);
        let list = || StoreError::io("list", &path);
        let Some(entries) = present(fs::read_dir(&path)).map_err(list())? else { return Ok(Vec::new()) };
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry.map_err(list())?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    fn delete(&self, key: &str) -> Result<(), StoreError> {
        let path = self.path(key);
        present(fs::remove_file(&path)).map(drop).map_err(StoreError::io("remove", &path))
    }

    fn writing(&self) -> Result<Guard, StoreError> {
        self.lock(File::lock_shared)
    }

    fn collecting(&self) -> Result<Guard, StoreError> {
        self.lock(File::lock)
    }

    fn leftovers(&self) -> Result<Vec<Entry>, StoreError> {
        let mut found = self.list(UNFINISHED)?;
        found.retain(|entry| entry.key != format!("{UNFINISHED}/{LOCK}"));
        Ok(found)
    }
}

/// `None` for what is not there.
fn present<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn entry(key: String, path: &Path, metadata: &fs::Metadata) -> Result<Entry, StoreError> {
    let modified = metadata.modified().map_err(StoreError::io("inspect", path))?;
    let since = modified.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    Ok(Entry { key, size: metadata.len(), stored: Time(i64::try_from(since).unwrap_or(i64::MAX)) })
}

fn parent(path: &Path) -> &Path {
    path.parent().expect("a key lies in the root of its store")
}

/// Creates a folder and those above it, each on the disk before anything is put into it.
pub(super) fn make_folder(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_folder(above)?;
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(StoreError::io("create", path)(error)),
        _ => sync(above),
    }
}

/// Forces a folder's names to the disk.
fn sync(folder: &Path) -> Result<(), StoreError> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(StoreError::io("flush", folder))
}
