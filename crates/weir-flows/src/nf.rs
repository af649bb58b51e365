//! The NetFlow data sets of the University of Queensland (NF-UNSW-NB15, NF-CSE-CIC-IDS2018, NF-ToN-IoT, NF-BoT-IoT):
//! nProbe records as CSV. Version 3 has the start and end of a flow, versions 1 and 2 have no time at all.

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
    Bytes(usize),
    Packets(usize),
    Start,
    End,
    Duration,
    Label,
    Attack,
}

/// How many columns only version 3 has; they come first.
const TIMES: usize = 2;

const COLUMNS: &[ColumnOf<Field>] = &[
    ColumnOf::new(Field::Start, &["FLOW_START_MILLISECONDS"], Need::Usual),
    ColumnOf::new(Field::End, &["FLOW_END_MILLISECONDS"], Need::Usual),
    ColumnOf::new(Field::Protocol, &["PROTOCOL"], Need::Always),
    ColumnOf::new(Field::SourceIp, &["IPV4_SRC_ADDR"], Need::Always),
    ColumnOf::new(Field::SourcePort, &["L4_SRC_PORT"], Need::Usual),
    ColumnOf::new(Field::DestinationIp, &["IPV4_DST_ADDR"], Need::Always),
    ColumnOf::new(Field::DestinationPort, &["L4_DST_PORT"], Need::Usual),
    ColumnOf::new(Field::Bytes(0), &["IN_BYTES"], Need::Usual),
    ColumnOf::new(Field::Bytes(1), &["OUT_BYTES"], Need::Usual),
    ColumnOf::new(Field::Packets(0), &["IN_PKTS"], Need::Usual),
    ColumnOf::new(Field::Packets(1), &["OUT_PKTS"], Need::Usual),
    ColumnOf::new(Field::Duration, &["FLOW_DURATION_MILLISECONDS"], Need::Usual),
    ColumnOf::new(Field::Label, &["Label"], Need::Optional),
    ColumnOf::new(Field::Attack, &["Attack"], Need::Optional),
];

#[derive(Debug)]
pub(crate) struct NfV2Csv;

impl Table for NfV2Csv {
    type Field = Field;
    type Parts = Parts;

    const COLUMNS: &'static [ColumnOf<Field>] = COLUMNS.split_at(TIMES).1;

    #[inline(always)]
    fn read<'a>(field: Field, text: &'a [u8], row: &mut Row<'a>, parts: &mut Parts) -> Result<(), Expected> {
        match field {
            Field::Protocol => row.transport = words::transport(text)?,
            Field::SourceIp => row.source_ip = address::ip(text)?,
            Field::SourcePort => row.source_port = port(text, row)?,
            Field::DestinationIp => row.destination_ip = address::ip(text)?,
            Field::DestinationPort => row.destination_port = port(text, row)?,
            Field::Bytes(direction) => parts.bytes[direction] = unsigned::count(text)?,
            Field::Packets(direction) => parts.packets[direction] = unsigned::count(text)?,
            Field::Start => parts.start = time::epoch_milliseconds(text)?,
            Field::End => parts.end = time::epoch_milliseconds(text)?,
            Field::Duration => row.duration_ns = unsigned::duration(text, 1_000_000)?,
            Field::Label => row.label = words::label(text)?,
            Field::Attack => row.attack = words::attack(text)?,
        }
        Ok(())
    }

    #[inline(always)]
    fn finish(row: &mut Row<'_>, parts: &Parts) -> Result<(), Expected> {
        parts.finish(row)
    }
}

#[derive(Debug)]
pub(crate) struct NfV3Csv;

impl Table for NfV3Csv {
    type Field = Field;
    type Parts = Parts;

    const COLUMNS: &'static [ColumnOf<Field>] = COLUMNS;

    #[inline(always)]
    fn read<'a>(field: Field, text: &'a [u8], row: &mut Row<'a>, parts: &mut Parts) -> Result<(), Expected> {
        NfV2Csv::read(field, text, row, parts)
    }

    #[inline(always)]
    fn finish(row: &mut Row<'_>, parts: &Parts) -> Result<(), Expected> {
        parts.finish(row)
    }
}
