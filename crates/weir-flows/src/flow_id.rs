//! Ids for flows whose format has none: derived from what the flow is, and a running number among identical ones.

use std::collections::HashMap;
use std::net::IpAddr;

use weir_contract::FlowBatch;
use weir_contract::flow::{Column, TextColumn, derived_id};
use xxhash_rust::xxh3::xxh3_128;

/// What the flow of a row is: XXH3-128 over all its columns but flow id, label and attack.
///
/// The columns come in canonical order, each as one byte (0 null; 1 a value; 4 and 6 an address of that version) and,
/// where there is a value, its bytes in little-endian order; addresses in network order.
#[must_use]
pub fn content(flows: &FlowBatch, row: usize) -> u128 {
    // 1 + 8 for each of four numbers, 1 + 16 for each address, 1 + 2 for each port, transport, final.
    let mut bytes = Bytes { buffer: [0; 80], length: 0 };
    bytes.nullable(&flows.event_time, row, i64::to_le_bytes);
    bytes.address(flows.source_ip[row]);
    bytes.address(flows.destination_ip[row]);
    bytes.nullable(&flows.source_port, row, u16::to_le_bytes);
    bytes.nullable(&flows.destination_port, row, u16::to_le_bytes);
    bytes.push(&[flows.transport[row] as u8]);
    bytes.nullable(&flows.bytes, row, u64::to_le_bytes);
    bytes.nullable(&flows.packets, row, u64::to_le_bytes);
    bytes.nullable(&flows.duration_ns, row, u64::to_le_bytes);
    bytes.nullable(&flows.last, row, |last| [u8::from(last)]);
    xxh3_128(&bytes.buffer[..bytes.length])
}

struct Bytes {
    buffer: [u8; 80],
    length: usize,
}

impl Bytes {
    fn push(&mut self, bytes: &[u8]) {
        self.buffer[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }

    fn nullable<T: Copy + Default, const N: usize>(&mut self, column: &Column<T>, row: usize, to: fn(T) -> [u8; N]) {
        match column.get(row) {
            None => self.push(&[0]),
            Some(value) => {
                self.push(&[1]);
                self.push(&to(value));
            }
        }
    }

    fn address(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(address) => {
                self.push(&[4]);
                self.push(&address.octets());
            }
            IpAddr::V6(address) => {
                self.push(&[6]);
                self.push(&address.octets());
            }
        }
    }
}

/// Gives ids to a stream of flows, numbering identical ones as they come.
#[derive(Debug)]
pub struct FlowIds {
    seen: HashMap<u128, u64>,
    limit: usize,
}

impl Default for FlowIds {
    /// Numbers identical flows however far apart they are; some 40 bytes of memory per flow.
    fn default() -> Self {
        Self::within(usize::MAX)
    }
}

impl FlowIds {
    /// Remembers at most `limit` different flows: once there are more it begins anew, so that memory is bounded and
    /// identical flows far apart may have the same id.
    #[must_use]
    pub fn within(limit: usize) -> Self {
        Self { seen: HashMap::new(), limit: limit.max(1) }
    }

    /// Fills in the ids that are null.
    pub fn derive(&mut self, flows: &mut FlowBatch) {
        if flows.flow_id.iter().all(|id| id.is_some()) {
            return;
        }
        let mut ids = TextColumn::default();
        for row in 0..flows.len() {
            match flows.flow_id.get(row) {
                Some(id) => ids.push(Some(id)),
                None => {
                    let content = content(flows, row);
                    if self.seen.len() >= self.limit && !self.seen.contains_key(&content) {
                        self.seen.clear();
                    }
                    let number = self.seen.entry(content).or_default();
                    ids.push(Some(&derived_id(content, *number)));
                    *number += 1;
                }
            }
        }
        flows.flow_id = ids;
    }
}

#[cfg(test)]
mod tests {
    use weir_contract::{Flow, Label, Transport};

    use super::*;

    fn flow() -> Flow {
        Flow {
            flow_id: None,
            event_time: Some(i64::MIN),
            source_ip: "fd00::1".parse().unwrap(),
            destination_ip: "fd00::2".parse().unwrap(),
            source_port: Some(1),
            destination_port: Some(2),
            transport: Transport::Other,
            bytes: Some(u64::MAX),
            packets: Some(1),
            duration_ns: Some(0),
            last: Some(true),
            label: None,
            attack: None,
        }
    }

    fn of(flow: Flow) -> u128 {
        content(&[flow].into_iter().collect(), 0)
    }

    #[test]
    fn content_is_everything_but_id_label_and_attack() {
        let same =
            Flow { label: Some(Label::Malicious), attack: Some("x".into()), flow_id: Some("7".into()), ..flow() };
        assert_eq!(of(same), of(flow()));
        let others = [
            Flow { event_time: None, ..flow() },
            Flow { source_ip: flow().destination_ip, destination_ip: flow().source_ip, ..flow() },
            Flow { source_ip: "10.0.0.1".parse().unwrap(), ..flow() },
            Flow { source_port: None, ..flow() },
            Flow { destination_port: Some(3), ..flow() },
            Flow { transport: Transport::Tcp, ..flow() },
            Flow { bytes: None, packets: Some(u64::MAX), ..flow() },
            Flow { packets: None, ..flow() },
            Flow { duration_ns: None, ..flow() },
            Flow { last: Some(false), ..flow() },
        ];
        let mut contents: Vec<u128> = others.into_iter().chain([flow()]).map(of).collect();
        contents.sort_unstable();
        contents.dedup();
        assert_eq!(contents.len(), 11);
    }

    #[test]
    fn identical_flows_are_numbered_and_given_ids_stay() {
        let named = Flow { flow_id: Some("a".into()), ..flow() };
        let mut batch: FlowBatch = [flow(), named, flow()].into_iter().collect();
        FlowIds::default().derive(&mut batch);
        let ids: Vec<&str> = batch.flow_id.iter().map(Option::unwrap).collect();
        assert_eq!((ids[1], &ids[2][..33], &ids[2][33..]), ("a", ids[0], "~1"));
    }

    #[test]
    fn a_limit_forgets_what_is_far_away_and_numbers_what_is_near() {
        let numbered = |port| Flow { source_port: Some(port), ..flow() };
        let mut batch: FlowBatch = [1, 1, 2, 3, 1, 1].into_iter().map(numbered).collect();
        FlowIds::within(2).derive(&mut batch);
        let numbers: Vec<&str> = batch.flow_id.iter().map(|id| &id.unwrap()[33..]).collect();
        assert_eq!(numbers, ["", "~1", "", "", "", "~1"]);
    }
}
