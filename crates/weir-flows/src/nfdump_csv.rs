//! What nfdump prints as CSV: `-o csv` of versions up to 1.7.3, and `-o csv-fast` and `-o csv` of later ones.

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
    Start,
    End,
    Duration,
    Packets(usize),
    Bytes(usize),
}

#[derive(Debug)]
pub(crate) struct NfdumpCsv;

impl Table for NfdumpCsv {
    type Field = Field;
    type Parts = Parts;

    const COLUMNS: &'static [ColumnOf<Field>] = &[
        ColumnOf::new(Field::Protocol, &["pr"], Need::Always),
        ColumnOf::new(Field::SourceIp, &["sa"], Need::Always),
        ColumnOf::new(Field::SourcePort, &["sp"], Need::Usual),
        ColumnOf::new(Field::DestinationIp, &["da"], Need::Always),
        ColumnOf::new(Field::DestinationPort, &["dp"], Need::Usual),
        ColumnOf::new(Field::Start, &["ts"], Need::Usual),
        ColumnOf::new(Field::End, &["te"], Need::Usual),
        ColumnOf::new(Field::Duration, &["td"], Need::Usual),
        ColumnOf::new(Field::Packets(0), &["ipkt"], Need::Usual),
        ColumnOf::new(Field::Packets(1), &["opkt"], Need::Optional),
        ColumnOf::new(Field::Bytes(0), &["ibyt"], Need::Usual),
        ColumnOf::new(Field::Bytes(1), &["obyt"], Need::Optional),
    ];

    #[inline(always)]
    fn read<'a>(field: Field, text: &'a [u8], row: &mut Row<'a>, parts: &mut Parts) -> Result<(), Expected> {
        match field {
            Field::Protocol => row.transport = words::any_transport(text)?,
            Field::SourceIp => row.source_ip = address::ip(text)?,
            Field::SourcePort => row.source_port = port(text, row)?,
            Field::DestinationIp => row.destination_ip = address::ip(text)?,
            Field::DestinationPort => row.destination_port = port(text, row)?,
            Field::Start => parts.start = time::nfdump(text)?,
            Field::End => parts.end = time::nfdump(text)?,
            Field::Duration => row.duration_ns = unsigned::seconds(text)?,
            Field::Packets(direction) => parts.packets[direction] = unsigned::count(text)?,
            Field::Bytes(direction) => parts.bytes[direction] = unsigned::count(text)?,
        }
        Ok(())
    }

    #[inline(always)]
    fn finish(row: &mut Row<'_>, parts: &Parts) -> Result<(), Expected> {
        parts.finish(row)
    }

    fn is_remark(line: &[u8]) -> bool {
        is_remark(line)
    }
}

#[derive(Debug)]
pub(crate) struct NfdumpCsvFast;

impl Table for NfdumpCsvFast {
    type Field = Field;
    type Parts = Parts;

    const COLUMNS: &'static [ColumnOf<Field>] = &[
        ColumnOf::new(Field::Protocol, &["proto"], Need::Always),
        ColumnOf::new(Field::SourceIp, &["srcAddr"], Need::Always),
        ColumnOf::new(Field::SourcePort, &["srcPort"], Need::Usual),
        ColumnOf::new(Field::DestinationIp, &["dstAddr"], Need::Always),
        ColumnOf::new(Field::DestinationPort, &["dstPort"], Need::Usual),
        ColumnOf::new(Field::Start, &["firstSeen"], Need::Usual),
        ColumnOf::new(Field::End, &["lastSeen"], Need::Optional),
        ColumnOf::new(Field::Duration, &["duration"], Need::Optional),
        ColumnOf::new(Field::Packets(0), &["packets", "inPackets"], Need::Usual),
        ColumnOf::new(Field::Packets(1), &["outPackets"], Need::Optional),
        ColumnOf::new(Field::Bytes(0), &["bytes", "inBytes"], Need::Usual),
        ColumnOf::new(Field::Bytes(1), &["outBytes"], Need::Optional),
    ];

    #[inline(always)]
    fn read<'a>(field: Field, text: &'a [u8], row: &mut Row<'a>, parts: &mut Parts) -> Result<(), Expected> {
        NfdumpCsv::read(field, text, row, parts)
    }

    #[inline(always)]
    fn finish(row: &mut Row<'_>, parts: &Parts) -> Result<(), Expected> {
        parts.finish(row)
    }

    fn is_remark(line: &[u8]) -> bool {
        is_remark(line)
    }
}

/// What nfdump prints beside records: that there are none, and unless told to be quiet (`-q`) a summary of three lines,
/// the last of which holds six counts.
fn is_remark(line: &[u8]) -> bool {
    const LINES: [&[u8]; 3] = [b"No matching flows", b"Summary", b"flows,bytes,packets,avg_bps,avg_pps,avg_bpp"];
    let is_count = |field: &[u8]| unsigned::whole(field).is_some();
    LINES.contains(&line.trim_ascii())
        || (line.split(|&byte| byte == b',').count() == 6 && line.split(|&byte| byte == b',').all(is_count))
}
