//! The state directory of a host: who is blocked, who ever was, and every change.
//!
//! ```text
//! weir-block/
//! ├── blocklist.json     who is blocked now; replaced by rename
//! ├── blocked_ips.txt    everybody who ever was, each once, the first first, but for those who were let in by hand or
//! │                      are allowed by now; replaced by rename
//! ├── audit.jsonl        every change, one object per line; only ever appended to
//! ├── told.json          what somebody was told last; replaced by rename
//! └── .lock              held by whoever changes them; never deleted
//! ```
//!
//! `blocklist.json` is the truth: it is renamed last, and the other two follow from what was done. Everything is on the
//! disk before it counts. Readers take no lock, since every file they read appears whole.

mod audit;
mod blocked_ips;
mod error;
mod told;

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;
use weir_contract::blocklist::{Blocklist, FORMAT};
use weir_contract::files::{BLOCK_AUDIT, BLOCKED_IPS, BLOCKLIST};
use weir_contract::json;

pub(crate) use audit::holding;
pub use audit::{Action, Author, Record};
pub use error::StateError;
pub use told::Told;

/// How names of files begin that are not finished.
const UNFINISHED: &str = ".weir-";

/// The state directory, held against every other process until it is dropped.
#[derive(Debug)]
pub struct State {
    dir: PathBuf,
    // Held for its lock alone.
    _lock: File,
}

/// Files that are on the disk under other names, and become the state by [`Staged::commit`].
#[derive(Debug)]
#[must_use]
pub struct Staged {
    /// In the order in which they get their names.
    files: Vec<(NamedTempFile, PathBuf)>,
}

