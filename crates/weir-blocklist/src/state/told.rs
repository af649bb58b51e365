//! `told.json`: what somebody was told last, so that a run that finds the same is not told of again.

use std::fs;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use weir_contract::{Digest, json};

use super::{StateError, read_if_there};

/// Name of the file in the state directory.
const TOLD: &str = "told.json";

/// Who was blocked, or would have been, and who was spared. Digests of the addresses show whether it is the same, and name
/// nobody who may be allowed by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Of those who were blocked, or would have been.
    pub blocked: Digest,
    /// Of those whom a cap spared.
    pub spared: Digest,
}

impl Told {
    /// That of these addresses, in any order.
    #[must_use]
    pub fn of(blocked: impl Iterator<Item = IpAddr>, spared: impl Iterator<Item = IpAddr>) -> Self {
        Self { blocked: digest(blocked), spared: digest(spared) }
    }

    /// What was told last by runs of the directory `dir`; none where nobody was told, or nobody knows.
    ///
    /// # Errors
    /// [`StateError::Input`] when the file cannot be read, [`StateError::Corrupt`] when it is another one.
    pub fn read(dir: &Path) -> Result<Option<Self>, StateError> {
        let path = dir.join(TOLD);
        let Some(bytes) = read_if_there(&path)? else { return Ok(None) };
        let told = serde_json::from_slice(&bytes);
        told.map(Some).map_err(|error| StateError::Corrupt { path, reason: error.to_string() })
    }

    /// Writes it into the directory `dir`, which is made where it is not there. It appears whole: no lock is needed.
    ///
    /// # Errors
    /// [`StateError::Output`].
    pub fn write(&self, dir: &Path) -> Result<(), StateError> {
        let path = dir.join(TOLD);
        let written = || -> io::Result<()> {
            fs::create_dir_all(dir)?;
            let mut file = NamedTempFile::with_prefix_in(".told-", dir)?;
            file.write_all(&json::to_canonical(self)?)?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            Ok(())
        };
        written().map_err(StateError::output("write", &path))
    }
}

fn digest(addresses: impl Iterator<Item = IpAddr>) -> Digest {
    let mut addresses: Vec<IpAddr> = addresses.collect();
    addresses.sort_unstable();
    let lines: String = addresses.iter().map(|address| format!("{address}\n")).collect();
    Digest::of(lines.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(blocked: &[&str], spared: &[&str]) -> Told {
        let addresses = |texts: &[&str]| -> Vec<IpAddr> { texts.iter().map(|text| text.parse().unwrap()).collect() };
        Told::of(addresses(blocked).into_iter(), addresses(spared).into_iter())
    }

    #[test]
    fn what_was_told_is_known_to_the_next_process_and_names_nobody() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("state");
        assert_eq!(Told::read(&dir).unwrap(), None);
        let first = told(&["192.0.2.66"], &["192.0.2.7"]);
        first.write(&dir).unwrap();
        assert_eq!(Told::read(&dir).unwrap(), Some(first));
        told(&[], &[]).write(&dir).unwrap();
        assert_eq!(Told::read(&dir).unwrap(), Some(told(&[], &[])));
        let files: Vec<_> = dir.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files, [dir.join(TOLD)], "no temporary file");
        assert!(!fs::read_to_string(dir.join(TOLD)).unwrap().contains("192.0.2."));
    }

    #[test]
    fn the_addresses_count_and_not_their_order_or_number() {
        assert_eq!(told(&["192.0.2.1", "::1"], &[]), told(&["::1", "192.0.2.1"], &[]));
        assert_ne!(told(&["192.0.2.1"], &[]), told(&["192.0.2.2"], &[]));
        assert_ne!(told(&["192.0.2.1"], &[]), told(&[], &["192.0.2.1"]));
    }

    #[test]
    fn a_file_that_is_another_one_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(TOLD), "{").unwrap();
        assert!(matches!(Told::read(dir.path()), Err(StateError::Corrupt { .. })));
    }
}
