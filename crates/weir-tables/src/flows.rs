//! Canonical flows as Parquet.
//!
//! Addresses and transport are strings, unsigned numbers keep their width, `event_time` is a timestamp in ms UTC and
//! `label` the word: any Parquet reader shows the table as `data/README.md` describes it.
//!
//! Reading takes such tables from other writers too: columns may come in any order and in any type that holds the same
//! values (a signed integer for a port, a timestamp in µs), nullable columns may be absent, further columns are ignored.

use std::net::IpAddr;
use std::ops::Range;
use std::path::Path;

use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, Field, IntoSeries as _, NewChunkedArray as _, Schema, Series,
    UInt16Chunked, UInt64Chunked,
};
use weir_contract::flow::{self, COLUMNS, TextColumn};
use weir_contract::{FlowBatch, Label, Transport};

use crate::column::{text, times};
use crate::parquet::{ROW_GROUP, Reader, TableError, Writer, event_time_type};

/// Columns that no flow can do without.
const NEEDED: [&str; 3] = ["source_ip", "destination_ip", "transport"];

/// Writes flows as Parquet.
///
/// # Errors
/// [`TableError::Io`].
pub fn write_flows(path: &Path, flows: &FlowBatch) -> Result<(), TableError> {
    let mut writer = FlowWriter::create(path)?;
    writer.append(flows, 0..flows.len())?;
    writer.finish()
}

/// Reads flows that [`write_flows`] wrote.
///
/// # Errors
/// [`TableError::Io`], or [`TableError::Corrupt`] naming row and column.
pub fn read_flows(path: &Path) -> Result<FlowBatch, TableError> {
    let mut reader = FlowTableReader::open(path)?;
    let rows = reader.rows();
    Ok(reader.next(rows)?.unwrap_or_default())
}

/// A table of flows being written, one row group after the other.
pub struct FlowWriter {
    out: Writer,
    pending: FlowBatch,
}

impl FlowWriter {
    /// Starts the file.
    ///
    /// # Errors
    /// [`TableError::Io`].
    pub fn create(path: &Path) -> Result<Self, TableError> {
        let schema: Schema = COLUMNS.iter().map(|name| Field::new((*name).into(), data_type(name))).collect();
        Ok(Self { out: Writer::create(path, &schema)?, pending: FlowBatch::default() })
    }

    /// Appends `rows` of `flows`.
    ///
    /// # Errors
    /// [`TableError::Io`].
    pub fn append(&mut self, flows: &FlowBatch, rows: Range<usize>) -> Result<(), TableError> {
        for row in rows {
            self.pending.push_row(flows, row);
            if self.pending.len() == ROW_GROUP {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// [`TableError::Io`].
    pub fn finish(mut self) -> Result<(), TableError> {
        if !self.pending.is_empty() {
            self.flush()?;
        }
        self.out.finish()
    }

    fn flush(&mut self) -> Result<(), TableError> {
        let flows = std::mem::take(&mut self.pending);
        let rows = flows.len();
        let label = flows.label.iter().map(|class| class.map(|class| Label::from_class(class).name()));
        let columns: Vec<Column> = vec![
            text("flow_id", rows, flows.flow_id.iter()),
            times(&flows.event_time),
            text("source_ip", rows, flows.source_ip.iter().map(|address| Some(address.to_string()))),
            text("destination_ip", rows, flows.destination_ip.iter().map(|address| Some(address.to_string()))),
            UInt16Chunked::from_iter_options("source_port".into(), flows.source_port.iter()).into_series().into(),
            UInt16Chunked::from_iter_options("destination_port".into(), flows.destination_port.iter())
                .into_series()
                .into(),
            text("transport", rows, flows.transport.iter().map(|transport| Some(transport.name()))),
            UInt64Chunked::from_iter_options("bytes".into(), flows.bytes.iter()).into_series().into(),
            UInt64Chunked::from_iter_options("packets".into(), flows.packets.iter()).into_series().into(),
            UInt64Chunked::from_iter_options("duration_ns".into(), flows.duration_ns.iter()).into_series().into(),
            BooleanChunked::from_iter_options("final".into(), flows.last.iter()).into_series().into(),
            text("label", rows, label),
            text("attack", rows, flows.attack.iter()),
        ];
        self.out.write(&DataFrame::new(rows, columns).expect("columns of one length and different names"))
    }
}

/// A table of flows being read, some rows at a time.
pub struct FlowTableReader {
    reader: Reader,
    /// Rows read so far.
    done: usize,
}

impl FlowTableReader {
    /// Opens a table.
    ///
    /// # Errors
    /// [`TableError::Io`], or [`TableError::Corrupt`] for a file that is no Parquet.
    pub fn open(path: &Path) -> Result<Self, TableError> {
        Ok(Self { reader: Reader::open(path)?, done: 0 })
    }

    /// Rows of the file.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.reader.rows()
    }

    /// The next flows, `rows` of them unless the file ends before; nothing at its end.
    ///
    /// # Errors
    /// [`TableError::Io`], or [`TableError::Corrupt`] naming row (from 0) and column.
    pub fn next(&mut self, rows: usize) -> Result<Option<FlowBatch>, TableError> {
        let Some(frame) = self.reader.next(rows)? else { return Ok(None) };
        let first = self.done;
        self.done += frame.height();
        let table = Table { path: &self.reader.path, frame: &frame, first };
        table.flows().map(Some)
    }
}

/// The Parquet type of a canonical column.
fn data_type(column: &str) -> DataType {
    match column {
        "event_time" => event_time_type(),
        "source_port" | "destination_port" => DataType::UInt16,
        "bytes" | "packets" | "duration_ns" => DataType::UInt64,
        "final" => DataType::Boolean,
        _ => DataType::String,
    }
}

/// Some rows of a table that may be anybody's.
struct Table<'a> {
    path: &'a Path,
    frame: &'a DataFrame,
    /// The number of the first row in the file.
    first: usize,
}

impl Table<'_> {
    fn flows(&self) -> Result<FlowBatch, TableError> {
        let labels = self.texts("label")?;
        let label = (0..labels.len()).map(|row| match labels.get(row) {
            None => Ok(None),
            Some(text) => {
                text.parse::<Label>().map(|label| Some(label.class())).map_err(|()| self.unknown(row, "label", text))
            }
        });
        let counts = |name: &str| -> Result<flow::Column<u64>, TableError> {
            Ok(self.column(name)?.u64().expect("cast").iter().collect())
        };
        let ports = |name: &str| -> Result<flow::Column<u16>, TableError> {
            Ok(self.column(name)?.u16().expect("cast").iter().collect())
        };
        Ok(FlowBatch {
            flow_id: self.texts("flow_id")?,
            event_time: self.column("event_time")?.to_physical_repr().i64().expect("cast").iter().collect(),
            source_ip: self.parse("source_ip", |text| text.parse::<IpAddr>().ok())?,
            destination_ip: self.parse("destination_ip", |text| text.parse::<IpAddr>().ok())?,
            source_port: ports("source_port")?,
            destination_port: ports("destination_port")?,
            transport: self.parse("transport", |text| text.parse::<Transport>().ok())?,
            bytes: counts("bytes")?,
            packets: counts("packets")?,
            duration_ns: counts("duration_ns")?,
            last: self.column("final")?.bool().expect("cast").iter().collect(),
            label: label.collect::<Result<_, _>>()?,
            attack: self.texts("attack")?,
        })
    }

