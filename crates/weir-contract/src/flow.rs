//! The canonical flow: one name, type and unit per column, whatever format it was read from.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::number::Seed;

/// The columns of the canonical flow table in their order.
pub const COLUMNS: [&str; 13] = [
    "flow_id",
    "event_time",
    "source_ip",
    "destination_ip",
    "source_port",
    "destination_port",
    "transport",
    "bytes",
    "packets",
    "duration_ns",
    "final",
    "label",
    "attack",
];

/// The transport protocol of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// TCP, IP protocol 6.
    Tcp,
    /// UDP, IP protocol 17.
    Udp,
    /// ICMP for IPv4, IP protocol 1.
    Icmp,
    /// ICMP for IPv6, IP protocol 58.
    Icmp6,
    /// Anything else, such as IP in IP.
    Other,
}

impl Transport {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Tcp, Self::Udp, Self::Icmp, Self::Icmp6, Self::Other];

    /// The name in the canonical table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::Icmp6 => "icmp6",
            Self::Other => "other",
        }
    }

    /// The transport of an IP protocol number.
    #[must_use]
    pub const fn from_protocol(number: u8) -> Self {
        match number {
            6 => Self::Tcp,
            17 => Self::Udp,
            1 => Self::Icmp,
            58 => Self::Icmp6,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Transport {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|known| known.name() == text).ok_or(())
    }
}

/// What a flow is known to be. Malicious is the positive class, 1 in every table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// The negative class, 0.
    Benign,
    /// The positive class, 1.
    Malicious,
}

impl Label {
    /// The name in the canonical table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Benign => "benign",
            Self::Malicious => "malicious",
        }
    }

    /// 0 for benign, 1 for malicious.
    #[must_use]
    pub const fn class(self) -> u8 {
        self as u8
    }

    /// The label of class 0 or 1 (any other number counts as 1).
    #[must_use]
    pub const fn from_class(class: u8) -> Self {
        if class == 0 { Self::Benign } else { Self::Malicious }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Label {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "benign" => Ok(Self::Benign),
            "malicious" => Ok(Self::Malicious),
            _ => Err(()),
        }
    }
}

/// One flow as an object: what the predictor takes and what examples show. Unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// The exporter's id of the flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_id: Option<String>,
    /// Time of the record, milliseconds since 1970 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_time: Option<i64>,
    /// Source address.
    pub source_ip: IpAddr,
    /// Destination address.
    pub destination_ip: IpAddr,
    /// Source port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_port: Option<u16>,
    /// Destination port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_port: Option<u16>,
    /// Transport protocol.
    pub transport: Transport,
    /// Bytes in both directions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Packets in both directions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packets: Option<u64>,
    /// Duration in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ns: Option<u64>,
    /// Whether the exporter wrote this as the flow's last record.
    #[serde(default, rename = "final", skip_serializing_if = "Option::is_none")]
    pub last: Option<bool>,
    /// What the flow is known to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
    /// The name of the attack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attack: Option<String>,
}

/// A column of values that may be null. A null row holds `T::default()` in `values`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Column<T> {
    values: Vec<T>,
    /// One flag per row; empty while no row is null.
    null: Vec<bool>,
}

impl<T: Copy + Default> Column<T> {
    /// An empty column with room for `rows` rows.
    #[must_use]
    pub fn with_capacity(rows: usize) -> Self {
        Self { values: Vec::with_capacity(rows), null: Vec::new() }
    }

    /// Removes all rows and keeps their memory for the next ones.
    pub fn clear(&mut self) {
        self.values.clear();
        self.null.clear();
    }

    /// Appends all rows of another column.
    pub fn append(&mut self, other: &Self) {
        let rows = self.len();
        append_null(&mut self.null, rows, &other.null, other.len());
        self.values.extend_from_slice(&other.values);
    }

    /// Appends a row.
    pub fn push(&mut self, value: Option<T>) {
        if value.is_none() && self.null.is_empty() {
            self.null.resize(self.values.len(), false);
        }
        if value.is_none() || !self.null.is_empty() {
            self.null.push(value.is_none());
        }
        self.values.push(value.unwrap_or_default());
    }

    /// The value of a row.
    ///
    /// # Panics
    /// When `row` is not below [`Column::len`].
    #[must_use]
    pub fn get(&self, row: usize) -> Option<T> {
        let value = self.values[row];
        if self.is_null(row) { None } else { Some(value) }
    }

    /// Whether a row is null.
    #[must_use]
    pub fn is_null(&self, row: usize) -> bool {
        self.null.get(row).copied().unwrap_or(false)
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The values of all rows, `T::default()` where null.
    #[must_use]
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// All rows.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<T>> + '_ {
        (0..self.len()).map(|row| self.get(row))
    }
}

