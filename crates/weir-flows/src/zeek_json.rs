//! Zeek's connection log as JSON lines.

use crate::json::{Clock, Field, Framing, Json, Way};

pub(crate) struct ZeekJson;

impl Json for ZeekJson {
    const FRAMING: Framing = Framing::Lines;
    // Zeek's other logs have ts, id and some of them proto as well.
    const MARKS: &'static [&'static [&'static str]] =
        &[&["ts"], &["id.orig_h"], &["id.resp_h"], &["proto"], &["conn_state", "orig_pkts", "orig_ip_bytes", "_path"]];
    const ADDRESSES: [&'static str; 2] = ["id.orig_h", "id.resp_h"];
    const TRANSPORT: Option<&'static str> = Some("proto");

    fn field(path: &str) -> Option<Field> {
        Some(match path {
            "ts" => Field::Start(Clock::Seconds),
            "uid" => Field::FlowId,
            "id.orig_h" => Field::SourceIp,
            "id.orig_p" => Field::SourcePort,
            "id.resp_h" => Field::DestinationIp,
            "id.resp_p" => Field::DestinationPort,
            "proto" => Field::Transport,
            "duration" => Field::DurationSeconds,
            "orig_ip_bytes" => Field::Bytes(Way::Forward),
            "resp_ip_bytes" => Field::Bytes(Way::Backward),
            "orig_pkts" => Field::Packets(Way::Forward),
            "resp_pkts" => Field::Packets(Way::Backward),
            "_path" => Field::Kind,
            "label" => Field::Label,
            "attack" | "detailed-label" | "detailed_label" => Field::Attack,
            _ => return None,
        })
    }

    fn descends(path: &str) -> bool {
        path == "id"
    }

    fn is_flow(log: &str) -> bool {
        log == "conn"
    }
}
