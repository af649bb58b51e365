//! A data set from a publisher to a directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use weir_contract::{Classify, Digest, ExitCode};
use weir_fetch::{DATASETS, FETCH, FetchError, Fetched, Record, Request, Watcher, fetch};
use weir_stage::Stage;

use crate::archives::{assuremoss, borrowed, zip};
use crate::downloads::{bytes, impatient, names};
use crate::server::{Reply, Server};

const ETAG: &str = "\"one\"";

fn request<'a>(dir: &Path, url: &str) -> Request<'a> {
    Request {
        dataset: &DATASETS[0],
        dir: dir.join("data"),
        url: url.to_owned(),
        keep_archive: false,
        force: false,
        now: "2026-03-02T08:00:00Z".to_owned(),
        settings: impatient(),
    }
}

fn run(request: &Request<'_>) -> Result<Fetched, FetchError> {
    fetch(request, &mut Watcher::new(&AtomicBool::new(false), &mut |_| ()))
}

fn serving(archive: Vec<u8>) -> Server {
    Server::start(move |request, _| Reply::correct(request, &archive, ETAG))
}

/// The names that a complete fetch leaves, sorted.
fn complete() -> Vec<String> {
    let mut names: Vec<String> = DATASETS[0].files.iter().map(|file| file.name.to_owned()).collect();
    names.push(FETCH.to_owned());
    names.sort();
    names
}

#[test]
fn a_fetch_leaves_the_files_and_the_record_of_where_they_came_from() {
    let files = assuremoss(3);
    let archive = zip(&[borrowed(&files), vec![("DATA.xml", b"<x/>".as_slice())]].concat());
    let (bytes, sha256) = (archive.len() as u64, Digest::of(&archive));
    let server = serving(archive);
    let dir = tempfile::tempdir().unwrap();
    let request = request(dir.path(), &server.url("/versions/1"));
    let fetched = run(&request).unwrap();
    assert_eq!(names(&request.dir), complete());
    for (name, bytes) in &files {
        assert_eq!(&fs::read(request.dir.join(name)).unwrap(), bytes);
    }

    let record: Record = serde_json::from_slice(&fs::read(request.dir.join(FETCH)).unwrap()).unwrap();
    assert_eq!(record, fetched.record);
    assert_eq!((record.archive.bytes, record.archive.sha256), (bytes, sha256));
    assert_eq!((record.url.as_str(), record.fetched.as_str()), (request.url.as_str(), "2026-03-02T08:00:00Z"));
    assert_eq!(
        (record.licence.as_str(), record.left_in_archive.as_slice()),
        ("CC-BY-4.0", ["DATA.xml".to_owned()].as_slice())
    );
    assert!(
        record.attribution.contains("Learning State Machines")
            && record.attribution.contains("10.1145/3538969.3543810")
    );
    let member = &record.members[2];
    assert_eq!((member.name.as_str(), member.rows), ("elastic_february2022_data.csv", 3));
    assert_eq!(member.sha256, Digest::of(&files[2].1));
    assert_eq!(fetched.warnings.len(), 5);
    assert_eq!(fetched.warnings[2], "elastic_february2022_data.csv has 3 records instead of 398414");
    assert_eq!(fetched.warnings[4], "DATA.xml is not a file of assuremoss and was left packed");
}

#[test]
fn what_is_there_is_not_fetched_again_and_what_is_lost_is() {
    let files = assuremoss(2);
    let server = serving(zip(&borrowed(&files)));
    let dir = tempfile::tempdir().unwrap();
    let request = request(dir.path(), &server.url("/"));
    let first = run(&request).unwrap();
    assert!(!first.unchanged);
    let second = run(&Request { now: "2027-01-01T00:00:00Z".to_owned(), ..request.clone() }).unwrap();
    assert!(second.unchanged);
    assert_eq!((second.record, server.requests().len()), (first.record, 1));

    fs::write(request.dir.join(files[1].0), b"edited").unwrap();
    assert!(!run(&request).unwrap().unchanged);
    assert_eq!(server.requests().len(), 2);
    assert_eq!(fs::read(request.dir.join(files[1].0)).unwrap(), files[1].1);
}

