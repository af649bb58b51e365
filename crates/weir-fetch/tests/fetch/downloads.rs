//! What a download makes of servers, good and bad.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use weir_contract::{Classify, Digest, ExitCode};
use weir_fetch::{Download, Downloaded, Event, Expected, FetchError, Retry, Settings, Watcher, download};

use crate::server::{Reply, Request, Server};

const ETAG: &str = "\"one\"";

/// Bytes that do not repeat and cannot be compressed.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    let scramble = |i: u64| (i ^ (i >> 7)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (0..length as u64).map(|i| (scramble(scramble(i + 1) >> 20) >> 56) as u8).collect()
}

/// Settings with short pauses; for a stall is taken what no busy machine does to a server that answers.
pub(crate) fn impatient() -> Settings {
    let [first, longest, retry_after] = [1, 2, 300].map(Duration::from_millis);
    Settings {
        connect: Duration::from_secs(30),
        stall: Duration::from_secs(30),
        retry: Retry { attempts: 3, first, longest, retry_after },
        ..Settings::default()
    }
}

/// A directory with one file to download.
struct Place {
    dir: tempfile::TempDir,
    settings: Settings,
    expected: Expected,
    retries: RefCell<Vec<String>>,
    waits: RefCell<Vec<Duration>>,
}

impl Place {
    fn new() -> Self {
        let (dir, settings) = (tempfile::tempdir().unwrap(), impatient());
        Self { dir, settings, expected: Expected::default(), retries: RefCell::default(), waits: RefCell::default() }
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("file")
    }

    fn get(&self, url: &str) -> Result<Downloaded, FetchError> {
        let to = self.file();
        let request = Download { url, to: &to, expected: self.expected, settings: &self.settings };
        download(
            &request,
            &mut Watcher::new(&AtomicBool::new(false), &mut |event| {
                if let Event::Retry { reason, wait } = event {
                    self.retries.borrow_mut().push(reason.to_owned());
                    self.waits.borrow_mut().push(wait);
                }
            }),
        )
    }

    /// Names in the directory, sorted.
    fn names(&self) -> Vec<String> {
        names(self.dir.path())
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.dir.path().join(name)).unwrap()
    }

    #[track_caller]
    fn holds_only(&self, file: &[u8]) {
        assert_eq!(self.names(), ["file"]);
        assert!(self.read("file") == file, "the file has other bytes than were sent");
    }

    /// The part and its note are there, the file is not.
    #[track_caller]
    fn holds_part(&self, part: &[u8]) {
        assert_eq!(self.names(), ["file.part", "file.part.json"]);
        assert!(self.read("file.part") == part, "the part has other bytes than were sent");
    }
}

pub(crate) fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn ranges(server: &Server) -> Vec<Option<String>> {
    server.requests().iter().map(|request| request.header("range").map(str::to_owned)).collect()
}

#[test]
fn a_file_arrives_with_its_digest() {
    let file = bytes(100_000);
    let sent = file.clone();
    let server = Server::start(move |request, _| Reply::correct(request, &sent, ETAG));
    let place = Place::new();
    let downloaded = place.get(&server.url("/file")).unwrap();
    assert_eq!(downloaded, Downloaded { bytes: 100_000, sha256: Digest::of(&file), resumed: 0, attempts: 1 });
    place.holds_only(&file);
    let request = &server.requests()[0];
    assert_eq!((request.path(), request.header("accept-encoding")), ("/file", Some("identity")));
}

#[test]
fn localhost_is_known_without_a_name_server() {
    let server = Server::start(|_, _| Reply::whole(b"here", ETAG));
    let place = Place::new();
    place.get(&format!("http://localhost:{}/", server.port())).unwrap();
    place.holds_only(b"here");
}

#[test]
fn an_empty_file_is_a_file() {
    let server = Server::start(|_, _| Reply::whole(b"", ETAG));
    let place = Place::new();
    assert_eq!(place.get(&server.url("/")).unwrap().bytes, 0);
    place.holds_only(b"");
}

