//! The store in a bucket, against a server that speaks S3: `tests/s3.sh` starts one. `WEIR_TEST_S3` names its
//! endpoint, `WEIR_TEST_S3_ROOT` the folder where it keeps buckets; access key and secret key are `weir-test` and
//! `weir-test-secret`, and the bucket `weir-test` exists.

#[path = "store/fixture.rs"]
#[expect(dead_code, reason = "shared with the tests of directories")]
mod fixture;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use fixture::{commit, definition, insert_of, note, schema, source, time};
use serde_json::json;
use tempfile::TempDir;
use weir_contract::{Classify, Digest, ExitCode, Seed};
use weir_store::{
    Access, AsOf, Commit, Grace, Inserted, Location, NewDataset, NewInsert, NewLabels, S3Access, Store, StoreError,
    Time,
};

/// How to reach the server; `None` after saying that the test is skipped.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn access(cache: &Path) -> Option<Access> {
    let Ok(endpoint) = std::env::var("WEIR_TEST_S3") else {
        eprintln!("SKIPPED: set WEIR_TEST_S3 to the endpoint of an S3 server, or run tests/s3.sh");
        return None;
    };
    let s3 = S3Access {
        endpoint: Some(endpoint),
        access_key: "weir-test".to_owned(),
        secret_key: "weir-test-secret".to_owned(),
        ..S3Access::default()
    };
    Some(Access { s3: Some(s3), cache: Some(cache.to_owned()) })
}

/// A prefix that no other test and no earlier run has.
fn location(temp: &TempDir) -> Location {
    let unique = temp.path().file_name().unwrap().to_str().unwrap().trim_start_matches('.');
    format!("s3://weir-test/{unique}-{}/store", Time::now().0).parse().unwrap()
}

