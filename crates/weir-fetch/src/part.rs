//! The file that is being downloaded, and the note beside it that says what it is a part of.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use weir_contract::digest::{Digest, Digester};
use weir_contract::json;

use crate::{FetchError, Progress};

/// What the server said of the file when it began to send it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(crate) url: String,
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
    /// Bytes in all.
    pub(crate) total: Option<u64>,
}

impl Origin {
    /// What `If-Range` may hold (RFC 9110, 13.1.5): a strong entity tag, else a date.
    pub(crate) fn validator(&self) -> Option<&str> {
        let strong = self.etag.as_deref().filter(|etag| !etag.starts_with("W/"));
        strong.or(self.last_modified.as_deref())
    }
}

/// `<name>.part` with `<name>.part.json`. It stays when dropped; only [`Part::commit`] gives it its final name.
pub(crate) struct Part {
    path: PathBuf,
    note: PathBuf,
    file: File,
    length: u64,
    digest: Digester,
    origin: Origin,
}

impl Part {
    /// Opens what an earlier start left of `url`, or begins anew.
    pub(crate) fn open(target: &Path, url: &str) -> Result<Self, FetchError> {
        let path = with_suffix(target, ".part");
        let note = with_suffix(target, ".part.json");
        let file = lock(&path)?;
        let kept = fs::read(&note).ok().and_then(|bytes| serde_json::from_slice::<Origin>(&bytes).ok());
        let kept = kept.filter(|origin| origin.url == url);
        let usable = kept.is_some();
        let mut part = Self { path, note, file, length: 0, digest: Digester::default(), origin: Origin::default() };
        part.origin = kept.unwrap_or_else(|| Origin { url: url.to_owned(), ..Origin::default() });
        if usable {
            part.read()?
        } else {
            part.clear()?
        }
        Ok(part)
    }

    /// Bytes on disk.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn progress(&self) -> Progress {
        Progress { done: self.length, total: self.origin.total }
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.length > 0 && self.origin.total == Some(self.length)
    }

    /// Forgets the bytes, then notes what the next ones belong to: stopped in between, nothing is taken for a part
    /// of something else.
    pub(crate) fn restart(&mut self, origin: Origin) -> Result<(), FetchError> {
        self.clear()?;
        self.origin = origin;
        write_whole(&self.note, &self.origin)
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        self.file.write_all(bytes).map_err(FetchError::io("write", &self.path))?;
        self.digest.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    pub(crate) fn digest(&self) -> Digest {
        self.digest.clone().finish()
    }

    /// Gives the file its final name, after its bytes are on disk.
    pub(crate) fn commit(self, target: &Path) -> Result<(), FetchError> {
        self.file.sync_all().map_err(FetchError::io("write", &self.path))?;
        fs::rename(&self.path, target).map_err(FetchError::io("write", target))?;
        remove(&self.note)
    }

    /// Removes both files.
    pub(crate) fn discard(self) -> Result<(), FetchError> {
        remove(&self.path)?;
        remove(&self.note)
    }

    /// Forgets the bytes.
    pub(crate) fn clear(&mut self) -> Result<(), FetchError> {
        let failed = || FetchError::io("write", &self.path);
        if self.file.metadata().map_err(failed())?.len() > 0 {
            self.file.set_len(0).map_err(failed())?;
        }
        self.file.rewind().map_err(failed())?;
        (self.length, self.digest) = (0, Digester::default());
        Ok(())
    }

    /// Digests what is there.
    fn read(&mut self) -> Result<(), FetchError> {
        let failed = || FetchError::io("read", &self.path);
        let length = self.file.metadata().map_err(failed())?.len();
        self.length = io::copy(&mut (&self.file).take(length), &mut self.digest).map_err(failed())?;
        self.file.seek(SeekFrom::Start(self.length)).map_err(failed())?;
        Ok(())
    }
}

/// Opens `path` for reading and writing, creates it where it is missing, and keeps other processes out.
pub(crate) fn lock(path: &Path) -> Result<File, FetchError> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    let file = file.map_err(FetchError::io("write", path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(FetchError::Busy { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(FetchError::io("lock", path)(error)),
    }
}

/// Writes `value` as JSON, under its final name only when it is whole.
pub(crate) fn write_whole<T: Serialize>(path: &Path, value: &T) -> Result<(), FetchError> {
    let draft = with_suffix(path, ".tmp");
    let bytes = json::to_canonical(value).map_err(|error| FetchError::io("write", path)(error.into()))?;
    let write = || {
        let mut file = File::create(&draft)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    write().map_err(FetchError::io("write", path))
}

pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

pub(crate) fn remove(path: &Path) -> Result<(), FetchError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FetchError::io("remove", path)(error)),
        _ => Ok(()),
    }
}
