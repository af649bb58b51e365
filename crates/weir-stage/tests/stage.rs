//! A stage binary as its caller sees it: exit code, stdout, stderr. Runs `examples/stage.rs`.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

/// The example, which cargo builds beside the tests.
fn stage() -> Command {
    let test = std::env::current_exe().unwrap();
    let path: PathBuf = test.parent().and_then(|deps| deps.parent()).unwrap().join("examples/stage");
    assert!(path.exists(), "{} is built by `cargo test -p weir-stage`", path.display());
    let mut command = Command::new(path);
    command.env_remove("ARGO_PROGRESS_FILE").env_remove("RUST_BACKTRACE");
    command
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = stage().args(arguments).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn stdout_is_data_and_stderr_is_for_people() {
    let (code, stdout, stderr) = run(&[]);
    assert_eq!((code, stdout.as_str()), (0, "sum 6\n"));
    let lines: Vec<&str> = stderr.lines().collect();
    assert_eq!(lines[0], "count");
    assert!(lines[1].starts_with("count: 4/4 in ") && lines.len() == 2, "{stderr}");
}

#[test]
fn json_is_canonical_and_quiet_leaves_it_alone() {
    let (code, stdout, stderr) = run(&["--json", "--quiet", "--jobs", "3"]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "{\n  \"sum\": 6,\n  \"threads\": 3\n}\n", ""));
}

#[test]
fn quiet_and_verbose_choose_what_people_see() {
    assert_eq!(run(&["-q"]), (0, String::new(), String::new()));
    assert!(run(&["-v"]).2.ends_with("\ndetails\n"));
    assert_eq!(run(&["-q", "-v"]).0, 2);
}

#[test]
fn every_failure_has_its_exit_code_and_its_hint() {
    for (end, code, stderr) in [
        ("usage", 2, "error: wrong --end\nhint: leave it out\n"),
        ("input", 3, "error: a.parquet is missing\n"),
        ("retry", 1, "error: disk full\n"),
        ("gate", 4, "error: worse than the champion\n"),
    ] {
        assert_eq!(run(&["-q", "--end", end]), (code, String::new(), stderr.to_owned()));
    }
}

#[test]
fn a_wrong_argument_ends_with_2_and_help_with_0() {
    let (code, stdout, stderr) = run(&["--jobs", "0"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("0 is not in 1..=1024"), "{stderr}");
    assert_eq!(run(&["--nonsense"]).0, 2);
    let (code, stdout, stderr) = run(&["--version"]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "count 1.2.3\n", ""));
    let (code, stdout, _) = run(&["--help"]);
    assert_eq!(code, 0);
    assert!(stdout.starts_with("Count to a number") && stdout.contains("--jobs <N>"), "{stdout}");
    let (own, common) = stdout.split_once("Common options:").unwrap();
    assert!(own.contains("--to <TO>") && common.contains("--force"), "{stdout}");
}

#[test]
fn a_panic_in_a_worker_is_one_line_and_ends_with_1() {
    let (code, stdout, stderr) = run(&["-q", "--end", "panic"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    let lines: Vec<&str> = stderr.lines().collect();
    assert!(lines[0].starts_with("error: internal error at ") && lines[0].ends_with(": cannot count on"), "{stderr}");
    assert!(lines[1].starts_with("hint: ") && lines.len() == 2, "{stderr}");
}

#[test]
fn progress_is_written_where_argo_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("progress");
    let output = stage().args(["--to", "1000"]).env("ARGO_PROGRESS_FILE", &file).output().unwrap();
    assert!(output.status.success());
    assert_eq!(fs::read_to_string(&file).unwrap(), "1000/1000\n");
    let output = stage().env("ARGO_PROGRESS_FILE", dir.path().join("no/such/folder")).output().unwrap();
    assert!(output.status.success());
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let mut child = stage().args(["-v", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// A stage that said it waits, and the rest of its stderr.
fn waiting(end: &str) -> (Child, BufReader<impl Read>) {
    let mut child = stage().args(["--end", end]).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    wait_for(&mut stderr, "waiting\n");
    (child, stderr)
}

fn wait_for(stderr: &mut impl BufRead, expected: &str) {
    let mut line = String::new();
    while line != expected {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "stderr ended before {expected:?}");
    }
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn ctrl_c_and_sigterm_ask_to_stop_and_end_with_130() {
    for name in ["INT", "TERM"] {
        let (mut child, mut stderr) = waiting("wait");
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(130));
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("error: interrupted\n"), "{rest}");
    }
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let (mut child, mut stderr) = waiting("deaf");
    signal(&child, "INT");
    wait_for(&mut stderr, "stopping; once more to stop at once\n");
    assert!(child.try_wait().unwrap().is_none());
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