#[test]
fn a_store_in_a_bucket_does_what_one_in_a_directory_does() {
    let temp = TempDir::new().unwrap();
    let Some(access) = access(&temp.path().join("cache")) else { return };
    let location = location(&temp);
    assert!(matches!(Store::open(&location, &access), Err(StoreError::Missing { .. })));
    let store = Store::init(&location, &access).unwrap();
    Store::init(&location, &access).unwrap();
    let group = store.define_group(&definition(), time(0)).unwrap().group().key();
    assert_eq!(store.find_group("flows").unwrap().version, 1);

    // Larger than one part, and no multiple of it.
    let large: Vec<u8> = (0..20_000_003_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let schema = schema("bytes", 2.0);
    let mut insert = NewInsert { schema: Some(&schema), ..insert_of(temp.path(), &["a"]) };
    fs::write(&insert.data[0].path, &large).unwrap();
    insert.quarantine = Some(temp.path().join("quarantine.parquet"));
    fs::write(insert.quarantine.as_ref().unwrap(), "").unwrap();
    assert!(matches!(store.insert(&group, &insert, &note(1)), Ok(Inserted::Committed(_))));
    assert!(matches!(store.insert(&group, &insert, &note(2)), Ok(Inserted::Unchanged(_))));
    let labels = temp.path().join("labels.csv");
    fs::write(&labels, "flow_id,label\n7,malicious\n").unwrap();
    store.add_labels(&group, &NewLabels { files: vec![labels] }, &note(3)).unwrap();

    let snapshot = Store::open(&location, &access).unwrap().snapshot(&group, AsOf::Head).unwrap();
    let file = &snapshot.files[0];
    let path = store.fetch(&file.data.object, &file.owner).unwrap();
    assert!(path.starts_with(temp.path().join("cache")));
    assert!(fs::read(&path).unwrap() == large, "the object came back with other bytes");
    assert_eq!(store.schema(&snapshot.commits[0]).unwrap(), Some(schema));
    assert!(!snapshot.labels.is_empty());

    let new = NewDataset {
        name: "daily".parse().unwrap(),
        group: group.clone(),
        commit: 2,
        split: json!({"test": 0.2}),
        seed: Seed(42),
        artifact: Digest::of(b"artifact"),
        place: "s3://runs/1".to_owned(),
        rows: [("train".to_owned(), 1)].into(),
        build: String::new(),
        message: String::new(),
    };
    let dataset = store.create_dataset(&new, time(4)).unwrap();
    assert_eq!(store.create_dataset(&new, time(5)).unwrap(), dataset);
    assert_eq!(store.datasets_with_source(source("a").sha256).unwrap(), [dataset]);
    assert_eq!(store.verify().unwrap(), []);
}

#[test]
fn writers_racing_for_a_bucket_lose_no_commit() {
    let temp = TempDir::new().unwrap();
    let Some(access) = access(&temp.path().join("cache")) else { return };
    let location = location(&temp);
    let store = Store::init(&location, &access).unwrap();
    let group = store.define_group(&definition(), time(0)).unwrap().group().key();
    std::thread::scope(|scope| {
        for writer in ["a", "b"] {
            let (location, access, group, dir) = (&location, &access, &group, temp.path());
            scope.spawn(move || {
                let store = Store::open(location, access).unwrap();
                for number in 0..50 {
                    commit(&store, group, dir, number, &[&format!("{writer}{number}")]);
                }
            });
        }
    });
    let commits = store.commits(&group).unwrap();
    let sources: BTreeSet<Digest> = commits
        .iter()
        .filter_map(Commit::insert)
        .flat_map(|insert| &insert.sources)
        .map(|source| source.sha256)
        .collect();
    assert_eq!((commits.len(), sources.len()), (100, 100));
    assert_eq!(store.verify().unwrap(), []);
}

#[test]
fn damage_in_the_bucket_and_in_the_cache_are_told_apart() {
    let temp = TempDir::new().unwrap();
    let Some(access) = access(&temp.path().join("cache")) else { return };
    let location = location(&temp);
    let store = Store::init(&location, &access).unwrap();
    let group = store.define_group(&definition(), time(0)).unwrap().group().key();
    commit(&store, &group, temp.path(), 1, &["a"]);
    let file = store.snapshot(&group, AsOf::Head).unwrap().files.remove(0);
    let fetch = || store.fetch(&file.data.object, &file.owner);
    let path = fetch().unwrap();

    fs::write(&path, "rows of z").unwrap();
    assert_eq!(fs::read_to_string(fetch().unwrap()).unwrap(), "rows of a", "a damaged copy is fetched again");

    // Under the server's own hands.
    let root = std::env::var("WEIR_TEST_S3_ROOT").expect("the folder of the server's files");
    let Location::S3 { bucket, prefix } = &location else { unreachable!() };
    let stored = Path::new(&root).join(bucket).join(prefix).join(file.data.object.key());
    fs::write(&stored, "rows of z").unwrap();
    assert!(fetch().is_ok(), "the copy is whole");
    fs::remove_file(&path).unwrap();
    let error = fetch().unwrap_err();
    assert!(matches!(error, StoreError::Object { .. }), "{error}");
    assert!(error.to_string().contains("commit 1 of flows:1 needs it"), "{error}");
    fs::remove_file(&stored).unwrap();
    assert!(matches!(fetch(), Err(StoreError::MissingObject { .. })));
}

#[test]
fn gc_of_a_bucket_keeps_what_is_referenced_and_what_is_young() {
    let temp = TempDir::new().unwrap();
    let Some(access) = access(&temp.path().join("cache")) else { return };
    let root = std::env::var("WEIR_TEST_S3_ROOT").expect("the folder of the server's files");
    let location = location(&temp);
    let store = Store::init(&location, &access).unwrap();
    let group = store.define_group(&definition(), time(0)).unwrap().group().key();
    commit(&store, &group, temp.path(), 1, &["a"]);
    // A writer that is killed before its commit leaves its objects.
    commit(&store, &group, temp.path(), 2, &["b"]);
    let Location::S3 { bucket, prefix } = &location else { unreachable!() };
    let last = Path::new(&root).join(bucket).join(prefix).join("commits/flows/1/00000002.json");
    fs::remove_file(last).unwrap();

    let young = store.gc(Grace::default(), Time::now(), false).unwrap();
    assert_eq!((young.referenced, young.young, young.removed.len()), (1, 1, 0));
    let later = Time(Time::now().0 + 60_000);
    let removed = store.gc(Grace(Duration::ZERO), later, false).unwrap();
    assert_eq!((removed.referenced, removed.young, removed.removed.len()), (1, 0, 1));
    assert_eq!(store.verify().unwrap(), []);
    commit(&store, &group, temp.path(), 3, &["b"]);
    assert_eq!(store.verify().unwrap(), []);
}

#[test]
fn a_bucket_that_lets_nobody_in_is_final_and_a_server_that_is_gone_is_not() {
    let temp = TempDir::new().unwrap();
    let Some(mut access) = access(&temp.path().join("cache")) else { return };
    let location = location(&temp);
    access.s3.as_mut().unwrap().secret_key = "mistyped".to_owned();
    let error = Store::init(&location, &access).unwrap_err();
    assert!(matches!(error, StoreError::Remote { fatal: true, .. }), "{error:?}");
    assert_eq!(error.exit_code(), ExitCode::Input);
    assert!(!format!("{error:?}").contains("mistyped"), "{error:?}");

    // Nobody listens on port 1.
    access.s3.as_mut().unwrap().endpoint = Some("http://127.0.0.1:1".to_owned());
    let error = Store::open(&location, &access).unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::Retry, "{error:?}");

    let nothing = Access { s3: None, ..access };
    assert!(matches!(Store::open(&location, &nothing), Err(StoreError::Unusable { .. })));
}
