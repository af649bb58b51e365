//! Commits: what was added to a group, and when.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use weir_contract::Digest;
use weir_contract::statistics::RowAccount;

use crate::{GroupKey, Object, Time, sealed};

/// `commits/<name>/<version>/<number>.json`: one change to a version of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The group it belongs to.
    pub group: GroupKey,
    /// 1, 2, ... without gaps.
    pub number: u32,
    /// Id of the commit before it; none for the first.
    pub parent: Option<Digest>,
    /// When it was made; never before its parent. The only field outside of the id.
    pub time: Time,
    /// Build of the program that made it.
    pub build: String,
    /// One line for people.
    pub message: String,
    /// What it changes.
    pub change: Change,
}

/// What a commit changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Change {
    /// Rows are added.
    Insert(Box<Insert>),
    /// Rows that are there are labelled.
    Label(Relabel),
}

/// Rows of new sources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Insert {
    /// The rows, in files whose order is that of the caller.
    pub data: Vec<DataFile>,
    /// The files the rows come from.
    pub sources: Vec<Source>,
    /// Where every record of the sources went; `kept` is the rows of `data`.
    pub rows: RowAccount,
    /// Statistics ([`weir_contract::statistics::Statistics`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statistics: Option<Object>,
    /// Schema with statistics per feature ([`weir_contract::feature::FeatureSchema`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Object>,
    /// Results of the suite ([`weir_contract::expectation::SuiteResult`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expectations: Option<Object>,
    /// Rows that were set aside, as a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<Object>,
}

/// A table of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// The table.
    pub object: Object,
    /// Its rows.
    pub rows: u64,
    /// Earliest and latest event time of its rows, milliseconds since 1970 UTC; none where no row has one.
    pub event_time: Option<(i64, i64)>,
    /// Its rows by class, as their sources labelled them.
    pub classes: Classes,
}

/// Rows by class.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classes {
    /// Rows of class 0.
    pub benign: u64,
    /// Rows of class 1.
    pub malicious: u64,
    /// Rows that nobody labelled yet.
    pub unlabelled: u64,
    /// Malicious rows by name of the attack.
    #[serde(default)]
    pub attacks: BTreeMap<String, u64>,
}

impl Classes {
    /// All rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.benign + self.malicious + self.unlabelled
    }

    /// Adds the rows of another.
    pub fn add(&mut self, other: &Self) {
        self.benign += other.benign;
        self.malicious += other.malicious;
        self.unlabelled += other.unlabelled;
        for (attack, rows) in &other.attacks {
            *self.attacks.entry(attack.clone()).or_default() += rows;
        }
    }
}

/// A file that rows come from. The file itself is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its name, for people.
    pub name: String,
    /// SHA-256 of its bytes: by it a source is known again, whatever its name.
    pub sha256: Digest,
    /// Its bytes.
    pub size: u64,
}

/// Labels for rows that are there, and for rows that come later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relabel {
    /// The files, in the order in which they count.
    pub files: Vec<LabelFile>,
}

/// A file of labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelFile {
    /// Its name, for people.
    pub name: String,
    /// The file.
    pub object: Object,
    /// Its form.
    pub form: LabelKind,
    /// Flow ids or rules in it.
    pub entries: u64,
}

/// The form of a file of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelKind {
    /// A table with a label per flow id.
    Ids,
    /// Rules over addresses, ports, transport and time.
    Rules,
}

impl Commit {
    /// SHA-256 of its canonical JSON without the time.
    #[must_use]
    pub fn id(&self) -> Digest {
        sealed::digest_without(self, &["time"])
    }

    /// The rows it adds, if it adds rows.
    #[must_use]
    pub fn insert(&self) -> Option<&Insert> {
        match &self.change {
            Change::Insert(insert) => Some(insert),
            Change::Label(_) => None,
        }
    }

    /// Every object it names.
    #[must_use]
    pub fn objects(&self) -> Vec<Object> {
        match &self.change {
            Change::Insert(insert) => {
                let Insert { data, statistics, schema, expectations, quarantine, .. } = &**insert;
                let beside = [statistics, schema, expectations, quarantine].into_iter().flatten();
                data.iter().map(|file| file.object).chain(beside.copied()).collect()
            }
            Change::Label(labels) => labels.files.iter().map(|file| file.object).collect(),
        }
    }

    /// `commit 7 of flows:2`.
    #[must_use]
    pub fn title(&self) -> String {
        format!("commit {} of {}", self.number, self.group)
    }
}