    /// A column in its canonical type; all null where it is absent and may be.
    fn column(&self, name: &str) -> Result<Series, TableError> {
        let wanted = data_type(name);
        let Ok(column) = self.frame.column(name) else {
            if NEEDED.contains(&name) {
                let names =
                    self.frame.get_column_names().iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
                let message = format!("no table of canonical flows: column {name:?} is missing; there are {names}");
                return Err(TableError::corrupt(self.path, message));
            }
            return Ok(Series::full_null(name.into(), self.frame.height(), &wanted));
        };
        let series = column.as_materialized_series();
        if *series.dtype() == wanted {
            return Ok(series.clone());
        }
        // A text is no number, and a number no truth value or moment, whatever a cast makes of it.
        let castable = match &wanted {
            DataType::UInt16 | DataType::UInt64 => series.dtype().is_primitive_numeric(),
            DataType::Datetime(..) => matches!(series.dtype(), DataType::Datetime(..)),
            _ => false,
        };
        let cast = castable.then(|| series.strict_cast(&wanted).ok()).flatten();
        let exact = cast.filter(|cast| !series.dtype().is_float() || is_whole(series, cast));
        exact.ok_or_else(|| {
            let message = format!("column {name:?} is {}, whose values are no {wanted}", series.dtype());
            TableError::corrupt(self.path, message)
        })
    }

    fn texts(&self, name: &str) -> Result<TextColumn, TableError> {
        Ok(self.column(name)?.str().expect("cast").iter().collect())
    }

    fn parse<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, TableError> {
        let texts = self.texts(name)?;
        let parsed = (0..texts.len()).map(|row| {
            let text = texts.get(row).unwrap_or("null");
            parse(text).ok_or_else(|| self.unknown(row, name, text))
        });
        parsed.collect()
    }

    fn unknown(&self, row: usize, name: &str, text: &str) -> TableError {
        TableError::corrupt(self.path, format!("row {}: {name} {text:?} is unknown", self.first + row))
    }
}

/// Whether a cast from floats lost nothing.
fn is_whole(floats: &Series, whole: &Series) -> bool {
    whole.cast(floats.dtype()).is_ok_and(|back| back.equals_missing(floats))
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_contract::Flow;

    #[test]
    fn tables_of_other_writers_are_read_when_nothing_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("other.parquet");
        let write = |ports: Column| {
            let address = || Some("10.0.0.1");
            let columns = vec![
                text("destination_ip", 1, [address()].into_iter()),
                text("source_ip", 1, [address()].into_iter()),
                text("transport", 1, [Some("tcp")].into_iter()),
                text("comment", 1, [Some("x")].into_iter()),
                ports,
            ];
            let frame = DataFrame::new(1, columns).unwrap();
            let mut writer = Writer::create(&path, frame.schema()).unwrap();
            writer.write(&frame).unwrap();
            writer.finish().unwrap();
            read_flows(&path)
        };
        let port = |port: f64| Series::from_iter([Some(port)]).with_name("source_port".into()).into();
        let flows = write(port(80.0)).unwrap();
        assert_eq!((flows.source_port.get(0), flows.bytes.get(0), flows.label.get(0)), (Some(80), None, None));
        let message = write(port(80.5)).unwrap_err().to_string();
        assert!(message.ends_with("column \"source_port\" is f64, whose values are no u16"), "{message}");
        let message = write(text("source_port", 1, [Some("80")].into_iter())).unwrap_err().to_string();
        assert!(message.contains("column \"source_port\" is str"), "{message}");
        std::fs::write(&path, b"PAR1").unwrap();
        assert!(matches!(read_flows(&path), Err(TableError::Corrupt { .. })));
    }

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
