use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use reqwest::header::HeaderValue;
use weir_contract::ExitCode;
use weir_fetch::Retry;

use super::*;

fn request(sources: &[&Path], out: &Path) -> Request {
    let retry = Retry { attempts: 1, ..Retry::default() };
    Request {
        sources: sources.iter().map(|source| source.display().to_string()).collect(),
        out: out.to_owned(),
        settings: Settings { stall: Duration::from_secs(60), retry, ..Settings::default() },
    }
}

fn names(artifact: &Artifact) -> Vec<&str> {
    artifact.manifest().files.iter().map(|file| file.path.as_str()).collect()
}

#[test]
fn logs_become_an_artifact_in_their_order() {
    let dir = tempfile::tempdir().unwrap();
    let [log, rotated, out] = ["access.log", "access.log.1", "logs"].map(|name| dir.path().join(name));
    fs::write(&log, "new\n").unwrap();
    fs::write(&rotated, "old\n").unwrap();
    let request = request(&[&rotated, &log], &out);
    let fetched = fetch(&request, &Stage::silent()).unwrap();
    assert_eq!(names(&fetched.artifact), ["logs/0001-access.log.1", "logs/0002-access.log"]);
    assert_eq!(fetched.artifact.read("logs/0001-access.log.1").unwrap(), b"old\n");
    assert_eq!(fetched.artifact.manifest().inputs["log/0002"], Digest::of(b"new\n"));
    assert!(!fetched.skipped && !out.join(WORK).exists());

    let again = fetch(&request, &Stage::silent()).unwrap();
    assert!(again.skipped && again.artifact.digest() == fetched.artifact.digest() && !out.join(WORK).exists());
    fs::write(&log, "new\nnewer\n").unwrap();
    let changed = fetch(&request, &Stage::silent()).unwrap();
    assert_eq!(changed.artifact.read("logs/0002-access.log").unwrap(), b"new\nnewer\n");
    assert!(!changed.skipped);
}

#[test]
fn what_fails_leaves_the_logs_before() {
    let dir = tempfile::tempdir().unwrap();
    let [log, out] = ["access.log", "logs"].map(|name| dir.path().join(name));
    fs::write(&log, "one\n").unwrap();
    let before = fetch(&request(&[&log], &out), &Stage::silent()).unwrap().artifact.digest();
    fs::write(&log, "two\n").unwrap();
    // Nobody listens there.
    let gone = Path::new("http://127.0.0.1:1/access.log");
    let failure = fetch(&request(&[&log, gone], &out), &Stage::silent()).unwrap_err();
    assert_eq!(failure.code, ExitCode::Retry, "{failure}");
    assert_eq!(Artifact::open(&out).unwrap().digest(), before);

    let own = dir.path().join("own");
    fs::create_dir(&own).unwrap();
    fs::write(own.join("thesis.txt"), "not ours").unwrap();
    let failure = fetch(&request(&[&log], &own), &Stage::silent()).unwrap_err();
    assert_eq!(failure.code, ExitCode::Usage, "{failure}");
    assert_eq!(fs::read_dir(&own).unwrap().count(), 1);
}

#[test]
fn a_url_is_fetched_by_whoever_may_and_its_secrets_are_in_no_manifest() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/web/access.log?token=secret", listener.local_addr().unwrap());
    let (sender, heads) = mpsc::channel();
    let server = thread::spawn(move || {
        for answer in ["HTTP/1.1 401 Unauthorized\r\nContent-Length: 0", "HTTP/1.1 200 OK\r\nContent-Length: 4"] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() > 0 {
                head.push(byte[0]);
            }
            sender.send(String::from_utf8(head).unwrap()).unwrap();
            let body = if answer.contains("200") { "one\n" } else { "" };
            stream.write_all(format!("{answer}\r\nConnection: close\r\n\r\n{body}").as_bytes()).unwrap();
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("logs");
    let mut request = request(&[Path::new(&url)], &out);
    let refused = fetch(&request, &Stage::silent()).unwrap_err();
    assert_eq!(refused.code, ExitCode::Input);
    assert!(refused.hint.unwrap().contains("--authorization-file"));
    assert!(!heads.recv().unwrap().to_lowercase().contains("authorization"));

    request.settings.authorization = Some(HeaderValue::from_static("Bearer 42"));
    let fetched = fetch(&request, &Stage::silent()).unwrap();
    server.join().unwrap();
    assert!(heads.recv().unwrap().to_lowercase().contains("authorization: bearer 42"));
    assert_eq!(fetched.artifact.read("logs/0001-access.log").unwrap(), b"one\n");
    let manifest = fs::read_to_string(out.join("manifest.json")).unwrap();
    assert!(
        manifest.contains("/web/access.log") && !manifest.contains("secret") && !manifest.contains("42\""),
        "{manifest}"
    );
}
