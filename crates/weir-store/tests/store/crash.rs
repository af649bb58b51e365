//! kill -9 at any moment.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use weir_store::{Access, Commit, Grace, Inserted, Store, Time};

use crate::fixture::{Fixture, insert_of, location, note};

const KILLS: u64 = 40;

#[test]
fn a_killed_writer_leaves_whole_commits_and_loses_none_that_it_reported() {
    let fixture = Fixture::new();
    let mut reported = 0;
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::child_inserts", "--nocapture"])
            .env("WEIR_STORE_TEST_CRASH", fixture.temp.path())
            .env("WEIR_STORE_TEST_ROUND", kill.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Some are killed while they start; the others at moments spread over one insert, however long it takes here.
        let mut committed = lines.by_ref().map(Result::unwrap).filter(|line| line.contains("committed"));
        let pause = if kill % 5 == 0 {
            Duration::from_millis(kill)
        } else {
            committed.next();
            let begin = Instant::now();
            reported = number(&committed.next().unwrap());
            begin.elapsed() * kill as u32 / KILLS as u32
        };
        std::thread::sleep(pause);
        child.kill().unwrap();
        child.wait().unwrap();
        // Whatever it had said before it died counts. A line that was cut was not said.
        let last = lines.map_while(Result::ok).filter(|line| line.contains("committed") && line.ends_with('.')).last();
        reported = reported.max(last.as_deref().map_or(0, number));

        let store = fixture.reopen();
        let commits = store.commits(&fixture.group).unwrap();
        assert!(commits.len() as u32 >= reported, "{} commits after {reported} were reported", commits.len());
        assert_eq!(store.verify().unwrap(), []);
    }
    assert!(reported > KILLS as u32 / 2, "{reported}");

    // What the killed left can be removed, and the store goes on.
    fixture.store.gc(Grace(Duration::ZERO), Time(Time::now().0 + 60_000), false).unwrap();
    assert_eq!(std::fs::read_dir(fixture.root().join("tmp")).unwrap().count(), 1, "the lock");
    let next = fixture.commit(1_000, &["next"]);
    assert!(next.number > reported);
    assert_eq!(fixture.store.verify().unwrap(), []);
}

#[test]
fn a_name_without_a_version_is_no_group() {
    let fixture = Fixture::new();
    // So far comes a writer that is killed before it links the definition.
    std::fs::create_dir_all(fixture.root().join("groups/half")).unwrap();
    std::fs::create_dir_all(fixture.root().join("commits/flows/1")).unwrap();
    assert_eq!(fixture.store.groups().unwrap().len(), 1);
    assert!(fixture.store.find_group("half").is_err());
    assert_eq!(fixture.store.verify().unwrap(), []);
    let half = weir_store::GroupDefinition { name: "half".parse().unwrap(), ..crate::fixture::definition() };
    assert_eq!(fixture.store.define_group(&half, crate::fixture::time(0)).unwrap().group().version, 1);
}

/// The process that is killed; by itself it does nothing.
#[test]
fn child_inserts() {
    let (Ok(dir), Ok(round)) = (std::env::var("WEIR_STORE_TEST_CRASH"), std::env::var("WEIR_STORE_TEST_ROUND")) else {
        return;
    };
    let dir = Path::new(&dir);
    let store = Store::open(&location(&dir.join("store")), &Access::default()).unwrap();
    let group = store.find_group("flows").unwrap().key();
    for number in 0.. {
        let name = format!("round{round}-{number}");
        let mut insert = insert_of(dir, &[&name]);
        // Large enough to be killed in the middle of.
        std::fs::write(&insert.data[0].path, name.repeat(100_000)).unwrap();
        let schema = crate::fixture::schema("bytes", number as f64);
        insert.schema = Some(&schema);
        match store.insert(&group, &insert, &note(number)).unwrap() {
            Inserted::Committed(commit) => say(&commit),
            other => panic!("{other:?}"),
        }
        std::fs::remove_file(&insert.data[0].path).unwrap();
    }
}

fn say(commit: &Commit) {
    let mut out = std::io::stdout();
    writeln!(out, "committed {}.", commit.number).and_then(|()| out.flush()).unwrap();
}

fn number(line: &str) -> u32 {
    line.trim_end_matches('.').rsplit(' ').next().unwrap().parse().unwrap()
}
