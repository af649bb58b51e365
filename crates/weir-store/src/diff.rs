//! What is different between two commits, of one version of a group or of two.

use std::collections::BTreeMap;

use serde::Serialize;
use weir_contract::Digest;
use weir_contract::feature::{FeatureSchema, FeatureStatistics};
use weir_contract::statistics::RowAccount;

use crate::commit::Change;
use crate::{AsOf, Classes, Commit, DataFile, Group, GroupKey, LabelFile, Source, Store, StoreError, Time};

/// Two commits beside each other. In every pair `from` is the first that was named.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diff {
    /// The commit compared with.
    pub from: DiffSide,
    /// The commit compared.
    pub to: DiffSide,
    /// Parts of the definition that differ (`feature set`, `suite`, ...); empty within a version.
    pub definition: Vec<&'static str>,
    /// Sources of `to` only.
    pub sources_added: Vec<Source>,
    /// Sources of `from` only.
    pub sources_removed: Vec<Source>,
    /// Tables of `to` only.
    pub files_added: Vec<DataFile>,
    /// Tables of `from` only.
    pub files_removed: Vec<DataFile>,
    /// Label files of `to` only.
    pub labels_added: Vec<LabelFile>,
    /// Label files of `from` only.
    pub labels_removed: Vec<LabelFile>,
    /// Every feature of either side, those of `to` first, in their order. Statistics are those of the last insert up
    /// to the commit; without a schema there are none.
    pub features: Vec<FeatureDiff>,
}

/// One of the two commits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiffSide {
    /// Its group.
    pub group: GroupKey,
    /// Its number.
    pub number: u32,
    /// Its id.
    pub id: Digest,
    /// When it was made.
    pub time: Time,
    /// Where all records up to it went.
    pub rows: RowAccount,
    /// All rows up to it by class, as their sources labelled them.
    pub classes: Classes,
}

/// A feature on both sides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeatureDiff {
    /// Its name.
    pub name: String,
    /// What its definition underwent.
    pub change: FeatureChange,
    /// Its statistics as of `from`.
    pub from: Option<FeatureStatistics>,
    /// Its statistics as of `to`.
    pub to: Option<FeatureStatistics>,
}

/// What a feature's definition underwent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FeatureChange {
    /// Nothing.
    Same,
    /// Another expression, unit, description or missing value.
    Changed,
    /// It is in `to` only.
    Added,
    /// It is in `from` only.
    Removed,
}

impl Store {
    /// Compares two commits.
    ///
    /// # Errors
    /// Those of [`Store::snapshot`] and [`Store::schema`].
    pub fn diff(&self, from: (&GroupKey, AsOf), to: (&GroupKey, AsOf)) -> Result<Diff, StoreError> {
        let groups = (self.group(from.0)?, self.group(to.0)?);
        let from = self.commits_as_of(from.0, from.1)?;
        let to = self.commits_as_of(to.0, to.1)?;
        Ok(Diff {
            definition: definition(&groups.0, &groups.1),
            sources_added: missing(&sources(&to), &sources(&from), |source| source.sha256),
            sources_removed: missing(&sources(&from), &sources(&to), |source| source.sha256),
            files_added: missing(&tables(&to), &tables(&from), |file| file.object),
            files_removed: missing(&tables(&from), &tables(&to), |file| file.object),
            labels_added: missing(&label_files(&to), &label_files(&from), |file| file.object),
            labels_removed: missing(&label_files(&from), &label_files(&to), |file| file.object),
            features: features(self.last_schema(&from)?, self.last_schema(&to)?),
            from: side(&from),
            to: side(&to),
        })
    }

    fn last_schema(&self, commits: &[Commit]) -> Result<Option<FeatureSchema>, StoreError> {
        match commits.iter().rev().find(|commit| commit.insert().is_some_and(|insert| insert.schema.is_some())) {
            Some(commit) => self.schema(commit),
            None => Ok(None),
        }
    }
}

fn side(commits: &[Commit]) -> DiffSide {
    let last = commits.last().expect("there is a commit as of which the other is compared");
    let mut rows = RowAccount::default();
    let mut classes = Classes::default();
    for insert in commits.iter().filter_map(Commit::insert) {
        rows.input += insert.rows.input;
        rows.kept += insert.rows.kept;
        rows.quarantined += insert.rows.quarantined;
        rows.deduplicated += insert.rows.deduplicated;
        for (rule, excluded) in &insert.rows.excluded {
            *rows.excluded.entry(rule.clone()).or_default() += excluded;
        }
        insert.data.iter().for_each(|file| classes.add(&file.classes));
    }
    DiffSide { group: last.group.clone(), number: last.number, id: last.id(), time: last.time, rows, classes }
}

fn definition(from: &Group, to: &Group) -> Vec<&'static str> {
    let (from, to) = (&from.definition, &to.definition);
    let differs = [
        ("name", from.name != to.name),
        ("description", from.description != to.description),
        ("feature set", from.feature_set != to.feature_set || from.features != to.features),
        ("suite", from.suite != to.suite),
        ("policy", from.policy != to.policy),
        ("seed", from.seed != to.seed),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(part, _)| part).collect()
}

fn sources(commits: &[Commit]) -> Vec<Source> {
    commits.iter().filter_map(Commit::insert).flat_map(|insert| insert.sources.clone()).collect()
}

fn tables(commits: &[Commit]) -> Vec<DataFile> {
    commits.iter().filter_map(Commit::insert).flat_map(|insert| insert.data.clone()).collect()
}

fn label_files(commits: &[Commit]) -> Vec<LabelFile> {
    let files = |commit: &Commit| match &commit.change {
        Change::Label(labels) => labels.files.clone(),
        Change::Insert(_) => Vec::new(),
    };
    commits.iter().flat_map(files).collect()
}

/// Those of `all` whose key more of them have than of `others`: what both hold n times is in neither list.
fn missing<T: Clone, K: Ord>(all: &[T], others: &[T], key: impl Fn(&T) -> K) -> Vec<T> {
    let mut left: BTreeMap<K, usize> = BTreeMap::new();
    others.iter().for_each(|other| *left.entry(key(other)).or_default() += 1);
    let mut missing = Vec::new();
    for item in all {
        match left.get_mut(&key(item)) {
            Some(count) if *count > 0 => *count -= 1,
            _ => missing.push(item.clone()),
        }
    }
    missing
}

fn features(from: Option<FeatureSchema>, to: Option<FeatureSchema>) -> Vec<FeatureDiff> {
    let list = |schema: Option<FeatureSchema>| schema.map(|schema| schema.features).unwrap_or_default();
    let (mut from, to) = (list(from), list(to));
    let mut features = Vec::new();
    for new in to {
        let old = from.iter().position(|old| old.name == new.name).map(|at| from.remove(at));
        let change = match &old {
            None => FeatureChange::Added,
            Some(old) => {
                let said = |feature: &weir_contract::feature::Feature| {
                    let mut feature = feature.clone();
                    feature.statistics = new.statistics.clone();
                    feature
                };
                if said(old) == said(&new) { FeatureChange::Same } else { FeatureChange::Changed }
            }
        };
        let (name, old) = (new.name, old.map(|old| old.statistics));
        features.push(FeatureDiff { name, change, from: old, to: Some(new.statistics) });
    }
    features.extend(from.into_iter().map(|old| FeatureDiff {
        name: old.name,
        change: FeatureChange::Removed,
        from: Some(old.statistics),
        to: None,
    }));
    features
}
