//! Opening a store; its groups and their commits.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::objects::{self, Objects};
use crate::{Access, Commit, Group, GroupDefinition, GroupKey, Location, Name, StoreError, Time, group, sealed};

/// An open feature store.
#[derive(Clone)]
pub struct Store {
    pub(crate) objects: Arc<dyn Objects>,
    pub(crate) location: String,
}

/// What became of a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Defined {
    /// A new version.
    New(Group),
    /// The latest version is just that.
    Unchanged(Group),
}

impl Defined {
    /// The version that holds the definition.
    #[must_use]
    pub fn group(&self) -> &Group {
        match self {
            Self::New(group) | Self::Unchanged(group) => group,
        }
    }
}

const STORE: &str = "store.json";
const KIND: &str = "weir feature store";
/// Commits that are read at once.
const READ_AHEAD: usize = 256;

impl Store {
    /// Makes an empty store, or opens the one that is there.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] when the location holds something else, those of [`Store::open`] otherwise.
    pub fn init(location: &Location, access: &Access) -> Result<Self, StoreError> {
        let store = Self { objects: objects::connect(location, access)?, location: location.to_string() };
        let bytes = sealed::write(&BTreeMap::from([("kind", KIND)]));
        if store.objects.stat(STORE)?.is_none() {
            // What an interrupted attempt has left is our own.
            if let Some(found) = store.objects.names("")?.into_iter().find(|name| name != "tmp" && name != STORE) {
                return Err(StoreError::Foreign { location: store.location, found });
            }
            store.objects.put_new(STORE, &bytes)?;
        }
        let store = Self::open(location, access)?;
        // Commits rest on this answer; there are object stores that ignore the condition and overwrite.
        if store.objects.put_new(STORE, &bytes)? {
            let reason = "it overwrites what is there in spite of If-None-Match: *".to_owned();
            return Err(StoreError::Unusable { location: store.location, reason });
        }
        Ok(store)
    }

    /// Opens a store. For a directory nothing is written: a store on a read-only file system can be read.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is none, [`StoreError::Newer`] when a later build made it,
    /// [`StoreError::Record`] when its `store.json` is damaged, [`StoreError::Unusable`] for a location that this
    /// build or `access` does not reach, [`StoreError::Io`] and [`StoreError::Remote`] when reading fails.
    pub fn open(location: &Location, access: &Access) -> Result<Self, StoreError> {
        let store = Self { objects: objects::connect(location, access)?, location: location.to_string() };
        match store.record::<BTreeMap<String, String>>(STORE)? {
            Some(kind) if kind.get("kind").map(String::as_str) == Some(KIND) => Ok(store),
            Some(_) => Err(store.damaged(STORE, "it does not say that this is a feature store")),
            None => Err(StoreError::Missing { location: store.location }),
        }
    }

    /// Where it is, for people.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }

    /// Defines a group, or a new version of it when the latest differs in anything.
    ///
    /// # Errors
    /// Those of reading and writing.
    pub fn define_group(&self, definition: &GroupDefinition, time: Time) -> Result<Defined, StoreError> {
        loop {
            let latest = match self.versions("groups", &definition.name)?.last() {
                Some(&version) => Some(self.group(&GroupKey { name: definition.name.clone(), version })?),
                None => None,
            };
            let version = latest.as_ref().map_or(1, |group| group.version + 1);
            if let Some(group) = latest.filter(|group| group.definition == *definition) {
                return Ok(Defined::Unchanged(group));
            }
            let group = Group { version, time, definition: definition.clone() };
            // Otherwise somebody else has just defined this version.
            if self.create(&group_file(&group.key()), &group)? {
                return Ok(Defined::New(group));
            }
        }
    }

    /// Every version of every group, sorted by name and version.
    ///
    /// # Errors
    /// Those of reading.
    pub fn groups(&self) -> Result<Vec<Group>, StoreError> {
        let mut groups = Vec::new();
        for name in self.names_in("groups")? {
            for version in self.versions("groups", &name)? {
                groups.push(self.group(&GroupKey { name: name.clone(), version })?);
            }
        }
        Ok(groups)
    }

    /// A version of a group.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is none; those of reading.
    pub fn group(&self, key: &GroupKey) -> Result<Group, StoreError> {
        match self.record::<Group>(&group_file(key))? {
            Some(group) if group.key() == *key => Ok(group),
            Some(group) => Err(self.damaged(&group_file(key), format!("it is that of {}", group.key()))),
            None => Err(self.unknown(format!("group {key}"), self.names_of("groups", &key.name)?)),
        }
    }

    /// A group as people name it: `flows` is its latest version, `flows:2` the second.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] for what is no name or names nothing; those of reading.
    pub fn find_group(&self, text: &str) -> Result<Group, StoreError> {
        let (name, version) = self.parse("group", text)?;
        match version.or(self.versions("groups", &name)?.last().copied()) {
            Some(version) => self.group(&GroupKey { name, version }),
            None => Err(self.unknown(format!("group {name}"), self.names_in("groups")?)),
        }
    }

    /// All commits of a group, in their order. Their chain of parents is checked.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such group, [`StoreError::Record`] for a damaged or lost commit; those
    /// of reading.
    pub fn commits(&self, key: &GroupKey) -> Result<Vec<Commit>, StoreError> {
        self.group(key)?;
        let mut commits = Vec::new();
        self.extend_commits(key, &mut commits)?;
        Ok(commits)
    }

