//! Fixtures of the JSON formats and what they read as.

use std::path::PathBuf;

use weir_flows::{Batch, Format, sniff};

use crate::show::{read, show};

/// Every JSON fixture, its format and how many records of it are passed over.
pub(crate) const FIXTURES: [(&str, Format, u64); 6] = [
    ("packetbeat-json.json", Format::PacketbeatJson, 1),
    ("zeek-json.json", Format::ZeekJson, 1),
    ("suricata-eve.json", Format::SuricataEve, 2),
    ("goflow2-json.json", Format::Goflow2Json, 0),
    ("nfdump-json.json", Format::NfdumpJson, 0),
    ("nfdump-json.lines.json", Format::NfdumpJson, 1),
];

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let path = [env!("CARGO_MANIFEST_DIR"), "tests", "data", name].iter().collect::<PathBuf>();
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// One canonical flow per line.
fn golden(batch: &Batch) -> String {
    let flow = |row| serde_json::to_string(&batch.flows.flow(row)).unwrap() + "\n";
    (0..batch.flows.len()).map(flow).collect()
}

#[test]
fn fixtures_read_as_their_golden_flows() {
    for (name, format, skipped) in FIXTURES {
        let file = fixture(name);
        assert_eq!(sniff(&file), Ok(format), "{name}");
        assert!(name.starts_with(format.name()));
        let batch = read(&file);
        let expected = fixture(&name.replace(".json", ".flows.jsonl"));
        assert_eq!(golden(&batch), String::from_utf8(expected).unwrap(), "{name}");
        assert_eq!((batch.rejected.len(), batch.skipped), (0, skipped), "{name}: {}", show(&batch));
    }
}

#[test]
fn a_fixture_is_in_no_other_format() {
    for (name, format, _) in FIXTURES {
        let file = fixture(name);
        let takes: Vec<_> = Format::ALL.into_iter().filter(|format| format.sniff(&file).is_some()).collect();
        assert_eq!(takes, [format], "{name}");
    }
}
