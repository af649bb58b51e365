//! Damage to JSON records: each is rejected with its line, its field and the reason, and its neighbours are read.

use proptest::prelude::*;
use weir_flows::{Blocks, FlowReader, Format};

use crate::blocks::decode_all;
use crate::json::{FIXTURES, fixture};
use crate::robustness::Portions;
use crate::show::{read, read_all, show};

const SURICATA: &str = r#"{"timestamp":"2021-06-07T04:26:38Z","flow_id":3,"event_type":"flow","src_ip":"10.0.0.1","src_port":50000,"dest_ip":"10.0.0.2","dest_port":443,"proto":"TCP","flow":{"bytes_toserver":60,"bytes_toclient":40,"start":"2021-06-07T04:26:30Z","end":"2021-06-07T04:26:31Z"}}"#;

/// The reason for which a record between two good ones is rejected.
#[track_caller]
fn reason(record: &str) -> String {
    let batch = read(format!("{SURICATA}\n{record}\n{SURICATA}\n"));
    assert_eq!((batch.lines.as_slice(), batch.rejected.len()), (&[1, 3][..], 1), "{}", show(&batch));
    assert_eq!((batch.rejected[0].line, batch.rejected[0].text.as_str()), (2, &record[..record.len().min(200)]));
    batch.rejected[0].reason.clone()
}

