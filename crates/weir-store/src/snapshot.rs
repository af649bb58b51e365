//! Reading a group as of a commit.

use std::fmt;
use std::str::FromStr;

use weir_contract::Digest;

use crate::commit::Change;
use crate::{Commit, DataFile, Group, GroupKey, Labels, Store, StoreError, Time};

/// Which state of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// With its last commit.
    Head,
    /// With this commit and those before it.
    Commit(u32),
    /// With the last commit that is not later.
    Time(Time),
}

/// `head`, a number, or a time.
impl FromStr for AsOf {
    type Err = crate::time::TimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            _ if text == "head" => Ok(Self::Head),
            Ok(number) => Ok(Self::Commit(number)),
            Err(_) => text.parse().map(Self::Time),
        }
    }
}

impl fmt::Display for AsOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head => f.write_str("head"),
            Self::Commit(number) => number.fmt(f),
            Self::Time(time) => time.fmt(f),
        }
    }
}

/// A group as of a commit. It stays as it is, whatever is committed later.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The group.
    pub group: Group,
    /// Its commits up to and with the one asked for; at least one.
    pub commits: Vec<Commit>,
    /// Their rows, in the order of commits and of files within a commit.
    pub files: Vec<SnapshotFile>,
    /// Their labels, to be applied to those rows.
    pub labels: Labels,
}

/// A table of a snapshot; `store.fetch(&file.data.object, &file.owner)` gives its checked local path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotFile {
    /// The table.
    pub data: DataFile,
    /// The commit that brought it.
    pub commit: u32,
    /// The same in words.
    pub owner: String,
}

impl Snapshot {
    /// The commit it is as of.
    #[must_use]
    pub fn head(&self) -> &Commit {
        self.commits.last().expect("a snapshot has a commit")
    }

    /// Id of that commit: it stands for all rows and labels of the snapshot.
    #[must_use]
    pub fn id(&self) -> Digest {
        self.head().id()
    }
}

impl Store {
    /// The group as of a commit. Label files are read now, tables when [`Store::fetch`] is called.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such group or commit; those of [`Store::commits`] and of
    /// [`Store::fetch`].
    pub fn snapshot(&self, group: &GroupKey, as_of: AsOf) -> Result<Snapshot, StoreError> {
        let definition = self.group(group)?;
        let commits = self.commits_as_of(group, as_of)?;
        let files = commits.iter().flat_map(files).collect();
        let labels = self.labels(&commits)?;
        Ok(Snapshot { group: definition, commits, files, labels })
    }

    /// The commits up to and with the one asked for.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such group or commit; those of [`Store::commits`].
    pub fn commits_as_of(&self, group: &GroupKey, as_of: AsOf) -> Result<Vec<Commit>, StoreError> {
        let mut commits = self.commits(group)?;
        let count = match as_of {
            AsOf::Head => commits.len(),
            AsOf::Commit(number) if number as usize <= commits.len() => number as usize,
            AsOf::Commit(_) => 0,
            AsOf::Time(time) => commits.iter().take_while(|commit| commit.time <= time).count(),
        };
        if count == 0 {
            let what = match as_of {
                AsOf::Head => format!("commit of {group}"),
                AsOf::Commit(number) => format!("commit {number} of {group}"),
                AsOf::Time(time) => format!("commit of {group} as of {time}"),
            };
            let ends = match (commits.first(), commits.last()) {
                (Some(first), Some(last)) => vec![format!("1 ({}) to {} ({})", first.time, last.number, last.time)],
                _ => Vec::new(),
            };
            return Err(self.unknown(what, ends));
        }
        commits.truncate(count);
        Ok(commits)
    }
}

fn files(commit: &Commit) -> Vec<SnapshotFile> {
    match &commit.change {
        Change::Insert(insert) => insert
            .data
            .iter()
            .map(|data| SnapshotFile { data: data.clone(), commit: commit.number, owner: commit.title() })
            .collect(),
        Change::Label(_) => Vec::new(),
    }
}
