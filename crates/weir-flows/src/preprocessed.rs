//! The AssureMOSS table after its authors encoded every column as a number.

use weir_contract::flow::Transport;

use crate::batch::Row;
use crate::packetbeat::{Field, PacketbeatCsv};
use crate::table::{ColumnOf, Expected, Need, Table};
use crate::text::{address, time, unsigned};

#[derive(Debug)]
pub(crate) struct PreprocessedCsv;

impl Table for PreprocessedCsv {
    type Field = Field;

    const COLUMNS: &'static [ColumnOf<Field>] = &[
        ColumnOf { field: Field::FlowId, names: &["flow_id_encoded"], need: Need::Usual },
        ColumnOf { field: Field::Final, names: &["flow_final"], need: Need::Usual },
        ColumnOf { field: Field::SourceIp, names: &["source_ip"], need: Need::Always },
        ColumnOf { field: Field::DestinationIp, names: &["destination_ip"], need: Need::Always },
        ColumnOf { field: Field::Bytes, names: &["network_bytes"], need: Need::Usual },
        ColumnOf { field: Field::Transport, names: &["network_transport"], need: Need::Always },
        ColumnOf { field: Field::EventTime, names: &["timestamp", "@timestamp"], need: Need::Usual },
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
            Field::SourceIp => row.source_ip = address::saturated(text)?,
            Field::DestinationIp => row.destination_ip = address::saturated(text)?,
            Field::Transport => row.transport = transport(text)?,
            Field::EventTime => row.event_time = time::milliseconds(text)?,
            _ => PacketbeatCsv::read(field, text, row)?,
        }
        Ok(())
    }
}

fn transport(text: &[u8]) -> Result<Transport, Expected> {
    match unsigned::whole(text) {
        Some(1) => Ok(Transport::Tcp),
        Some(2) => Ok(Transport::Udp),
        None if text.is_empty() => Ok(Transport::Other),
        _ => Err("1 (tcp), 2 (udp) or nothing"),
    }
}