#[test]
fn a_broken_connection_goes_on_where_it_broke() {
    let file = bytes(10_000);
    let sent = file.clone();
    let server = Server::start(move |request, number| {
        let reply = Reply::correct(request, &sent, ETAG);
        [4_000, 3_000, 10_000].get(number).map(|&bytes| reply.cut(bytes)).unwrap()
    });
    let place = Place::new();
    let downloaded = place.get(&server.url("/")).unwrap();
    assert_eq!(downloaded, Downloaded { bytes: 10_000, sha256: Digest::of(&file), resumed: 0, attempts: 3 });
    place.holds_only(&file);
    assert_eq!(ranges(&server), [None, Some("bytes=4000-".to_owned()), Some("bytes=7000-".to_owned())]);
    assert_eq!(server.requests()[2].header("if-range"), Some(ETAG));
    let retries = place.retries.borrow();
    assert!(retries[0].starts_with("the connection breaks after 4000 of 10000 bytes: "), "{retries:?}");
}

#[test]
fn after_giving_up_the_same_command_goes_on() {
    let file = bytes(10_000);
    let sent = file.clone();
    let server = Server::start(move |request, number| {
        let reply = Reply::correct(request, &sent, ETAG);
        if number < 3 { reply.cut(1_000) } else { reply }
    });
    let place = Place::new();
    let url = server.url("/");
    let error = place.get(&url).unwrap_err();
    let part = place.dir.path().join("file.part");
    let (text, begin) =
        (error.to_string(), format!("failed to download {url} in 3 attempts: the connection breaks after "));
    assert!(text.starts_with(&begin), "{text}");
    assert!(text.ends_with(&format!("; 3000 of 10000 bytes are kept as {}", part.display())), "{text}");
    assert_eq!(error.exit_code(), ExitCode::Retry);
    assert_eq!(error.hint().unwrap(), "start the same command again: it goes on where this one stopped");
    place.holds_part(&file[..3_000]);

    let downloaded = place.get(&url).unwrap();
    assert_eq!(downloaded, Downloaded { bytes: 10_000, sha256: Digest::of(&file), resumed: 3_000, attempts: 1 });
    place.holds_only(&file);
    assert_eq!(server.requests()[3].header("range"), Some("bytes=3000-"));
}

#[test]
fn attempts_that_bring_much_are_not_failures() {
    let file = bytes(8 << 20);
    let sent = file.clone();
    let server = Server::start(move |request, _| Reply::correct(request, &sent, ETAG).cut((1 << 20) + 1));
    let place = Place::new();
    assert_eq!(place.get(&server.url("/")).unwrap().attempts, 8);
    place.holds_only(&file);
}

#[test]
fn a_server_that_ignores_ranges_sends_everything_again() {
    let file = bytes(10_000);
    let sent = file.clone();
    let server = Server::start(move |_, number| Reply::whole(&sent, ETAG).cut([4_000, 10_000][number]));
    let place = Place::new();
    place.get(&server.url("/")).unwrap();
    place.holds_only(&file);
    assert_eq!(ranges(&server), [None, Some("bytes=4000-".to_owned())]);
}

#[test]
fn a_file_that_changed_in_between_is_never_mixed() {
    let (old, new) = (bytes(10_000), bytes(12_000).into_iter().map(|byte| !byte).collect::<Vec<_>>());
    for honours_if_range in [true, false] {
        let (before, now) = (old.clone(), new.clone());
        let server = Server::start(move |request, number| match number {
            0 => Reply::whole(&before, ETAG).cut(4_000),
            // Sends the rest of the new file, though asked for that of the old one only.
            1 if !honours_if_range => Reply::rest(&now, 4_000, "\"two\""),
            _ => Reply::correct(request, &now, "\"two\""),
        });
        let place = Place::new();
        let downloaded = place.get(&server.url("/")).unwrap();
        assert_eq!(downloaded.sha256, Digest::of(&new));
        place.holds_only(&new);
        if !honours_if_range {
            assert_eq!(place.retries.borrow()[1], "the file has changed: begins again");
            assert_eq!(ranges(&server)[2], None);
        }
    }
}

#[test]
fn another_range_than_asked_for_is_refused() {
    let file = bytes(10_000);
    let wrong = ["bytes 3000-9999/10000", "bytes 4000-8999/10000", "bytes 4000-9999/10001", "bytes 4000-9999/*", "x"];
    for range in wrong {
        let sent = file.clone();
        let server = Server::start(move |request, number| match number {
            0 => Reply::whole(&sent, ETAG).cut(4_000),
            1 => Reply::rest(&sent, 4_000, ETAG).without("Content-Range").with("Content-Range", range),
            _ => Reply::correct(request, &sent, ETAG),
        });
        let place = Place::new();
        place.get(&server.url("/")).unwrap();
        place.holds_only(&file);
        let expected = format!("asked for bytes 4000- of 10000, the server sends {range:?}: begins again");
        assert_eq!(place.retries.borrow()[1], expected);
        assert_eq!(ranges(&server)[2], None);
    }
}

