//! Runs that do not end.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Child;

use serde_json::json;

use super::sink::Sink;
use super::{command, flood};

/// Ends with the test.
struct Following(Child);

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_log_that_cannot_be_read_does_not_hide_a_flood_in_another() {
    let (dir, sink) = (tempfile::tempdir().unwrap(), Sink::new());
    let (bad, good) = (dir.path().join("bad.log"), dir.path().join("good.log"));
    symlink(&bad, &bad).unwrap();
    fs::write(&good, flood(&["198.51.100.1"])).unwrap();
    let mut command = command(dir.path(), &sink);
    command.args(["--follow", "--every", "1", "--log"]).arg(&bad).arg(&good);
    let _following = Following(command.spawn().unwrap());
    let call = sink.next();
    assert_eq!(
        (&call["status"], &call["blocked"][0]["address"]),
        (&json!("succeeded"), &json!("198.51.100.1")),
        "{call}"
    );
}

#[test]
fn what_cannot_be_followed_is_told_of_and_a_secret_in_a_url_is_not() {
    let (dir, sink) = (tempfile::tempdir().unwrap(), Sink::new());
    let url = "https://me:secret@logs.example.org/access.log?token=secret";
    let output = command(dir.path(), &sink).args(["--follow", "--log", url]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && !said.contains("secret"), "{said}");
    let call = sink.next();
    assert_eq!((&call["status"], &call["step"]), (&json!("failed"), &json!("parameters")));
    assert_eq!(call["message"], "https://logs.example.org/access.log cannot be followed");
}

#[test]
fn a_log_that_cannot_be_read_at_the_start_is_told_of() {
    let (dir, sink) = (tempfile::tempdir().unwrap(), Sink::new());
    let bad = dir.path().join("bad.log");
    symlink(&bad, &bad).unwrap();
    let output = command(dir.path(), &sink).args(["--follow", "--log"]).arg(&bad).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let call = sink.next();
    assert_eq!((&call["status"], &call["step"]), (&json!("failed"), &json!("fetch")));
    assert!(call["message"].as_str().unwrap().starts_with("cannot follow "), "{call}");
}
