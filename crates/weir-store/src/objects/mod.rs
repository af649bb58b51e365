//! Where the bytes lie: a directory, or S3. Keys have `/` between their parts and are the same on both.

mod local;
#[cfg(feature = "s3")]
mod s3;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use weir_contract::Digest;

use crate::location::{Access, Location};
use crate::{StoreError, Time};

/// Bytes that a record refers to: named after their digest, stored once, never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Object {
    /// SHA-256 of the bytes.
    pub sha256: Digest,
    /// Their number.
    pub size: u64,
    /// What other programs shall take them for.
    pub extension: Extension,
}

impl Object {
    /// The object of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8], extension: Extension) -> Self {
        Self { sha256: Digest::of(bytes), size: bytes.len() as u64, extension }
    }

    /// Where it lies in a store: `objects/<first two digits>/<sha256>.<extension>`.
    #[must_use]
    pub fn key(&self) -> String {
        let digest = self.sha256.to_string();
        format!("{OBJECTS}/{}/{digest}.{}", &digest[..2], self.extension)
    }
}

/// The end of an object's name, by which other programs know its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Extension {
    /// Tables.
    Parquet,
    /// Statistics, schemas, expectation results.
    Json,
    /// Labels by flow id, also where tabs separate them.
    Csv,
    /// Label rules.
    Toml,
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parquet => "parquet",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Toml => "toml",
        })
    }
}

/// The folder of all objects.
pub(crate) const OBJECTS: &str = "objects";

/// What is under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) size: u64,
    /// When it was last stored, also if it already was.
    pub(crate) stored: Time,
}

/// Held while objects are stored and committed, or while unreferenced ones are removed.
pub(crate) struct Guard(#[expect(dead_code, reason = "held for its lock alone")] Option<std::fs::File>);

/// The operations that a store is made of. All of them block.
pub(crate) trait Objects: Send + Sync {
    /// The bytes under `key`, unless there are none.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// [`Objects::get`] of many keys, in their order.
    fn get_all(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        keys.iter().map(|key| self.get(key)).collect()
    }

    /// Creates `key` at once with all its bytes unless it exists; whether it did not. They are on the disk then.
    fn put_new(&self, key: &str, bytes: &[u8]) -> Result<bool, StoreError>;

    /// Stores a copy of a file as an object and marks it as stored now. It is on the disk then.
    fn put_file(&self, path: &Path, extension: Extension) -> Result<Object, StoreError>;

    /// Like [`Objects::put_file`], of bytes.
    fn put_bytes(&self, bytes: &[u8], extension: Extension) -> Result<Object, StoreError>;

    /// A local file with what is under the object's key, unless there is nothing. It may be damaged; with `again` it
    /// is no copy kept from an earlier call.
    fn local(&self, object: &Object, again: bool) -> Result<Option<PathBuf>, StoreError>;

    /// What is under a key.
    fn stat(&self, key: &str) -> Result<Option<Entry>, StoreError>;

    /// Everything below a folder, in no order.
    fn list(&self, folder: &str) -> Result<Vec<Entry>, StoreError>;

    /// The names right below a folder, sorted.
    fn names(&self, folder: &str) -> Result<Vec<String>, StoreError>;

    /// Removes a key; one that is gone already is no error.
    fn delete(&self, key: &str) -> Result<(), StoreError>;

    /// Taken by writers from their first object to their commit; several hold it at once.
    fn writing(&self) -> Result<Guard, StoreError>;

    /// Taken while unreferenced objects are removed. Where it cannot keep writers out (S3), age has to.
    fn collecting(&self) -> Result<Guard, StoreError>;

    /// What writers have not finished, as keys beside all others.
    fn leftovers(&self) -> Result<Vec<Entry>, StoreError>;
}

/// Reaches the location, without looking whether there is a store.
#[cfg_attr(not(feature = "s3"), expect(unused_variables, reason = "a directory needs no access"))]
pub(crate) fn connect(location: &Location, access: &Access) -> Result<Arc<dyn Objects>, StoreError> {
    match location {
        Location::Directory(root) => Ok(Arc::new(local::Directory::new(root))),
        #[cfg(feature = "s3")]
        Location::S3 { bucket, prefix } => Ok(Arc::new(s3::Bucket::connect(bucket, prefix, access)?)),
        #[cfg(not(feature = "s3"))]
        Location::S3 { .. } => Err(StoreError::Unusable {
            location: location.to_string(),
            reason: "this build of weir was made without the feature `s3`".to_owned(),
        }),
    }
}