#[test]
fn a_part_longer_than_the_servers_file_begins_again() {
    let file = bytes(3_000);
    let (long, sent) = (bytes(10_000), file.clone());
    let server = Server::start(move |request, number| match (number, request.header("range")) {
        (0, _) => Reply::whole(&long, ETAG).cut(4_000),
        (_, Some(_)) => Reply::rest(&sent, 4_000, ETAG),
        _ => Reply::whole(&sent, ETAG),
    });
    let place = Place::new();
    place.get(&server.url("/")).unwrap();
    place.holds_only(&file);
    assert_eq!(place.retries.borrow()[1], "the server's file is shorter than what is here: begins again");
}

#[test]
fn a_length_that_is_too_long_is_a_broken_connection() {
    let server = Server::start(|request, _| {
        let first = request.header("range").map_or(0, |_| 1_000);
        let reply = if first == 0 { Reply::new("200 OK") } else { Reply::new("206 Partial Content") };
        let reply = if first == 0 { reply } else { reply.with("Content-Range", "bytes 1000-1999/2000") };
        let body = if first == 0 { bytes(1_000) } else { Vec::new() };
        reply.with("ETag", ETAG).with("Content-Length", 2_000 - first).body(&body)
    });
    let place = Place::new();
    let error = place.get(&server.url("/")).unwrap_err().to_string();
    assert!(error.contains("the connection breaks after 1000 of 2000 bytes"), "{error}");
    place.holds_part(&bytes(1_000));
}

#[test]
fn a_length_that_is_too_short_is_found_by_what_was_expected() {
    let server = Server::start(|_, _| Reply::new("200 OK").with("Content-Length", 1_000).body(&bytes(2_000)));
    let url = server.url("/");
    let mut place = Place::new();
    place.expected.bytes = Some(2_000);
    assert_eq!(place.get(&url).unwrap_err().to_string(), format!("{url} has 1000 bytes instead of 2000"));
    assert!(place.names().is_empty());

    let mut place = Place::new();
    let [expected, received] = [2_000, 1_000].map(|length| Digest::of(&bytes(length)));
    place.expected.sha256 = Some(expected);
    let error = place.get(&url).unwrap_err();
    assert_eq!(error.to_string(), format!("{url} has SHA-256 {received} instead of {expected}"));
    assert_eq!(error.exit_code(), ExitCode::Input);
    assert!(place.names().is_empty());
}

#[test]
fn more_bytes_than_the_range_begin_again() {
    let file = bytes(2_000);
    let sent = file.clone();
    let server = Server::start(move |request, number| match number {
        0 => Reply::whole(&sent, ETAG).cut(1_000),
        1 => Reply::rest(&sent, 1_000, ETAG).body(&bytes(1_500)).chunked(),
        _ => Reply::correct(request, &sent, ETAG),
    });
    let place = Place::new();
    place.get(&server.url("/")).unwrap();
    place.holds_only(&file);
    assert_eq!(place.retries.borrow()[1], "the server sends more than 2000 bytes: begins again");
}

#[test]
fn a_length_that_is_not_told_is_no_obstacle_but_a_chunk_that_is_missing_is() {
    let file = bytes(2_000);
    let sent = file.clone();
    let server = Server::start(move |_, number| {
        let reply = Reply::whole(&sent, ETAG).chunked();
        if number == 0 { reply.cut(1_500) } else { reply }
    });
    let place = Place::new();
    assert_eq!(place.get(&server.url("/")).unwrap().attempts, 2);
    place.holds_only(&file);
}

#[test]
fn without_a_validator_nothing_is_continued() {
    for headers in [vec![], vec![("ETag", "W/\"weak\"")]] {
        let file = bytes(2_000);
        let sent = file.clone();
        let server = Server::start(move |_, number| {
            let reply = headers.iter().fold(Reply::new("200 OK"), |reply, (name, value)| reply.with(name, value));
            let reply = reply.with("Content-Length", sent.len()).body(&sent);
            if number < 3 { reply.cut(500) } else { reply }
        });
        let place = Place::new();
        let hint = place.get(&server.url("/")).unwrap_err().hint().unwrap();
        assert!(hint.starts_with("start the same command again: it begins anew, since the server"), "{hint}");
        assert_eq!(place.get(&server.url("/")).unwrap().resumed, 0);
        place.holds_only(&file);
        assert_eq!(ranges(&server), [None, None, None, None]);
    }
}

