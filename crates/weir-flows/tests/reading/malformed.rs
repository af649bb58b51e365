//! Every kind of damage to a record: it is rejected with its line and the reason, and its neighbours are read.

use weir_flows::LINE_LIMIT;

use crate::show::{read, show};

const HEADER: &str = "_source_flow_id,_source_flow_final,_source_source_ip,_source_destination_ip,_source_network_bytes,_source_network_transport,_source_@timestamp,_source_event_duration,_source_destination_port,_source_source_port,_source_network_packets,label,attack";
const FIELDS: [&str; 13] = [
    "id",
    "True",
    "10.0.0.1",
    "::1",
    "421",
    "tcp",
    "2022-02-25T12:19:30.013Z",
    "7",
    "80.0",
    "1.0",
    "3",
    "malicious",
    "dos",
];

/// The reason for which a record between two good ones is rejected.
#[track_caller]
fn reason(record: &[u8]) -> String {
    let good = FIELDS.join(",");
    let mut file = format!("{HEADER}\n{good}\n").into_bytes();
    file.extend_from_slice(record);
    file.extend_from_slice(format!("\n{good}\n").as_bytes());
    let batch = read(&file);
    assert_eq!(batch.rejected.len(), 1, "{}", show(&batch));
    assert_eq!(batch.lines, [2, 4]);
    assert_eq!(batch.rejected[0].line, 3);
    batch.rejected[0].reason.clone()
}

/// The reason for which a record with one field replaced is rejected.
#[track_caller]
fn reason_of_field(index: usize, value: impl AsRef<[u8]>) -> String {
    let mut fields = FIELDS.map(str::as_bytes);
    fields[index] = value.as_ref();
    reason(&fields.join(&b','))
}

#[test]
fn addresses() {
    for (value, found) in [("", ""), ("10.0.0.256", "10.0.0.256"), ("010.0.0.1", "010.0.0.1"), ("host", "host")] {
        assert_eq!(
            reason_of_field(2, value),
            format!("column \"_source_source_ip\" (field 3): expected an IPv4 or IPv6 address, found \"{found}\"")
        );
    }
    assert_eq!(
        reason_of_field(3, ":::1"),
        "column \"_source_destination_ip\" (field 4): expected an IPv4 or IPv6 address, found \":::1\""
    );
}

#[test]
fn ports() {
    for value in ["65536", "65536.0", "-1", "80.5", "http", "1e9", "NaN"] {
        assert_eq!(
            reason_of_field(8, value),
            format!(
                "column \"_source_destination_port\" (field 9): expected a whole number from 0 to 65535 or nothing, found \"{value}\""
            )
        );
    }
}

#[test]
fn counts() {
    for (index, name) in [(4, "_source_network_bytes"), (7, "_source_event_duration"), (10, "_source_network_packets")]
    {
        for value in ["-421", "18446744073709551616", "1e20", "421.5", "many"] {
            assert_eq!(
                reason_of_field(index, value),
                format!(
                    "column \"{name}\" (field {}): expected a whole number from 0 to 18446744073709551615 or nothing, found \"{value}\"",
                    index + 1
                )
            );
        }
    }
}

#[test]
fn times_words_and_labels() {
    for (index, value, expected) in [
        (
            6,
            "1645791570013",
            "column \"_source_@timestamp\" (field 7): expected an ISO-8601 time such as 2022-02-25T12:19:30.013Z or nothing, found \"1645791570013\"",
        ),
        (1, "maybe", "column \"_source_flow_final\" (field 2): expected True, False, 1, 0 or nothing, found \"maybe\""),
        (
            5,
            "tpc",
            "column \"_source_network_transport\" (field 6): expected tcp, udp, icmp, ipv6-icmp, another IP protocol's name or number, or nothing, found \"tpc\"",
        ),
        (11, "evil", "column \"label\" (field 12): expected benign, malicious, 0, 1 or nothing, found \"evil\""),
    ] {
        assert_eq!(reason_of_field(index, value), expected);
    }
}

#[test]
fn nul_bytes_and_what_is_not_utf_8() {
    assert_eq!(
        reason_of_field(0, "a\0b"),
        "column \"_source_flow_id\" (field 1): expected text without NUL bytes, found \"a\\0b\""
    );
    assert_eq!(
        reason_of_field(0, b"a\xff"),
        "column \"_source_flow_id\" (field 1): expected UTF-8 text, found \"a\u{fffd}\""
    );
    assert_eq!(reason_of_field(12, b"\xc3"), "column \"attack\" (field 13): expected UTF-8 text, found \"\u{fffd}\"");
    assert_eq!(
        reason_of_field(4, "4\x0021"),
        "column \"_source_network_bytes\" (field 5): expected a whole number from 0 to 18446744073709551615 or nothing, found \"4\\021\""
    );
}

