//! The AssureMOSS table after its authors encoded every column as a number.

use weir_contract::flow::Transport;

use crate::batch::Row;
use crate::packetbeat::{Field, PREFIXES, PacketbeatCsv, columns};
use crate::table::{ColumnOf, Expected, Table};
use crate::text::{address, time, unsigned};

#[derive(Debug)]
pub(crate) struct PreprocessedCsv;

impl Table for PreprocessedCsv {
    type Field = Field;
    type Parts = ();

    const COLUMNS: &'static [ColumnOf<Field>] = &columns(&["flow_id_encoded"], &["timestamp", "@timestamp"]);
    const PREFIXES: &'static [&'static str] = PREFIXES;

    #[inline(always)]
    fn read<'a>(field: Field, text: &'a [u8], row: &mut Row<'a>, parts: &mut ()) -> Result<(), Expected> {
        match field {
            Field::SourceIp => row.source_ip = address::saturated(text)?,
            Field::DestinationIp => row.destination_ip = address::saturated(text)?,
            Field::Transport => row.transport = transport(text)?,
            Field::EventTime => row.event_time = time::milliseconds(text)?,
            _ => PacketbeatCsv::read(field, text, row, parts)?,
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
