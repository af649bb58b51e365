//! One flow as bytes: what lies between reading and the cells.
//!
//! The form lives as long as a run and is no file format. Numbers are little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | length of the record |
//! | 8 | place: the flow's hash |
//! | 4 | flags |
//! | 4 + 4 | origin: number of the piece of input, line within it |
//! | 8 + 2 + 2 + 8 + 8 + 8 | event time, ports, bytes, packets, duration; 0 where null |
//! | 4 or 16, twice | addresses |
//! | 4 + n | flow id |
//! | n | attack, to the end |

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use weir_contract::flow::{FlowBatch, Transport};

/// Where a record was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Origin {
    /// The number of the piece of input.
    pub(crate) piece: u32,
    /// The line within the piece, from 0.
    pub(crate) line: u32,
}

const FIXED: usize = 24 + 36;

const SOURCE_V6: u32 = 1;
const DESTINATION_V6: u32 = 1 << 1;
const TIME: u32 = 1 << 2;
const SOURCE_PORT: u32 = 1 << 3;
const DESTINATION_PORT: u32 = 1 << 4;
const BYTES: u32 = 1 << 5;
const PACKETS: u32 = 1 << 6;
const DURATION: u32 = 1 << 7;
const FINAL_KNOWN: u32 = 1 << 8;
const FINAL: u32 = 1 << 9;
const LABEL_KNOWN: u32 = 1 << 10;
const MALICIOUS: u32 = 1 << 11;
const ATTACK: u32 = 1 << 12;
const DERIVED: u32 = 1 << 13;
const TRANSPORT_SHIFT: u32 = 16;

/// Appends the record of a row. A row without an id is `derived`: it takes `id`, the stem that its content gives.
pub(crate) fn write(
    out: &mut Vec<u8>,
    flows: &FlowBatch,
    row: usize,
    place: u64,
    origin: Origin,
    id: &str,
    derived: bool,
) {
    let start = out.len();
    let mut flags = (flows.transport[row] as u32) << TRANSPORT_SHIFT;
    let mut set = |flag: u32, when: bool| flags |= if when { flag } else { 0 };
    set(SOURCE_V6, flows.source_ip[row].is_ipv6());
    set(DESTINATION_V6, flows.destination_ip[row].is_ipv6());
    set(TIME, !flows.event_time.is_null(row));
    set(SOURCE_PORT, !flows.source_port.is_null(row));
    set(DESTINATION_PORT, !flows.destination_port.is_null(row));
    set(BYTES, !flows.bytes.is_null(row));
    set(PACKETS, !flows.packets.is_null(row));
    set(DURATION, !flows.duration_ns.is_null(row));
    set(FINAL_KNOWN, !flows.last.is_null(row));
    set(FINAL, flows.last.values()[row]);
    set(LABEL_KNOWN, !flows.label.is_null(row));
    set(MALICIOUS, flows.label.values()[row] == 1);
    let attack = flows.attack.get(row);
    set(ATTACK, attack.is_some());
    set(DERIVED, derived);
    let mut fixed = [0; FIXED];
    let mut at = 4;
    let mut put = |bytes: &[u8]| {
        fixed[at..at + bytes.len()].copy_from_slice(bytes);
        at += bytes.len();
    };
    put(&place.to_le_bytes());
    put(&flags.to_le_bytes());
    put(&origin.piece.to_le_bytes());
    put(&origin.line.to_le_bytes());
    put(&flows.event_time.values()[row].to_le_bytes());
    put(&flows.source_port.values()[row].to_le_bytes());
    put(&flows.destination_port.values()[row].to_le_bytes());
    put(&flows.bytes.values()[row].to_le_bytes());
    put(&flows.packets.values()[row].to_le_bytes());
    put(&flows.duration_ns.values()[row].to_le_bytes());
    out.extend_from_slice(&fixed);
    for address in [flows.source_ip[row], flows.destination_ip[row]] {
        match address {
            IpAddr::V4(address) => out.extend_from_slice(&address.octets()),
            IpAddr::V6(address) => out.extend_from_slice(&address.octets()),
        }
    }
    out.extend_from_slice(&(id.len() as u32).to_le_bytes());
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(attack.unwrap_or_default().as_bytes());
    let length = (out.len() - start) as u32;
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

/// A record in the bytes that [`write`] made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a>(&'a [u8]);

impl<'a> Record<'a> {
    /// The first record of `bytes`, and what follows it.
    ///
    /// # Panics
    /// On bytes that [`write`] did not make.
    pub(crate) fn split(bytes: &'a [u8]) -> (Self, &'a [u8]) {
        let length = u32::from_le_bytes(bytes[..4].try_into().expect("four bytes")) as usize;
        let (record, rest) = bytes.split_at(length);
        (Self(record), rest)
    }

    fn u64(self, at: usize) -> u64 {
        u64::from_le_bytes(self.0[at..at + 8].try_into().expect("eight bytes"))
    }

    fn u32(self, at: usize) -> u32 {
        u32::from_le_bytes(self.0[at..at + 4].try_into().expect("four bytes"))
    }

    fn u16(self, at: usize) -> u16 {
        u16::from_le_bytes(self.0[at..at + 2].try_into().expect("two bytes"))
    }

    fn has(self, flag: u32) -> bool {
        self.u32(12) & flag != 0
    }

    pub(crate) fn place(self) -> u64 {
        self.u64(4)
    }

    pub(crate) fn origin(self) -> Origin {
        Origin { piece: self.u32(16), line: self.u32(20) }
    }

    pub(crate) fn event_time(self) -> Option<i64> {
        self.has(TIME).then(|| self.u64(24) as i64)
    }

    pub(crate) fn source_port(self) -> Option<u16> {
        self.has(SOURCE_PORT).then(|| self.u16(32))
    }

    pub(crate) fn destination_port(self) -> Option<u16> {
        self.has(DESTINATION_PORT).then(|| self.u16(34))
    }

    pub(crate) fn bytes(self) -> Option<u64> {
        self.has(BYTES).then(|| self.u64(36))
    }

    pub(crate) fn packets(self) -> Option<u64> {
        self.has(PACKETS).then(|| self.u64(44))
    }

    pub(crate) fn duration_ns(self) -> Option<u64> {
        self.has(DURATION).then(|| self.u64(52))
    }

    pub(crate) fn last(self) -> Option<bool> {
        self.has(FINAL_KNOWN).then(|| self.has(FINAL))
    }

    pub(crate) fn label(self) -> Option<u8> {
        self.has(LABEL_KNOWN).then(|| u8::from(self.has(MALICIOUS)))
    }

    /// Whether the id is the stem of a derived one.
    pub(crate) fn is_derived(self) -> bool {
        self.has(DERIVED)
    }

    pub(crate) fn transport(self) -> Transport {
        Transport::ALL[(self.u32(12) >> TRANSPORT_SHIFT) as usize]
    }

    fn address(self, at: usize, v6: u32) -> (IpAddr, usize) {
        if self.has(v6) {
            let octets: [u8; 16] = self.0[at..at + 16].try_into().expect("sixteen bytes");
            (Ipv6Addr::from(octets).into(), at + 16)
        } else {
            let octets: [u8; 4] = self.0[at..at + 4].try_into().expect("four bytes");
            (Ipv4Addr::from(octets).into(), at + 4)
        }
    }

    pub(crate) fn addresses(self) -> (IpAddr, IpAddr) {
        let (source, next) = self.address(FIXED, SOURCE_V6);
        (source, self.address(next, DESTINATION_V6).0)
    }

    /// The place of the id's bytes.
    fn id_range(self) -> std::ops::Range<usize> {
        let width = |flag| if self.has(flag) { 16 } else { 4 };
        let at = FIXED + width(SOURCE_V6) + width(DESTINATION_V6);
        let length = self.u32(at) as usize;
        at + 4..at + 4 + length
    }

    /// The bytes of the flow id; of a derived one those of the stem.
    pub(crate) fn id_bytes(self) -> &'a [u8] {
        &self.0[self.id_range()]
    }

    /// The flow id; of a derived one the stem.
    pub(crate) fn flow_id(self) -> &'a str {
        std::str::from_utf8(self.id_bytes()).expect("an id was written as text")
    }

    pub(crate) fn attack(self) -> Option<&'a str> {
        let rest = &self.0[self.id_range().end..];
        self.has(ATTACK).then(|| std::str::from_utf8(rest).expect("an attack was written as text"))
    }

    /// Appends the flow, under `id`.
    pub(crate) fn push_to(self, flows: &mut FlowBatch, id: &str) {
        let (source, destination) = self.addresses();
        flows.flow_id.push(Some(id));
        flows.event_time.push(self.event_time());
        flows.source_ip.push(source);
        flows.destination_ip.push(destination);
        flows.source_port.push(self.source_port());
        flows.destination_port.push(self.destination_port());
        flows.transport.push(self.transport());
        flows.bytes.push(self.bytes());
        flows.packets.push(self.packets());
        flows.duration_ns.push(self.duration_ns());
        flows.last.push(self.last());
        flows.label.push(self.label());
        flows.attack.push(self.attack());
    }
}