#[test]
fn fields_of_a_wrong_type_or_value() {
    for (good, bad, expected) in [
        (
            r#""src_port":50000"#,
            r#""src_port":"http""#,
            r#"field "src_port": expected a whole number from 0 to 65535 or nothing, found "http""#,
        ),
        (
            r#""src_port":50000"#,
            r#""src_port":65536"#,
            r#"field "src_port": expected a whole number from 0 to 65535 or nothing, found 65536"#,
        ),
        (
            r#""bytes_toserver":60"#,
            r#""bytes_toserver":-1"#,
            r#"field "flow.bytes_toserver": expected a whole number from 0 to 18446744073709551615 or nothing, found -1"#,
        ),
        (
            r#""bytes_toserver":60"#,
            r#""bytes_toserver":0.5"#,
            r#"field "flow.bytes_toserver": expected a whole number from 0 to 18446744073709551615 or nothing, found 0.5"#,
        ),
        (
            r#""src_ip":"10.0.0.1""#,
            r#""src_ip":["10.0.0.1"]"#,
            r#"field "src_ip": expected an IPv4 or IPv6 address, found an array"#,
        ),
        (r#""src_ip":"10.0.0.1","#, "", r#"field "src_ip": expected an IPv4 or IPv6 address, found nothing"#),
        (r#""proto":"TCP""#, r#""proto":null"#, r#"field "proto": expected a transport, found nothing"#),
        (
            r#""proto":"TCP""#,
            r#""proto":{"tcp":{}}"#,
            r#"field "proto": expected tcp, udp, icmp, ipv6-icmp, another IP protocol's name or number, or nothing, found an object"#,
        ),
        (
            r#""end":"2021-06-07T04:26:31Z""#,
            r#""end":1623040000"#,
            r#"field "flow.end": expected an ISO-8601 time such as 2022-02-25T12:19:30.013Z or nothing, found 1623040000"#,
        ),
        (
            r#""end":"2021-06-07T04:26:31Z""#,
            r#""end":"2021-06-07T04:26:29Z""#,
            "expected an end after the start, found one 1000000000 ns before it",
        ),
        (
            r#""flow_id":3"#,
            r#""flow_id":true"#,
            r#"field "flow_id": expected text, a whole number or nothing, found true"#,
        ),
        (
            r#""flow_id":3"#,
            r#""flow_id":"a\u0000""#,
            r#"field "flow_id": expected text without NUL bytes, found "a\0""#,
        ),
        (
            r#""bytes_toserver":60"#,
            r#""bytes_toserver":18446744073709551576"#,
            "expected at most 18446744073709551615 bytes in both directions, found 18446744073709551576 + 40",
        ),
    ] {
        assert_eq!(reason(&SURICATA.replacen(good, bad, 1)), expected);
    }
}

#[test]
fn what_is_no_json() {
    for (record, expected) in [
        (
            SURICATA.replacen("},", "", 1).replace("}}", "}"),
            "expected a JSON object: EOF while parsing an object (byte 264 of the record)",
        ),
        (SURICATA.replacen(',', "", 1), "expected a JSON object: expected `,` or `}` (byte 36 of the record)"),
        (format!("{SURICATA},"), "expected a JSON object: trailing characters (byte 266 of the record)"),
        ("[1]".to_owned(), "expected a JSON object: invalid type: sequence, expected an object (byte 0 of the record)"),
        ("flow".to_owned(), "expected a JSON object: expected ident (byte 2 of the record)"),
        (
            SURICATA.replacen(r#"{"bytes_toserver""#, r#"7,"x":{"bytes_toserver""#, 1),
            "expected a JSON object: invalid type: integer `7`, expected field \"flow\" to be an object or nothing (byte 164 of the record)",
        ),
    ] {
        assert_eq!(reason(&record), expected, "{record}");
    }
    assert!(reason("{\"a\": \"\u{fffd}\"").starts_with("expected a JSON object: EOF"));
    let mut file = format!("{SURICATA}\n{SURICATA}\n").into_bytes();
    let at = file.len() - 100;
    file[at] = 0xff;
    assert_eq!(read(&file).rejected[0].reason, "expected a JSON object in UTF-8");
}

#[test]
fn an_event_that_is_no_flow_is_passed_over_whatever_it_holds() {
    let alert = SURICATA.replacen(r#""flow""#, r#""alert""#, 1).replacen("50000", "\"x\"", 1);
    let batch = read(format!("{alert}\n{SURICATA}\n"));
    assert_eq!((batch.lines.as_slice(), batch.rejected.len(), batch.skipped), (&[2][..], 0, 1));
}

#[test]
fn a_damaged_object_costs_itself_only() {
    let file = String::from_utf8(fixture("nfdump-json.json")).unwrap();
    let line = |part: &str| 1 + file[..file.find(part).unwrap()].matches('\n').count() as u64;
    let second = line("\"src6_addr\" : \"2001:db8::5\",\n\t\"dst6_addr\" : \"2001:db8::53\"");
    let start = file.match_indices("{\n").nth(1).unwrap().0;
    let start_line = 1 + file[..start].matches('\n').count() as u64;
    let end = start + file[start..].find("\n}").unwrap();
    assert!(second > start_line);
    let unclosed = [&file[..end], &file[end + 2..]].concat();
    let open_text = file.replacen("\"dst6_addr\" : \"2001:db8::53\"", "\"dst6_addr\" : \"2001:db8::53", 1);
    let wrong = file.replacen("\"dst6_addr\" : \"2001:db8::53\"", "\"dst6_addr\" : 53", 1);
    let garbage = [&file[..start], "what\n,is\n\tthis\n", &file[start..]].concat();
    for (damaged, flows, rejected) in [
        (
            &unclosed,
            7,
            vec![(start_line, "expected an object, found one that is not closed before the next line or object")],
        ),
        (
            &open_text,
            7,
            vec![
                (start_line, "expected an object, found one that is not closed before the next line or object"),
                (second + 2, "expected an object"),
            ],
        ),
        (&wrong, 7, vec![(start_line, "field \"dst6_addr\": expected an IPv4 or IPv6 address, found 53")]),
        (&garbage, 8, vec![(start_line, "expected an object")]),
    ] {
        let batch = read(damaged);
        let reasons: Vec<_> = batch.rejected.iter().map(|rejected| (rejected.line, rejected.reason.as_str())).collect();
        assert_eq!((batch.flows.len(), reasons), (flows, rejected));
    }
    let cut_off = read(&file[..end]);
    assert_eq!(cut_off.flows.len(), 1);
    assert_eq!(cut_off.rejected[0].reason, "expected an object, found one that is not closed before the file ends");
}

#[test]
fn nfdump_without_flows() {
    for file in ["[\nNo matching flows\n]\n", "[\nNo matching flows\n]"] {
        let mut reader = FlowReader::new(Portions::new(file.as_bytes(), 1), "-", None).unwrap();
        assert_eq!(reader.format(), Format::NfdumpJson);
        let batch = reader.next_batch(10).unwrap().unwrap();
        assert_eq!((batch.records(), batch.skipped), (0, 1));
        assert!(reader.next_batch(10).unwrap().is_none());
    }
    assert!(read_all(&b"[\n]\n"[..], Some(Format::NfdumpJson), 1).unwrap().is_empty());
}

#[test]
fn a_file_without_objects_is_refused_as_a_named_format() {
    assert_eq!(
        read_all(&b"ts\tuid\n1\t2\n"[..], Some(Format::ZeekJson), 1).unwrap_err().to_string(),
        r#"flows.csv: cannot be read as zeek-json: there is no JSON object; it starts with the line "ts\tuid"; expected JSON lines such as {"ts":...,"uid":...,"id.orig_h":...,"proto":...}"#
    );
}

#[test]
fn a_named_format_is_read_behind_damaged_first_lines() {
    let file = format!("\n12}}\n{SURICATA}\n");
    let whole = read_all(file.as_bytes(), Some(Format::SuricataEve), 9).unwrap();
    assert_eq!((whole.lines.as_slice(), whole.rejected[0].line, whole.blank), (&[3][..], 2, 1));
    assert_eq!(read_all(Portions::new(file.as_bytes(), 1), Some(Format::SuricataEve), 9).unwrap(), whole);
}

/// A fixture with some of its bytes replaced, removed or doubled.
fn damaged() -> impl Strategy<Value = (Format, Vec<u8>)> {
    let byte = prop_oneof![
        Just(b'"'),
        Just(b'{'),
        Just(b'}'),
        Just(b'\n'),
        Just(b'\\'),
        Just(b','),
        Just(b'['),
        Just(b' '),
        any::<u8>()
    ];
    let change = (any::<prop::sample::Index>(), byte, 0usize..3);
    (0..FIXTURES.len(), proptest::collection::vec(change, 0..8)).prop_map(|(which, changes)| {
        let (name, format, _) = FIXTURES[which];
        let mut file = fixture(name);
        for (at, byte, kind) in changes {
            let at = at.index(file.len());
            match kind {
                0 => file[at] = byte,
                1 => file.insert(at, byte),
                _ => file.truncate(file.len() - at % 50),
            }
        }
        (format, file)
    })
}

proptest! {
    #[test]
    fn portions_batches_and_blocks_change_nothing(
        (format, file) in damaged(), portion in 1usize..200, rows in 1usize..9, block_bytes in 1usize..900, threads in 1usize..3
    ) {
        let Ok(whole) = read_all(&*file, Some(format), usize::MAX) else { return Ok(()) };
        prop_assert_eq!(&read_all(Portions::new(&file, portion), Some(format), rows).unwrap(), &whole);
        let blocks = Blocks::new(&*file, "-", Some(format), block_bytes).unwrap();
        prop_assert_eq!(&decode_all(blocks, threads).unwrap(), &whole);
    }

    #[test]
    fn no_line_is_lost((format, file) in damaged()) {
        if format == Format::NfdumpJson || !file.contains(&b'{') {
            return Ok(());
        }
        let batch = read_all(&*file, Some(format), usize::MAX).unwrap();
        let lines = file.split_inclusive(|byte| *byte == b'\n').count();
        prop_assert_eq!(batch.records() + batch.blank as usize + batch.skipped as usize, lines);
    }
}
