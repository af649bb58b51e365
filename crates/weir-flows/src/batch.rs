//! What decoding gives: flows, and the records that are none.

use std::net::{IpAddr, Ipv4Addr};

use weir_contract::flow::{FlowBatch, Label, Transport};

/// How many characters of a rejected record are kept.
const EXCERPT: usize = 200;

/// Flows with the lines they came from, and the records that could not be read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// The flows, in file order.
    pub flows: FlowBatch,
    /// The line on which each flow's record starts, counted from 1; as long as `flows`.
    pub lines: Vec<u64>,
    /// The records that are no flows, in file order.
    pub rejected: Vec<Rejected>,
    /// How many blank lines were passed over.
    pub blank: u64,
    /// How many records and lines were passed over because they hold no flow by the format's own rules: the alerts in a log
    /// of all events, comments, repeated headers, the summaries that tools print.
    pub skipped: u64,
}

/// A record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The line on which it starts, counted from 1.
    pub line: u64,
    /// Which column, what was expected, what was found.
    pub reason: String,
    /// Its first 200 characters; what is not UTF-8 is replaced.
    pub text: String,
}

impl Batch {
    /// The number of records read: flows and rejected.
    #[must_use]
    pub fn records(&self) -> usize {
        self.lines.len() + self.rejected.len()
    }

    /// Whether nothing was read, not even a blank line or a record passed over.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records() == 0 && self.blank == 0 && self.skipped == 0
    }

    /// Empties the batch and keeps its memory for the next records.
    pub fn clear(&mut self) {
        self.flows.clear();
        self.lines.clear();
        self.rejected.clear();
        (self.blank, self.skipped) = (0, 0);
    }

    /// Appends all that another batch holds.
    pub fn append(&mut self, other: &Self) {
        self.flows.append(&other.flows);
        self.lines.extend_from_slice(&other.lines);
        self.rejected.extend_from_slice(&other.rejected);
        self.blank += other.blank;
        self.skipped += other.skipped;
    }

    pub(crate) fn push(&mut self, line: u64, row: &Row<'_>) {
        row.append_to(&mut self.flows);
        self.lines.push(line);
    }

    pub(crate) fn reject(&mut self, line: u64, reason: String, record: &[u8]) {
        self.rejected.push(Rejected { line, reason, text: excerpt(record, EXCERPT) });
    }
}

/// A flow whose texts still lie in the bytes it was read from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) flow_id: Option<&'a str>,
    pub(crate) event_time: Option<i64>,
    pub(crate) source_ip: IpAddr,
    pub(crate) destination_ip: IpAddr,
    pub(crate) source_port: Option<u16>,
    pub(crate) destination_port: Option<u16>,
    pub(crate) transport: Transport,
    pub(crate) bytes: Option<u64>,
    pub(crate) packets: Option<u64>,
    pub(crate) duration_ns: Option<u64>,
    pub(crate) last: Option<bool>,
    pub(crate) label: Option<Label>,
    pub(crate) attack: Option<&'a str>,
}

impl Row<'_> {
    /// A flow labelled benign has no attack.
    pub(crate) fn append_to(&self, flows: &mut FlowBatch) {
        flows.flow_id.push(self.flow_id);
        flows.event_time.push(self.event_time);
        flows.source_ip.push(self.source_ip);
        flows.destination_ip.push(self.destination_ip);
        flows.source_port.push(self.source_port);
        flows.destination_port.push(self.destination_port);
        flows.transport.push(self.transport);
        flows.bytes.push(self.bytes);
        flows.packets.push(self.packets);
        flows.duration_ns.push(self.duration_ns);
        flows.last.push(self.last);
        flows.label.push(self.label.map(Label::class));
        flows.attack.push(if self.label == Some(Label::Benign) { None } else { self.attack });
    }
}

impl Default for Row<'_> {
    /// The addresses are always overwritten: no format opens without columns for them.
    fn default() -> Self {
        let unset = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Self {
            flow_id: None,
            event_time: None,
            source_ip: unset,
            destination_ip: unset,
            source_port: None,
            destination_port: None,
            transport: Transport::Other,
            bytes: None,
            packets: None,
            duration_ns: None,
            last: None,
            label: None,
            attack: None,
        }
    }
}

/// The first `characters` of bytes that may not be UTF-8.
pub(crate) fn excerpt(bytes: &[u8], characters: usize) -> String {
    let start = &bytes[..bytes.len().min(4 * characters)];
    String::from_utf8_lossy(start).chars().take(characters).collect()
}
