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

#[derive(Debug)]
pub(crate) struct PacketbeatCsv;

impl Table for PacketbeatCsv {
    type Field = Field;

    const COLUMNS: &'static [ColumnOf<Field>] = &[
        ColumnOf { field: Field::FlowId, names: &["flow_id"], need: Need::Usual },
        ColumnOf { field: Field::Final, names: &["flow_final"], need: Need::Usual },
        ColumnOf { field: Field::SourceIp, names: &["source_ip"], need: Need::Always },
        ColumnOf { field: Field::DestinationIp, names: &["destination_ip"], need: Need::Always },
        ColumnOf { field: Field::Bytes, names: &["network_bytes"], need: Need::Usual },
        ColumnOf { field: Field::Transport, names: &["network_transport"], need: Need::Always },
        ColumnOf { field: Field::EventTime, names: &["@timestamp", "timestamp"], need: Need::Usual },
        ColumnOf { field: Field::Duration, names: &["event_duration"], need: Need::Usual },
        ColumnOf { field: Field::DestinationPort, names: &["destination_port"], need: Need::Usual },
        ColumnOf { field: Field::SourcePort, names: &["source_port"], need: Need::Usual },
        ColumnOf { field: Field::Packets, names: &["network_packets"], need: Need::Optional },
        ColumnOf { field: Field::Label, names: &["label"], need: Need::Optional },
        ColumnOf { field: Field::Attack, names: &["attack"], need: Need::Optional },
    ];

    #[inline(always)]
    fn read<'a>(field: Field, text: &'a [u8], row: &mut Row<'a>) -> Result<(), Expected> {
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
