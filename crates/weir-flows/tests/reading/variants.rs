//! The spellings of the published files and what people make of them.

use weir_flows::{FlowReader, Format};

use crate::show::{read, show};

#[track_caller]
fn reads(file: &str, expected: &str) {
    assert_eq!(show(&read(file)), expected, "{file}");
}

#[test]
fn february_2022() {
    reads(
        "\
_source_flow_id,_source_flow_final,_source_source_ip,_source_destination_ip,_source_network_bytes,_source_network_transport,_source_@timestamp,_source_event_duration,_source_destination_port,_source_source_port,label
13506,False,53.255.61.238,190.215.9.28,421,tcp,2022-02-25T12:19:30.013Z,126359,8500.0,43226.0,benign
13506,True,53.255.61.238,190.215.9.28,842,tcp,2022-02-25T12:19:40.013Z,10126359000,8500.0,43226.0,benign
77,True,fe80::1,ff02::fb,172,ipv6-icmp,2022-02-25T12:19:30.192Z,0,,,benign
78,True,10.0.0.1,10.0.0.2,98,icmp,2022-02-25T12:19:30.192Z,5,,,malicious
79,True,10.0.0.1,10.0.0.2,98,,2022-02-25T12:19:30.192Z,5,,,malicious
",
        "\
2: 13506 1645791570013 53.255.61.238 190.215.9.28 43226 8500 tcp 421 - 126359 false benign -
3: 13506 1645791580013 53.255.61.238 190.215.9.28 43226 8500 tcp 842 - 10126359000 true benign -
4: 77 1645791570192 fe80::1 ff02::fb - - icmp6 172 - 0 true benign -
5: 78 1645791570192 10.0.0.1 10.0.0.2 - - icmp 98 - 5 true malicious -
6: 79 1645791570192 10.0.0.1 10.0.0.2 - - other 98 - 5 true malicious -
",
    );
}

#[test]
fn may_2021_with_float_bytes() {
    reads(
        "\
_source_flow_id,_source_flow_final,_source_source_ip,_source_destination_ip,_source_network_bytes,_source_network_transport,_source_@timestamp,_source_event_duration,_source_destination_port,_source_source_port,label
EAT/////AP//////CP8AAAEKbmGBwKhUnvAjsoo,False,190.215.171.14,53.179.129.5,950151.0,tcp,2021-05-20T16:06:50.195Z,5098334271960,9200.0,35506.0,0
EAT/////AP//////CP8AAAEKbmGBwKhUnvAjsoo,True,190.215.171.14,53.179.129.5,1e+16,tcp,2021-05-20T16:06:50.195Z,5098334271960,9200.0,35506.0,1
",
        "\
2: EAT/////AP//////CP8AAAEKbmGBwKhUnvAjsoo 1621526810195 190.215.171.14 53.179.129.5 35506 9200 tcp 950151 - 5098334271960 false benign -
3: EAT/////AP//////CP8AAAEKbmGBwKhUnvAjsoo 1621526810195 190.215.171.14 53.179.129.5 35506 9200 tcp 10000000000000000 - 5098334271960 true malicious -
",
    );
}

#[test]
fn may_2022_with_semicolons_and_packets() {
    reads(
        "\
_source_flow_id;_source_flow_final;_source_source_ip;_source_destination_ip;_source_network_bytes;_source_network_transport;_source_@timestamp;_source_event_duration;_source_destination_port;_source_source_port;_source_network_packets;label
a,b;True;10.0.0.1;10.0.0.2;98;udp;2022-05-25T12:19:30.192Z;5;53.0;5353.0;2;malicious
c;True;10.0.0.1;10.0.0.2;98;udp;2022-05-25T12:19:30.192Z;5;53.0;5353.0;;malicious
",
        "\
2: a,b 1653481170192 10.0.0.1 10.0.0.2 5353 53 udp 98 2 5 true malicious -
3: c 1653481170192 10.0.0.1 10.0.0.2 5353 53 udp 98 - 5 true malicious -
",
    );
}

