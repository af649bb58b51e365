//! What comes out of archives, and what does not.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use weir_contract::{Classify, Digest, ExitCode};
use weir_fetch::{Event, FetchError, Unpacked, Watcher, unpack};
use zip::write::SimpleFileOptions;

use crate::archives::{zip, zip_with};
use crate::downloads::{bytes, names};

const A: &[u8] = b"h\n1\n2\n";
const B: &[u8] = b"h\n3";
const WANTED: [(&str, Option<Digest>); 2] = [("a.csv", None), ("b.csv", None)];

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn with(archive: &[u8]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("x.zip"), archive).unwrap();
        Self { dir }
    }

    fn archive(&self) -> PathBuf {
        self.dir.path().join("x.zip")
    }

    fn unpack(&self, wanted: &[(&str, Option<Digest>)]) -> Result<Unpacked, FetchError> {
        let cancelled = AtomicBool::new(false);
        unpack(&self.archive(), self.dir.path(), wanted, &mut Watcher::new(&cancelled, &mut |_| ()))
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.dir.path().join(name)).unwrap()
    }

    /// Nothing is unpacked, with this reason.
    #[track_caller]
    fn refuses(&self, wanted: &[(&str, Option<Digest>)], reason: &str) {
        let error = self.unpack(wanted).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot unpack {}: {reason}", self.archive().display()));
        assert_eq!(error.exit_code(), ExitCode::Input);
        assert_eq!(names(self.dir.path()), ["x.zip"]);
    }
}

#[test]
fn wanted_files_come_out_whole_and_others_stay_in() {
    let place = Place::with(&zip(&[("set/", b""), ("set/b.csv", B), ("set/a.csv", A), ("README.txt", b"hello")]));
    let unpacked = place.unpack(&WANTED).unwrap();
    let found: Vec<_> = unpacked.members.iter().map(|it| (it.name.as_str(), it.bytes, it.rows, it.sha256)).collect();
    assert_eq!(found, [("a.csv", 6, 2, Digest::of(A)), ("b.csv", 3, 1, Digest::of(B))]);
    assert_eq!((unpacked.written, unpacked.left), (2, vec!["README.txt".to_owned()]));
    assert_eq!(names(place.dir.path()), ["a.csv", "b.csv", "x.zip"]);
    assert_eq!((place.read("a.csv"), place.read("b.csv")), (A.to_vec(), B.to_vec()));
}

#[test]
fn what_is_there_is_left_alone_and_what_differs_is_written_again() {
    let place = Place::with(&zip(&[("a.csv", A), ("b.csv", B)]));
    place.unpack(&WANTED).unwrap();
    assert_eq!(place.unpack(&WANTED).unwrap().written, 0);
    // As long as before.
    fs::write(place.dir.path().join("b.csv"), b"h\n4").unwrap();
    assert_eq!(place.unpack(&WANTED).unwrap().written, 1);
    assert_eq!(place.read("b.csv"), B);
}

#[test]
fn an_archive_in_an_archive_is_opened_too() {
    let inner = zip(&[("a.csv", A), ("b.csv", B), ("notes.txt", b"")]);
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let place = Place::with(&zip_with(&[("Data.ZIP", &inner), ("DATA.xml", b"<x/>")], options));
    let unpacked = place.unpack(&WANTED).unwrap();
    assert_eq!(unpacked.left, ["notes.txt", "DATA.xml"]);
    assert_eq!(names(place.dir.path()), ["a.csv", "b.csv", "x.zip"]);
    assert_eq!(place.read("a.csv"), A);
}

#[test]
fn zip64_members_are_read() {
    let long = bytes(300_000);
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated).large_file(true);
    let archive = zip_with(&[("a.csv", &long)], options);
    // The local header defers the sizes to an extra field of kind 1, zip64.
    assert_eq!(archive[18..26], [0xFF; 8]);
    let place = Place::with(&archive);
    place.unpack(&WANTED[..1]).unwrap();
    assert!(place.read("a.csv") == long);
}