#[test]
fn with_an_expected_digest_everything_is_continued_and_a_mixture_is_found() {
    let file = bytes(2_000);
    for changed in [false, true] {
        let sent = file.clone();
        let server = Server::start(move |request, number| match request.header("range") {
            None => Reply::whole(&sent, ETAG).without("ETag").cut(500),
            Some(_) if changed => Reply::rest(&vec![0; 2_000], 500, ETAG).without("ETag"),
            Some(_) => Reply::rest(&sent, 500 * number, ETAG).without("ETag"),
        });
        let mut place = Place::new();
        place.expected.sha256 = Some(Digest::of(&file));
        let downloaded = place.get(&server.url("/"));
        if changed {
            assert!(matches!(downloaded, Err(FetchError::Digest { .. })), "{downloaded:?}");
            assert!(place.names().is_empty());
        } else {
            assert_eq!(downloaded.unwrap().attempts, 2);
            place.holds_only(&file);
        }
    }
}

#[test]
fn a_date_is_a_validator_too() {
    const DATE: &str = "Tue, 02 Mar 2021 08:00:00 GMT";
    let file = bytes(2_000);
    let sent = file.clone();
    let server = Server::start(move |_, number| match number {
        0 => Reply::whole(&sent, "W/\"weak\"").with("Last-Modified", DATE).cut(500),
        _ => Reply::rest(&sent, 500, "W/\"weak\""),
    });
    let place = Place::new();
    place.get(&server.url("/")).unwrap();
    place.holds_only(&file);
    assert_eq!(server.requests()[1].header("if-range"), Some(DATE));
}

#[test]
fn what_authorization_says_is_for_the_server_that_was_named() {
    let other = Server::start(|_, _| Reply::whole(b"found", ETAG));
    let next = other.url("/file");
    let server = Server::start(move |_, _| Reply::new("302 Found").with("Location", &next).with("Content-Length", 0));
    let mut place = Place::new();
    place.settings.authorization = Some("Bearer secret".try_into().unwrap());
    place.get(&server.url("/file")).unwrap();
    assert_eq!(server.requests()[0].header("authorization"), Some("Bearer secret"));
    assert_eq!(other.requests()[0].header("authorization"), None);
}

#[test]
fn redirects_are_followed_and_loops_are_not() {
    let server = Server::start(|request, _| match request.path() {
        "/a" => Reply::new("302 Found").with("Location", "/b").with("Content-Length", 0),
        "/b" => Reply::new("307 Temporary Redirect").with("Location", "/file").with("Content-Length", 0),
        "/loop" => Reply::new("302 Found").with("Location", "/pool").with("Content-Length", 0),
        "/pool" => Reply::new("302 Found").with("Location", "/loop").with("Content-Length", 0),
        "/file" => Reply::whole(b"found", ETAG),
        path => {
            let next = format!("/{}", path[1..].parse::<u32>().unwrap() + 1);
            Reply::new("302 Found").with("Location", next).with("Content-Length", 0)
        }
    });
    let place = Place::new();
    assert_eq!(place.get(&server.url("/a")).unwrap().attempts, 1);
    place.holds_only(b"found");
    fs::remove_file(place.file()).unwrap();

    let url = server.url("/loop");
    let error = place.get(&url).unwrap_err();
    assert_eq!(error.to_string(), format!("{url} redirects badly: a loop over {url}"));
    assert_eq!(error.exit_code(), ExitCode::Input);
    let url = server.url("/1");
    assert_eq!(place.get(&url).unwrap_err().to_string(), format!("{url} redirects badly: more than 10 redirects"));
    assert!(place.names().is_empty());
}