impl<T: Copy + Default> FromIterator<Option<T>> for Column<T> {
    fn from_iter<I: IntoIterator<Item = Option<T>>>(rows: I) -> Self {
        let mut column = Self::default();
        rows.into_iter().for_each(|row| column.push(row));
        column
    }
}

/// A column of texts that may be null, kept in one buffer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextColumn {
    text: String,
    ends: Vec<usize>,
    null: Vec<bool>,
}

impl TextColumn {
    /// An empty column with room for `rows` rows of `bytes` bytes of text together.
    #[must_use]
    pub fn with_capacity(rows: usize, bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), ends: Vec::with_capacity(rows), null: Vec::new() }
    }

    /// Removes all rows and keeps their memory for the next ones.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.null.clear();
    }

    /// Appends all rows of another column.
    pub fn append(&mut self, other: &Self) {
        let rows = self.len();
        append_null(&mut self.null, rows, &other.null, other.len());
        let start = self.text.len();
        self.text.push_str(&other.text);
        self.ends.extend(other.ends.iter().map(|end| start + end));
    }

    /// Appends a row.
    pub fn push(&mut self, value: Option<&str>) {
        if value.is_none() && self.null.is_empty() {
            self.null.resize(self.ends.len(), false);
        }
        if value.is_none() || !self.null.is_empty() {
            self.null.push(value.is_none());
        }
        self.text.push_str(value.unwrap_or_default());
        self.ends.push(self.text.len());
    }

    /// The text of a row.
    ///
    /// # Panics
    /// When `row` is not below [`TextColumn::len`].
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&str> {
        let end = self.ends[row];
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        if self.null.get(row).copied().unwrap_or(false) { None } else { Some(&self.text[start..end]) }
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All rows.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<&str>> + '_ {
        (0..self.len()).map(|row| self.get(row))
    }
}

impl<'a> FromIterator<Option<&'a str>> for TextColumn {
    fn from_iter<I: IntoIterator<Item = Option<&'a str>>>(rows: I) -> Self {
        let mut column = Self::default();
        rows.into_iter().for_each(|row| column.push(row));
        column
    }
}

/// Appends the null flags of `other_rows` rows to those of `rows` rows; no flags stand for no nulls.
fn append_null(null: &mut Vec<bool>, rows: usize, other: &[bool], other_rows: usize) {
    if null.is_empty() && other.is_empty() {
        return;
    }
    null.resize(rows, false);
    null.extend_from_slice(other);
    null.resize(rows + other_rows, false);
}

/// Flows as plain columns of equal length. Addresses and transport are never null.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FlowBatch {
    /// The exporter's id, null where the format has none.
    pub flow_id: TextColumn,
    /// Time of the record, milliseconds since 1970 UTC.
    pub event_time: Column<i64>,
    /// Source address.
    pub source_ip: Vec<IpAddr>,
    /// Destination address.
    pub destination_ip: Vec<IpAddr>,
    /// Source port.
    pub source_port: Column<u16>,
    /// Destination port.
    pub destination_port: Column<u16>,
    /// Transport protocol.
    pub transport: Vec<Transport>,
    /// Bytes in both directions.
    pub bytes: Column<u64>,
    /// Packets in both directions.
    pub packets: Column<u64>,
    /// Duration in nanoseconds.
    pub duration_ns: Column<u64>,
    /// Whether the exporter wrote the record as the flow's last.
    pub last: Column<bool>,
    /// 0 benign, 1 malicious, null unlabelled.
    pub label: Column<u8>,
    /// The name of the attack, null where unknown or benign.
    pub attack: TextColumn,
}

impl FlowBatch {
    /// An empty batch with room for `rows` flows.
    #[must_use]
    pub fn with_capacity(rows: usize) -> Self {
        Self {
            flow_id: TextColumn::with_capacity(rows, 0),
            event_time: Column::with_capacity(rows),
            source_ip: Vec::with_capacity(rows),
            destination_ip: Vec::with_capacity(rows),
            source_port: Column::with_capacity(rows),
            destination_port: Column::with_capacity(rows),
            transport: Vec::with_capacity(rows),
            bytes: Column::with_capacity(rows),
            packets: Column::with_capacity(rows),
            duration_ns: Column::with_capacity(rows),
            last: Column::with_capacity(rows),
            label: Column::with_capacity(rows),
            attack: TextColumn::with_capacity(rows, 0),
        }
    }