#[test]
fn every_prefix_and_any_order() {
    let row = "tcp,x,10.0.0.1,443,10.0.0.2,5000,9,1970-01-01T00:00:01.000Z,7,true\n";
    let expected = "2: x 1000 10.0.0.1 10.0.0.2 5000 443 tcp 9 - 7 true - -\n";
    let names = [
        "network_transport",
        "flow_id",
        "source_ip",
        "destination_port",
        "destination_ip",
        "source_port",
        "network_bytes",
        "@timestamp",
        "event_duration",
        "flow_final",
    ];
    for prefix in ["", "_", "source_", "_source_"] {
        for timestamp in ["@timestamp", "timestamp"] {
            let header = names.map(|name| format!("{prefix}{}", name.replace("@timestamp", timestamp))).join(",");
            reads(&format!("{header}\n{row}"), expected);
        }
    }
    let header = names.map(|name| format!("_source.{}", name.replacen('_', ".", 1))).join(",");
    reads(&format!("{header}\n{row}"), expected);
    reads(&format!("{}\n{row}", header.to_uppercase()), expected);
}

#[test]
fn final_and_label_in_every_spelling_and_the_attack() {
    let header = "flow_id,flow_final,source_ip,destination_ip,network_bytes,network_transport,timestamp,event_duration,destination_port,source_port,label,attack";
    let row = |last: &str, label: &str, attack: &str| {
        format!("x,{last},10.0.0.1,10.0.0.2,9,17,1970-01-01T00:00:01.000Z,7,2,1,{label},{attack}\n")
    };
    let rows = row("True", "malicious", "dos hulk")
        + &row("true", "1", "")
        + &row("1", "Malicious", "scan")
        + &row("False", "benign", "Benign")
        + &row("false", "0", "scan")
        + &row("0", "", "benign")
        + &row("", "", "scan");
    reads(
        &format!("{header}\n{rows}"),
        "\
2: x 1000 10.0.0.1 10.0.0.2 1 2 udp 9 - 7 true malicious dos hulk
3: x 1000 10.0.0.1 10.0.0.2 1 2 udp 9 - 7 true malicious -
4: x 1000 10.0.0.1 10.0.0.2 1 2 udp 9 - 7 true malicious scan
5: x 1000 10.0.0.1 10.0.0.2 1 2 udp 9 - 7 false benign -
6: x 1000 10.0.0.1 10.0.0.2 1 2 udp 9 - 7 false benign -
7: x 1000 10.0.0.1 10.0.0.2 1 2 udp 9 - 7 false - -
8: x 1000 10.0.0.1 10.0.0.2 1 2 udp 9 - 7 - - scan
",
    );
}

#[test]
fn the_preprocessed_table() {
    let file = "\
source_flow_id_encoded,source_flow_final,source_source_ip,source_destination_ip,source_network_bytes,source_network_transport,source_timestamp,source_event_duration,source_destination_port,source_source_port,label
44376,0,3201805056,3201768135,14350,1,1645795940002,1238779,13431.0,80.0,benign
47004,1,9223372036854775807,9223372036854775807,172,2,1645798150096,25579,9099.0,35742.0,malicious
";
    reads(
        file,
        "\
2: 44376 1645795940002 190.215.171.0 190.215.26.199 80 13431 tcp 14350 - 1238779 false benign -
3: 47004 1645798150096 :: :: 35742 9099 udp 172 - 25579 true malicious -
",
    );
    assert_eq!(FlowReader::new(file.as_bytes(), "-", None).unwrap().format(), Format::PreprocessedCsv);
}

#[test]
fn a_zeek_log_with_another_separator_and_without_its_other_headers() {
    let names =
        "ts|uid|id.orig_h|id.orig_p|id.resp_h|id.resp_p|proto|duration|orig_pkts|orig_ip_bytes|resp_pkts|resp_ip_bytes";
    let row = "1.5|C|10.0.0.1|1|10.0.0.2|2|tcp|0.25|1|40|2|80";
    let expected = "C 1750 10.0.0.1 10.0.0.2 1 2 tcp 120 3 250000000 - - -\n";
    for separator in ["\\x7c", "|"] {
        let file = format!("#separator {separator}\r\n#fields|{names}\r\n{row}\r\n");
        reads(&file, &format!("3: {expected}"));
        reads(&format!("\u{feff}{file}"), &format!("3: {expected}"));
    }
    let tabs = |text: &str| text.replace('|', "\t");
    reads(&tabs(&format!("#fields|{names}\n{row}\n#fields|{names}\n{row}")), &format!("2: {expected}4: {expected}"));
}