#[test]
fn a_server_that_is_busy_is_asked_again_when_it_says() {
    let server = Server::start(|_, number| match number {
        0 => Reply::new("503 Service Unavailable").with("Retry-After", 1).with("Content-Length", 0),
        1 => Reply::new("429 Too Many Requests").with("Content-Length", 0),
        _ => Reply::whole(b"now", ETAG),
    });
    let place = Place::new();
    let begin = Instant::now();
    place.get(&server.url("/")).unwrap();
    // A second was asked for, the settings allow 0.3; where nothing is asked for, the pauses are our own.
    assert_eq!(*place.waits.borrow(), [300, 2].map(Duration::from_millis));
    assert!(begin.elapsed() >= Duration::from_millis(300));
    place.holds_only(b"now");
    let told = ["the server answers 503 Service Unavailable", "the server answers 429 Too Many Requests"];
    assert_eq!(*place.retries.borrow(), told);
}

#[test]
fn a_no_is_final() {
    for status in
        ["404 Not Found", "403 Forbidden", "401 Unauthorized", "202 Accepted", "204 No Content", "304 Not Modified"]
    {
        let server = Server::start(move |_, _| Reply::new(status).with("Content-Length", 0));
        let url = server.url("/file");
        let place = Place::new();
        let error = place.get(&url).unwrap_err();
        assert_eq!(error.to_string(), format!("{url} answers {status}"));
        assert_eq!(error.exit_code(), ExitCode::Input);
        assert_eq!((server.requests().len(), place.names()), (1, Vec::new()));
    }
}

#[test]
fn a_server_error_that_stays_is_told_with_its_code() {
    let server = Server::start(|_, _| Reply::new("500 Internal Server Error").with("Content-Length", 0));
    let (place, url) = (Place::new(), server.url("/"));
    let error = place.get(&url).unwrap_err();
    let expected = format!("failed to download {url} in 3 attempts: the server answers 500 Internal Server Error");
    assert_eq!(error.to_string(), expected);
    assert!(error.hint().unwrap().contains("--proxy"));
}

#[test]
fn a_stall_ends_the_attempt_but_a_slow_file_may_take_longer() {
    let file = bytes(2_000);
    let sent = file.clone();
    let server = Server::start(move |request, number| match number {
        0 => Reply::correct(request, &sent, ETAG).cut(500).stall(),
        // Twice the limit for a stall, but never as long without a byte.
        _ => Reply::correct(request, &sent, ETAG).drip(215, Duration::from_millis(600)),
    });
    let mut place = Place::new();
    place.settings.stall = Duration::from_secs(2);
    place.get(&server.url("/")).unwrap();
    place.holds_only(&file);
    assert_eq!(*place.retries.borrow(), ["the server stalls after 500 of 2000 bytes"]);
}

#[test]
fn a_server_that_says_nothing_is_left() {
    let server = Server::start(|request, _| match request.path() {
        "/silent" => Reply::new("100 Continue").stall(),
        _ => unreachable!(),
    });
    let mut place = Place::new();
    place.settings.stall = Duration::from_millis(300);
    let error = place.get(&server.url("/silent")).unwrap_err().to_string();
    assert!(error.contains("in 3 attempts: the server does not answer"), "{error}");
}

#[test]
fn nobody_at_the_port_is_a_failure_that_may_pass() {
    let place = Place::new();
    let error = place.get("http://127.0.0.1:1/").unwrap_err();
    let text = error.to_string();
    assert!(text.contains("in 3 attempts: error sending request: "), "{text}");
    assert!(text.contains("Connection refused"), "{text}");
    assert_eq!((error.exit_code(), place.names()), (ExitCode::Retry, Vec::new()));
}

#[test]
fn ctrl_c_leaves_the_part_even_while_the_server_stalls() {
    let file = bytes(2_000);
    let sent = file.clone();
    let server = Server::start(move |request, number| {
        let reply = Reply::correct(request, &sent, ETAG);
        if number == 0 { reply.cut(500).stall() } else { reply }
    });
    let mut place = Place::new();
    place.settings.stall = Duration::from_secs(60);
    let (to, url) = (place.file(), server.url("/"));
    let request = Download { url: &url, to: &to, expected: Expected::default(), settings: &place.settings };
    let cancelled = AtomicBool::new(false);
    let begin = Instant::now();
    let stopped = download(
        &request,
        &mut Watcher::new(&cancelled, &mut |event| {
            if event == (Event::Downloaded { done: 500, total: Some(2_000) }) {
                cancelled.store(true, Ordering::SeqCst);
            }
        }),
    );
    assert!(matches!(stopped, Err(FetchError::Interrupted)), "{stopped:?}");
    assert!(begin.elapsed() < place.settings.stall / 2);
    place.holds_part(&file[..500]);
    assert_eq!(place.get(&url).unwrap().resumed, 500);
    place.holds_only(&file);
}

