//! Opening a store; its groups and their commits.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use weir_contract::Digest;
use weir_contract::digest::Digester;
use weir_contract::expectation::SuiteResult;
use weir_contract::feature::FeatureSchema;
use weir_contract::statistics::Statistics;

use crate::objects::{self, Objects};
use crate::{
    Access, Commit, Group, GroupDefinition, GroupKey, Location, Name, Object, StoreError, Time, group, sealed,
};

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
        let known = commits.len();
        let keys: Vec<String> =
            numbers.iter().filter(|&&number| number as usize > known).map(|&number| commit_file(key, number)).collect();
        for (file, bytes) in keys.iter().zip(self.objects.get_all(&keys)?) {
            let number = commits.len() as u32 + 1;
            let expected = commit_file(key, number);
            let Some(bytes) = bytes.filter(|_| *file == expected) else {
                return Err(self.damaged(&expected, format!("it is missing, and there is {file}")));
            };
            let commit: Commit = sealed::read(&self.location, file, &bytes)?;
            if (&commit.group, commit.number) != (key, number) {
                return Err(self.damaged(file, format!("it is {}", commit.title())));
            }
            if commit.parent != commits.last().map(Commit::id) {
                return Err(self.damaged(file, "it does not follow the commit before it"));
            }
            commits.push(commit);
        }
        Ok(())
    }

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
