//! gzip and zstd, whole and damaged.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use weir_contract::{Classify, ExitCode};
use weir_flows::{Blocks, FlowReader, Format};

use crate::blocks::decode_all;
use crate::json::{FIXTURES, fixture};
use crate::robustness::Portions;
use crate::show::read_all;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

/// A skippable frame, with which parallel packers start.
const SKIPPABLE: &[u8] = b"\x50\x2a\x4d\x18\x04\0\0\0abcd";

#[test]
fn packed_files_read_as_unpacked_ones() {
    for (name, _, _) in FIXTURES {
        let file = fixture(name);
        let whole = read_all(&*file, None, usize::MAX).unwrap();
        let (first, second) = file.split_at(file.len() / 3);
        for packed in [
            gzip(&file),
            [gzip(first), gzip(b""), gzip(second)].concat(),
            zstd(&file),
            [SKIPPABLE, &zstd(first), SKIPPABLE, &zstd(second)].concat(),
        ] {
            assert_eq!(read_all(&*packed, None, 3).unwrap(), whole, "{name}");
            assert_eq!(read_all(Portions::new(&packed, 1), None, 1).unwrap(), whole, "{name}");
            let blocks = Blocks::new(&*packed, name, None, 100).unwrap();
            assert_eq!(decode_all(blocks, 2).unwrap(), whole, "{name}");
        }
    }
}

#[test]
fn what_is_cut_off_or_damaged_is_an_error_behind_the_records_before() {
    let line = fixture("zeek-json.json").split_inclusive(|byte| *byte == b'\n').next().unwrap().to_vec();
    let file: Vec<u8> =
        (0..20_000).flat_map(|n| String::from_utf8_lossy(&line).replace("CrDn", &n.to_string()).into_bytes()).collect();
    for (name, packed) in [("gzip", gzip(&file)), ("zstd", zstd(&file))] {
        for (damage, says) in [("cut", "ends too soon"), ("changed", "cannot be unpacked")] {
            let mut packed = packed.clone();
            let place = packed.len() / 2;
            if damage == "cut" {
                packed.truncate(place)
            } else {
                packed[place..place + 64].fill(0xff)
            }
            let mut reader = FlowReader::new(&*packed, "flows.gz", None).unwrap();
            let mut flows = 0;
            let error = loop {
                match reader.next_batch(1000) {
                    Ok(batch) => flows += batch.expect("the damage is found").flows.len(),
                    Err(error) => break error,
                }
            };
            let text = error.to_string();
            let starts =
                format!("flows.gz: cannot be read at line {}: the {name} data {says} within the first ", flows + 1);
            assert!(text.starts_with(&starts), "{text}");
            assert!((5_000..20_000).contains(&flows), "{flows}");
            assert_eq!(error.exit_code(), ExitCode::Input);
            assert!(error.hint().is_some());
            assert!(reader.next_batch(1).unwrap().is_none());
        }
    }
}

#[test]
fn packing_that_is_not_read_is_named_with_the_remedy() {
    for start in [&b"BZh91AY&SY"[..], b"\xfd7zXZ\0\0", b"PK\x03\x04\x14"] {
        let error = FlowReader::new(start, "flows", None).map(|_| ()).unwrap_err();
        assert_eq!(error.hint().as_deref(), Some("unpack it first; gzip and zstd are read as they are"));
    }
}

#[test]
fn an_empty_packed_file_is_empty() {
    for packed in [gzip(b""), zstd(b"")] {
        let error = read_all(&*packed, None, 1).unwrap_err();
        assert_eq!(error.to_string(), "flows.csv: is empty; expected at least a header line");
    }
}

#[test]
fn a_packed_table_is_one() {
    let header = "flow_id,flow_final,source_ip,destination_ip,network_bytes,network_transport,timestamp,event_duration,destination_port,source_port\n";
    assert_eq!(FlowReader::new(&*gzip(header.as_bytes()), "-", None).unwrap().format(), Format::PacketbeatCsv);
}
