//! `weir predict` in a pipe.

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use weir_testkit::TempRun;

use crate::predict::bundle;
use crate::{flows, text, weir};

/// Longer than anything takes; a test that waits that long has failed.
const FOREVER: Duration = Duration::from_secs(120);

/// A running `weir predict` whose lines come as they are written.
struct Predict {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Predict {
    fn start(bundle: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        command.args(["predict", "--bundle", text(bundle)]).args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let (sender, lines) = channel();
        thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let stdin = child.stdin.take();
        Self { child, stdin, lines }
    }

    fn write(&mut self, bytes: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(bytes.as_bytes()).and_then(|()| stdin.flush()).unwrap();
    }

    #[track_caller]
    fn line(&self) -> String {
        self.lines.recv_timeout(FOREVER).expect("a line is written while the input pauses")
    }

    fn terminate(&self) {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// The exit code and what it said.
    fn end(mut self) -> (Option<i32>, String) {
        drop(self.stdin.take());
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }
}

#[test]
fn every_line_is_predicted_as_it_comes() {
    let temp = TempRun::new();
    let data = flows(&temp, 1_500);
    let bundle = bundle(&temp, &data);
    let lines: Vec<String> = std::fs::read_to_string(&data).unwrap().lines().map(|line| format!("{line}\n")).collect();
    let whole = weir(["predict", "--bundle", text(&bundle), text(&data)]).ok().stdout;
    let whole: Vec<&str> = whole.lines().map(|line| line.split_once(',').unwrap().1).collect();

    let mut predict = Predict::start(&bundle, &[]);
    predict.write(&lines[0]);
    assert_eq!(predict.line().split_once(',').unwrap().1, whole[0]);
    for (number, line) in lines.iter().enumerate().skip(1).take(5) {
        // The end of a line comes later than the line.
        predict.write(&line[..line.len() - 1]);
        predict.write("\n");
        assert_eq!(predict.line(), format!("stdin,{}", whole[number]));
    }
    // Many at once, and the last one without an end.
    predict.write(lines[6..].concat().trim_end());
    drop(predict.stdin.take());
    for line in &whole[6..] {
        assert_eq!(predict.line(), format!("stdin,{line}"));
    }
    let (code, said) = predict.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("1500 records: "), "{said}");
}

#[test]
fn a_signal_is_heeded_while_nothing_comes() {
    let temp = TempRun::new();
    let data = flows(&temp, 1_000);
    let bundle = bundle(&temp, &data);
    let mut predict = Predict::start(&bundle, &["-"]);
    predict.write(std::fs::read_to_string(&data).unwrap().split_inclusive('\n').take(2).collect::<String>().as_str());
    predict.line();
    predict.line();
    predict.terminate();
    let mut child = predict;
    // Its input stays open.
    assert_eq!(child.child.wait().unwrap().code(), Some(130));
}

#[test]
fn a_file_is_followed_until_somebody_has_seen_enough() {
    let temp = TempRun::new();
    let data = flows(&temp, 1_000);
    let bundle = bundle(&temp, &data);
    let all = std::fs::read_to_string(&data).unwrap();
    let lines: Vec<&str> = all.split_inclusive('\n').collect();
    let log = temp.write("flows.log", lines[..2].concat());
    let predict = Predict::start(&bundle, &["--follow", text(&log)]);
    predict.line();
    assert!(predict.line().contains("flows.log,2,"));
    let mut file = OpenOptions::new().append(true).open(&log).unwrap();
    file.write_all(lines[2..4].concat().as_bytes()).unwrap();
    assert!(predict.line().contains("flows.log,3,"));
    assert!(predict.line().contains("flows.log,4,"));
    predict.terminate();
    let (code, said) = predict.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("3 records: "), "{said}");
}

#[test]
fn a_reader_that_has_seen_enough_ends_it_quietly() {
    let temp = TempRun::new();
    let bundle = bundle(&temp, &flows(&temp, 1_000));
    let data = temp.join("many.csv");
    weir(["simulate", "flows", "--rows", "60000", "--out", text(&data)]).ok();
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    command.args(["predict", "--quiet", "--bundle", text(&bundle), text(&data)]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}

#[test]
fn nothing_at_all_and_a_table_are_no_input_for_a_pipe() {
    let temp = TempRun::new();
    let data = flows(&temp, 1_000);
    let bundle = bundle(&temp, &data);
    let (code, said) = Predict::start(&bundle, &[]).end();
    assert_eq!(code, Some(3));
    assert!(said.contains("stdin: is empty"), "{said}");

    let table = temp.join("flows.parquet");
    weir(["flows", text(&data), "--to", text(&table)]).ok();
    let mut predict = Predict::start(&bundle, &[]);
    let bytes = std::fs::read(&table).unwrap();
    // It may end before it has read everything.
    let _ = predict.stdin.as_mut().unwrap().write_all(&bytes);
    let (code, said) = predict.end();
    assert_eq!(code, Some(3));
    assert!(said.contains("hint: name the file"), "{said}");
}
