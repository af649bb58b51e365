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
fn logs_of_other_events_are_no_flow_files() {
    for line in [
        r#"{"ts":1545403821.5,"uid":"C2","id.orig_h":"10.0.0.1","id.orig_p":5000,"id.resp_h":"10.0.0.2","id.resp_p":53,"proto":"udp","query":"example.org"}"#,
        r#"{"@timestamp":"2022-02-25T12:19:42.500Z","message":"hello","event":{"dataset":"system.syslog"}}"#,
        r#"{"time":"2022-02-25T12:19:42.500Z","src_addr":"10.0.0.1","dst_addr":"10.0.0.2"}"#,
        "[]",
        "{}",
    ] {
        assert!(sniff(line.as_bytes()).is_err(), "{line}");
    }
    let zeek = sniff(br#"{"ts":1,"id.orig_h":"10.0.0.1","id.resp_h":"10.0.0.2","proto":"udp"}"#).unwrap_err();
    assert_eq!(zeek.nearest, Some((Format::ZeekJson, vec!["conn_state"])));
}

#[test]
fn times_and_durations_that_cannot_be_are_rejected() {
    let record = |ts: &str, duration: &str| {
        format!(
            r#"{{"ts":{ts},"id.orig_h":"::1","id.resp_h":"::2","proto":"tcp","conn_state":"SF","duration":{duration}}}"#
        ) + "\n"
    };
    for (ts, duration) in
        [("1e12", "1"), ("1000000000000", "1"), ("true", "1"), ("1", "-0.5"), ("1", "1e11"), ("1", "\"1\"")]
    {
        let batch = read(record(ts, duration));
        assert_eq!((batch.flows.len(), batch.rejected.len()), (0, 1), "{ts} {duration}");
    }
    let batch = read(record("-0.5", "0.25") + &record("1545403816.962999999", "18446744073"));
    assert_eq!(
        batch.flows.event_time.iter().collect::<Vec<_>>(),
        [Some(-250), Some(1_545_403_816_963 + 18_446_744_073_000)]
    );
}

#[test]
fn line_ends_and_byte_order_mark_change_nothing() {
    for (name, format, _) in FIXTURES {
        let file = String::from_utf8(fixture(name)).unwrap();
        let expected = read(&file);
        for variant in [file.replace('\n', "\r\n"), format!("\u{feff}{file}"), file.trim_end().to_owned()] {
            assert_eq!(sniff(variant.as_bytes()), Ok(format), "{name}");
            assert_eq!(show(&read(variant)), show(&expected), "{name}");
        }
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
