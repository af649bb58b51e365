//! Removing what no commit names.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use weir_store::{Grace, NewLabels, Time};

use crate::fixture::{Fixture, note};

const DAY: u64 = 24 * 60 * 60;

fn left(path: &Path, age: u64) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "left").unwrap();
    File::options().write(true).open(path).unwrap().set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
}

#[test]
fn gc_removes_what_is_old_and_in_no_commit_and_nothing_else() {
    let fixture = Fixture::new();
    let labels = fixture.temp.path().join("labels.csv");
    fs::write(&labels, "flow_id,label\n7,malicious\n").unwrap();
    let commit = fixture.commit(1, &["a"]);
    fixture.store.add_labels(&fixture.group, &NewLabels { files: vec![labels] }, &note(2)).unwrap();
    let used = fixture.root().join(commit.objects()[0].key());
    let old = SystemTime::now() - Duration::from_secs(9 * DAY);
    // Setting a time needs no right to write, but a handle does.
    File::open(&used).unwrap().set_modified(old).unwrap();

    let orphan = |digit: &str| format!("objects/{0}{0}/{1}.parquet", digit, digit.repeat(64));
    left(&fixture.root().join(orphan("0")), 2 * DAY);
    left(&fixture.root().join(orphan("1")), DAY / 2);
    left(&fixture.root().join("tmp/.tmpOLD"), 2 * DAY);
    left(&fixture.root().join("tmp/.tmpNEW"), 60);

    let dry = fixture.store.gc(Grace::default(), Time::now(), true).unwrap();
    assert_eq!(dry.removed, [orphan("0"), "tmp/.tmpOLD".to_owned()]);
    assert_eq!((dry.referenced, dry.young, dry.bytes), (2, 2, 8));
    assert!(fixture.root().join(orphan("0")).exists(), "a dry run removes nothing");

    assert_eq!(fixture.store.gc(Grace::default(), Time::now(), false).unwrap(), dry);
    assert!(!fixture.root().join(orphan("0")).exists() && !fixture.root().join("tmp/.tmpOLD").exists());
    assert!(fixture.root().join(orphan("1")).exists() && fixture.root().join("tmp/.tmpNEW").exists());
    assert_eq!(fixture.store.verify().unwrap(), []);
    assert_eq!(fixture.store.gc(Grace::default(), Time::now(), false).unwrap().removed, Vec::<String>::new());
}

#[test]
fn with_a_commit_that_cannot_be_read_nothing_is_removed() {
    let fixture = Fixture::new();
    fixture.commit(1, &["a"]);
    let orphan = fixture.root().join(format!("objects/00/{}.parquet", "0".repeat(64)));
    left(&orphan, 9 * DAY);
    let commit = fixture.root().join("commits/flows/1/00000001.json");
    fs::remove_file(&commit).unwrap();
    fs::write(&commit, "{}").unwrap();
    assert!(fixture.store.gc(Grace::default(), Time::now(), false).is_err());
    assert!(orphan.exists());
}

#[test]
fn writers_and_a_collector_without_grace_leave_a_whole_store() {
    let fixture = Fixture::new();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 0..40 {
                // The bytes are there already, in no commit: just then they may be about to be removed.
                let name = format!("s{number}");
                let orphan =
                    weir_store::Object::of(format!("rows of {name}").as_bytes(), weir_store::Extension::Parquet);
                let path = fixture.root().join(orphan.key());
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, "left").unwrap();
                fixture.commit(number, &[&name]);
            }
        });
        while !writer.is_finished() {
            fixture.store.gc(Grace(Duration::ZERO), Time(Time::now().0 + DAY as i64 * 1000), false).unwrap();
        }
    });
    assert_eq!(fixture.store.commits(&fixture.group).unwrap().len(), 40);
    assert_eq!(fixture.store.verify().unwrap(), []);
}