impl State {
    /// Opens the directory, or makes it. Somebody else who changes it is waited for, at most for `patience`. What a process
    /// that was killed has left unfinished is cleared away.
    ///
    /// # Errors
    /// [`StateError::Output`] when it cannot be made or written to, [`StateError::Locked`] when somebody else goes on
    /// changing it.
    pub fn open(dir: &Path, patience: Duration) -> Result<Self, StateError> {
        fs::create_dir_all(dir).map_err(StateError::output("create", dir))?;
        let path = dir.join(".lock");
        let options = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let mut lock = options.map_err(StateError::output("open", &path))?;
        let begin = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(StateError::output("lock", &path)(error)),
                Err(TryLockError::WouldBlock) if begin.elapsed() < patience => thread::sleep(Duration::from_millis(20)),
                Err(TryLockError::WouldBlock) => {
                    let mut holder = String::new();
                    // It only helps to find the other process.
                    let _ = lock.read_to_string(&mut holder);
                    return Err(StateError::Locked { dir: dir.to_owned(), holder: holder.trim().to_owned() });
                }
            }
        }
        // It only helps others to find this process: a disk that is full is no reason to let nobody in.
        let _ =
            lock.set_len(0).and_then(|()| lock.rewind()).and_then(|()| write!(lock, "process {}", std::process::id()));
        sweep(dir);
        Ok(Self { dir: dir.to_owned(), _lock: lock })
    }

    /// Who is blocked by the directory `dir`, without holding it; nobody where there is no such file.
    ///
    /// # Errors
    /// [`StateError::Input`] when the file cannot be read, [`StateError::Corrupt`] when it is no blocklist,
    /// [`StateError::UnknownVersion`] when it is one of another format.
    pub fn read(dir: &Path) -> Result<Blocklist, StateError> {
        let path = dir.join(BLOCKLIST);
        let Some(bytes) = read_if_there(&path)? else { return Ok(Blocklist::default()) };
        let corrupt = |error: serde_json::Error| StateError::Corrupt { path: path.clone(), reason: error.to_string() };
        let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(corrupt)?;
        match value.get("format").and_then(serde_json::Value::as_u64) {
            Some(found) if found != u64::from(FORMAT) => {
                return Err(StateError::UnknownVersion { path, found, known: FORMAT });
            }
            _ => {}
        }
        let mut list: Blocklist = serde_json::from_value(value).map_err(corrupt)?;
        // Entries are looked up by halving, and a person may have edited the file.
        list.sort();
        Ok(list)
    }

    /// Who is blocked.
    ///
    /// # Errors
    /// Those of [`State::read`].
    pub fn blocklist(&self) -> Result<Blocklist, StateError> {
        Self::read(&self.dir)
    }

    /// What was done so far.
    ///
    /// # Errors
    /// Those of [`State::read_history`].
    pub fn history(&self) -> Result<Vec<Record>, StateError> {
        Self::read_history(&self.dir)
    }

    /// What was done so far in the directory `dir`, without holding it; lines that are no record, as a kill may leave,
    /// are passed over.
    ///
    /// # Errors
    /// [`StateError::Input`] when the file cannot be read.
    pub fn read_history(dir: &Path) -> Result<Vec<Record>, StateError> {
        let bytes = read_if_there(&dir.join(BLOCK_AUDIT))?.unwrap_or_default();
        Ok(audit::parse(&bytes))
    }

    /// Writes what is to become the state: `list`, and `blocked_ips.txt` with everybody of `list` and without those of
    /// whom `forget` says so, where they are not so already. Nothing counts before [`Staged::commit`]; dropped, it leaves
    /// nothing.
    ///
    /// # Errors
    /// [`StateError::Output`] when it cannot be written, [`StateError::Input`] when `blocked_ips.txt` cannot be read, those of
    /// [`State::read`].
    pub fn stage(&self, list: &Blocklist, forget: impl Fn(IpAddr) -> bool) -> Result<Staged, StateError> {
        let path = self.dir.join(BLOCKED_IPS);
        let before = read_if_there(&path)?.unwrap_or_default();
        let addresses = list.entries.iter().map(|entry| entry.address);
        let after = blocked_ips::update(&before, addresses, forget);
        let mut files = Vec::new();
        if after != before {
            files.push((self.write_beside(&path, &after)?, path));
        }
        if *list != self.blocklist()? {
            let path = self.dir.join(BLOCKLIST);
            let bytes = json::to_canonical(list).map_err(|error| StateError::Output {
                action: "encode",
                path: path.clone(),
                source: error.into(),
            })?;
            files.push((self.write_beside(&path, &bytes)?, path));
        }
        Ok(Staged { files })
    }

    /// Adds `records` to the audit log, and has them on the disk.
    ///
    /// # Errors
    /// [`StateError::Output`].
    pub fn record(&self, records: &[Record]) -> Result<(), StateError> {
        let path = self.dir.join(BLOCK_AUDIT);
        audit::append(&path, records).map_err(StateError::output("append to", &path))
    }

    fn write_beside(&self, path: &Path, bytes: &[u8]) -> Result<NamedTempFile, StateError> {
        // Whoever may read the directory may read its files: a bouncer's server need not be root.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        let written = || -> io::Result<NamedTempFile> {
            let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&self.dir)?;
            // Whatever the umask is.
            file.as_file().set_permissions(mode)?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            Ok(file)
        };
        written().map_err(StateError::output("write", path))
    }
}

impl Staged {
    /// Whether the state is so already.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Gives the files their names, `blocklist.json` last.
    ///
    /// # Errors
    /// [`StateError::Output`].
    pub fn commit(self) -> Result<(), StateError> {
        for (file, path) in self.files {
            file.persist(&path).map_err(|error| StateError::output("replace", &path)(error.error))?;
            let dir = path.parent().unwrap_or(Path::new("."));
            // Without this a rename may not outlive a power failure.
            File::open(dir).and_then(|dir| dir.sync_all()).map_err(StateError::output("flush", dir))?;
        }
        Ok(())
    }
}