    /// Removes all flows and keeps their memory for the next ones.
    pub fn clear(&mut self) {
        self.flow_id.clear();
        self.event_time.clear();
        self.source_ip.clear();
        self.destination_ip.clear();
        self.source_port.clear();
        self.destination_port.clear();
        self.transport.clear();
        self.bytes.clear();
        self.packets.clear();
        self.duration_ns.clear();
        self.last.clear();
        self.label.clear();
        self.attack.clear();
    }

    /// The number of flows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.transport.len()
    }

    /// Whether there are no flows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.transport.is_empty()
    }

    /// Appends a flow.
    pub fn push(&mut self, flow: &Flow) {
        self.flow_id.push(flow.flow_id.as_deref());
        self.event_time.push(flow.event_time);
        self.source_ip.push(flow.source_ip);
        self.destination_ip.push(flow.destination_ip);
        self.source_port.push(flow.source_port);
        self.destination_port.push(flow.destination_port);
        self.transport.push(flow.transport);
        self.bytes.push(flow.bytes);
        self.packets.push(flow.packets);
        self.duration_ns.push(flow.duration_ns);
        self.last.push(flow.last);
        self.label.push(flow.label.map(Label::class));
        self.attack.push(flow.attack.as_deref());
    }

    /// Appends one row of another batch.
    ///
    /// # Panics
    /// When `row` is not below `other.len()`.
    pub fn push_row(&mut self, other: &Self, row: usize) {
        self.flow_id.push(other.flow_id.get(row));
        self.event_time.push(other.event_time.get(row));
        self.source_ip.push(other.source_ip[row]);
        self.destination_ip.push(other.destination_ip[row]);
        self.source_port.push(other.source_port.get(row));
        self.destination_port.push(other.destination_port.get(row));
        self.transport.push(other.transport[row]);
        self.bytes.push(other.bytes.get(row));
        self.packets.push(other.packets.get(row));
        self.duration_ns.push(other.duration_ns.get(row));
        self.last.push(other.last.get(row));
        self.label.push(other.label.get(row));
        self.attack.push(other.attack.get(row));
    }

    /// The flow of a row.
    ///
    /// # Panics
    /// When `row` is not below [`FlowBatch::len`].
    #[must_use]
    pub fn flow(&self, row: usize) -> Flow {
        Flow {
            flow_id: self.flow_id.get(row).map(str::to_owned),
            event_time: self.event_time.get(row),
            source_ip: self.source_ip[row],
            destination_ip: self.destination_ip[row],
            source_port: self.source_port.get(row),
            destination_port: self.destination_port.get(row),
            transport: self.transport[row],
            bytes: self.bytes.get(row),
            packets: self.packets.get(row),
            duration_ns: self.duration_ns.get(row),
            last: self.last.get(row),
            label: self.label.get(row).map(Label::from_class),
            attack: self.attack.get(row).map(str::to_owned),
        }
    }

    /// The chosen rows, in the order of `rows`.
    ///
    /// # Panics
    /// When a row is not below [`FlowBatch::len`].
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        let mut taken = Self::default();
        rows.iter().for_each(|&row| taken.push_row(self, row));
        taken
    }

    /// Appends all flows of another batch.
    pub fn append(&mut self, other: &Self) {
        self.flow_id.append(&other.flow_id);
        self.event_time.append(&other.event_time);
        self.source_ip.extend_from_slice(&other.source_ip);
        self.destination_ip.extend_from_slice(&other.destination_ip);
        self.source_port.append(&other.source_port);
        self.destination_port.append(&other.destination_port);
        self.transport.extend_from_slice(&other.transport);
        self.bytes.append(&other.bytes);
        self.packets.append(&other.packets);
        self.duration_ns.append(&other.duration_ns);
        self.last.append(&other.last);
        self.label.append(&other.label);
        self.attack.append(&other.attack);
    }
}

impl FromIterator<Flow> for FlowBatch {
    fn from_iter<I: IntoIterator<Item = Flow>>(flows: I) -> Self {
        let mut batch = Self::default();
        flows.into_iter().for_each(|flow| batch.push(&flow));
        batch
    }
}

/// The place of a flow in every seeded order and split: XXH3-64 of the id's bytes under the seed.
///
/// A pure function of id and seed, so that neither row order nor rows appended later move a flow. A derived id
/// ([`derived_id`]) counts without its running number: identical records share a place, so that they cannot end on
/// both sides of a split.
#[must_use]
pub fn flow_hash(seed: Seed, flow_id: &str) -> u64 {
    xxh3_64_with_seed(stem(flow_id).as_bytes(), seed.0)
}

/// The id of a flow whose format has none: `~`, its content as 32 hexadecimal digits, and from the second of identical
/// records on `~` and a running number.
///
/// `content` is a digest of all columns but label and attack.
#[must_use]
pub fn derived_id(content: u128, number: u64) -> String {
    if number == 0 { format!("~{content:032x}") } else { format!("~{content:032x}~{number}") }
}

