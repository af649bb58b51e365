//! Adding rows: objects first, then the commit that names them, at once or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;
use weir_contract::expectation::SuiteResult;
use weir_contract::feature::FeatureSchema;
use weir_contract::statistics::{RowAccount, Statistics};
use weir_contract::{Digest, json};

use crate::commit::{Change, Commit, Insert};
use crate::store::commit_file;
use crate::{Classes, DataFile, Extension, GroupKey, Object, Source, Store, StoreError, Time};

/// What is said of a commit beside its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The moment, usually [`Time::now`]; the commit's time is this or, if that is later, its parent's.
    pub time: Time,
    /// Build of the program.
    pub build: String,
    /// One line for people.
    pub message: String,
}

/// Rows to be added, in local files that the store copies.
#[derive(Debug, Clone)]
pub struct NewInsert<'a> {
    /// The rows.
    pub data: Vec<NewData>,
    /// The files they come from, each once.
    pub sources: Vec<Source>,
    /// Where every record of the sources went.
    pub rows: RowAccount,
    /// Statistics, of whatever rows the caller takes them.
    pub statistics: Option<&'a Statistics>,
    /// Schema with statistics per feature, likewise.
    pub schema: Option<&'a FeatureSchema>,
    /// Results of the suite.
    pub expectations: Option<&'a SuiteResult>,
    /// The rows that were set aside, as Parquet.
    pub quarantine: Option<PathBuf>,
}

/// A Parquet file of rows to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewData {
    /// The file.
    pub path: PathBuf,
    /// Its rows.
    pub rows: u64,
    /// Earliest and latest event time, milliseconds since 1970 UTC.
    pub event_time: Option<(i64, i64)>,
    /// Its rows by class.
    pub classes: Classes,
}

/// A source that is in a group already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownSource {
    /// The source, as it was called then.
    pub source: Source,
    /// The commit that brought it.
    pub commit: u32,
}

/// What became of an insert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Inserted {
    /// The rows are there for every reader from now on.
    Committed(Commit),
    /// Every source was in the group: nothing changed.
    Unchanged(Vec<KnownSource>),
    /// These sources and not the others were in the group: nothing changed. The caller leaves them out and
    /// computes the others again. Only comes when [`Store::known_sources`] was not asked, or when another
    /// writer was faster.
    Overlap(Vec<KnownSource>),
}

/// More rivals than this between reading the head and creating the next number are no coincidence.
const ATTEMPTS: u32 = 10_000;

impl Store {
    /// Those of `sources` (SHA-256 of their bytes) that are in the group already.
    ///
    /// # Errors
    /// Those of [`Store::commits`].
    pub fn known_sources(&self, group: &GroupKey, sources: &[Digest]) -> Result<Vec<KnownSource>, StoreError> {
        Ok(known(&self.commits(group)?, sources))
    }

    /// Commits rows to a group. Inserting the same sources again changes nothing. When this returns, the commit is
    /// on the disk. When it fails or is killed nothing of it is visible, or, where only the last answer of a disk or
    /// an object store was lost, all of it: inserting again tells.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when counts contradict each other or a source comes twice, [`StoreError::Unknown`] for
    /// the group, [`StoreError::Source`] for files that are none, [`StoreError::Contention`]; those of reading and
    /// writing.
    pub fn insert(&self, group: &GroupKey, new: &NewInsert<'_>, note: &Note) -> Result<Inserted, StoreError> {
        check(new).map_err(|reason| StoreError::Refused { group: group.to_string(), reason })?;
        let digests: Vec<Digest> = new.sources.iter().map(|source| source.sha256).collect();
        let rivals = |commits: &[Commit]| {
            let known = known(commits, &digests);
            match known.len() {
                0 => None,
                some if some == digests.len() => Some(Inserted::Unchanged(known)),
                _ => Some(Inserted::Overlap(known)),
            }
        };
        let mut commits = self.commits(group)?;
        if let Some(settled) = rivals(&commits) {
            return Ok(settled);
        }
        let _guard = self.objects.writing()?;
        let mut stored = Stored::new(self);
        let mut data = Vec::new();
        for NewData { path, rows, event_time, classes } in &new.data {
            let object = stored.file(path, Extension::Parquet)?;
            data.push(DataFile { object, rows: *rows, event_time: *event_time, classes: classes.clone() });
        }
        let insert = Insert {
            data,
            sources: new.sources.clone(),
            rows: new.rows.clone(),
            statistics: new.statistics.map(|value| stored.json(value)).transpose()?,
            schema: new.schema.map(|value| stored.json(value)).transpose()?,
            expectations: new.expectations.map(|value| stored.json(value)).transpose()?,
            quarantine: new.quarantine.as_deref().map(|path| stored.file(path, Extension::Parquet)).transpose()?,
        };
        let change = Change::Insert(Box::new(insert));
        match self.append(group, &mut commits, &change, note, rivals)? {
            Ok(commit) => stored.check().map(|()| Inserted::Committed(commit)),
            Err(settled) => Ok(settled),
        }
    }

