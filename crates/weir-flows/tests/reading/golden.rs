//! The files in `tests/data`, each with its true reading beside it. A file's name starts with its format's.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use weir_contract::flow::Flow;
use weir_flows::{Batch, Format, sniff};

use crate::mutation::{DATA, Seed, seeds};
use crate::show::read_all;

/// The true reading of a file.
#[derive(Debug, Deserialize, PartialEq)]
struct Reading {
    flows: Vec<FlowOfLine>,
    rejected: Vec<Refusal>,
    blank: u64,
    skipped: u64,
}

#[derive(Debug, Deserialize, PartialEq)]
struct FlowOfLine {
    line: u64,
    flow: Flow,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Refusal {
    line: u64,
    reason: String,
}

impl Reading {
    fn of(batch: &Batch) -> Self {
        let flow = |(row, line): (usize, &u64)| FlowOfLine { line: *line, flow: batch.flows.flow(row) };
        let refusal =
            |rejected: &weir_flows::Rejected| Refusal { line: rejected.line, reason: rejected.reason.clone() };
        Self {
            flows: batch.lines.iter().enumerate().map(flow).collect(),
            rejected: batch.rejected.iter().map(refusal).collect(),
            blank: batch.blank,
            skipped: batch.skipped,
        }
    }
}

#[test]
fn every_format_has_a_file() {
    for format in Format::ALL {
        assert!(seeds().iter().any(|seed| seed.format == format), "{format}");
    }
}

#[test]
fn every_file_is_taken_for_what_it_is() {
    for Seed { name, format, bytes } in seeds() {
        assert_eq!(sniff(&bytes), Ok(format), "{name}");
    }
}

#[test]
fn no_file_passes_for_another_format() {
    for Seed { name, format, bytes } in seeds() {
        for other in Format::ALL {
            // A version 3 file has all that version 2 has, and more.
            let is_wider = (format, other) == (Format::NfV3Csv, Format::NfV2Csv);
            assert_eq!(other.sniff(&bytes).is_some(), other == format || is_wider, "{name} as {other}");
        }
    }
}

#[test]
fn every_file_reads_as_is_written_beside_it() {
    for Seed { name, bytes, .. } in seeds() {
        let path = Path::new(DATA).join(format!("{name}.expected.json"));
        if !path.exists() && Path::new(DATA).join(name.replace(".json", ".flows.jsonl")).exists() {
            continue;
        }
        let expected = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let expected: Reading = serde_json::from_str(&expected).unwrap_or_else(|error| panic!("{name}: {error}"));
        let read = Reading::of(&read_all(&*bytes, None, 3).unwrap());
        for (read, expected) in read.flows.iter().zip(&expected.flows) {
            assert_eq!(read, expected, "{name}");
        }
        assert_eq!(read, expected, "{name}");
    }
}
