//! Packetbeat flow events in the Elastic Common Schema, as written or as exported from Elasticsearch.

use crate::json::{Clock, Field, Framing, Json, Way};

pub(crate) struct PacketbeatJson;

impl Json for PacketbeatJson {
    const FRAMING: Framing = Framing::Lines;
    const MARKS: &'static [&'static [&'static str]] = &[
        &["@timestamp"],
        &["source.ip"],
        &["destination.ip"],
        &["flow.id", "flow.final", "event.dataset", "event.duration", "network.bytes", "network.transport"],
    ];
    const ADDRESSES: [&'static str; 2] = ["source.ip", "destination.ip"];
    const TRANSPORT: Option<&'static str> = None;

    fn field(path: &str) -> Option<Field> {
        Some(match path.strip_prefix("_source.").unwrap_or(path) {
            "@timestamp" => Field::Time(Clock::Iso),
            "source.ip" => Field::SourceIp,
            "source.port" => Field::SourcePort,
            "source.bytes" => Field::Bytes(Way::Forward),
            "source.packets" => Field::Packets(Way::Forward),
            "destination.ip" => Field::DestinationIp,
            "destination.port" => Field::DestinationPort,
            "destination.bytes" => Field::Bytes(Way::Backward),
            "destination.packets" => Field::Packets(Way::Backward),
            "network.bytes" => Field::Bytes(Way::Both),
            "network.packets" => Field::Packets(Way::Both),
            "network.transport" => Field::Transport,
            "event.duration" => Field::Duration,
            "event.dataset" => Field::Kind,
            "flow.id" => Field::FlowId,
            "flow.final" => Field::Last,
            "label" => Field::Label,
            "attack" => Field::Attack,
            _ => return None,
        })
    }

    fn descends(path: &str) -> bool {
        let path = path.strip_prefix("_source.").unwrap_or(path);
        matches!(path, "_source" | "source" | "destination" | "network" | "event" | "flow")
    }

    fn is_flow(dataset: &str) -> bool {
        matches!(dataset, "flow" | "network_traffic.flow")
    }
}
