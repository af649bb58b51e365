//! The state directory, read again when it has changed.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use serde::Deserialize;
use weir_contract::blocklist::{Block, Blocklist};
use weir_contract::files::{BLOCK_AUDIT, BLOCKLIST};

use crate::allow::AllowList;
use crate::state::{State, StateError};

/// Who is blocked by a state directory, and who was.
#[derive(Debug)]
pub(super) struct Source {
    dir: PathBuf,
    allow: AllowList,
    /// What `list` was read from.
    stamp: Option<Stamp>,
    list: Blocklist,
}

/// Changes whenever a file is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl Source {
    /// The directory `dir`, but for whoever `allow` names.
    pub(super) fn open(dir: PathBuf, allow: AllowList) -> Result<Self, StateError> {
        let mut source = Self { dir, allow, stamp: None, list: Blocklist::default() };
        source.refresh()?;
        Ok(source)
    }

    /// Reads the list again if it has changed. After an error the list before stays.
    pub(super) fn refresh(&mut self) -> Result<(), StateError> {
        let stamp = self.stamp();
        if stamp.is_some() && stamp == self.stamp {
            return Ok(());
        }
        self.list = State::read(&self.dir)?;
        // The older stamp: what replaced the file meanwhile is seen the next time.
        self.stamp = stamp;
        Ok(())
    }

    /// Who is blocked at `now`, by address.
    pub(super) fn blocks(&self, now: i64) -> Vec<Block> {
        let blocks = self.list.blocks().into_iter();
        blocks.filter(|block| block.until > now && !self.allow.contains(block.address)).collect()
    }

    /// Whoever was blocked once, and may be still: whom the audit log names. Lines that are torn name nobody.
    pub(super) fn ever(&self) -> io::Result<BTreeSet<IpAddr>> {
        #[derive(Deserialize)]
        struct Line {
            address: Option<IpAddr>,
        }
        let bytes = match fs::read(self.dir.join(BLOCK_AUDIT)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read?,
        };
        let lines = bytes.split(|&byte| byte == b'\n');
        Ok(lines.filter_map(|line| serde_json::from_slice::<Line>(line).ok()?.address).collect())
    }

    fn stamp(&self) -> Option<Stamp> {
        let metadata = fs::metadata(self.dir.join(BLOCKLIST)).ok()?;
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        Some(Stamp { inode: metadata.ino(), length: metadata.len(), modified })
    }
}
