//! Two commits beside each other.

use std::fs;

use weir_contract::statistics::RowAccount;
use weir_store::{AsOf, Classes, Commit, Document, FeatureChange, Inserted, NewInsert, NewLabels};

use crate::fixture::{Fixture, definition, insert_of, note, schema, source, time};

/// Ten records: seven rows, of them three scans and one without label.
fn second(fixture: &Fixture) -> Commit {
    let schema = schema("bytes", 4.0);
    let mut insert = NewInsert { schema: Some(&schema), ..insert_of(fixture.temp.path(), &["b"]) };
    insert.rows = RowAccount { input: 10, kept: 7, quarantined: 1, deduplicated: 2, ..RowAccount::default() };
    let attacks = [("scan".to_owned(), 3)].into();
    insert.data[0].rows = 7;
    insert.data[0].classes = Classes { benign: 3, malicious: 3, unlabelled: 1, attacks };
    match fixture.store.insert(&fixture.group, &insert, &note(2)).unwrap() {
        Inserted::Committed(commit) => commit,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_diff_counts_sources_rows_classes_and_labels() {
    let fixture = Fixture::new();
    fixture.commit(1, &["a"]);
    let added = second(&fixture);
    let labels = fixture.temp.path().join("labels.csv");
    fs::write(&labels, "flow_id,label\n7,malicious\n8,benign\n").unwrap();
    fixture.store.add_labels(&fixture.group, &NewLabels { files: vec![labels] }, &note(3)).unwrap();

    let group = &fixture.group;
    let diff = fixture.store.diff((group, AsOf::Commit(1)), (group, AsOf::Head)).unwrap();
    assert_eq!((diff.from.number, diff.to.number), (1, 3));
    assert_eq!(diff.sources_added, [source("b")]);
    assert_eq!(diff.files_added, added.insert().unwrap().data);
    assert_eq!((diff.sources_removed.len(), diff.files_removed.len(), diff.labels_removed.len()), (0, 0, 0));
    assert_eq!((diff.from.rows.kept, diff.to.rows.kept, diff.to.rows.deduplicated), (1, 1 + 7, 2));
    let attacks = [("scan".to_owned(), 3)].into();
    assert_eq!(diff.to.classes, Classes { benign: 1 + 3, malicious: 3, unlabelled: 1, attacks });
    assert_eq!(diff.labels_added[0].entries, 2);
    assert!(diff.definition.is_empty());

    let back = fixture.store.diff((group, AsOf::Head), (group, AsOf::Commit(1))).unwrap();
    assert_eq!((back.sources_removed, back.files_removed), (diff.sources_added, diff.files_added));
    let same = fixture.store.diff((group, AsOf::Head), (group, AsOf::Head)).unwrap();
    assert_eq!((same.sources_added.len(), same.files_added.len(), same.labels_added.len()), (0, 0, 0));
}

#[test]
fn a_diff_puts_statistics_side_by_side() {
    let fixture = Fixture::new();
    let first = schema("bytes", 2.0);
    let insert = NewInsert { schema: Some(&first), ..insert_of(fixture.temp.path(), &["a"]) };
    fixture.store.insert(&fixture.group, &insert, &note(1)).unwrap();
    second(&fixture);
    let group = &fixture.group;
    let diff = fixture.store.diff((group, AsOf::Commit(1)), (group, AsOf::Commit(2))).unwrap();
    let [feature] = &diff.features[..] else { panic!("{:?}", diff.features) };
    let mean = |side: &Option<weir_contract::feature::FeatureStatistics>| side.as_ref().unwrap().mean;
    assert_eq!((feature.change, mean(&feature.from), mean(&feature.to)), (FeatureChange::Same, 2.0, 4.0));
}

#[test]
fn a_diff_across_versions_names_what_the_definitions_and_features_differ_in() {
    let fixture = Fixture::new();
    second(&fixture);
    let mut changed = definition();
    changed.feature_set = Document::new("no-identity", "");
    changed.suite = Some(Document::new("flows", "{}"));
    let newer = fixture.store.define_group(&changed, time(3)).unwrap().group().key();
    let schema = schema("packets", 1.0);
    let insert = NewInsert { schema: Some(&schema), ..insert_of(fixture.temp.path(), &["b", "c"]) };
    fixture.store.insert(&newer, &insert, &note(4)).unwrap();

    let diff = fixture.store.diff((&fixture.group, AsOf::Head), (&newer, AsOf::Head)).unwrap();
    assert_eq!(diff.definition, ["feature set", "suite"]);
    assert_eq!((diff.sources_added, diff.sources_removed), (vec![source("c")], vec![]));
    let changes: Vec<_> = diff.features.iter().map(|feature| (feature.name.as_str(), feature.change)).collect();
    assert_eq!(changes, [("packets", FeatureChange::Added), ("bytes", FeatureChange::Removed)]);
}
