//! Damaged files: what a decoder promises for any bytes, checked on mutations of the files in `tests/data`.

use std::fs;
use std::io::{self, Read};

use weir_flows::{Batch, Chunk, FlowReader, Format, Progress, sniff};
use weir_testkit::Random;

/// Where the files are.
pub(crate) const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

/// A file to read or to mutate.
pub(crate) struct Seed {
    pub(crate) name: String,
    pub(crate) format: Format,
    pub(crate) bytes: Vec<u8>,
}

/// The format a file in `tests/data` is named after.
fn format_of(name: &str) -> Format {
    let named = Format::ALL.into_iter().filter(|format| name.starts_with(format.name()));
    named.max_by_key(|format| format.name().len()).unwrap_or_else(|| panic!("{name} starts with no format's name"))
}

/// The uncompressed files in `tests/data`, by name.
pub(crate) fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for entry in fs::read_dir(DATA).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if ![".expected.json", ".flows.jsonl", ".gz", ".zst"].iter().any(|end| name.ends_with(end)) {
            seeds.push(Seed { format: format_of(&name), bytes: fs::read(&path).unwrap(), name });
        }
    }
    seeds.sort_by(|a, b| a.name.cmp(&b.name));
    seeds
}

/// One to four times a byte changed, a piece cut out, doubled, moved or taken from another file, or a field put in that
/// readers trip over.
pub(crate) fn mutate(bytes: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    const FIELDS: [&str; 24] = [
        "",
        "\"",
        "\"\"",
        ",",
        "\t",
        "   ",
        "\n",
        "\r\n",
        "\r",
        "\0",
        "\u{feff}",
        "-",
        "-1",
        "(empty)",
        "nan",
        "1e309",
        "18446744073709551616",
        "0.0000000000001",
        "99999999999999999999.5",
        "{",
        "[",
        "}",
        "\\u0000",
        "#fields",
    ];
    const BYTES: &[u8] = b",;\t|\"\n\r\0 #-.:{}[]\\09\xff";
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = BYTES[random.below(BYTES.len())],
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(random.range(&bytes, 64))),
            4 => {
                let piece = bytes[random.range(&bytes, 300)].to_vec();
                bytes.splice(at..at, piece);
            }
            5 => {
                let piece = other[random.range(other, 300)].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => {
                let (start, end) = field_around(&bytes, at);
                bytes.splice(start..end, FIELDS[random.below(FIELDS.len())].bytes());
            }
        }
    }
    bytes
}

fn field_around(bytes: &[u8], at: usize) -> (usize, usize) {
    let ends = |byte: &u8| b",;\t|\n:".contains(byte);
    let start = bytes[..at].iter().rposition(ends).map_or(0, |before| before + 1);
    (start, bytes[at..].iter().position(ends).map_or(bytes.len(), |after| at + after))
}

/// What holds for any bytes, in whatever format they are said to be.
pub(crate) fn check(bytes: &[u8], format: Format, random: &mut Random) {
    let _ = sniff(bytes);
    let Ok(decoder) = format.decoder(bytes) else {
        assert!(bytes.is_empty() || FlowReader::new(bytes, "mutation", Some(format)).is_err());
        return;
    };
    let head = decoder.head();
    let records = &bytes[head.bytes..];
    let mut whole = Batch::default();
    let chunk = Chunk { bytes: records, first_line: head.lines + 1, end: true };
    let done = decoder.decode(chunk, usize::MAX, &mut whole);
    every_line_is_counted(records, format, done, &whole);

    let mut parts = Batch::default();
    let mut taken = Progress::default();
    let mut given = 0;
    loop {
        let end = given == records.len();
        let chunk = Chunk { bytes: &records[taken.bytes..given], first_line: head.lines + 1 + taken.lines, end };
        let rows = 1 + random.below(3);
        let before = parts.records();
        let done = decoder.decode(chunk, rows, &mut parts);
        assert!(parts.records() - before <= rows, "more than {rows} records");
        (taken.bytes, taken.lines) = (taken.bytes + done.bytes, taken.lines + done.lines);
        if end && taken.bytes == records.len() {
            break;
        }
        assert!(!end || done.bytes > 0, "no progress at the end of the bytes");
        given = (given + random.below(120)).min(records.len());
    }
    assert_eq!((taken.lines, &parts), (done.lines, &whole), "in parts");

    if bytes.is_empty() || bytes == b"\xef\xbb\xbf" {
        return;
    }
    let source = Portions { bytes, portion: 1 + random.below(200) };
    let mut reader = FlowReader::new(source, "mutation", Some(format)).unwrap();
    let (mut read, mut batch) = (Batch::default(), Batch::default());
    while let Some(next) = reader.next_batch(1 + random.below(5)).unwrap() {
        batch.clear();
        batch.append(&next);
        assert_eq!(batch, next, "a cleared batch");
        read.append(&batch);
    }
    assert_eq!(read, whole, "through a reader");
}

/// Flows, rejected, blank lines and skipped make up all lines, where neither quotes nor objects
/// can make a record of several lines.
fn every_line_is_counted(records: &[u8], format: Format, done: Progress, batch: &Batch) {
    let ended = records.iter().filter(|byte| **byte == b'\n').count();
    let lines = ended + usize::from(!records.is_empty() && !records.ends_with(b"\n"));
    // An object may end within a line, so that the bytes behind it are no line of their own.
    assert!(done.bytes == records.len() && (ended as u64..=lines as u64).contains(&done.lines), "{done:?}");
    assert_eq!(batch.flows.len(), batch.lines.len());
    if format != Format::NfdumpJson && !records.contains(&b'"') {
        assert_eq!(batch.records() as u64 + batch.blank + batch.skipped, lines as u64);
    }
    assert!(batch.lines.is_sorted() && batch.rejected.is_sorted_by_key(|rejected| rejected.line));
}

/// Hands out at most `portion` bytes at a time.
struct Portions<'a> {
    bytes: &'a [u8],
    portion: usize,
}

impl Read for Portions<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.portion.min(buffer.len());
        self.bytes.read(&mut buffer[..most])
    }
}
