//! What `nfdump -o json` prints: an array of objects that span lines; newer versions also print one object per line.

use crate::json::{Clock, Field, Framing, Json, Way};

pub(crate) struct NfdumpJson;

impl Json for NfdumpJson {
    const FRAMING: Framing = Framing::Objects;
    const MARKS: &'static [&'static [&'static str]] = &[
        &["src4_addr", "src6_addr"],
        &["dst4_addr", "dst6_addr"],
        &["proto"],
        &["in_packets", "in_bytes"],
        &["first", "t_first"],
    ];
    const ADDRESSES: [&'static str; 2] = ["src4_addr", "dst4_addr"];
    const TRANSPORT: Option<&'static str> = Some("proto");

    fn field(path: &str) -> Option<Field> {
        Some(match path {
            "type" => Field::Kind,
            "first" | "t_first" => Field::Start(Clock::Iso),
            "last" | "t_last" => Field::End(Clock::Iso),
            "received" | "t_received" => Field::Time(Clock::Iso),
            "src4_addr" | "src6_addr" => Field::SourceIp,
            "dst4_addr" | "dst6_addr" => Field::DestinationIp,
            "src_port" => Field::SourcePort,
            "dst_port" => Field::DestinationPort,
            "proto" => Field::Transport,
            "in_bytes" => Field::Bytes(Way::Forward),
            "out_bytes" => Field::Bytes(Way::Backward),
            "in_packets" => Field::Packets(Way::Forward),
            "out_packets" => Field::Packets(Way::Backward),
            "label" => Field::LooseLabel,
            "attack" => Field::Attack,
            _ => return None,
        })
    }

    fn is_flow(record: &str) -> bool {
        record == "FLOW"
    }
}
