//! The files below a location as they are.

use std::sync::Arc;

use crate::objects::{Objects, connect};
use crate::{Access, Location, StoreError};

/// The files below a location, whoever wrote them and whatever they are: artifacts of a run on a cluster, for example.
/// Nothing is taken for a store, and nothing is written.
pub struct Files(Arc<dyn Objects>);

impl Files {
    /// Reaches the location, without looking what is there.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] for access that does not suffice or a build without S3.
    pub fn connect(location: &Location, access: &Access) -> Result<Self, StoreError> {
        Ok(Self(connect(location, access)?))
    }

    /// Paths below the location with sizes in bytes, sorted; none where there is nothing.
    ///
    /// # Errors
    /// [`StoreError`] when the location cannot be read.
    pub fn list(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let mut found: Vec<_> = self
            .0
            .list("")?
            .into_iter()
            .map(|entry| (entry.key.trim_start_matches('/').to_owned(), entry.size))
            .collect();
        found.sort();
        Ok(found)
    }

    /// The bytes of the file at `path`, `None` where there is none.
    ///
    /// # Errors
    /// [`StoreError`] when the location cannot be read.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.get(path)
    }
}
