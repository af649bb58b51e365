//! Truncated files, flipped bytes, lost files.

use std::fs;
use std::path::{Path, PathBuf};

use weir_contract::{Classify, ExitCode};
use weir_store::{AsOf, Inserted, NewLabels, Store, StoreError};

use crate::fixture::{Fixture, insert_of, note, schema};

/// A store with every kind of file.
fn full() -> Fixture {
    let fixture = Fixture::new();
    let schema = schema("bytes", 1.0);
    let insert = weir_store::NewInsert { schema: Some(&schema), ..insert_of(fixture.temp.path(), &["a"]) };
    assert!(matches!(fixture.store.insert(&fixture.group, &insert, &note(1)), Ok(Inserted::Committed(_))));
    let labels = fixture.temp.path().join("labels.csv");
    fs::write(&labels, "flow_id,label\n7,malicious\n").unwrap();
    fixture.store.add_labels(&fixture.group, &NewLabels { files: vec![labels] }, &note(2)).unwrap();
    fixture.commit(3, &["b"]);
    fixture
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn replace(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Reads everything that a run reads.
fn read_all(store: &Store) -> Result<(), StoreError> {
    let group = store.find_group("flows")?.key();
    let snapshot = store.snapshot(&group, AsOf::Head)?;
    for file in &snapshot.files {
        store.fetch(&file.data.object, &file.owner)?;
    }
    snapshot.commits.iter().try_for_each(|commit| store.schema(commit).map(drop))
}

#[test]
fn damage_to_any_file_is_noticed_and_named() {
    let fixture = full();
    read_all(&fixture.store).unwrap();
    let mut damaged = 0;
    for folder in ["objects", "groups", "commits"] {
        for path in files(&fixture.root().join(folder)) {
            let whole = fs::read(&path).unwrap();
            let key = path.strip_prefix(fixture.root()).unwrap().to_str().unwrap().to_owned();
            let mut flipped = whole.clone();
            flipped[whole.len() / 2] ^= 1;
            for bytes in [&whole[..whole.len() - 1], &flipped, &[]] {
                replace(&path, bytes);
                let error = read_all(&fixture.store).unwrap_err();
                assert!(error.to_string().contains(&key), "{error}");
                assert_eq!(error.exit_code(), ExitCode::Input);
                assert!(error.hint().unwrap().contains("copy of the store"), "{error}");
                assert!(fixture.store.verify().unwrap().iter().any(|problem| problem.key == key));
                damaged += 1;
            }
            replace(&path, &whole);
            read_all(&fixture.store).unwrap();
        }
    }
    // Four objects, a group and three commits, each in three ways.
    assert_eq!(damaged, 8 * 3);
}

#[test]
fn a_damaged_object_is_named_with_the_commit_and_group_that_need_it() {
    let fixture = full();
    let snapshot = fixture.store.snapshot(&fixture.group, AsOf::Head).unwrap();
    let second = &snapshot.files[1];
    replace(&fixture.root().join(second.data.object.key()), b"rows of c");
    let error = fixture.store.fetch(&second.data.object, &second.owner).unwrap_err().to_string();
    assert!(error.contains("commit 3 of flows:1 needs it"), "{error}");

    fs::remove_file(fixture.root().join(second.data.object.key())).unwrap();
    let error = fixture.store.fetch(&second.data.object, &second.owner).unwrap_err();
    assert!(matches!(error, StoreError::MissingObject { .. }) && error.to_string().contains("commit 3 of flows:1"));
    // What does not need it can be read.
    let earlier = fixture.store.snapshot(&fixture.group, AsOf::Commit(2)).unwrap();
    assert!(earlier.files.iter().all(|file| fixture.store.fetch(&file.data.object, &file.owner).is_ok()));
}

#[test]
fn a_lost_or_exchanged_commit_is_noticed() {
    let fixture = full();
    let commits = fixture.root().join("commits/flows/1");
    let second = fs::read(commits.join("00000002.json")).unwrap();
    fs::remove_file(commits.join("00000002.json")).unwrap();
    let error = fixture.store.commits(&fixture.group).unwrap_err().to_string();
    assert!(error.contains("00000002.json") && error.contains("it is missing, and there is commit 3"), "{error}");

    fs::copy(commits.join("00000003.json"), commits.join("00000002.json")).unwrap();
    assert!(fixture.store.commits(&fixture.group).unwrap_err().to_string().contains("it is commit 3 of flows:1"));
    replace(&commits.join("00000002.json"), &second);

    // A first commit with another content and a valid seal is not the one that the second follows.
    let other = Fixture::new();
    other.commit(1, &["other"]);
    let foreign = fs::read(other.root().join("commits/flows/1/00000001.json")).unwrap();
    replace(&commits.join("00000001.json"), &foreign);
    let error = fixture.store.commits(&fixture.group).unwrap_err().to_string();
    assert!(error.contains("00000002.json") && error.contains("does not follow"), "{error}");
}

#[test]
fn inserting_the_same_bytes_for_another_commit_makes_a_damaged_object_whole() {
    let fixture = Fixture::new();
    let commit = fixture.commit(1, &["a"]);
    let path = fixture.root().join(commit.objects()[0].key());
    replace(&path, b"rows of z");
    // Another source with the same rows.
    let mut insert = insert_of(fixture.temp.path(), &["a"]);
    insert.sources = vec![crate::fixture::source("b")];
    fixture.store.insert(&fixture.group, &insert, &note(2)).unwrap();
    assert_eq!(fixture.store.verify().unwrap(), []);
}

#[test]
fn what_is_stored_is_read_only() {
    let fixture = full();
    for path in files(&fixture.root()).into_iter().filter(|path| !path.ends_with("tmp/lock")) {
        assert!(fs::metadata(&path).unwrap().permissions().readonly(), "{}", path.display());
    }
}