#[test]
fn names_that_lead_out_are_refused_even_when_nobody_wants_them() {
    for name in ["../evil.csv", "/tmp/evil.csv", "x/../../evil.csv"] {
        let place = Place::with(&zip(&[("a.csv", A), ("b.csv", B), (name, b"")]));
        place.refuses(&WANTED, &format!("its member {name:?} leads out of the directory"));
    }
}

#[test]
fn links_are_refused() {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.add_symlink("a.csv", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    let place = Place::with(&writer.finish().unwrap().into_inner());
    place.refuses(&WANTED[..1], "its member \"a.csv\" is a link");
}

#[test]
fn a_file_that_is_missing_or_there_twice_is_named() {
    let place = Place::with(&zip(&[("a.csv", A), ("c.csv", B)]));
    place.refuses(&WANTED, "it does not hold b.csv, but a.csv, c.csv");
    let place = Place::with(&zip(&[("a.csv", A), ("b.csv", B), ("old/b.csv", B)]));
    place.refuses(&WANTED, "it holds b.csv more than once");
}

#[test]
fn a_page_instead_of_an_archive_is_shown() {
    let place = Place::with(b"<!DOCTYPE html><html><body>Sorry</body></html>");
    let error = place.unpack(&WANTED).unwrap_err();
    let begins = "\"<!DOCTYPE html><html><body>Sorry\"";
    let expected = format!("{} is no zip archive: it begins with {begins}", place.archive().display());
    assert_eq!((error.to_string(), error.exit_code()), (expected, ExitCode::Input));
}

#[test]
fn half_an_archive_is_none() {
    let archive = zip(&[("a.csv", &bytes(10_000)), ("b.csv", B)]);
    let place = Place::with(&archive[..archive.len() / 2]);
    let error = place.unpack(&WANTED).unwrap_err();
    assert!(matches!(error, FetchError::Archive { .. }), "{error}");
    assert_eq!(names(place.dir.path()), ["x.zip"]);
}

#[test]
fn damaged_bytes_are_found_by_their_crc() {
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut archive = zip_with(&[("a.csv", A), ("b.csv", B)], options);
    let at = archive.windows(A.len()).position(|window| window == A).unwrap();
    archive[at + 2] = b'9';
    Place::with(&archive).refuses(&WANTED, "a.csv is damaged: Invalid checksum");
}

#[test]
fn lengths_that_lie_are_found() {
    let long = bytes(1_000);
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    let archive = zip_with(&[("a.csv", &long)], options);
    for (said, reason) in [
        (999_u32, "a.csv is damaged: File is larger than its declared uncompressed size"),
        (1_001, "a.csv has 1000 bytes instead of 1001"),
    ] {
        let mut archive = archive.clone();
        let central = archive.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
        archive[central + 24..central + 28].copy_from_slice(&said.to_le_bytes());
        let place = Place::with(&archive);
        place.refuses(&WANTED[..1], reason);
    }
}

#[test]
fn a_file_with_another_digest_than_before_does_not_replace_it() {
    let place = Place::with(&zip(&[("a.csv", A)]));
    let before = Digest::of(B);
    fs::write(place.dir.path().join("a.csv"), B).unwrap();
    let error = place.unpack(&[("a.csv", Some(before))]).unwrap_err();
    let (archive, received) = (place.archive(), Digest::of(A));
    assert_eq!(error.to_string(), format!("a.csv of {} has SHA-256 {received} instead of {before}", archive.display()));
    assert_eq!(
        (names(place.dir.path()), place.read("a.csv")),
        (vec!["a.csv".to_owned(), "x.zip".to_owned()], B.to_vec())
    );
}

#[test]
fn ctrl_c_leaves_no_half_file() {
    let place = Place::with(&zip(&[("a.csv", &bytes(1_000_000)), ("b.csv", B)]));
    let cancelled = AtomicBool::new(false);
    let stopped = unpack(
        &place.archive(),
        place.dir.path(),
        &WANTED,
        &mut Watcher::new(&cancelled, &mut |event| {
            assert!(matches!(event, Event::Unpacked { name: "a.csv", total: 1_000_000, .. }));
            cancelled.store(true, Ordering::SeqCst);
        }),
    );
    assert!(matches!(stopped, Err(FetchError::Interrupted)), "{stopped:?}");
    assert_eq!(names(place.dir.path()), ["x.zip"]);
}
