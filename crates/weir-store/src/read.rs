//! Reading objects: never without comparing their bytes with their name.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use weir_contract::Digest;
use weir_contract::digest::Digester;
use weir_contract::expectation::SuiteResult;
use weir_contract::feature::FeatureSchema;
use weir_contract::statistics::Statistics;

use crate::{Commit, Object, Store, StoreError};

impl Store {
    /// A local file with an object's bytes, which were checked just now. `owner` is who needs it, for errors.
    ///
    /// # Errors
    /// [`StoreError::MissingObject`], [`StoreError::Object`] when the bytes differ; those of reading.
    pub fn fetch(&self, object: &Object, owner: &str) -> Result<PathBuf, StoreError> {
        let (location, key, owner) = (self.location.clone(), object.key(), owner.to_owned());
        let mut found = String::new();
        // A damaged copy of a good object is fetched again.
        for again in [false, true] {
            let Some(path) = self.objects.local(object, again)? else {
                return Err(StoreError::MissingObject { location, key, owner });
            };
            let (sha256, size) = measure(&path)?;
            if size != object.size {
                found = format!("it has {size} bytes instead of {}", object.size);
            } else if sha256 != object.sha256 {
                found = format!("its SHA-256 is {sha256}");
            } else {
                return Ok(path);
            }
        }
        Err(StoreError::Object { location, key, found, owner })
    }

    /// The bytes of an object, checked.
    ///
    /// # Errors
    /// Those of [`Store::fetch`].
    pub fn read(&self, object: &Object, owner: &str) -> Result<Vec<u8>, StoreError> {
        let path = self.fetch(object, owner)?;
        std::fs::read(&path).map_err(StoreError::io("read", &path))
    }

    /// The statistics that a commit brought.
    ///
    /// # Errors
    /// Those of [`Store::read`]; [`StoreError::Record`] when this build cannot read them.
    pub fn statistics(&self, commit: &Commit) -> Result<Option<Statistics>, StoreError> {
        self.json(commit.insert().and_then(|insert| insert.statistics), commit)
    }

    /// The feature schema that a commit brought.
    ///
    /// # Errors
    /// As [`Store::statistics`].
    pub fn schema(&self, commit: &Commit) -> Result<Option<FeatureSchema>, StoreError> {
        self.json(commit.insert().and_then(|insert| insert.schema), commit)
    }

    /// The results of the expectations that a commit brought.
    ///
    /// # Errors
    /// As [`Store::statistics`].
    pub fn expectations(&self, commit: &Commit) -> Result<Option<SuiteResult>, StoreError> {
        self.json(commit.insert().and_then(|insert| insert.expectations), commit)
    }

    fn json<T: DeserializeOwned>(&self, object: Option<Object>, commit: &Commit) -> Result<Option<T>, StoreError> {
        let Some(object) = object else { return Ok(None) };
        let bytes = self.read(&object, &commit.title())?;
        serde_json::from_slice(&bytes).map(Some).map_err(|error| self.damaged(&object.key(), error))
    }
}

/// SHA-256 and size of a file.
pub(crate) fn measure(path: &Path) -> Result<(Digest, u64), StoreError> {
    let mut file = File::open(path).map_err(StoreError::io("read", path))?;
    let (mut digester, mut size) = (Digester::default(), 0);
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((digester.finish(), size)),
            Ok(read) => {
                digester.update(&buffer[..read]);
                size += read as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(StoreError::io("read", path)(error)),
        }
    }
}