#[test]
fn too_few_and_too_many_fields() {
    assert_eq!(reason(b"1,2"), "expected 13 fields as in the header, found 2");
    assert_eq!(reason(b" "), "expected 13 fields as in the header, found 1");
    assert_eq!(reason(FIELDS.join(";").as_bytes()), "expected 13 fields as in the header, found 1");
    let long = format!("{},more", FIELDS.join(","));
    assert_eq!(reason(long.as_bytes()), "expected 13 fields as in the header, found 14");
    assert_eq!(reason(&[b','; 999]), "expected 13 fields as in the header, found 1000");
}

#[test]
fn an_open_quote_costs_its_own_line_only() {
    assert_eq!(reason_of_field(0, "\"id"), "field 1: expected a closing quote, then a separator or line end");
    assert_eq!(reason_of_field(0, "\"id\"x"), "field 1: expected a closing quote, then a separator or line end");
    assert_eq!(reason_of_field(5, "\"tcp"), "field 6: expected a closing quote, then a separator or line end");

    let (good, open) = (FIELDS.join(","), FIELDS.join(",").replace("dos", "\"dos"));
    let batch = read(format!("{HEADER}\n{open}\n{good}\nx,\",{good}\n{good}"));
    assert_eq!(batch.lines, [3, 5]);
    let reasons: Vec<_> = batch.rejected.iter().map(|rejected| (rejected.line, rejected.reason.as_str())).collect();
    assert_eq!(
        reasons,
        [
            (2, "expected 13 fields as in the header, found 26 when reading on to line 4 for a closing quote"),
            (4, "field 2: expected a closing quote, then a separator or line end")
        ]
    );
}

#[test]
fn long_values_and_records_are_cut_in_reports() {
    let reason = reason_of_field(4, "x".repeat(1000));
    assert!(reason.ends_with(&format!("found \"{}\"...", "x".repeat(60))), "{reason}");
    let record = FIELDS.join(",").replace("421", &"ä".repeat(1000));
    let batch = read(format!("{HEADER}\n{record}\n"));
    assert_eq!(batch.rejected[0].text, record.chars().take(200).collect::<String>());
}

#[test]
fn over_long_lines_are_rejected_wherever_they_stand() {
    let good = FIELDS.join(",");
    let id = |bytes: usize| good.replacen("id", &"x".repeat(bytes - (good.len() - 2)), 1);
    let (fits, long, longer) = (id(LINE_LIMIT), id(LINE_LIMIT + 1), "\"".repeat(3 * LINE_LIMIT));
    let batch = read(format!("{HEADER}\n{fits}\n{long}\n{good}\n{longer}\n{good}\n{longer}"));
    assert_eq!(batch.lines, [2, 4, 6]);
    assert_eq!(batch.flows.flow_id.get(0).map(str::len), Some(LINE_LIMIT - (good.len() - 2)));
    assert_eq!(batch.rejected.iter().map(|rejected| rejected.line).collect::<Vec<_>>(), [3, 5, 7]);
    for rejected in &batch.rejected {
        assert_eq!(rejected.reason, "expected a line of at most 1048576 bytes, found a longer one");
        assert_eq!(rejected.text.len(), 200);
    }
}

#[test]
fn the_preprocessed_table() {
    let header = "source_flow_id_encoded,source_flow_final,source_source_ip,source_destination_ip,source_network_bytes,source_network_transport,source_timestamp,source_event_duration,source_destination_port,source_source_port,label";
    let batch = read(format!(
        "{header}
1,0,10.0.0.1,1,1,1,1,1,1,1,benign
2,0,1,4294967296,1,1,1,1,1,1,benign
3,0,1,1,1,3,1,1,1,1,benign
4,0,1,1,1,1,2022-02-25T12:19:30.013Z,1,1,1,benign
5,0,1,1,1,1,9223372036854775808,1,1,1,benign
"
    ));
    assert_eq!(
        show(&batch),
        "\
2! column \"source_source_ip\" (field 3): expected an IPv4 address as a number below 4294967296, or 9223372036854775807 for IPv6, found \"10.0.0.1\"
3! column \"source_destination_ip\" (field 4): expected an IPv4 address as a number below 4294967296, or 9223372036854775807 for IPv6, found \"4294967296\"
4! column \"source_network_transport\" (field 6): expected 1 (tcp), 2 (udp) or nothing, found \"3\"
5! column \"source_timestamp\" (field 7): expected milliseconds since 1970 or nothing, found \"2022-02-25T12:19:30.013Z\"
6! column \"source_timestamp\" (field 7): expected milliseconds since 1970 or nothing, found \"9223372036854775808\"
"
    );
}
