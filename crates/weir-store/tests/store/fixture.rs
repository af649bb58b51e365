//! A small store and inserts into it. To the store tables are bytes: those here are no Parquet.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use weir_contract::expectation::Policy;
use weir_contract::feature::{Feature, FeatureSchema, FeatureStatistics, ScalerKind};
use weir_contract::statistics::RowAccount;
use weir_contract::{Digest, Seed};
use weir_store::{
    Access, Classes, Commit, Document, FeatureNote, GroupDefinition, GroupKey, Inserted, Location, NewData, NewInsert,
    Note, Source, Store, Time,
};

/// A store in a temporary directory with the group `flows:1`.
pub(crate) struct Fixture {
    pub(crate) temp: TempDir,
    pub(crate) store: Store,
    pub(crate) group: GroupKey,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let temp = TempDir::new().unwrap();
        let store = Store::init(&location(&temp.path().join("store")), &Access::default()).unwrap();
        let group = store.define_group(&definition(), time(0)).unwrap().group().key();
        Self { temp, store, group }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.temp.path().join("store")
    }

    pub(crate) fn reopen(&self) -> Store {
        Store::open(&location(&self.root()), &Access::default()).unwrap()
    }

    /// Commits one row of each source at a minute.
    pub(crate) fn commit(&self, minute: i64, sources: &[&str]) -> Commit {
        commit(&self.store, &self.group, self.temp.path(), minute, sources)
    }
}

pub(crate) fn location(root: &Path) -> Location {
    Location::Directory(root.to_owned())
}

/// A minute of a day in 2026.
pub(crate) fn time(minute: i64) -> Time {
    Time("2026-11-21T00:00:00Z".parse::<Time>().unwrap().0 + minute * 60_000)
}

pub(crate) fn note(minute: i64) -> Note {
    Note { time: time(minute), build: "build".to_owned(), message: format!("minute {minute}") }
}

pub(crate) fn definition() -> GroupDefinition {
    GroupDefinition {
        name: "flows".parse().unwrap(),
        description: "flows of the small cluster".to_owned(),
        feature_set: Document::new("default", "[[feature]]\nname = \"bytes\"\n"),
        features: vec![FeatureNote {
            name: "bytes".to_owned(),
            expression: "bytes".to_owned(),
            unit: "bytes".to_owned(),
            description: "bytes in both directions".to_owned(),
            identifies: None,
        }],
        suite: None,
        policy: Policy::Quarantine,
        seed: Seed(42),
    }
}

pub(crate) fn source(name: &str) -> Source {
    Source { name: format!("{name}.csv"), sha256: Digest::of(name.as_bytes()), size: name.len() as u64 }
}

/// One row of each source; the table is written to `dir`.
pub(crate) fn insert_of(dir: &Path, sources: &[&str]) -> NewInsert<'static> {
    let rows = sources.len() as u64;
    let path = dir.join(format!("{}.parquet", sources.join("-")));
    fs::write(&path, format!("rows of {}", sources.join(" and "))).unwrap();
    NewInsert {
        data: vec![NewData {
            path,
            rows,
            event_time: Some((0, 1)),
            classes: Classes { benign: rows, ..Classes::default() },
        }],
        sources: sources.iter().map(|name| source(name)).collect(),
        rows: RowAccount { input: rows, kept: rows, ..RowAccount::default() },
        statistics: None,
        schema: None,
        expectations: None,
        quarantine: None,
    }
}

pub(crate) fn commit(store: &Store, group: &GroupKey, dir: &Path, minute: i64, sources: &[&str]) -> Commit {
    match store.insert(group, &insert_of(dir, sources), &note(minute)).unwrap() {
        Inserted::Committed(commit) => commit,
        other => panic!("expected a commit, got {other:?}"),
    }
}

/// A schema of one feature with this mean.
pub(crate) fn schema(name: &str, mean: f64) -> FeatureSchema {
    let statistics = FeatureStatistics {
        minimum: 0.0,
        maximum: 10.0,
        mean,
        standard_deviation: 1.5,
        quantiles: [0.0, 0.0, 1.0, mean, 4.0, 9.0, 10.0],
        distinct: 7,
    };
    let feature = Feature {
        name: name.to_owned(),
        expression: name.to_owned(),
        unit: "1".to_owned(),
        description: String::new(),
        identifies: None,
        missing: None,
        statistics,
    };
    FeatureSchema {
        format: 1,
        feature_set: "default".to_owned(),
        scaler: ScalerKind::Standard,
        features: vec![feature],
        transform: Digest::of(b"transform"),
        rows: 7,
    }
}
