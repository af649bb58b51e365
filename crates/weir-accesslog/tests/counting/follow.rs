//! Logs that are rotated while they are followed.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use weir_accesslog::{Follower, LINE_LIMIT};

struct Log {
    path: PathBuf,
    _directory: tempfile::TempDir,
}

impl Log {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { path: directory.path().join("access.log"), _directory: directory }
    }

    fn append(&self, text: &str) {
        append(&self.path, text);
    }

    fn follow(&self) -> Follower {
        Follower::new(std::slice::from_ref(&self.path)).unwrap()
    }
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// What is new.
fn polled(follower: &mut Follower) -> String {
    let mut new = String::new();
    follower.poll(|_, lines| new.push_str(std::str::from_utf8(lines).unwrap())).unwrap();
    new
}

#[test]
fn lines_come_whole_and_once() {
    let log = Log::new();
    log.append("one\ntwo\nthr");
    let mut follower = log.follow();
    assert_eq!(polled(&mut follower), "one\ntwo\n");
    assert_eq!(polled(&mut follower), "");
    log.append("ee\nfour");
    assert_eq!(polled(&mut follower), "three\n");
    log.append("\n");
    assert_eq!(polled(&mut follower), "four\n");
}

#[test]
fn a_renamed_file_is_read_to_its_end_and_on() {
    let log = Log::new();
    log.append("one\n");
    let mut follower = log.follow();
    assert_eq!(polled(&mut follower), "one\n");
    log.append("two\n");
    let old = log.path.with_extension("log.1");
    fs::rename(&log.path, &old).unwrap();
    append(&old, "three\n");
    assert_eq!(polled(&mut follower), "two\nthree\n", "the new one is not there yet");
    append(&old, "four\n");
    log.append("five\n");
    assert_eq!(polled(&mut follower), "four\nfive\n");
    append(&old, "late\n");
    log.append("six\n");
    assert_eq!(polled(&mut follower), "late\nsix\n");
    append(&old, "no line end");
    let rest: String = (0..40).map(|_| polled(&mut follower)).collect();
    assert_eq!(rest, "no line end", "when the old file is let go");
    append(&old, "too late\n");
    assert_eq!(polled(&mut follower), "");
}

#[test]
fn a_truncated_file_is_read_from_its_start() {
    let log = Log::new();
    log.append("one\ntwo\n");
    let mut follower = log.follow();
    assert_eq!(polled(&mut follower), "one\ntwo\n");
    fs::copy(&log.path, log.path.with_extension("log.1")).unwrap();
    fs::write(&log.path, "").unwrap();
    log.append("new\n");
    assert_eq!(polled(&mut follower), "new\n");
}

#[test]
fn a_missing_file_is_waited_for() {
    let log = Log::new();
    let mut follower = log.follow();
    assert_eq!(polled(&mut follower), "");
    log.append("first\n");
    assert_eq!(polled(&mut follower), "first\n", "a new file is new from its start");
    fs::remove_file(&log.path).unwrap();
    assert_eq!(polled(&mut follower), "");
    log.append("second\n");
    assert_eq!(polled(&mut follower), "second\n");
}

#[test]
fn a_line_that_is_too_long_takes_no_more_memory_than_shows_it() {
    let log = Log::new();
    let mut follower = log.follow();
    for _ in 0..20 {
        log.append(&"x".repeat(LINE_LIMIT / 2));
        polled(&mut follower);
    }
    log.append("\nbehind\n");
    let lines = polled(&mut follower);
    let lengths: Vec<usize> = lines.lines().map(str::len).collect();
    assert_eq!(lengths, [LINE_LIMIT + 1, 6]);
}
