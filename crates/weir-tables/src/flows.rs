//! Canonical flows as Parquet.
//!
//! Addresses and transport are strings, unsigned numbers keep their width, `event_time` is a timestamp in ms UTC and
//! `label` the word: any Parquet reader shows the table as `data/README.md` describes it.

use std::net::IpAddr;
use std::path::Path;

use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, Int64Chunked, IntoSeries as _, NewChunkedArray as _, StringChunked,
    UInt16Chunked, UInt64Chunked,
};
use weir_contract::flow::{self, TextColumn};
use weir_contract::{FlowBatch, Label, Transport};

use crate::parquet::{TableError, column, event_time_type, read, write};

/// Writes flows as Parquet.
///
/// # Errors
/// [`TableError::Io`].
pub fn write_flows(path: &Path, flows: &FlowBatch) -> Result<(), TableError> {
    let times = Int64Chunked::from_iter_options("event_time".into(), flows.event_time.iter());
    let times = times.into_series().cast(&event_time_type()).expect("whole numbers are milliseconds");
    let label = flows.label.iter().map(|class| class.map(|class| Label::from_class(class).name()));
    let columns = vec![
        text("flow_id", flows.flow_id.iter()),
        times.into(),
        text("source_ip", flows.source_ip.iter().map(|address| Some(address.to_string()))),
        text("destination_ip", flows.destination_ip.iter().map(|address| Some(address.to_string()))),
        UInt16Chunked::from_iter_options("source_port".into(), flows.source_port.iter()).into_series().into(),
        UInt16Chunked::from_iter_options("destination_port".into(), flows.destination_port.iter()).into_series().into(),
        text("transport", flows.transport.iter().map(|transport| Some(transport.name()))),
        UInt64Chunked::from_iter_options("bytes".into(), flows.bytes.iter()).into_series().into(),
        UInt64Chunked::from_iter_options("packets".into(), flows.packets.iter()).into_series().into(),
        UInt64Chunked::from_iter_options("duration_ns".into(), flows.duration_ns.iter()).into_series().into(),
        BooleanChunked::from_iter_options("final".into(), flows.last.iter()).into_series().into(),
        text("label", label),
        text("attack", flows.attack.iter()),
    ];
    write(path, DataFrame::new(flows.len(), columns).expect("columns of one length and different names"))
}

/// Reads flows that [`write_flows`] wrote.
///
/// # Errors
/// [`TableError::Io`], or [`TableError::Corrupt`] naming row and column.
pub fn read_flows(path: &Path) -> Result<FlowBatch, TableError> {
    let frame = read(path)?;
    let get = |name: &str, wanted: DataType| column(path, &frame, name, &wanted);
    let texts = |name: &str| -> Result<TextColumn, TableError> {
        Ok(get(name, DataType::String)?.str().expect("checked type").iter().collect())
    };
    let parsed =
        |name: &str| -> Result<Vec<IpAddr>, TableError> { parse(path, name, &texts(name)?, |text| text.parse().ok()) };
    let ports = |name: &str| -> Result<flow::Column<u16>, TableError> {
        Ok(get(name, DataType::UInt16)?.u16().expect("checked type").iter().collect())
    };
    let counts = |name: &str| -> Result<flow::Column<u64>, TableError> {
        Ok(get(name, DataType::UInt64)?.u64().expect("checked type").iter().collect())
    };
    let labels = texts("label")?;
    let label = (0..labels.len()).map(|row| match labels.get(row) {
        None => Ok(None),
        Some(text) => text
            .parse::<Label>()
            .map(|label| Some(label.class()))
            .map_err(|()| TableError::corrupt(path, format!("row {row}: label {text:?} is unknown"))),
    });
    Ok(FlowBatch {
        flow_id: texts("flow_id")?,
        event_time: get("event_time", event_time_type())?.to_physical_repr().i64().expect("ms").iter().collect(),
        source_ip: parsed("source_ip")?,
        destination_ip: parsed("destination_ip")?,
        source_port: ports("source_port")?,
        destination_port: ports("destination_port")?,
        transport: parse(path, "transport", &texts("transport")?, |text| text.parse::<Transport>().ok())?,
        bytes: counts("bytes")?,
        packets: counts("packets")?,
        duration_ns: counts("duration_ns")?,
        last: get("final", DataType::Boolean)?.bool().expect("checked type").iter().collect(),
        label: label.collect::<Result<_, _>>()?,
        attack: texts("attack")?,
    })
}

fn text<S: AsRef<str>>(name: &str, rows: impl Iterator<Item = Option<S>>) -> Column {
    let mut column = StringChunked::from_iter(rows);
    column.rename(name.into());
    column.into_series().into()
}

fn parse<T>(
    path: &Path,
    name: &str,
    texts: &TextColumn,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, TableError> {
    (0..texts.len())
        .map(|row| {
            let text = texts.get(row).unwrap_or("null");
            parse(text).ok_or_else(|| TableError::corrupt(path, format!("row {row}: {name} {text:?} is unknown")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_contract::Flow;

    #[test]
    fn flows_read_back_as_written_nulls_and_all() {
        let full = Flow {
            flow_id: Some("a".to_owned()),
            event_time: Some(-1),
            source_ip: "10.0.0.1".parse().unwrap(),
            destination_ip: "fd00::1".parse().unwrap(),
            source_port: Some(0),
            destination_port: Some(65_535),
            transport: Transport::Icmp6,
            bytes: Some(u64::MAX),
            packets: Some(0),
            duration_ns: Some(1),
            last: Some(false),
            label: Some(Label::Malicious),
            attack: Some("port scan, \"fast\"".to_owned()),
        };
        let bare = Flow {
            flow_id: None,
            event_time: None,
            source_port: None,
            destination_port: None,
            bytes: None,
            packets: None,
            duration_ns: None,
            last: None,
            label: None,
            attack: None,
            ..full.clone()
        };
        let batch: FlowBatch = [full, bare].into_iter().collect();
        let dir = tempfile::tempdir().unwrap();
        for (name, flows) in [("some", &batch), ("none", &FlowBatch::default())] {
            let path = dir.path().join(name);
            write_flows(&path, flows).unwrap();
            assert_eq!(&read_flows(&path).unwrap(), flows, "{name}");
        }
    }
}
