//! Packetbeat flow records as CSV, in the spellings the AssureMOSS files use.

use crate::batch::Row;
use crate::table::{ColumnOf, Expected, Need, Table};
use crate::text::{address, time, unsigned, words};

/// The canonical column a column of the table is read into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    FlowId,
    Final,
    SourceIp,
    DestinationIp,
    Bytes,
    Transport,
    EventTime,
    Duration,
    DestinationPort,
    SourcePort,
    Packets,
    Label,
    Attack,
}

/// What precedes the names in the published files, and what is left of it in copies.
pub(crate) const PREFIXES: &[&str] = &["", "_", "source_", "_source_"];

/// The columns of the published files, in their order, with the two names in which raw and preprocessed ones differ.
pub(crate) const fn columns(
    flow_id: &'static [&'static str],
    event_time: &'static [&'static str],
) -> [ColumnOf<Field>; 13] {
    [
        ColumnOf::new(Field::FlowId, flow_id, Need::Usual),
        ColumnOf::new(Field::Final, &["flow_final"], Need::Usual),
        ColumnOf::new(Field::SourceIp, &["source_ip"], Need::Always),
        ColumnOf::new(Field::DestinationIp, &["destination_ip"], Need::Always),
        ColumnOf::new(Field::Bytes, &["network_bytes"], Need::Usual),
        ColumnOf::new(Field::Transport, &["network_transport"], Need::Always),
        ColumnOf::new(Field::EventTime, event_time, Need::Usual),
        ColumnOf::new(Field::Duration, &["event_duration"], Need::Usual),
        ColumnOf::new(Field::DestinationPort, &["destination_port"], Need::Usual),
        ColumnOf::new(Field::SourcePort, &["source_port"], Need::Usual),
        ColumnOf::new(Field::Packets, &["network_packets"], Need::Optional),
        ColumnOf::new(Field::Label, &["label"], Need::Optional),
        ColumnOf::new(Field::Attack, &["attack"], Need::Optional),
    ]
}

#[derive(Debug)]
pub(crate) struct PacketbeatCsv;

impl Table for PacketbeatCsv {
    type Field = Field;
    type Parts = ();

    const COLUMNS: &'static [ColumnOf<Field>] = &columns(&["flow_id"], &["@timestamp", "timestamp"]);
    const PREFIXES: &'static [&'static str] = PREFIXES;

    #[inline(always)]
    fn read<'a>(field: Field, text: &'a [u8], row: &mut Row<'a>, _parts: &mut ()) -> Result<(), Expected> {
        match field {
            Field::FlowId => row.flow_id = words::text(text)?,
            Field::Final => row.last = words::boolean(text)?,
            Field::SourceIp => row.source_ip = address::ip(text)?,
            Field::DestinationIp => row.destination_ip = address::ip(text)?,
            Field::Bytes => row.bytes = unsigned::count(text)?,
            Field::Transport => row.transport = words::transport(text)?,
            Field::EventTime => row.event_time = time::iso_8601(text)?,
            Field::Duration => row.duration_ns = unsigned::count(text)?,
            Field::DestinationPort => row.destination_port = unsigned::port(text)?,
            Field::SourcePort => row.source_port = unsigned::port(text)?,
            Field::Packets => row.packets = unsigned::count(text)?,
            Field::Label => row.label = words::label(text)?,
            Field::Attack => row.attack = words::attack(text)?,
        }
        Ok(())
    }
}
