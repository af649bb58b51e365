//! Training datasets: which rows, split how, became which artifact.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use weir_contract::{Digest, Seed};

use crate::{GroupKey, Name, Time};

/// `datasets/<name>/<version>.json`: rows of a group as of a commit, made into an artifact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    /// 1, 2, ...: another commit, split or artifact is another version.
    pub version: u32,
    /// When it was made.
    pub time: Time,
    /// Id of the commit: with it all commits before it are fixed.
    pub commit_id: Digest,
    /// What it is.
    #[serde(flatten)]
    pub made: NewDataset,
}

impl Dataset {
    /// `daily:2`.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{}:{}", self.made.name, self.version)
    }
}

/// What the maker of a training dataset says of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewDataset {
    /// Name of the dataset.
    pub name: Name,
    /// Where its rows come from.
    pub group: GroupKey,
    /// Rows and labels are those as of this commit.
    pub commit: u32,
    /// Parameters of the split.
    pub split: Value,
    /// Seed of the split.
    pub seed: Seed,
    /// Digest of the artifact of the features stage: the SHA-256 of its `manifest.json`.
    pub artifact: Digest,
    /// Where the artifact was written, for people.
    pub place: String,
    /// Row counts by name (`train`, `test`, `validation`, ...).
    pub rows: BTreeMap<String, u64>,
    /// Build of the program that made it.
    pub build: String,
    /// One line for people.
    pub message: String,
}

impl NewDataset {
    /// Whether it is the same artifact of the same rows, be it made once more, elsewhere or by another build.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (&self.name, &self.group, self.commit, self.artifact)
            == (&other.name, &other.group, other.commit, other.artifact)
            && (&self.split, self.seed) == (&other.split, other.seed)
    }
}
