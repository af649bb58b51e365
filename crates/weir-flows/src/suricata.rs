//! Flow events of Suricata's EVE log.

use crate::json::{Clock, Field, Framing, Json, Way};

pub(crate) struct SuricataEve;

impl Json for SuricataEve {
    const FRAMING: Framing = Framing::Lines;
    const MARKS: &'static [&'static [&'static str]] = &[&["event_type"], &["timestamp"]];
    const ADDRESSES: [&'static str; 2] = ["src_ip", "dest_ip"];
    const TRANSPORT: Option<&'static str> = Some("proto");

    fn field(path: &str) -> Option<Field> {
        Some(match path {
            "event_type" => Field::Kind,
            "timestamp" => Field::Time(Clock::Iso),
            "flow_id" => Field::FlowId,
            "src_ip" => Field::SourceIp,
            "src_port" => Field::SourcePort,
            "dest_ip" => Field::DestinationIp,
            "dest_port" => Field::DestinationPort,
            "proto" => Field::Transport,
            "flow.bytes_toserver" => Field::Bytes(Way::Forward),
            "flow.bytes_toclient" => Field::Bytes(Way::Backward),
            "flow.pkts_toserver" => Field::Packets(Way::Forward),
            "flow.pkts_toclient" => Field::Packets(Way::Backward),
            "flow.start" => Field::Start(Clock::Iso),
            "flow.end" => Field::End(Clock::Iso),
            "label" => Field::Label,
            "attack" => Field::Attack,
            _ => return None,
        })
    }

    fn descends(path: &str) -> bool {
        path == "flow"
    }

    fn is_flow(event: &str) -> bool {
        event == "flow"
    }
}
