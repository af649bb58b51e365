//! Removing what no commit names: objects of writers that were killed, and their unfinished files.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use crate::objects::{Entry, OBJECTS};
use crate::{Store, StoreError, Time};

/// How old an object has to be, unreferenced, before it is removed. A writer stores its objects before it commits:
/// on S3 this has to be longer than that takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grace(pub Duration);

/// A day.
impl Default for Grace {
    fn default() -> Self {
        Self(Duration::from_secs(24 * 60 * 60))
    }
}

/// What was, or would be, removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GcReport {
    /// Objects that commits name.
    pub referenced: usize,
    /// Objects and unfinished files that are younger than the grace.
    pub young: usize,
    /// Keys that were removed, or would be in a dry run; sorted.
    pub removed: Vec<String>,
    /// Their bytes.
    pub bytes: u64,
}

impl Store {
    /// Removes objects that no commit of any group names and unfinished files of writers, both older than `grace` at
    /// `now`. With `dry_run` it only says which. In a directory it waits for writers at work, and they for it.
    ///
    /// # Errors
    /// Those of reading: with a commit that cannot be read nobody knows what it names, and nothing is removed.
    pub fn gc(&self, grace: Grace, now: Time, dry_run: bool) -> Result<GcReport, StoreError> {
        let _guard = if dry_run { None } else { Some(self.objects.collecting()?) };
        let grace = i64::try_from(grace.0.as_millis()).unwrap_or(i64::MAX);
        let is_young = |entry: &Entry| entry.stored.0.saturating_add(grace) > now.0;
        // Listed before the commits are read: what is stored and committed from here on is young.
        let objects = self.objects.list(OBJECTS)?;
        let leftovers = self.objects.leftovers()?;
        let mut referenced = BTreeSet::new();
        for group in self.groups()? {
            for commit in self.commits(&group.key())? {
                referenced.extend(commit.objects().iter().map(crate::Object::key));
            }
        }
        let mut report = GcReport { referenced: referenced.len(), young: 0, removed: Vec::new(), bytes: 0 };
        for entry in objects.into_iter().chain(leftovers).filter(|entry| !referenced.contains(&entry.key)) {
            // Asked again: a writer may have stored the same bytes meanwhile.
            let Some(entry) = self.objects.stat(&entry.key)? else { continue };
            if is_young(&entry) {
                report.young += 1;
                continue;
            }
            if !dry_run {
                self.objects.delete(&entry.key)?;
            }
            report.bytes += entry.size;
            report.removed.push(entry.key);
        }
        report.removed.sort();
        Ok(report)
    }
}
