//! A reading as text, to be compared with the expected one.

use std::io::Read;

use weir_flows::{Batch, FlowReader, Format, ReadError};

/// Reads bytes in one batch; the format is sniffed.
pub(crate) fn read(bytes: impl AsRef<[u8]>) -> Batch {
    read_all(bytes.as_ref(), None, usize::MAX).unwrap_or_else(|error| panic!("{error}"))
}

/// Reads a source in batches of `rows` and joins them.
pub(crate) fn read_all(source: impl Read, format: Option<Format>, rows: usize) -> Result<Batch, ReadError> {
    let mut reader = FlowReader::new(source, "flows.csv", format)?;
    let mut all = Batch::default();
    while let Some(batch) = reader.next_batch(rows)? {
        assert!(batch.records() <= rows, "{} records in a batch of {rows}", batch.records());
        assert_eq!(batch.flows.len(), batch.lines.len());
        all.append(&batch);
    }
    Ok(all)
}

/// One line per flow: its line, then all columns in canonical order, `-` for null. Then the rejected.
pub(crate) fn show(batch: &Batch) -> String {
    let mut text = String::new();
    for (row, line) in batch.lines.iter().enumerate() {
        let flow = batch.flows.flow(row);
        let columns = [
            or_dash(flow.flow_id),
            or_dash(flow.event_time),
            flow.source_ip.to_string(),
            flow.destination_ip.to_string(),
            or_dash(flow.source_port),
            or_dash(flow.destination_port),
            flow.transport.to_string(),
            or_dash(flow.bytes),
            or_dash(flow.packets),
            or_dash(flow.duration_ns),
            or_dash(flow.last),
            or_dash(flow.label),
            or_dash(flow.attack),
        ];
        text += &format!("{line}: {}\n", columns.join(" "));
    }
    for rejected in &batch.rejected {
        text += &format!("{}! {}\n", rejected.line, rejected.reason);
    }
    text
}

fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}