#[test]
fn a_kept_archive_serves_without_the_network() {
    let files = assuremoss(2);
    let server = serving(zip(&borrowed(&files)));
    let dir = tempfile::tempdir().unwrap();
    let request = Request { keep_archive: true, ..request(dir.path(), &server.url("/")) };
    run(&request).unwrap();
    assert!(names(&request.dir).contains(&"assuremoss.zip".to_owned()));
    fs::remove_file(request.dir.join(files[0].0)).unwrap();
    let second = run(&Request { url: "http://127.0.0.1:1/".to_owned(), ..request.clone() }).unwrap();
    assert_eq!((server.requests().len(), second.record.url), (1, request.url.clone()));
    assert_eq!(fs::read(request.dir.join(files[0].0)).unwrap(), files[0].1);

    run(&Request { force: true, ..request.clone() }).unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn an_archive_packed_anew_is_fine_but_other_files_need_force() {
    let (files, others) = (assuremoss(2), assuremoss(3));
    let mut reversed = borrowed(&files);
    reversed.reverse();
    let replies = [zip(&borrowed(&files)), zip(&reversed), zip(&borrowed(&others)), zip(&borrowed(&others))];
    let server = Server::start(move |_, number| Reply::whole(&replies[number], ETAG));
    let dir = tempfile::tempdir().unwrap();
    let request = request(dir.path(), &server.url("/"));
    let lose = || fs::remove_file(request.dir.join(files[0].0)).unwrap();
    let first = run(&request).unwrap().record;

    lose();
    let second = run(&request).unwrap().record;
    assert_eq!(first.members, second.members);
    assert_ne!(first.archive.sha256, second.archive.sha256);

    lose();
    let error = run(&request).unwrap_err();
    let (expected, received) = (Digest::of(&files[0].1), Digest::of(&others[0].1));
    let archive = request.dir.join("assuremoss.zip");
    let text = format!("{} of {} has SHA-256 {received} instead of {expected}", files[0].0, archive.display());
    assert_eq!(error.to_string(), text);
    assert!(error.hint().unwrap().contains("--force"));
    assert!(!request.dir.join(files[0].0).exists());

    run(&Request { force: true, ..request.clone() }).unwrap();
    assert_eq!(fs::read(request.dir.join(files[0].0)).unwrap(), others[0].1);
    assert_eq!(names(&request.dir), complete());
}

#[test]
fn a_fetch_that_was_cut_off_goes_on() {
    let mut files = assuremoss(2);
    files[0].1 = bytes(50_000);
    let archive = zip(&borrowed(&files));
    let sent = archive.clone();
    let server = Server::start(move |request, number| {
        let reply = Reply::correct(request, &sent, ETAG);
        if number < 3 { reply.cut(5_000) } else { reply }
    });
    let dir = tempfile::tempdir().unwrap();
    let request = request(dir.path(), &server.url("/"));
    let error = run(&request).unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::Retry);
    assert_eq!(names(&request.dir), ["assuremoss.zip.part", "assuremoss.zip.part.json"]);
    run(&request).unwrap();
    assert_eq!(server.requests()[3].header("range"), Some("bytes=15000-"));
    assert_eq!(names(&request.dir), complete());
}

#[test]
fn a_page_that_comes_instead_is_not_kept() {
    let server = serving(b"<html>moved</html>".to_vec());
    let dir = tempfile::tempdir().unwrap();
    let request = request(dir.path(), &server.url("/"));
    let error = run(&request).unwrap_err().to_string();
    assert!(error.contains("it begins with \"<html>moved</html>\""), "{error}");
    assert!(names(&request.dir).is_empty());
}

#[test]
fn an_archive_with_other_files_is_kept_for_whoever_unpacks_it_by_hand() {
    let server = serving(zip(&[("benign.csv", b"a"), ("malicious.csv", b"b")]));
    let dir = tempfile::tempdir().unwrap();
    let request = request(dir.path(), &server.url("/"));
    let error = run(&request).unwrap_err();
    let archive = request.dir.join("assuremoss.zip");
    let reason = "it does not hold elastic_may2021_benign_data.csv, but benign.csv, malicious.csv";
    assert_eq!(error.to_string(), format!("cannot unpack {}: {reason}", archive.display()));
    assert_eq!(names(&request.dir), ["assuremoss.zip"]);
}

#[test]
fn a_record_that_cannot_be_read_is_not_ignored() {
    let server = serving(zip(&borrowed(&assuremoss(2))));
    let dir = tempfile::tempdir().unwrap();
    let request = request(dir.path(), &server.url("/"));
    run(&request).unwrap();
    let path: PathBuf = request.dir.join(FETCH);
    let text = fs::read_to_string(&path).unwrap().replace("\"format_version\": 1", "\"format_version\": 2");
    fs::write(&path, text).unwrap();
    let error = run(&request).unwrap_err();
    let reason = "format version 2, this build knows version 1";
    assert_eq!(error.to_string(), format!("{} is corrupt: {reason}", path.display()));
    assert_eq!(error.exit_code(), ExitCode::Input);
    assert!(!run(&Request { force: true, ..request.clone() }).unwrap().unchanged);
}

#[test]
fn where_the_publisher_says_no_the_command_says_how_to_do_it_by_hand() {
    use clap::Parser;
    let server = Server::start(|_, _| Reply::new("404 Not Found").with("Content-Length", 0));
    let dir = tempfile::tempdir().unwrap();
    let (to, url) = (dir.path().join("data").display().to_string(), server.url("/gone"));
    let args = weir_fetch::Args::parse_from(["fetch", "assuremoss", "--to", &to, "--url", &url]);
    let failure = weir_fetch::command(args, &Stage::silent()).unwrap_err();
    assert_eq!((failure.code, failure.message), (ExitCode::Input, format!("{url} answers 404 Not Found")));
    let page = "https://data.4tu.nl/datasets/629887f7-f6aa-4d77-b0db-83822a92c582/1";
    let hint = format!(
        "if it has moved, give its new place with --url, or download it by hand from {page} and unzip its CSV files into {to}"
    );
    assert_eq!(failure.hint.unwrap(), hint);
    assert!(names(Path::new(&to)).is_empty());
}
