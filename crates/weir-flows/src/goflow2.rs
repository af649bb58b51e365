//! What goflow2 makes of NetFlow, IPFIX and sFlow, as JSON lines.

use crate::json::{Clock, Field, Framing, Json, Way};

pub(crate) struct Goflow2Json;

impl Json for Goflow2Json {
    const FRAMING: Framing = Framing::Lines;
    const MARKS: &'static [&'static [&'static str]] =
        &[&["src_addr"], &["dst_addr"], &["proto"], &["time_received_ns", "time_flow_start_ns", "time_flow_end_ns"]];
    const ADDRESSES: [&'static str; 2] = ["src_addr", "dst_addr"];
    const TRANSPORT: Option<&'static str> = Some("proto");

    fn field(path: &str) -> Option<Field> {
        Some(match path {
            "src_addr" => Field::SourceIp,
            "src_port" => Field::SourcePort,
            "dst_addr" => Field::DestinationIp,
            "dst_port" => Field::DestinationPort,
            "proto" => Field::Transport,
            "bytes" => Field::Bytes(Way::Both),
            "packets" => Field::Packets(Way::Both),
            "time_flow_start_ns" => Field::Start(Clock::Nanoseconds),
            "time_flow_end_ns" => Field::End(Clock::Nanoseconds),
            "time_received_ns" => Field::Time(Clock::Nanoseconds),
            "label" => Field::Label,
            "attack" => Field::Attack,
            _ => return None,
        })
    }
}
