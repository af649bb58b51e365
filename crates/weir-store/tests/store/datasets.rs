//! Training datasets and lineage.

use std::collections::BTreeMap;
use std::fs;

use serde_json::json;
use weir_contract::{Digest, Seed};
use weir_store::{NewDataset, NewLabels};

use crate::fixture::{Fixture, note, source, time};

fn daily(fixture: &Fixture, commit: u32, artifact: &str) -> NewDataset {
    NewDataset {
        name: "daily".parse().unwrap(),
        group: fixture.group.clone(),
        commit,
        split: json!({"kind": "hash", "test": 0.2, "validation": 0.1}),
        seed: Seed(42),
        artifact: Digest::of(artifact.as_bytes()),
        place: "runs/1/features".to_owned(),
        rows: BTreeMap::from([("train".to_owned(), 1), ("test".to_owned(), 1)]),
        build: "build".to_owned(),
        message: String::new(),
    }
}

#[test]
fn a_dataset_is_recorded_once_and_another_is_its_next_version() {
    let fixture = Fixture::new();
    fixture.commit(1, &["a"]);
    fixture.commit(2, &["b"]);
    let first = fixture.store.create_dataset(&daily(&fixture, 1, "one"), time(3)).unwrap();
    let again = fixture.store.create_dataset(&daily(&fixture, 1, "one"), time(4)).unwrap();
    assert_eq!((first.version, &again), (1, &first));
    let second = fixture.store.create_dataset(&daily(&fixture, 2, "two"), time(5)).unwrap();
    assert_eq!(second.version, 2);
    assert_eq!(fixture.store.find_dataset("daily").unwrap(), second);
    assert_eq!(fixture.store.find_dataset("daily:1").unwrap(), first);
    assert_eq!(fixture.reopen().datasets().unwrap(), [first, second]);
    assert!(fixture.store.create_dataset(&daily(&fixture, 3, "three"), time(6)).is_err(), "there is no commit 3");
}

#[test]
fn lineage_goes_from_dataset_to_sources_and_back() {
    let fixture = Fixture::new();
    let labels = fixture.temp.path().join("incident.csv");
    fs::write(&labels, "flow_id,label\n7,malicious\n").unwrap();
    fixture.commit(1, &["a", "b"]);
    fixture.store.add_labels(&fixture.group, &NewLabels { files: vec![labels] }, &note(2)).unwrap();
    fixture.commit(3, &["c"]);
    let early = fixture.store.create_dataset(&daily(&fixture, 2, "early"), time(4)).unwrap();
    let late = fixture.store.create_dataset(&daily(&fixture, 3, "late"), time(5)).unwrap();

    let lineage = fixture.store.lineage(&early).unwrap();
    let sources: Vec<_> = lineage.commits.iter().flat_map(|commit| commit.sources.clone()).collect();
    assert_eq!(sources, [source("a"), source("b")]);
    assert_eq!(lineage.commits[1].labels[0].name, "incident.csv");
    assert_eq!(lineage.group.definition.feature_set.name, "default");

    let with = |name: &str| fixture.store.datasets_with_source(source(name).sha256).unwrap();
    assert_eq!(with("a"), [early.clone(), late.clone()]);
    assert_eq!(with("c"), std::slice::from_ref(&late));
    assert_eq!(with("unknown"), []);
    assert_eq!(fixture.store.datasets_of_artifact(Digest::of(b"late")).unwrap(), [late]);
    assert_eq!(fixture.store.datasets_of_artifact(Digest::of(b"unknown")).unwrap(), []);
}

#[test]
fn a_dataset_does_not_stand_for_another_commit_of_the_same_number() {
    let (fixture, other) = (Fixture::new(), Fixture::new());
    fixture.commit(1, &["a"]);
    other.commit(1, &["b"]);
    let dataset = fixture.store.create_dataset(&daily(&fixture, 1, "one"), time(2)).unwrap();
    let error = other.store.lineage(&dataset).unwrap_err().to_string();
    assert!(error.contains("datasets/daily/1.json") && error.contains("not the one it was made from"), "{error}");
}
