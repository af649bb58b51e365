//! One flow as a JSON value, as requests carry it: in canonical names or in those of the Elastic Common Schema.

use std::fmt;

use serde::de::{Deserializer, Error, MapAccess, Visitor};
use weir_contract::FlowBatch;
use weir_contract::flow::COLUMNS;
use weir_contract::nearest;

use crate::json::record::{Draft, Key, Object};
use crate::json::{Clock, Field, Way};
use crate::packetbeat_json::PacketbeatJson;

/// Reads an object and appends its flow to `flows`.
///
/// An object in the names of the canonical table is taken as it is; it must hold both addresses and the transport, and
/// no other member. One in the names of `packetbeat-json`, nested or dotted, is read as a record of such a file, whose
/// other members are ignored. `label` and `attack` are known to both.
///
/// # Errors
/// Those of the deserializer, and its custom error for an object that is no flow, with the member and what was expected.
pub fn read_flow<'de, D: Deserializer<'de>>(deserializer: D, flows: &mut FlowBatch) -> Result<(), D::Error> {
    deserializer.deserialize_map(AnyFlow(flows))
}

struct AnyFlow<'f>(&'f mut FlowBatch);

impl<'de> Visitor<'de> for AnyFlow<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a flow")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let (mut path, mut draft, mut reason) = (String::new(), Draft::default(), None);
        let mut names = Names::default();
        while let Some(Key(key)) = members.next_key()? {
            let mut object: Object<'_, '_, PacketbeatJson> = Object::record(&mut path, &mut draft, &mut reason);
            match canonical(&key) {
                Some((column, field)) => {
                    if names.canonical & (1 << column) != 0 {
                        return Err(A::Error::custom(format_args!("the flow has two members {key:?}")));
                    }
                    names.canonical |= 1 << column;
                    object.read(&key, field, &mut members)?;
                }
                None if object.member(&key, &mut members)? => names.common = names.common.or(Some(key.into_owned())),
                None => names.unknown = names.unknown.or(Some(key.into_owned())),
            }
        }
        let row = match (reason, names.style()) {
            (Some(reason), _) | (None, Err(reason)) => Err(reason),
            (None, Ok(Style::Canonical)) => draft.canonical_row(),
            (None, Ok(Style::Common)) => draft.row::<PacketbeatJson>(),
        };
        row.map_err(A::Error::custom)?.append_to(self.0);
        Ok(())
    }
}

/// Which names an object has used.
#[derive(Default)]
struct Names {
    /// Bits of the canonical columns.
    canonical: u16,
    /// The first of the Elastic Common Schema.
    common: Option<String>,
    /// The first that neither knows.
    unknown: Option<String>,
}

enum Style {
    Canonical,
    Common,
}

impl Names {
    /// Two styles in one object are a mistake that would lose one of the two.
    fn style(&self) -> Result<Style, String> {
        let of_both = COLUMNS.iter().position(|&name| name == "label").map_or(0, |label| 0b11 << label);
        let column = self.canonical & !of_both;
        match (&self.common, &self.unknown) {
            (Some(common), _) if column != 0 => {
                let canonical = COLUMNS[column.trailing_zeros() as usize];
                Err(format!(
                    "{canonical:?} is a canonical name and {common:?} one of the Elastic Common Schema: use one kind"
                ))
            }
            (Some(_), _) => Ok(Style::Common),
            (None, Some(unknown)) => {
                let hint = nearest(unknown, COLUMNS).map_or(String::new(), |name| format!(", did you mean {name:?}?"));
                Err(format!("a flow has no member {unknown:?}{hint}"))
            }
            (None, None) => Ok(Style::Canonical),
        }
    }
}

/// The number of the canonical column and what it is read into.
fn canonical(name: &str) -> Option<(usize, Field)> {
    let field = match name {
        "flow_id" => Field::FlowId,
        "event_time" => Field::Time(Clock::Milliseconds),
        "source_ip" => Field::SourceIp,
        "destination_ip" => Field::DestinationIp,
        "source_port" => Field::SourcePort,
        "destination_port" => Field::DestinationPort,
        "transport" => Field::Transport,
        "bytes" => Field::Bytes(Way::Both),
        "packets" => Field::Packets(Way::Both),
        "duration_ns" => Field::Duration,
        "final" => Field::Last,
        "label" => Field::Label,
        "attack" => Field::Attack,
        _ => return None,
    };
    COLUMNS.iter().position(|&column| column == name).map(|column| (column, field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_contract::Flow;

    fn read(text: &str) -> Result<Flow, String> {
        let mut flows = FlowBatch::default();
        let mut deserializer = serde_json::Deserializer::from_str(text);
        read_flow(&mut deserializer, &mut flows).map_err(|error| error.to_string())?;
        assert_eq!(flows.len(), 1);
        Ok(flows.flow(0))
    }

    const CANONICAL: &str = r#"{"flow_id":"a","event_time":1645791570013,"source_ip":"53.255.61.238","destination_ip":"::1","source_port":3,"transport":"icmp","bytes":18446744073709551615,"duration_ns":0,"final":true,"label":"malicious","attack":"x"}"#;

    #[test]
    fn a_canonical_object_is_what_the_contract_says() {
        assert_eq!(read(CANONICAL), Ok(serde_json::from_str(CANONICAL).unwrap()));
        for transport in ["tcp", "udp", "icmp6", "other"] {
            let text = CANONICAL.replace("icmp", transport);
            assert_eq!(read(&text), Ok(serde_json::from_str(&text).unwrap()));
        }
        let early = CANONICAL.replace("1645791570013", "-5");
        assert_eq!(read(&early).unwrap().event_time, Some(-5));
    }

    #[test]
    fn an_event_is_read_as_in_a_file_whether_nested_or_dotted() {
        let nested = r#"{"@timestamp":"2022-02-25T12:19:30.013Z","agent":{"name":"x"},"flow":{"id":"a","final":true},"source":{"ip":"10.0.0.1","port":1,"bytes":5},"destination":{"ip":"10.0.0.2","port":2,"bytes":7},"network":{"transport":"tcp"},"event":{"duration":9,"dataset":"flow"},"label":"benign"}"#;
        let dotted = r#"{"@timestamp":"2022-02-25T12:19:30.013Z","agent.name":"x","flow.id":"a","flow.final":true,"source.ip":"10.0.0.1","source.port":1,"destination.ip":"10.0.0.2","destination.port":2,"network.bytes":12,"network.transport":"tcp","event.duration":9,"label":0}"#;
        let flow = read(nested).unwrap();
        assert_eq!((flow.event_time, flow.bytes, flow.duration_ns), (Some(1_645_791_570_013), Some(12), Some(9)));
        assert_eq!(read(dotted), Ok(flow));
    }

    #[test]
    fn what_is_no_flow_is_refused_with_its_reason() {
        for (change, reason) in [
            (
                ("\"source_ip\":\"53.255.61.238\",", ""),
                "\"source_ip\": expected an IPv4 or IPv6 address, found nothing",
            ),
            (("\"transport\":\"icmp\",", ""), "\"transport\": expected a transport"),
            (("source_port", "sourceport"), "no member \"sourceport\", did you mean \"source_port\"?"),
            (("\"source_port\":3", "\"source.port\":3"), "use one kind"),
            (("\"source_port\":3", "\"bytes\":3"), "two members \"bytes\""),
            (("\"source_port\":3", "\"source_port\":65536"), "a whole number from 0 to 65535"),
        ] {
            let error = read(&CANONICAL.replace(change.0, change.1)).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
        assert!(read("{}").is_err() && read("[]").is_err() && read("3").is_err());
    }
}
