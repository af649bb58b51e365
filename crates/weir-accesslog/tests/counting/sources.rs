//! Files and streams.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::write::GzEncoder;
use weir_accesslog::{Counts, LogError, Settings, Source, count};

fn line(minute: u32, path: &str) -> String {
    format!("192.0.2.7 - - [10/Oct/2023:11:{minute:02}:56 +0200] \"GET /{path} HTTP/1.1\" 200 125 \"-\" \"curl\"\n")
}

fn counted(sources: Vec<Source>) -> Result<Counts, LogError> {
    count(sources, &Settings::default(), |_| true)
}

#[test]
fn rotated_files_are_read_in_the_order_of_their_times_whatever_they_are_called_and_however_packed() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("access.log"), line(30, "c") + &line(31, "c")).unwrap();
    fs::write(path("access.log.1"), zstd::encode_all(line(20, "b").as_bytes(), 3).unwrap()).unwrap();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all((line(10, "a") + "garbage\n" + &line(11, "a")).as_bytes()).unwrap();
    fs::write(path("access.log.2.gz"), gzip.finish().unwrap()).unwrap();
    fs::write(path("empty.log"), "").unwrap();
    let names = ["access.log", "access.log.1", "access.log.2.gz", "empty.log"];
    let counts = counted(names.iter().map(|name| Source::file(&path(name))).collect()).unwrap();
    let read: Vec<&str> = counts.log.sources.iter().map(|source| source.rsplit('/').next().unwrap()).collect();
    assert_eq!(read, ["empty.log", "access.log.2.gz", "access.log.1", "access.log"]);
    assert_eq!((counts.log.lines, counts.log.requests, counts.log.unreadable), (6, 5, 1));
    assert_eq!(counts.log.first, Some(1_696_929_056), "11:10:56 +0200");
    assert_eq!(counts.log.last, counts.log.first.map(|first| first + 21 * 60));
    assert_eq!(counts.clients[0].evidence.requests, 5);
}

#[test]
fn a_digest_sees_the_bytes_of_a_file_once_as_they_are_on_the_disk() {
    struct Tee<R>(R, Arc<Mutex<Vec<u8>>>);
    impl<R: Read> Read for Tee<R> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let new = self.0.read(buffer)?;
            self.1.lock().unwrap().extend_from_slice(&buffer[..new]);
            Ok(new)
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let packed = zstd::encode_all(line(20, "b").repeat(100_000).as_bytes(), 3).unwrap();
    let seen = [Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new()))];
    let sources = seen.iter().zip(["a", "b"]).map(|(seen, name)| {
        let path = directory.path().join(name);
        fs::write(&path, &packed).unwrap();
        let seen = Arc::clone(seen);
        Source::file_through(&path, |file| Box::new(Tee(file, seen)))
    });
    assert_eq!(counted(sources.collect()).unwrap().log.requests, 200_000);
    for seen in &seen {
        assert!(*seen.lock().unwrap() == packed);
    }
}

#[test]
fn a_file_that_is_no_access_log_is_refused() {
    let refused = |text: &str| counted(vec![Source::stream("it", text.as_bytes())]).unwrap_err().to_string();
    assert_eq!(
        refused("one\n\n2021/12/01 13:53:33 [error] 31#31: x\n"),
        "it is no access log: 3 of 3 lines are no requests: no time such as [10/Oct/2000:13:55:36 +0000] before a request \
         in quotes (line 1), an empty line (line 2), a line of an error log (line 3); expected the common or the combined \
         format of Apache and nginx (leave the file out, or set the server's log format)"
    );
    let mostly = line(1, "a").repeat(10) + &"garbage\n".repeat(11);
    assert!(refused(&mostly).starts_with("it is no access log: 11 of 21 lines"));
    let half = line(1, "a").repeat(10) + &"garbage\n".repeat(10);
    let counts = counted(vec![Source::stream("it", half.as_bytes())]).unwrap();
    assert_eq!(counts.log.unreadable_examples.len(), 5);
    let example = &counts.log.unreadable_examples[0];
    assert_eq!((&*example.source, example.line, &*example.text), ("it", 11, "garbage"));
}

#[test]
fn garbage_without_end_is_refused_before_it_is_read() {
    let endless = io::repeat(b'\n');
    assert!(matches!(counted(vec![Source::stream("it", endless)]), Err(LogError::NotALog { .. })));
}

#[test]
fn an_empty_source_is_a_log_without_lines() {
    let counts = counted(vec![Source::stream("it", io::empty())]).unwrap();
    assert_eq!(counts.log.sources, ["it"]);
    assert_eq!((counts.log.lines, counts.log.first, counts.clients.len()), (0, None, 0));
}

#[test]
fn only_the_time_asked_for_is_counted() {
    let text: String = (0..60).map(|minute| line(minute, "a")).collect();
    let first = 1_696_929_056 - 600;
    let settings = Settings { since: Some(first + 60), until: Some(first + 180), ..Settings::default() };
    let log = count(vec![Source::stream("it", text.as_bytes())], &settings, |_| true).unwrap().log;
    assert_eq!((log.lines, log.requests, log.outside), (60, 2, 58));
    assert_eq!((log.first, log.last), (Some(first + 60), Some(first + 120)));
}

#[test]
fn counting_stops_when_told() {
    let text = line(1, "a");
    let stopped = count(vec![Source::stream("it", text.as_bytes())], &Settings::default(), |bytes| bytes == 0);
    assert!(matches!(stopped, Err(LogError::Stopped)));
}

#[test]
fn what_cannot_be_opened_or_unpacked_is_named() {
    let missing = counted(vec![Source::file(Path::new("/nowhere/access.log"))]).unwrap_err().to_string();
    assert_eq!(missing, "cannot open /nowhere/access.log: No such file or directory (os error 2)");
    let damaged = [&[0x1f, 0x8b][..], &[7; 50]].concat();
    let damaged = counted(vec![Source::stream("it.gz", &damaged[..])]).unwrap_err().to_string();
    assert!(damaged.starts_with("cannot read it.gz: the gzip data cannot be unpacked"), "{damaged}");
}

#[test]
fn texts_that_are_shown_have_no_control_characters_and_no_more_than_200_characters() {
    let path = format!("\u{1b}[31m\u{fffd}{}", "ä".repeat(300));
    let text = line(1, &path).repeat(20);
    let counts = counted(vec![Source::stream("it", text.as_bytes())]).unwrap();
    let shown = &counts.clients[0].evidence.top_paths[0].text;
    assert_eq!(*shown, format!("/\\u{{1b}}[31m\u{fffd}{}", "ä".repeat(200 - 12)));
}
