//! CICFlowMeter's flows as CSV, in the spellings of version 3 (` Source IP`, ` Total Fwd Packets`, as in CIC-IDS2017 and
//! CIC-DDoS2019) and version 4 (`Src IP`, `Tot Fwd Pkts`, as in CSE-CIC-IDS2018).

use weir_contract::flow::Label;

use crate::batch::Row;
use crate::parts::{Parts, port};
use crate::table::{ColumnOf, Expected, Need, Table};
use crate::text::{address, time, unsigned, words};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Protocol,
    SourceIp,
    SourcePort,
    DestinationIp,
    DestinationPort,
    Timestamp,
    Duration,
    Packets(usize),
    Bytes(usize),
    Label,
}

#[derive(Debug)]
pub(crate) struct CicFlowMeterCsv;

impl Table for CicFlowMeterCsv {
    type Field = Field;
    type Parts = Parts;

    /// `Flow ID` is not read: it is made of addresses, ports and protocol, so that different flows share it.
    const COLUMNS: &'static [ColumnOf<Field>] = &[
        ColumnOf::new(Field::Protocol, &["Protocol"], Need::Always),
        ColumnOf::new(Field::SourceIp, &["Src IP", "Source IP"], Need::Always),
        ColumnOf::new(Field::SourcePort, &["Src Port", "Source Port"], Need::Usual),
        ColumnOf::new(Field::DestinationIp, &["Dst IP", "Destination IP"], Need::Always),
        ColumnOf::new(Field::DestinationPort, &["Dst Port", "Destination Port"], Need::Usual),
        ColumnOf::new(Field::Timestamp, &["Timestamp"], Need::Usual),
        ColumnOf::new(Field::Duration, &["Flow Duration"], Need::Usual),
        ColumnOf::new(Field::Packets(0), &["Tot Fwd Pkts", "Total Fwd Packets", "Total Fwd Packet"], Need::Usual),
        ColumnOf::new(Field::Packets(1), &["Tot Bwd Pkts", "Total Backward Packets", "Total Bwd packets"], Need::Usual),
        ColumnOf::new(
            Field::Bytes(0),
            &["TotLen Fwd Pkts", "Total Length of Fwd Packets", "Total Length of Fwd Packet"],
            Need::Usual,
        ),
        ColumnOf::new(
            Field::Bytes(1),
            &["TotLen Bwd Pkts", "Total Length of Bwd Packets", "Total Length of Bwd Packet"],
            Need::Usual,
        ),
        ColumnOf::new(Field::Label, &["Label"], Need::Optional),
    ];

    #[inline(always)]
    fn read<'a>(field: Field, text: &'a [u8], row: &mut Row<'a>, parts: &mut Parts) -> Result<(), Expected> {
        match field {
            Field::Protocol => row.transport = words::transport(text)?,
            Field::SourceIp => row.source_ip = address::ip(text)?,
            Field::SourcePort => row.source_port = port(text, row)?,
            Field::DestinationIp => row.destination_ip = address::ip(text)?,
            Field::DestinationPort => row.destination_port = port(text, row)?,
            Field::Timestamp => parts.start = time::cicflowmeter(text)?,
            Field::Duration => row.duration_ns = duration(text)?,
            Field::Packets(direction) => parts.packets[direction] = unsigned::count(text)?,
            Field::Bytes(direction) => parts.bytes[direction] = unsigned::count(text)?,
            Field::Label => (row.label, row.attack) = label(text)?,
        }
        Ok(())
    }

    #[inline(always)]
    fn finish(row: &mut Row<'_>, parts: &Parts) -> Result<(), Expected> {
        parts.finish(row)
    }
}

/// Microseconds to ns. The tool subtracts times of packets that arrive out of order and so writes negative numbers,
/// which tell no duration.
fn duration(text: &[u8]) -> Result<Option<u64>, Expected> {
    match text.trim_ascii().strip_prefix(b"-") {
        Some(below_zero) if unsigned::whole(below_zero).is_some() => Ok(None),
        _ => unsigned::duration(text, 1_000),
    }
}

/// Whether a flow is an attack, and which one.
fn label(text: &[u8]) -> Result<(Option<Label>, Option<&str>), Expected> {
    /// What the tool writes before someone has labelled the flows.
    const UNLABELLED: [&[u8]; 3] = [b"", b"No Label", b"NeedManualLabel"];
    let text = text.trim_ascii();
    if UNLABELLED.contains(&text) {
        return Ok((None, None));
    }
    match words::label(text) {
        Ok(label) => Ok((label, None)),
        Err(_) => Ok((Some(Label::Malicious), attack(text)?)),
    }
}

/// The name of an attack; three names of CIC-IDS2017 hold a dash in Windows-1252.
fn attack(text: &[u8]) -> Result<Option<&str>, Expected> {
    match text {
        b"Web Attack \x96 Brute Force" => Ok(Some("Web Attack \u{2013} Brute Force")),
        b"Web Attack \x96 XSS" => Ok(Some("Web Attack \u{2013} XSS")),
        b"Web Attack \x96 Sql Injection" => Ok(Some("Web Attack \u{2013} Sql Injection")),
        _ => words::text(text),
    }
}
