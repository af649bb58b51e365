//! Zeek's `conn.log` as tab-separated values, with or without the labels of the IoT-23 data set.

use memchr::memchr;
use std::net::IpAddr;
use weir_contract::flow::{Label, Transport};

use crate::batch::Row;
use crate::decode::Head;
use crate::parts::{Parts, port};
use crate::table::{BOM, ColumnOf, Expected, HeaderLine, Need, Table};
use crate::text::{address, time, unsigned, words};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Proto,
    Uid,
    SourceIp,
    SourcePort,
    DestinationIp,
    DestinationPort,
    Start,
    Duration,
    Packets(usize),
    Bytes(usize),
    Label,
    Attack,
}

#[derive(Debug)]
pub(crate) struct ZeekTsv;

impl Table for ZeekTsv {
    type Field = Field;
    type Parts = Parts;

    const COLUMNS: &'static [ColumnOf<Field>] = &[
        ColumnOf::new(Field::Proto, &["proto"], Need::Always),
        ColumnOf::new(Field::Uid, &["uid"], Need::Usual),
        ColumnOf::new(Field::SourceIp, &["id.orig_h"], Need::Always),
        ColumnOf::new(Field::SourcePort, &["id.orig_p"], Need::Usual),
        ColumnOf::new(Field::DestinationIp, &["id.resp_h"], Need::Always),
        ColumnOf::new(Field::DestinationPort, &["id.resp_p"], Need::Usual),
        ColumnOf::new(Field::Start, &["ts"], Need::Usual),
        ColumnOf::new(Field::Duration, &["duration"], Need::Usual),
        ColumnOf::new(Field::Packets(0), &["orig_pkts"], Need::Usual),
        ColumnOf::new(Field::Packets(1), &["resp_pkts"], Need::Usual),
        ColumnOf::new(Field::Bytes(0), &["orig_ip_bytes"], Need::Usual),
        ColumnOf::new(Field::Bytes(1), &["resp_ip_bytes"], Need::Usual),
        ColumnOf::new(Field::Label, &["label"], Need::Optional),
        ColumnOf::new(Field::Attack, &["detailed-label", "detailed_label"], Need::Optional),
    ];
    const QUOTES: bool = false;
    const COMMENT: Option<u8> = Some(b'#');
    /// IoT-23 appended its labels to the last column, with three spaces before each, in the header as in the rows.
    const LAST_SEPARATOR: Option<&'static [u8]> = Some(b"   ");

    /// The line `#fields` among the lines with `#` that a log starts with.
    fn header_line(head: &[u8]) -> HeaderLine<'_> {
        let mut bytes = if head.starts_with(BOM) { BOM.len() } else { 0 };
        let (mut names, mut separator, mut lines) = (&head[..0], b'\t', 0);
        while head.get(bytes) == Some(&b'#') {
            let rest = &head[bytes..];
            let (line, length) = memchr(b'\n', rest).map_or((rest, rest.len()), |end| (&rest[..end], end + 1));
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if let Some(value) = line.strip_prefix(b"#separator ") {
                separator = byte(value).unwrap_or(separator);
            } else if let Some(rest) = line.strip_prefix(b"#fields")
                && names.is_empty()
            {
                names = rest.strip_prefix(&[separator]).unwrap_or_default();
            }
            bytes += length;
            lines += 1;
        }
        HeaderLine { text: names, separator: Some(separator), head: Head { bytes, lines } }
    }

    #[inline(always)]
    fn read<'a>(field: Field, text: &'a [u8], row: &mut Row<'a>, parts: &mut Parts) -> Result<(), Expected> {
        let text = set(text);
        match field {
            Field::Proto => row.transport = words::any_transport(text)?,
            Field::Uid => row.flow_id = words::text(text)?,
            Field::SourceIp => row.source_ip = address::ip(text)?,
            Field::SourcePort => row.source_port = port(text, row)?,
            Field::DestinationIp => row.destination_ip = address::ip(text)?,
            Field::DestinationPort => row.destination_port = port(text, row)?,
            Field::Start => parts.start = time::epoch_seconds(text)?,
            Field::Duration => row.duration_ns = unsigned::seconds(text)?,
            Field::Packets(direction) => parts.packets[direction] = unsigned::count(text)?,
            Field::Bytes(direction) => parts.bytes[direction] = unsigned::count(text)?,
            Field::Label => row.label = label(text)?,
            Field::Attack => row.attack = words::attack(text)?,
        }
        Ok(())
    }

    #[inline(always)]
    fn finish(row: &mut Row<'_>, parts: &Parts) -> Result<(), Expected> {
        if let (Transport::Icmp, IpAddr::V6(_)) = (row.transport, row.source_ip) {
            row.transport = Transport::Icmp6;
        }
        parts.finish(row)
    }
}

/// Whether more than lines with `#` is known of a file that starts with `head`, so that its header is.
pub(crate) fn header_is_whole(head: &[u8]) -> bool {
    let mut rest = head.strip_prefix(BOM).unwrap_or(head);
    while rest.first() == Some(&b'#') {
        let Some(end) = memchr(b'\n', rest) else { return false };
        rest = &rest[end + 1..];
    }
    !rest.is_empty()
}

/// The text of a field, empty where Zeek says that it is unset or empty.
#[inline]
fn set(text: &[u8]) -> &[u8] {
    match text.trim_ascii() {
        b"-" | b"(empty)" => b"",
        text => text,
    }
}

/// A byte written as `\x09` or as itself.
fn byte(text: &[u8]) -> Option<u8> {
    match *text {
        [byte] => Some(byte),
        [b'\\', b'x', ref digits @ ..] => u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok(),
        _ => None,
    }
}

/// The labels of IoT-23, and those of other captures of its laboratory, which also mark what nobody has looked at.
fn label(text: &[u8]) -> Result<Option<Label>, Expected> {
    match text.to_ascii_lowercase().as_slice() {
        b"normal" => Ok(Some(Label::Benign)),
        b"botnet" => Ok(Some(Label::Malicious)),
        b"background" | b"unknown" => Ok(None),
        _ => words::label(text).map_err(|_| "Benign, Malicious, Background, Unknown or nothing"),
    }
}