    /// Reads what was committed after the last of `commits`.
    pub(crate) fn extend_commits(&self, key: &GroupKey, commits: &mut Vec<Commit>) -> Result<(), StoreError> {
        let folder = commit_folder(key);
        let mut numbers: Vec<u32> = Vec::new();
        for name in self.objects.names(&folder)? {
            let number = name.strip_suffix(".json").and_then(|stem| stem.parse().ok());
            match number.filter(|&number| commit_file(key, number) == format!("{folder}/{name}")) {
                Some(number) => numbers.push(number),
                None => return Err(self.damaged(&format!("{folder}/{name}"), "it is no commit")),
            }
        }
        // A folder that is listed while others commit may show a commit and not the one before it, which is there.
        let last = numbers.into_iter().max().unwrap_or(0);
        while (commits.len() as u32) < last {
            let next = commits.len() as u32 + 1;
            let files: Vec<String> = (next..=last).take(READ_AHEAD).map(|number| commit_file(key, number)).collect();
            for (file, bytes) in files.iter().zip(self.objects.get_all(&files)?) {
                let Some(bytes) = bytes else {
                    return Err(self.damaged(file, format!("it is missing, and there is commit {last}")));
                };
                commits.push(self.next_commit(key, commits.last(), file, &bytes)?);
            }
        }
        Ok(())
    }

    /// Reads a commit that has to follow `last`.
    fn next_commit(
        &self,
        key: &GroupKey,
        last: Option<&Commit>,
        file: &str,
        bytes: &[u8],
    ) -> Result<Commit, StoreError> {
        let commit: Commit = sealed::read(&self.location, file, bytes)?;
        if (&commit.group, commit.number) != (key, last.map_or(0, |last| last.number) + 1) {
            return Err(self.damaged(file, format!("it is {}", commit.title())));
        }
        if commit.parent != last.map(Commit::id) {
            return Err(self.damaged(file, "it does not follow the commit before it"));
        }
        Ok(commit)
    }

    pub(crate) fn record<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StoreError> {
        match self.objects.get(key)? {
            Some(bytes) => sealed::read(&self.location, key, &bytes).map(Some),
            None => Ok(None),
        }
    }

    /// Creates a record unless its key is taken by another; whether it is there now. Also where the answer to an
    /// earlier attempt of ours was lost, what counts is that the bytes are ours.
    pub(crate) fn create<T: Serialize>(&self, key: &str, record: &T) -> Result<bool, StoreError> {
        let bytes = sealed::write(record);
        Ok(self.objects.put_new(key, &bytes)? || self.objects.get(key)?.as_ref() == Some(&bytes))
    }

    /// The versions of a name in `groups` or `datasets`, sorted.
    pub(crate) fn versions(&self, folder: &str, name: &Name) -> Result<Vec<u32>, StoreError> {
        let folder = format!("{folder}/{name}");
        let mut versions = Vec::new();
        for entry in self.objects.names(&folder)? {
            let number = entry.strip_suffix(".json").and_then(|number| number.parse().ok());
            match number.filter(|&number: &u32| number > 0) {
                Some(number) => versions.push(number),
                None => return Err(self.damaged(&format!("{folder}/{entry}"), "it is no version")),
            }
        }
        versions.sort_unstable();
        Ok(versions)
    }

    /// The names in `groups` or `datasets`, sorted. A writer that was killed may have left one without a version.
    pub(crate) fn names_in(&self, folder: &str) -> Result<Vec<Name>, StoreError> {
        let parse = |name: String| name.parse().map_err(|error| self.damaged(&format!("{folder}/{name}"), error));
        self.objects.names(folder)?.into_iter().map(parse).collect()
    }

    pub(crate) fn names_of(&self, folder: &str, name: &Name) -> Result<Vec<String>, StoreError> {
        Ok(self.versions(folder, name)?.into_iter().map(|version| format!("{name}:{version}")).collect())
    }

    pub(crate) fn parse(&self, what: &str, text: &str) -> Result<(Name, Option<u32>), StoreError> {
        group::parse_key(text).map_err(|_| self.unknown(format!("{what} {text:?}"), ["names such as flows or flows:2"]))
    }

    pub(crate) fn unknown<K: ToString>(&self, what: String, known: impl IntoIterator<Item = K>) -> StoreError {
        let known: Vec<String> = known.into_iter().map(|name| name.to_string()).collect();
        StoreError::Unknown { what, location: self.location.clone(), known: known.join(", ") }
    }

    pub(crate) fn damaged(&self, key: &str, reason: impl ToString) -> StoreError {
        StoreError::Record { location: self.location.clone(), key: key.to_owned(), reason: reason.to_string() }
    }
}

/// Only the location: everything else is behind it.
impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Store").field(&self.location).finish()
    }
}

fn group_file(key: &GroupKey) -> String {
    format!("groups/{}/{}.json", key.name, key.version)
}

fn commit_folder(key: &GroupKey) -> String {
    format!("commits/{}/{}", key.name, key.version)
}

pub(crate) fn commit_file(key: &GroupKey, number: u32) -> String {
    format!("{}/{number:08}.json", commit_folder(key))
}
