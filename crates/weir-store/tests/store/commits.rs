//! Groups and commits.

use std::fs;

use weir_contract::{Classify, ExitCode, Seed};
use weir_store::{Access, Defined, Document, Inserted, KnownSource, Store, StoreError};

use crate::fixture::{Fixture, definition, insert_of, location, note, source, time};

#[test]
fn a_store_can_be_made_twice_and_not_in_a_directory_that_holds_something_else() {
    let fixture = Fixture::new();
    assert!(Store::init(&location(&fixture.root()), &Access::default()).is_ok());
    assert_eq!(fixture.reopen().groups().unwrap().len(), 1);

    let other = fixture.temp.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("thesis.tex"), "").unwrap();
    let error = Store::init(&location(&other), &Access::default()).unwrap_err();
    assert!(matches!(&error, StoreError::Foreign { found, .. } if found == "thesis.tex"), "{error}");
    let error = Store::open(&location(&other), &Access::default()).unwrap_err();
    assert!(matches!(error, StoreError::Missing { .. }) && error.exit_code() == ExitCode::Input);
}

#[test]
fn a_changed_definition_is_a_new_version_and_the_same_is_none() {
    let fixture = Fixture::new();
    let same = fixture.store.define_group(&definition(), time(9)).unwrap();
    assert!(matches!(&same, Defined::Unchanged(group) if group.version == 1 && group.time == time(0)));

    let mut changed = definition();
    changed.suite = Some(Document::new("flows", "{}"));
    let second = fixture.store.define_group(&changed, time(1)).unwrap();
    assert!(matches!(&second, Defined::New(group) if group.version == 2 && group.definition == changed));
    assert_eq!(fixture.store.find_group("flows").unwrap().version, 2);
    assert_eq!(fixture.store.find_group("flows:1").unwrap().definition, definition());

    // A version has commits of its own.
    fixture.commit(1, &["a"]);
    assert!(fixture.store.commits(&second.group().key()).unwrap().is_empty());
}

#[test]
fn an_unknown_group_is_refused_with_the_known_ones() {
    let error = Fixture::new().store.find_group("flow").unwrap_err();
    assert_eq!(error.hint().as_deref(), Some("there is: flows"));
    let error = Fixture::new().store.find_group("flows:2").unwrap_err();
    assert_eq!(error.hint().as_deref(), Some("there is: flows:1"));
    assert_eq!(error.exit_code(), ExitCode::Usage);
    assert!(Fixture::new().store.find_group("../etc").is_err());
}

#[test]
fn inserting_the_same_sources_again_changes_nothing() {
    let fixture = Fixture::new();
    fixture.commit(1, &["a", "b"]);
    let before = fixture.store.commits(&fixture.group).unwrap();

    let mut renamed = insert_of(fixture.temp.path(), &["b", "a"]);
    renamed.sources[0].name = "copy of b.csv".to_owned();
    let again = fixture.store.insert(&fixture.group, &renamed, &note(2)).unwrap();
    let known = vec![KnownSource { source: source("a"), commit: 1 }, KnownSource { source: source("b"), commit: 1 }];
    assert_eq!(again, Inserted::Unchanged(known));
    assert_eq!(fixture.store.commits(&fixture.group).unwrap(), before);
}

#[test]
fn a_partly_known_insert_names_what_to_leave_out() {
    let fixture = Fixture::new();
    fixture.commit(1, &["a"]);
    let digests = ["a", "b"].map(|name| source(name).sha256);
    let known = vec![KnownSource { source: source("a"), commit: 1 }];
    assert_eq!(fixture.store.known_sources(&fixture.group, &digests).unwrap(), known);
    let both = insert_of(fixture.temp.path(), &["a", "b"]);
    assert_eq!(fixture.store.insert(&fixture.group, &both, &note(2)).unwrap(), Inserted::Overlap(known));
    assert_eq!(fixture.commit(3, &["b"]).number, 2);
}

#[test]
fn the_id_of_a_commit_knows_its_content_and_its_past_but_not_its_time() {
    let (one, other) = (Fixture::new(), Fixture::new());
    let same = one.commit(1, &["a"]);
    let mut later = other.commit(1, &["a"]);
    assert_eq!(same, later);
    later.time = time(5);
    assert_eq!(same.id(), later.id());

    assert_ne!(one.commit(2, &["b"]).id(), other.commit(2, &["c"]).id());
    assert_ne!(one.commit(3, &["d"]).id(), other.commit(3, &["d"]).id(), "the parents differ");
}

#[test]
fn times_never_decrease() {
    let fixture = Fixture::new();
    fixture.commit(5, &["a"]);
    assert_eq!(fixture.commit(3, &["b"]).time, time(5));
}

#[test]
fn an_insert_that_contradicts_itself_is_refused() {
    let fixture = Fixture::new();
    let refused = |change: fn(&mut weir_store::NewInsert<'_>), words: &str| {
        let mut insert = insert_of(fixture.temp.path(), &["a", "b"]);
        change(&mut insert);
        let error = fixture.store.insert(&fixture.group, &insert, &note(1)).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    };
    refused(|insert| insert.sources.clear(), "names the files");
    refused(|insert| insert.sources[1].sha256 = insert.sources[0].sha256, "b.csv and a.csv are the same file");
    refused(|insert| insert.rows.kept = 3, "not what the account says");
    refused(|insert| insert.rows.input = 3, "not what the account says");
    refused(|insert| insert.data[0].classes.unlabelled = 1, "has 2 rows, but 3 rows by class");
    refused(|insert| insert.data[0].path.set_extension("").then_some(()).unwrap(), "failed to read");
    assert!(fixture.store.commits(&fixture.group).unwrap().is_empty());
}

#[test]
fn a_store_of_a_later_build_is_not_touched() {
    let fixture = Fixture::new();
    let path = fixture.root().join("store.json");
    let newer = r#"{
  "format": 2,
  "kind": "weir feature store",
  "seal": "SEAL"
}
"#;
    let unsealed = newer.replace(",\n  \"seal\": \"SEAL\"", "");
    let sealed = newer.replace("SEAL", &weir_contract::Digest::of(unsealed.as_bytes()).to_string());
    fs::remove_file(&path).unwrap();
    fs::write(&path, sealed).unwrap();
    let error = Store::init(&location(&fixture.root()), &Access::default()).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 2, .. }), "{error}");
}

#[test]
fn another_seed_is_another_version() {
    let fixture = Fixture::new();
    let changed = weir_store::GroupDefinition { seed: Seed(7), ..definition() };
    assert_eq!(fixture.store.define_group(&changed, time(1)).unwrap().group().version, 2);
    // Back again is a third: versions are a history, not a set.
    assert_eq!(fixture.store.define_group(&definition(), time(2)).unwrap().group().version, 3);
}