#[cfg(test)]
mod tests {
    use weir_contract::{Flow, Label};

    use super::*;

    #[test]
    fn a_record_gives_back_its_flow() {
        let full = Flow {
            flow_id: Some("é-1".to_owned()),
            event_time: Some(-5),
            source_ip: "10.0.0.1".parse().unwrap(),
            destination_ip: "fd00::2".parse().unwrap(),
            source_port: Some(u16::MAX),
            destination_port: Some(0),
            transport: Transport::Icmp6,
            bytes: Some(u64::MAX),
            packets: Some(1),
            duration_ns: Some(2),
            last: Some(true),
            label: Some(Label::Malicious),
            attack: Some("scan".to_owned()),
        };
        let bare = Flow {
            flow_id: Some(String::new()),
            event_time: None,
            source_ip: "::".parse().unwrap(),
            destination_ip: "0.0.0.0".parse().unwrap(),
            source_port: None,
            destination_port: None,
            transport: Transport::Other,
            bytes: None,
            packets: None,
            duration_ns: None,
            last: None,
            label: None,
            attack: None,
        };
        let benign =
            Flow { label: Some(Label::Benign), last: Some(false), attack: Some(String::new()), ..bare.clone() };
        let flows: FlowBatch = [full, bare, benign].into_iter().collect();
        let (mut bytes, mut again) = (Vec::new(), FlowBatch::default());
        for row in 0..flows.len() {
            let origin = Origin { piece: 7, line: row as u32 };
            write(&mut bytes, &flows, row, row as u64 + 9, origin, flows.flow_id.get(row).unwrap(), row == 1);
        }
        let mut rest = bytes.as_slice();
        for row in 0..flows.len() {
            let record;
            (record, rest) = Record::split(rest);
            record.push_to(&mut again, record.flow_id());
            assert_eq!(
                (record.place(), record.origin().line, record.is_derived()),
                (row as u64 + 9, row as u32, row == 1)
            );
        }
        assert!(rest.is_empty());
        assert_eq!(again, flows);
    }
}