#[test]
fn a_part_of_something_else_is_not_continued() {
    let file = bytes(2_000);
    let sent = file.clone();
    let server = Server::start(move |request, _| Reply::correct(request, &sent, ETAG));
    let other = r#"{"url":"http://127.0.0.1:1/","etag":"\"one\"","last_modified":null,"total":2000}"#;
    for note in [Some(other), Some("{"), None] {
        let place = Place::new();
        fs::write(place.dir.path().join("file.part"), b"other bytes").unwrap();
        if let Some(note) = note {
            fs::write(place.dir.path().join("file.part.json"), note).unwrap();
        }
        assert_eq!(place.get(&server.url("/")).unwrap().resumed, 0);
        place.holds_only(&file);
    }
    assert_eq!(ranges(&server), [None, None, None]);
}

#[test]
fn a_whole_part_only_needs_its_name() {
    let file = bytes(2_000);
    let place = Place::new();
    // Nobody listens: no request is made.
    let url = "http://127.0.0.1:1/";
    fs::write(place.dir.path().join("file.part"), &file).unwrap();
    let note = r#"{"url":"http://127.0.0.1:1/","etag":null,"last_modified":null,"total":2000}"#;
    fs::write(place.dir.path().join("file.part.json"), note).unwrap();
    let downloaded = place.get(url).unwrap();
    assert_eq!(downloaded, Downloaded { bytes: 2_000, sha256: Digest::of(&file), resumed: 2_000, attempts: 0 });
    place.holds_only(&file);
}

#[test]
fn two_downloads_of_one_file_do_not_write_over_each_other() {
    let server = Server::start(|_, _| Reply::whole(b"once", ETAG));
    let place = Place::new();
    let part = place.dir.path().join("file.part");
    let held = fs::File::create(&part).unwrap();
    held.lock().unwrap();
    let error = place.get(&server.url("/")).unwrap_err();
    assert_eq!(error.to_string(), format!("{} is being written by another process", part.display()));
    drop(held);
    place.get(&server.url("/")).unwrap();
    place.holds_only(b"once");
}

#[test]
fn a_full_disk_and_a_wrong_path_are_named() {
    let server = Server::start(|_, _| Reply::whole(b"much", ETAG));
    let place = Place::new();
    let part = place.dir.path().join("file.part");
    std::os::unix::fs::symlink("/dev/full", &part).unwrap();
    let error = place.get(&server.url("/")).unwrap_err();
    assert_eq!(error.to_string(), format!("failed to write {}", part.display()));
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "No space left on device (os error 28)");
    assert!(error.hint().unwrap().starts_with("make room on the disk"));
    assert_eq!(error.exit_code(), ExitCode::Retry);

    fs::create_dir(&part).unwrap();
    let error = place.get(&server.url("/")).unwrap_err();
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "Is a directory (os error 21)");
    assert_eq!(error.exit_code(), ExitCode::Usage);
}

#[test]
fn a_url_that_is_none_is_a_matter_of_usage() {
    let place = Place::new();
    let wrong =
        [("ftp://a.example/x", "ftp is neither https nor http"), ("a.example/x", "relative URL without a base")];
    for (url, reason) in wrong {
        let error = place.get(url).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot download {url:?}: {reason}"));
        assert_eq!(error.exit_code(), ExitCode::Usage);
    }
    assert!(place.names().is_empty());
}

#[test]
fn an_encoding_nobody_asked_for_is_not_taken_for_the_file() {
    let server = Server::start(|_, _| Reply::whole(b"\x1f\x8b", ETAG).with("Content-Encoding", "gzip"));
    let place = Place::new();
    let error = place.get(&server.url("/")).unwrap_err().to_string();
    assert!(error.contains("the server encodes the file as gzip without being asked"), "{error}");
    assert!(place.names().is_empty());
}

#[test]
fn a_proxy_is_asked_for_the_whole_url() {
    let server = Server::start(|_, _| Reply::whole(b"by proxy", ETAG));
    let mut place = Place::new();
    place.settings.proxy = Some(server.url(""));
    place.get("http://publisher.example/file").unwrap();
    place.holds_only(b"by proxy");
    let requests: Vec<Request> = server.requests();
    assert_eq!(requests[0].path(), "http://publisher.example/file");
}
