//! Training datasets, and the way from a dataset to its sources and back.

use serde::Serialize;
use weir_contract::Digest;

use crate::commit::Change;
use crate::{AsOf, Commit, Dataset, Group, LabelFile, Name, NewDataset, Source, Store, StoreError, Time};

/// Where the rows of a dataset come from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lineage {
    /// The dataset.
    pub dataset: Dataset,
    /// The version of the group it was made from.
    pub group: Group,
    /// The commits it consists of, in their order.
    pub commits: Vec<LineageCommit>,
}

/// What a commit brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineageCommit {
    /// Its number.
    pub number: u32,
    /// Its id.
    pub id: Digest,
    /// When it was made.
    pub time: Time,
    /// Rows it added.
    pub rows: u64,
    /// Files the rows come from.
    pub sources: Vec<Source>,
    /// Label files.
    pub labels: Vec<LabelFile>,
}

impl Store {
    /// Records a training dataset: version 1 of its name, or the next where the latest version is another. Recording
    /// the same again gives the version that is there.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such group or commit; those of reading and writing.
    pub fn create_dataset(&self, new: &NewDataset, time: Time) -> Result<Dataset, StoreError> {
        let commits = self.commits_as_of(&new.group, AsOf::Commit(new.commit))?;
        let commit_id = commits[commits.len() - 1].id();
        loop {
            let latest = self.versions("datasets", &new.name)?.last().copied();
            if let Some(version) = latest {
                let dataset = self.dataset(&new.name, version)?;
                if dataset.made.is_same(new) {
                    return Ok(dataset);
                }
            }
            let version = latest.unwrap_or(0) + 1;
            let dataset = Dataset { version, time, commit_id, made: new.clone() };
            if self.create(&dataset_file(&new.name, version), &dataset)? {
                return Ok(dataset);
            }
        }
    }

    /// Every version of every dataset, sorted by name and version.
    ///
    /// # Errors
    /// Those of reading.
    pub fn datasets(&self) -> Result<Vec<Dataset>, StoreError> {
        let mut datasets = Vec::new();
        for name in self.names_in("datasets")? {
            for version in self.versions("datasets", &name)? {
                datasets.push(self.dataset(&name, version)?);
            }
        }
        Ok(datasets)
    }

    /// A dataset as people name it: `daily` is its latest version, `daily:2` the second.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] for what is no name or names nothing; those of reading.
    pub fn find_dataset(&self, text: &str) -> Result<Dataset, StoreError> {
        let (name, version) = self.parse("dataset", text)?;
        match version.or(self.versions("datasets", &name)?.last().copied()) {
            Some(version) => self.dataset(&name, version),
            None => Err(self.unknown(format!("dataset {name}"), self.names_in("datasets")?)),
        }
    }

    /// From a dataset to its commits and their sources.
    ///
    /// # Errors
    /// [`StoreError::Record`] when the commits are no longer those that the dataset was made from; those of reading.
    pub fn lineage(&self, dataset: &Dataset) -> Result<Lineage, StoreError> {
        let NewDataset { name, group, commit, .. } = &dataset.made;
        let commits = self.commits_as_of(group, AsOf::Commit(*commit))?;
        if commits.last().map(Commit::id) != Some(dataset.commit_id) {
            let key = dataset_file(name, dataset.version);
            return Err(self.damaged(&key, format!("commit {commit} of {group} is not the one it was made from")));
        }
        let group = self.group(group)?;
        Ok(Lineage { dataset: dataset.clone(), group, commits: commits.iter().map(LineageCommit::of).collect() })
    }

    /// From a source (SHA-256 of its bytes) to every dataset that contains its rows.
    ///
    /// # Errors
    /// Those of reading.
    pub fn datasets_with_source(&self, source: Digest) -> Result<Vec<Dataset>, StoreError> {
        let mut found = Vec::new();
        for dataset in self.datasets()? {
            let lineage = self.lineage(&dataset)?;
            let mut sources = lineage.commits.iter().flat_map(|commit| &commit.sources);
            if sources.any(|known| known.sha256 == source) {
                found.push(dataset);
            }
        }
        Ok(found)
    }

    /// From an artifact of the features stage (digest of its manifest, which the provenance of a bundle names) to the
    /// datasets that were recorded for it.
    ///
    /// # Errors
    /// Those of reading.
    pub fn datasets_of_artifact(&self, artifact: Digest) -> Result<Vec<Dataset>, StoreError> {
        let mut datasets = self.datasets()?;
        datasets.retain(|dataset| dataset.made.artifact == artifact);
        Ok(datasets)
    }

    pub(crate) fn dataset(&self, name: &Name, version: u32) -> Result<Dataset, StoreError> {
        let key = dataset_file(name, version);
        match self.record::<Dataset>(&key)? {
            Some(dataset) if (&dataset.made.name, dataset.version) == (name, version) => Ok(dataset),
            Some(dataset) => Err(self.damaged(&key, format!("it is {}", dataset.title()))),
            None => Err(self.unknown(format!("dataset {name}:{version}"), self.names_of("datasets", name)?)),
        }
    }
}

impl LineageCommit {
    fn of(commit: &Commit) -> Self {
        let (rows, sources, labels) = match &commit.change {
            Change::Insert(insert) => (insert.rows.kept, insert.sources.clone(), Vec::new()),
            Change::Label(labels) => (0, Vec::new(), labels.files.clone()),
        };
        Self { number: commit.number, id: commit.id(), time: commit.time, rows, sources, labels }
    }
}

fn dataset_file(name: &Name, version: u32) -> String {
    format!("datasets/{name}/{version}.json")
}
