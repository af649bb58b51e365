//! The program: how it starts, says where it is, and ends.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use weir_contract::{Family, Representation};

use crate::fixture::write;

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir-serving"));
    command.args(["--port", "0", "--workers", "2", "--drain", "5"]).args(arguments).stderr(Stdio::piped());
    command
}

/// The port in the file, once it is there.
fn port(file: &Path, child: &mut Child) -> u16 {
    let patience = Instant::now();
    loop {
        if let Some(port) = fs::read_to_string(file).ok().and_then(|text| text.trim_end().parse().ok()) {
            return port;
        }
        assert!(child.try_wait().unwrap().is_none() && patience.elapsed() < Duration::from_secs(30));
        thread::sleep(Duration::from_millis(2));
    }
}

fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn it_serves_until_it_is_asked_to_stop_and_ends_well() {
    let folder = tempfile::tempdir().unwrap();
    let (bundle, file) = (folder.path().join("bundle"), folder.path().join("port"));
    write(&bundle, Representation::Baseline, Family::DecisionTree);
    let arguments = ["--bundle", bundle.to_str().unwrap(), "--port-file", file.to_str().unwrap(), "--access-log"];
    let mut child = program(&arguments).args(["--model-name", "mine"]).spawn().unwrap();
    let port = port(&file, &mut child);
    let patience = Instant::now();
    while !get(port, "/v2/health/ready").starts_with("HTTP/1.1 200") {
        assert!(patience.elapsed() < Duration::from_secs(30));
    }
    assert!(get(port, "/v1/models").ends_with(r#"{"models":["mine"]}"#));
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains(&format!("at http://127.0.0.1:{port}, ready after")), "{stderr}");
    assert!(stderr.contains(r#""path":"/v1/models""#), "{stderr}");
}

#[test]
fn it_does_not_start_without_a_whole_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle");
    let ends = |arguments: &[&str], code: i32, reason: &str| {
        let arguments = [&["--bundle", bundle.to_str().unwrap()], arguments].concat();
        let output = program(&arguments).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.contains(reason), "{stderr}");
    };
    ends(&[], 3, "holds no bundle");
    write(&bundle, Representation::Baseline, Family::DecisionTree);
    let key = folder.path().join("key.pem");
    fs::write(
        &key,
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
         -----END PUBLIC KEY-----\n",
    )
    .unwrap();
    ends(&["--trust", key.to_str().unwrap()], 3, "not signed");
    ends(&["--max-batch", "0"], 2, "--max-batch has to be from 1 to 10000000, received 0");
    ends(&["--request-timeout", "soon"], 2, "expected a number of seconds");
    fs::write(bundle.join("detector.weir"), b"damaged").unwrap();
    ends(&[], 3, "detector.weir was changed");
}
