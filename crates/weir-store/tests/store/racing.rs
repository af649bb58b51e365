//! Several writers at once.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use weir_store::{Access, Commit, GroupDefinition, Store};

use crate::fixture::{Fixture, commit, definition, insert_of, location, note, time};

const COMMITS: usize = 50;

#[test]
fn two_threads_racing_lose_no_commit() {
    let fixture = Fixture::new();
    std::thread::scope(|scope| {
        for writer in ["a", "b"] {
            scope.spawn(|| write(&fixture.reopen(), fixture.temp.path(), writer));
        }
    });
    all_there(&fixture);
}

#[test]
fn two_processes_racing_lose_no_commit() {
    let fixture = Fixture::new();
    let writers = ["a", "b"].map(|writer| child(fixture.temp.path(), writer));
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    all_there(&fixture);
}

#[test]
fn of_many_writers_of_one_source_one_commits() {
    let fixture = Fixture::new();
    let committed: usize = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let dir = fixture.temp.path().join(writer.to_string());
                std::fs::create_dir(&dir).unwrap();
                let store = fixture.reopen();
                let group = fixture.group.clone();
                scope.spawn(move || {
                    let inserted = store.insert(&group, &insert_of(&dir, &["same"]), &note(writer)).unwrap();
                    usize::from(matches!(inserted, weir_store::Inserted::Committed(_)))
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).sum()
    });
    assert_eq!(committed, 1);
    assert_eq!(fixture.store.commits(&fixture.group).unwrap().len(), 1);
}

#[test]
fn every_of_many_definitions_gets_a_version_of_its_own() {
    let fixture = Fixture::new();
    let versions: BTreeSet<u32> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let store = fixture.reopen();
                let definition = GroupDefinition { description: format!("writer {writer}"), ..definition() };
                scope.spawn(move || store.define_group(&definition, time(writer)).unwrap().group().version)
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    assert_eq!(versions, (2..10).collect());
}

/// The other process of [`two_processes_racing_lose_no_commit`]; by itself it does nothing.
#[test]
fn child_writer() {
    let (Ok(dir), Ok(writer)) = (std::env::var("WEIR_STORE_TEST_DIR"), std::env::var("WEIR_STORE_TEST_WRITER")) else {
        return;
    };
    let dir = Path::new(&dir);
    let store = Store::open(&location(&dir.join("store")), &Access::default()).unwrap();
    write(&store, dir, &writer);
}

fn child(dir: &Path, writer: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "racing::child_writer", "--nocapture"])
        .env("WEIR_STORE_TEST_DIR", dir)
        .env("WEIR_STORE_TEST_WRITER", writer)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn write(store: &Store, dir: &Path, writer: &str) {
    let group = store.find_group("flows").unwrap().key();
    for number in 0..COMMITS {
        let name = format!("{writer}{number}");
        commit(store, &group, dir, number as i64, &[&name]);
    }
}

fn all_there(fixture: &Fixture) {
    let store = fixture.reopen();
    let commits = store.commits(&fixture.group).unwrap();
    let inserts = commits.iter().filter_map(Commit::insert);
    let names: BTreeSet<String> =
        inserts.flat_map(|insert| &insert.sources).map(|source| source.name.clone()).collect();
    let expected = ["a", "b"].iter().flat_map(|writer| (0..COMMITS).map(move |number| format!("{writer}{number}.csv")));
    assert_eq!(names, expected.collect());
    assert_eq!(commits.len(), 2 * COMMITS);
    assert!(commits.windows(2).all(|pair| pair[0].time <= pair[1].time));
    assert!(store.verify().unwrap().is_empty());
}