/// Whether an id has the form of [`derived_id`]: it then says what the record is, and names no flow that could have
/// several records.
#[must_use]
pub fn is_derived(flow_id: &str) -> bool {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    match stem(flow_id).as_bytes() {
        [b'~', digits @ ..] => digits.len() == 32 && digits.iter().all(|&byte| hex(byte)),
        _ => false,
    }
}

/// A derived id without its running number; any other id as it is.
fn stem(flow_id: &str) -> &str {
    match flow_id.as_bytes() {
        [b'~', rest @ ..] if rest.len() > 33 && rest[32] == b'~' && rest[33..].iter().all(u8::is_ascii_digit) => {
            flow_id.get(..33).unwrap_or(flow_id)
        }
        _ => flow_id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(id: Option<&str>, port: Option<u16>) -> Flow {
        Flow {
            flow_id: id.map(str::to_owned),
            event_time: Some(1_645_791_570_013),
            source_ip: "53.255.61.238".parse().unwrap(),
            destination_ip: "::1".parse().unwrap(),
            source_port: port,
            destination_port: None,
            transport: Transport::Tcp,
            bytes: Some(u64::MAX),
            packets: None,
            duration_ns: Some(0),
            last: Some(true),
            label: Some(Label::Malicious),
            attack: None,
        }
    }

    #[test]
    fn a_batch_gives_back_the_flows_pushed() {
        let flows = [flow(Some("a"), Some(1)), flow(None, None), flow(Some(""), Some(3))];
        let batch: FlowBatch = flows.iter().cloned().collect();
        for (row, expected) in flows.iter().enumerate() {
            assert_eq!(&batch.flow(row), expected);
        }
        assert_eq!(batch.take(&[2, 1]).flow(0), flows[2]);
    }

    #[test]
    fn appending_a_batch_equals_pushing_its_flows() {
        let with_nulls = [flow(Some("a"), None), flow(None, Some(2))];
        let without = [flow(Some("b"), Some(1)), flow(Some("cd"), Some(2))];
        let none: [Flow; 0] = [];
        for (first, second) in [
            (&with_nulls[..], &without[..]),
            (&without, &with_nulls),
            (&with_nulls, &with_nulls),
            (&without, &without),
            (&none, &with_nulls),
            (&with_nulls, &none),
        ] {
            let mut appended: FlowBatch = first.iter().cloned().collect();
            appended.append(&second.iter().cloned().collect());
            assert_eq!(appended, first.iter().chain(second).cloned().collect());
        }
    }

    #[test]
    fn a_cleared_batch_is_as_good_as_a_new_one() {
        let mut batch: FlowBatch = [flow(None, None)].into_iter().collect();
        batch.clear();
        assert_eq!((&batch, batch.len()), (&FlowBatch::with_capacity(8), 0));
        batch.push(&flow(Some("a"), Some(1)));
        assert_eq!(batch, [flow(Some("a"), Some(1))].into_iter().collect());
    }

    #[test]
    fn flow_json_uses_canonical_names() {
        let text = serde_json::to_string(&flow(Some("a"), Some(9200))).unwrap();
        assert_eq!(
            text,
            r#"{"flow_id":"a","event_time":1645791570013,"source_ip":"53.255.61.238","destination_ip":"::1","source_port":9200,"transport":"tcp","bytes":18446744073709551615,"duration_ns":0,"final":true,"label":"malicious"}"#
        );
        assert!(serde_json::from_str::<Flow>(&text.replace("source_port", "sourceport")).is_err());
    }

    /// The split of every stored run rests on these values.
    #[test]
    fn flow_hash_never_changes() {
        assert_eq!(flow_hash(Seed(0), ""), 0x2d06_8005_38d3_94c2);
        assert_eq!(flow_hash(Seed(42), "13506"), 0x0d12_6746_62bc_28a7);
    }

    #[test]
    fn identical_records_share_a_place() {
        let [first, second] = [0, 12].map(|number| derived_id(u128::MAX, number));
        assert_eq!((first.len(), &second[33..]), (33, "~12"));
        assert_eq!(flow_hash(Seed(1), &first), flow_hash(Seed(1), &second));
        assert!(is_derived(&first) && is_derived(&second));
        for other in ["", "~", "13506", "~abc~1", &first[..32], &format!("{first}~x"), &first.to_uppercase()] {
            assert!(!is_derived(other), "{other}");
        }
        assert_ne!(flow_hash(Seed(1), &first), flow_hash(Seed(1), &format!("{first}~x")));
    }
}
