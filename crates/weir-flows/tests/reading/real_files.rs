//! The published files, where the environment names a folder that holds them.

#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;

use weir_contract::flow::{Flow, Label};
use weir_flows::{Batch, FlowReader, Format};

fn read(name: &str) -> Option<(Format, Batch)> {
    let Some(folder) = std::env::var_os("WEIR_SHARED_DATA") else {
        eprintln!("SKIPPED: WEIR_SHARED_DATA is not set, {name} was not read");
        return None;
    };
    let mut reader = FlowReader::open(&PathBuf::from(folder).join(name), None).unwrap();
    let mut all = Batch::default();
    while let Some(batch) = reader.next_batch(10_000).unwrap() {
        all.append(&batch);
    }
    Some((reader.format(), all))
}

#[test]
fn the_preprocessed_table_holds_the_flows_of_the_raw_one() {
    let (Some((raw_format, raw)), Some((format, preprocessed))) =
        (read("assuremoss/elastic_february2022_reconstructed.csv"), read("assuremoss/preprocessed.csv"))
    else {
        return;
    };
    assert_eq!((raw_format, format), (Format::PacketbeatCsv, Format::PreprocessedCsv));
    assert_eq!((raw.rejected.len(), preprocessed.rejected.len()), (0, 0));
    assert_eq!((raw.lines.len(), preprocessed.lines.len()), (47_367, 47_367));
    let malicious = raw.flows.label.iter().filter(|label| *label == Some(Label::Malicious.class())).count();
    assert_eq!(malicious, 28_199);

    let by_id: HashMap<_, _> = (0..raw.flows.len()).map(|row| (raw.flows.flow_id.get(row), row)).collect();
    for row in 0..preprocessed.flows.len() {
        let raw_row = by_id[&preprocessed.flows.flow_id.get(row)];
        let original = raw.flows.flow(raw_row);
        let expected = Flow {
            source_ip: saturate(original.source_ip),
            destination_ip: saturate(original.destination_ip),
            ..original
        };
        assert_eq!(preprocessed.flows.flow(row), expected, "line {}", preprocessed.lines[row]);
    }
}

#[test]
fn a_hundred_rows_of_the_first_file() {
    let Some((format, batch)) = read("assuremoss/raw_sample_100.csv") else { return };
    assert_eq!((format, batch.flows.len(), batch.rejected.len()), (Format::PacketbeatCsv, 100, 0));
    let first = batch.flows.flow(0);
    assert_eq!(first.flow_id.as_deref(), Some("EAT/////AP//////CP8AAAEKbmGBwKhUnvAjsoo"));
    assert_eq!((first.bytes, first.duration_ns), (Some(950_151), Some(5_098_334_271_960)));
    assert_eq!((first.event_time, first.label), (Some(1_621_526_810_195), Some(Label::Benign)));
}

/// The sums are those of the columns as a script adds them up.
#[test]
fn a_capture_of_iot_23() {
    let Some((format, batch)) = read("zeek/iot23_34_1_conn.log.labeled") else { return };
    let flows = &batch.flows;
    assert_eq!((format, flows.len(), batch.rejected.len(), batch.skipped), (Format::ZeekTsv, 23_145, 0, 0));
    assert_eq!(flows.duration_ns.iter().filter(Option::is_none).count(), 17_824);
    assert_eq!(flows.bytes.values().iter().sum::<u64>(), 87_384_656);
    assert_eq!(flows.packets.values().iter().sum::<u64>(), 161_695);
    assert_eq!(flows.duration_ns.values().iter().sum::<u64>(), 121_353_400_372_000);
    let labelled = |label: Label| flows.label.iter().filter(|class| *class == Some(label.class())).count();
    assert_eq!((labelled(Label::Benign), labelled(Label::Malicious)), (1923, 21_222));
    let attack = |name| flows.attack.iter().filter(|attack| *attack == Some(name)).count();
    assert_eq!(["C&C", "DDoS", "PartOfAHorizontalPortScan"].map(attack), [6706, 14_394, 122]);
}

/// What the table's authors lost.
fn saturate(address: IpAddr) -> IpAddr {
    if address.is_ipv6() { Ipv6Addr::UNSPECIFIED.into() } else { address }
}
