//! Bidirectional flows that Argus' `ra` prints as CSV, as in the CTU-13 data set.

use weir_contract::flow::{Label, Transport};

use crate::batch::Row;
use crate::parts::{Parts, port};
use crate::table::{ColumnOf, Expected, Need, Table};
use crate::text::{address, time, unsigned, words};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Proto,
    SourceIp,
    SourcePort,
    DestinationIp,
    DestinationPort,
    Start,
    Duration,
    Packets,
    Bytes,
    Label,
}

#[derive(Debug)]
pub(crate) struct Ctu13Binetflow;

impl Table for Ctu13Binetflow {
    type Field = Field;
    type Parts = Parts;

    const COLUMNS: &'static [ColumnOf<Field>] = &[
        ColumnOf::new(Field::Proto, &["Proto"], Need::Always),
        ColumnOf::new(Field::SourceIp, &["SrcAddr"], Need::Always),
        ColumnOf::new(Field::SourcePort, &["Sport"], Need::Usual),
        ColumnOf::new(Field::DestinationIp, &["DstAddr"], Need::Always),
        ColumnOf::new(Field::DestinationPort, &["Dport"], Need::Usual),
        ColumnOf::new(Field::Start, &["StartTime"], Need::Usual),
        ColumnOf::new(Field::Duration, &["Dur"], Need::Optional),
        ColumnOf::new(Field::Packets, &["TotPkts"], Need::Usual),
        ColumnOf::new(Field::Bytes, &["TotBytes"], Need::Usual),
        ColumnOf::new(Field::Label, &["Label"], Need::Optional),
    ];

    #[inline(always)]
    fn read<'a>(field: Field, text: &'a [u8], row: &mut Row<'a>, parts: &mut Parts) -> Result<(), Expected> {
        match field {
            Field::Proto => row.transport = transport(text)?,
            Field::SourceIp => row.source_ip = address::ip(text)?,
            Field::SourcePort => row.source_port = port_or_hexadecimal(text, row)?,
            Field::DestinationIp => row.destination_ip = address::ip(text)?,
            Field::DestinationPort => row.destination_port = port_or_hexadecimal(text, row)?,
            Field::Start => parts.start = time::argus(text)?,
            Field::Duration => row.duration_ns = unsigned::seconds(text)?,
            Field::Packets => parts.packets[0] = unsigned::count(text)?,
            Field::Bytes => parts.bytes[0] = unsigned::count(text)?,
            Field::Label => (row.label, row.attack) = label(text)?,
        }
        Ok(())
    }

    #[inline(always)]
    fn finish(row: &mut Row<'_>, parts: &Parts) -> Result<(), Expected> {
        parts.finish(row)
    }
}

/// Argus calls some UDP flows after what they carry.
fn transport(text: &[u8]) -> Result<Transport, Expected> {
    match text.trim_ascii() {
        b"rtp" | b"rtcp" | b"udt" => Ok(Transport::Udp),
        text => words::any_transport(text),
    }
}

/// A port; what Argus prints in hexadecimal (type and code of ICMP, the index of an ESP association) is none.
fn port_or_hexadecimal(text: &[u8], row: &Row<'_>) -> Result<Option<u16>, Expected> {
    match text.strip_prefix(b"0x") {
        Some(digits) if !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit) => Ok(None),
        _ => port(text, row),
    }
}

/// `flow=From-Botnet-V42-TCP-CC6-Plain-HTTP-Encrypted-Data`: traffic of bots is malicious, of hosts known to be normal
/// benign, and the background has no label. The attack is the text after `flow=`.
fn label(text: &[u8]) -> Result<(Option<Label>, Option<&str>), Expected> {
    let text = text.trim_ascii();
    if let Ok(label) = words::label(text) {
        return Ok((label, None));
    }
    let name = words::text(text.strip_prefix(b"flow=").unwrap_or(text))?;
    let lowercase = name.unwrap_or_default().to_ascii_lowercase();
    if lowercase.contains("botnet") {
        Ok((Some(Label::Malicious), name))
    } else if lowercase.contains("normal") {
        Ok((Some(Label::Benign), None))
    } else if lowercase.contains("background") {
        Ok((None, None))
    } else {
        Err("a label with Botnet, Normal or Background in it, benign, malicious, 0, 1 or nothing")
    }
}