    /// Makes `change` the next commit, unless `settled` says of what was committed meanwhile that there is no need.
    pub(crate) fn append<T>(
        &self,
        group: &GroupKey,
        commits: &mut Vec<Commit>,
        change: &Change,
        note: &Note,
        settled: impl Fn(&[Commit]) -> Option<T>,
    ) -> Result<Result<Commit, T>, StoreError> {
        for _ in 0..ATTEMPTS {
            let last = commits.last();
            let commit = Commit {
                group: group.clone(),
                number: commits.len() as u32 + 1,
                parent: last.map(Commit::id),
                time: last.map_or(note.time, |last| note.time.max(last.time)),
                build: note.build.clone(),
                message: note.message.clone(),
                change: change.clone(),
            };
            if self.create(&commit_file(group, commit.number), &commit)? {
                return Ok(Ok(commit));
            }
            self.extend_commits(group, commits)?;
            if let Some(settled) = settled(commits) {
                return Ok(Err(settled));
            }
        }
        Err(StoreError::Contention { group: group.to_string(), attempts: ATTEMPTS })
    }
}

/// What a writer has stored, and from what.
pub(crate) struct Stored<'s> {
    store: &'s Store,
    from: BTreeMap<Object, Origin>,
}

enum Origin {
    File(PathBuf),
    Bytes(Vec<u8>),
}

impl<'s> Stored<'s> {
    pub(crate) fn new(store: &'s Store) -> Self {
        Self { store, from: BTreeMap::new() }
    }

    fn file(&mut self, path: &Path, extension: Extension) -> Result<Object, StoreError> {
        let object = self.store.objects.put_file(path, extension)?;
        self.from.insert(object, Origin::File(path.to_owned()));
        Ok(object)
    }

    pub(crate) fn bytes(&mut self, bytes: Vec<u8>, extension: Extension) -> Result<Object, StoreError> {
        let object = self.store.objects.put_bytes(&bytes, extension)?;
        self.from.insert(object, Origin::Bytes(bytes));
        Ok(object)
    }

    fn json<T: Serialize>(&mut self, value: &T) -> Result<Object, StoreError> {
        self.bytes(json::to_canonical(value).expect("types of the contract have a JSON form"), Extension::Json)
    }

    /// Where no lock keeps a collector out, one that had already decided may have removed an object that was young
    /// again: after the commit, which it would have seen from now on, it is put back.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        for (object, origin) in &self.from {
            if self.store.objects.stat(&object.key())?.is_none() {
                match origin {
                    Origin::File(path) => self.store.objects.put_file(path, object.extension)?,
                    Origin::Bytes(bytes) => self.store.objects.put_bytes(bytes, object.extension)?,
                };
            }
        }
        Ok(())
    }
}

fn known(commits: &[Commit], sources: &[Digest]) -> Vec<KnownSource> {
    let sources: BTreeSet<&Digest> = sources.iter().collect();
    let mut known = Vec::new();
    for commit in commits {
        for source in commit.insert().map(|insert| insert.sources.as_slice()).unwrap_or_default() {
            if sources.contains(&source.sha256) {
                known.push(KnownSource { source: source.clone(), commit: commit.number });
            }
        }
    }
    known
}

/// What contradicts itself, if something does.
fn check(new: &NewInsert<'_>) -> Result<(), String> {
    if new.sources.is_empty() {
        return Err("an insert names the files its rows come from".to_owned());
    }
    let mut seen = BTreeMap::new();
    for source in &new.sources {
        if let Some(first) = seen.insert(source.sha256, &source.name) {
            return Err(format!("{} and {first} are the same file", source.name));
        }
    }
    for file in &new.data {
        let (rows, classes) = (file.rows, file.classes.rows());
        if rows != classes {
            return Err(format!("{} has {rows} rows, but {classes} rows by class", file.path.display()));
        }
    }
    let rows: u64 = new.data.iter().map(|file| file.rows).sum();
    if rows != new.rows.kept || !new.rows.balances() {
        return Err(format!("the data files hold {rows} rows, which is not what the account says: {:?}", new.rows));
    }
    Ok(())
}
