//! What decides on a format, and what is said about files that are none.

use weir_flows::{FlowReader, Format, sniff};

use crate::show::{read, read_all};

/// How a refusal ends: what was expected.
fn expected() -> String {
    let formats = Format::ALL.map(|format| format!("{format} ({})", format.describe())).join(", or ");
    format!("expected {formats}; where such columns are missing on purpose, name the format with --format")
}

#[track_caller]
fn refusal(file: impl AsRef<[u8]>, format: Option<Format>) -> String {
    read_all(file.as_ref(), format, 1).expect_err("the file should be refused").to_string()
}

#[test]
fn names_give_formats_back() {
    for format in Format::ALL {
        assert_eq!(format.to_string().parse(), Ok(format));
    }
    assert_eq!(
        "csv".parse::<Format>().unwrap_err().to_string(),
        format!("no flow format is called \"csv\"; known are {}", Format::ALL.map(Format::name).join(", "))
    );
}

#[test]
fn an_empty_file_is_refused() {
    assert_eq!(refusal("", None), "flows.csv: is empty; expected at least a header line");
    assert_eq!(refusal("\u{feff}", None), "flows.csv: is empty; expected at least a header line");
    assert_eq!(refusal("", Some(Format::PacketbeatCsv)), "flows.csv: is empty; expected at least a header line");
}

#[test]
fn a_header_alone_is_a_file_of_no_flows() {
    let header = "flow_id,flow_final,source_ip,destination_ip,network_bytes,network_transport,timestamp,event_duration,destination_port,source_port";
    for file in [header.to_owned(), format!("{header}\n"), format!("{header}\r\n")] {
        assert_eq!(sniff(file.as_bytes()), Ok(Format::PacketbeatCsv));
        assert!(read(&file).is_empty());
        assert!(FlowReader::new(file.as_bytes(), "-", None).unwrap().next_batch(10).unwrap().is_none());
    }
}

#[test]
fn what_is_no_flow_file_is_refused_with_its_start() {
    for (file, starts) in [
        (&b"hello\nworld\n"[..], "the line \"hello\""),
        (b"\n\n", "an empty line"),
        (b"a,b,c", "the line \"a,b,c\""),
        (b"\"open\n", "the line \"\\\"open\""),
        (b"{\"flow\":1}\n", "the line \"{\\\"flow\\\":1}\""),
        (b"BZh91AY", "bzip2-compressed data"),
        (b"\xfd7zXZ\0\0", "xz-compressed data"),
        (b"PK\x03\x04..", "a zip archive"),
        (b"PAR1\0\0", "a Parquet file"),
        (b"\xff\xfef\0l\0", "UTF-16 text"),
        (b"\0\x05\0\x1e", "binary data [00, 05, 00, 1e]"),
    ] {
        assert_eq!(
            refusal(file, None),
            format!("flows.csv: in no known flow format: it starts with {starts}; {}", expected())
        );
    }
    let long = refusal("x".repeat(3 << 20), None);
    assert!(long.contains(&format!("starts with the line \"{}\"...; ", "x".repeat(160))), "{long}");
}

#[test]
fn the_nearest_format_names_the_columns_that_are_missing() {
    let header =
        "flow_id,source_ip,destination_ip,network_transport,timestamp,event_duration,destination_port,source_port";
    assert_eq!(
        refusal(header, None),
        format!(
            "flows.csv: in no known flow format: it starts with the line \"{header}\"; nearest is packetbeat-csv, which also has \"flow_final\", \"network_bytes\"; {}",
            expected()
        )
    );
    let row = "x,10.0.0.1,10.0.0.2,tcp,1970-01-01T00:00:00.001Z,7,2,1";
    let named = read_all(format!("{header}\n{row}\n").as_bytes(), Some(Format::PacketbeatCsv), 1).unwrap();
    assert_eq!((named.flows.len(), named.flows.bytes.get(0), named.flows.duration_ns.get(0)), (1, None, Some(7)));
}

#[test]
fn a_named_format_still_needs_addresses_and_transport() {
    assert_eq!(
        refusal("flow_id,source_ip\n1,10.0.0.1\n", Some(Format::PacketbeatCsv)),
        "flows.csv: cannot be read as packetbeat-csv: the header has no column \"destination_ip\", \"network_transport\"; it starts with the line \"flow_id,source_ip\"; expected a CSV header such as _source_flow_id,_source_source_ip,...,label, separated by , or ;"
    );
}

#[test]
fn a_zeek_log_of_something_else_is_refused() {
    let log =
        "#separator \\x09\n#path\tdns\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery\n";
    let missing = "\"duration\", \"orig_pkts\", \"resp_pkts\", \"orig_ip_bytes\", \"resp_ip_bytes\"";
    assert!(
        refusal(log, None).contains(&format!("nearest is zeek-tsv, which also has {missing}; ")),
        "{}",
        refusal(log, None)
    );
    for file in ["#separator \\x09\n", "#separator \\x09\n#fields\n1\n", "#fields", "#"] {
        assert!(refusal(file, Some(Format::ZeekTsv)).contains("no column \"proto\", \"id.orig_h\", \"id.resp_h\""));
    }
}

#[test]
fn two_columns_of_one_meaning_are_refused() {
    let header = "flow_id,flow_final,source_ip,destination_ip,network_bytes,network_transport,@timestamp,timestamp,event_duration,destination_port,source_port";
    assert_eq!(
        refusal(header, None),
        "flows.csv: cannot be read as packetbeat-csv: \"@timestamp\" and \"timestamp\" are both the column \"@timestamp\"; remove one of them"
    );
}

#[test]
fn a_file_that_does_not_exist() {
    let missing = std::path::Path::new("no-such-folder/flows.csv");
    let error = FlowReader::open(missing, None).map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("no-such-folder/flows.csv: cannot be read at line 1: "), "{error}");
}
