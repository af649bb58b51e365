//! Runs of a timer: each is a process of its own.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::sink::Sink;
use super::{command, flood, flood_at, proxy};

/// Runs over `log` with further arguments; the subjects of what was told, behind the host.
fn told(dir: &Path, sink: &Sink, log: &str, more: &[&str]) -> Vec<String> {
    let path = dir.join("access.log");
    fs::write(&path, log).unwrap();
    let output = command(dir, sink).arg("--log").arg(&path).args(more).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let subject = |call: &serde_json::Value| call["text"].as_str().unwrap().split_once(": ").unwrap().1.to_owned();
    sink.rest().iter().map(subject).collect()
}

#[test]
fn a_dry_run_that_finds_the_same_is_not_told_of_again() {
    let (dir, sink) = (tempfile::tempdir().unwrap(), Sink::new());
    let first = flood(&["198.51.100.1"]);
    assert_eq!(told(dir.path(), &sink, &first, &[]), ["dry run, not done: 1 client blocked"]);
    assert!(told(dir.path(), &sink, &first, &[]).is_empty());
    let another = flood(&["198.51.100.2"]);
    assert_eq!(told(dir.path(), &sink, &another, &[]), ["dry run, not done: 1 client blocked"]);
    assert_eq!(told(dir.path(), &sink, &flood(&[]), &[]), ["dry run: nobody would be blocked any more"]);
    assert!(told(dir.path(), &sink, &flood(&[]), &[]).is_empty());
}

#[test]
fn whoever_is_spared_is_told_of_once() {
    let (dir, sink) = (tempfile::tempdir().unwrap(), Sink::new());
    let spared = ["1 client spared by a cap"];
    assert_eq!(told(dir.path(), &sink, &proxy("198.51.100.1"), &["--apply"]), spared);
    assert!(told(dir.path(), &sink, &proxy("198.51.100.1"), &["--apply"]).is_empty());
    assert_eq!(told(dir.path(), &sink, &proxy("198.51.100.2"), &["--apply"]), spared, "as many, but another");
}

#[test]
fn what_a_clock_that_is_ahead_has_written_blocks_nobody() {
    let (dir, sink) = (tempfile::tempdir().unwrap(), Sink::new());
    let ahead = flood_at(SystemTime::now() + Duration::from_secs(1800), &["198.51.100.1"]);
    assert!(told(dir.path(), &sink, &ahead, &["--apply"]).is_empty());
    let until = ["--apply", "--until", "2999-01-01T00:00:00Z"];
    assert_eq!(told(dir.path(), &sink, &ahead, &until), ["1 client blocked"]);
}

#[test]
fn a_memory_that_cannot_be_kept_tells_again_and_fails_nothing() {
    let (dir, sink) = (tempfile::tempdir().unwrap(), Sink::new());
    fs::create_dir_all(dir.path().join("state/told.json/in-the-way")).unwrap();
    for _ in 0..2 {
        let subjects = told(dir.path(), &sink, &flood(&["198.51.100.1"]), &[]);
        assert_eq!(subjects, ["dry run, not done: 1 client blocked"]);
    }
}

#[test]
fn a_result_that_cannot_be_printed_is_no_failure_of_the_run() {
    let (dir, sink) = (tempfile::tempdir().unwrap(), Sink::new());
    let path = dir.path().join("access.log");
    fs::write(&path, flood(&["198.51.100.1"])).unwrap();
    let mut command = command(dir.path(), &sink);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = command.arg("--apply").arg("--log").arg(&path).stdout(full).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("failed to write to stdout"), "{said}");
    let calls = sink.rest();
    assert_eq!(calls.len(), 1);
    assert_eq!(
        (&calls[0]["status"], &calls[0]["blocked"][0]["address"]),
        (&json!("succeeded"), &json!("198.51.100.1"))
    );
}