#[test]
fn names_of_columns_as_other_tools_spell_them() {
    let names = "id,Src.IP,SRC_PORT,dst ip, Dst Port ,Protocol,Timestamp,Flow.Duration,Tot_Fwd_Pkts,tot bwd pkts,TotLen.Fwd.Pkts,TotLen Bwd Pkts";
    let row = "7,10.0.0.1,1.0,10.0.0.2,2.0,6.0,2017-07-07 08:55:58,1500.0,1.0,2,3.0,4";
    reads(
        &format!("{names}\n{row}\n").replace(',', ";"),
        "2: - 1499417758001 10.0.0.1 10.0.0.2 1 2 tcp 7 3 1500000 - - -\n",
    );
}

#[test]
fn unknown_columns_are_ignored_and_listed() {
    let file = "\
,_id,source_ip,destination_ip,network_transport,\"note, quoted\"
0,a,10.0.0.1,10.0.0.2,tcp,x
";
    let reader = FlowReader::new(file.as_bytes(), "-", Some(Format::PacketbeatCsv)).unwrap();
    assert_eq!(reader.decoder().ignored_columns(), ["column 1", "_id", "note, quoted"]);
    assert_eq!(
        reader.decoder().missing_columns(),
        [
            "flow_id",
            "flow_final",
            "network_bytes",
            "@timestamp",
            "event_duration",
            "destination_port",
            "source_port",
            "network_packets",
            "label",
            "attack"
        ]
    );
}

const HEADER: &str = "flow_id,flow_final,source_ip,destination_ip,network_bytes,network_transport,timestamp,event_duration,destination_port,source_port";

fn row(id: &str) -> String {
    format!("{id},1,10.0.0.1,10.0.0.2,9,tcp,1970-01-01T00:00:00.001Z,7,2,1")
}

fn flow(line: u64, id: &str) -> String {
    format!("{line}: {id} 1 10.0.0.1 10.0.0.2 1 2 tcp 9 - 7 true - -\n")
}

#[test]
fn line_ends_byte_order_mark_and_blank_lines_change_nothing() {
    let expected = flow(2, "a") + &flow(3, "b");
    let (a, b) = (row("a"), row("b"));
    for file in [
        format!("{HEADER}\n{a}\n{b}\n"),
        format!("{HEADER}\n{a}\n{b}"),
        format!("{HEADER}\r\n{a}\r\n{b}\r\n"),
        format!("{HEADER}\r\n{a}\r\n{b}\r"),
        format!("{HEADER}\r\n{a}\n{b}"),
        format!("\u{feff}{HEADER}\n{a}\n{b}\n"),
    ] {
        reads(&file, &expected);
    }
    let batch = read(format!("{HEADER}\n\n{a}\r\n\r\n\n{b}\n\n"));
    assert_eq!(show(&batch), flow(3, "a") + &flow(6, "b"));
    assert_eq!(batch.blank, 4);
}

#[test]
fn quoted_fields_hold_separators_quotes_and_line_ends() {
    let quoted_row = row("\"a,\"\"b\"\"\"").replace("tcp", "\"tcp\"").replace(",2,1", ",2,\"1\"");
    reads(&format!("{HEADER}\n{quoted_row}\n{}\n", row("c")), &(flow(2, "a,\"b\"") + &flow(3, "c")));
    reads(&format!("{HEADER}\r\n{quoted_row}\r\n{}", row("\"c\"")), &(flow(2, "a,\"b\"") + &flow(3, "c")));
    let two_lines = row("\"one\ntwo\"");
    reads(&format!("{HEADER}\n{two_lines}\n{}\n", row("c")), &(flow(2, "one\ntwo") + &flow(4, "c")));
    let quoted_header = HEADER.split(',').map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(",");
    reads(&format!("{quoted_header}\n{}\n", row("c")), &flow(2, "c"));
}