/// Removes files that nobody will finish: whoever writes any holds the lock. What cannot be removed harms nobody.
fn sweep(dir: &Path) {
    // As tempfile makes names up.
    let is_made_up = |rest: &[u8]| rest.len() == 6 && rest.iter().all(u8::is_ascii_alphanumeric);
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && entry.file_name().as_encoded_bytes().strip_prefix(UNFINISHED.as_bytes()).is_some_and(is_made_up) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, StateError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StateError::Input { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_contract::blocklist::Entry;

    fn list(addresses: &[&str]) -> Blocklist {
        let entry = |address: &&str| Entry {
            address: address.parse().unwrap(),
            since: 1,
            until: 2,
            reason: "because".to_owned(),
            evidence: None,
        };
        Blocklist { entries: addresses.iter().map(entry).collect(), ..Blocklist::default() }
    }

    fn addresses(dir: &Path) -> String {
        fs::read_to_string(dir.join(BLOCKED_IPS)).unwrap()
    }

    #[test]
    fn what_is_not_committed_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(dir.path(), Duration::ZERO).unwrap();
        assert_eq!(state.blocklist().unwrap(), Blocklist::default());
        drop(state.stage(&list(&["192.0.2.1"]), |_| false).unwrap());
        assert_eq!(state.blocklist().unwrap(), Blocklist::default());
        state.stage(&list(&["192.0.2.1"]), |_| false).unwrap().commit().unwrap();
        assert_eq!(state.blocklist().unwrap(), list(&["192.0.2.1"]));
        assert_eq!(addresses(dir.path()), "192.0.2.1\n");
        let names = fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(names, 3, "lock, list and addresses; no temporary file");
    }

    #[test]
    fn whoever_was_blocked_once_stays_in_the_list_of_addresses() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(dir.path(), Duration::ZERO).unwrap();
        for now in [&["192.0.2.10"][..], &["192.0.2.1", "192.0.2.10"], &["2001:db8::1"]] {
            state.stage(&list(now), |_| false).unwrap().commit().unwrap();
        }
        assert_eq!(addresses(dir.path()), "192.0.2.10\n192.0.2.1\n2001:db8::1\n");
    }

    #[test]
    fn one_process_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(dir.path(), Duration::ZERO).unwrap();
        let error = State::open(dir.path(), Duration::from_millis(30)).unwrap_err();
        let holder = format!("process {}", std::process::id());
        assert!(error.to_string().contains(&holder), "{error}");
        drop(state);
        State::open(dir.path(), Duration::ZERO).unwrap();
    }

    #[test]
    fn what_a_kill_left_unfinished_is_cleared_away() {
        let dir = tempfile::tempdir().unwrap();
        for name in [".weir-aB3dE6", ".weir-draft", "kept.weir-aB3dE6"] {
            fs::write(dir.path().join(name), "half a li").unwrap();
        }
        fs::create_dir(dir.path().join(".weir-folder")).unwrap();
        let _state = State::open(dir.path(), Duration::ZERO).unwrap();
        let mut names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [".lock", ".weir-draft", ".weir-folder", "kept.weir-aB3dE6"]);
    }

    #[test]
    fn a_full_disk_keeps_nobody_from_holding_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/full", dir.path().join(".lock")).unwrap();
        State::open(dir.path(), Duration::from_secs(60)).unwrap();
    }

    #[test]
    fn a_list_that_is_none_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(BLOCKLIST), "{").unwrap();
        assert!(matches!(State::read(dir.path()), Err(StateError::Corrupt { .. })));
        fs::write(dir.path().join(BLOCKLIST), r#"{"format": 9, "entries": []}"#).unwrap();
        assert!(matches!(State::read(dir.path()), Err(StateError::UnknownVersion { found: 9, .. })));
    }

    #[test]
    fn a_list_that_was_edited_by_hand_is_in_order_again() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = json::to_canonical(&list(&["192.0.2.9", "192.0.2.1", "192.0.2.9"])).unwrap();
        fs::write(dir.path().join(BLOCKLIST), bytes).unwrap();
        assert_eq!(State::read(dir.path()).unwrap(), list(&["192.0.2.1", "192.0.2.9"]));
    }
}
