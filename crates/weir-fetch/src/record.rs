//! `fetch.json`: where files came from and what they were.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use weir_contract::Digest;

use crate::{FetchError, Member};

/// Name of the record beside the files.
pub const FETCH: &str = "fetch.json";

/// Version of the record that is written and read.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// Where files came from and what they were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Version of this record.
    pub format_version: u32,
    /// Name of the data set.
    pub dataset: String,
    /// Where the archive came from.
    pub url: String,
    /// When, RFC 3339 in UTC.
    pub fetched: String,
    /// What arrived.
    pub archive: Archive,
    /// What was unpacked.
    pub members: Vec<Member>,
    /// Files of the archive that were not unpacked.
    pub left_in_archive: Vec<String>,
    /// SPDX identifier.
    pub licence: String,
    /// Whom to credit.
    pub attribution: String,
    /// The page for people.
    pub landing_page: String,
}

/// An archive as it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archive {
    /// Its length in bytes.
    pub bytes: u64,
    /// Its digest.
    pub sha256: Digest,
}

impl Record {
    /// The record in `dir`, if there is one.
    pub(crate) fn read(dir: &Path) -> Result<Option<Self>, FetchError> {
        let path = dir.join(FETCH);
        let corrupt = |reason: String| FetchError::Record { path: path.clone(), reason };
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes.map_err(FetchError::io("read", &path))?,
        };
        let record: Self = serde_json::from_slice(&bytes).map_err(|error| corrupt(error.to_string()))?;
        if record.format_version != FORMAT_VERSION {
            let found = record.format_version;
            return Err(corrupt(format!("format version {found}, this build knows version {FORMAT_VERSION}")));
        }
        Ok(Some(record))
    }
}
