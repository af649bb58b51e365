//! All records of a run, grouped by the place of their flow, in bounded memory.
//!
//! The ring of 64-bit flow hashes is cut into [`CELLS`] equal cells. All records of a flow are in one cell, and cells in
//! their order give the rows in the order of the tables, so that one grouping serves deduplication, the split, the order
//! and spilling. Records stay in memory up to a limit; then all of them go to one temporary file, cell by cell.

mod record;
mod records;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use weir_stage::Failure;

pub(crate) use record::{Origin, Record};
pub(crate) use records::{Grouper, Records};

/// Cells of the ring. Fixed: moments are summed cell by cell, so that their last bits depend on it.
pub(crate) const CELLS: usize = 1024;

/// The cell of a place on the ring.
pub(crate) fn cell_of(place: u64) -> usize {
    (place >> (64 - CELLS.trailing_zeros())) as usize
}

/// The records of a run.
pub(crate) struct Shuffle {
    held: Vec<Records>,
    memory: usize,
    limit: usize,
    dir: PathBuf,
    spilled: Option<File>,
    segments: Vec<Segment>,
    rows: u64,
    bytes: u64,
}

/// What one spill wrote: where the records of each cell start in the file, and the end of the last.
struct Segment {
    starts: Vec<u64>,
}

impl Shuffle {
    /// Holds up to `limit` bytes in memory and what is more in an unnamed file in `dir`.
    pub(crate) fn new(limit: usize, dir: &Path) -> Self {
        Self {
            held: Vec::new(),
            memory: 0,
            limit,
            dir: dir.to_owned(),
            spilled: None,
            segments: Vec::new(),
            rows: 0,
            bytes: 0,
        }
    }

    /// Records held.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes of all records.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds the records of a piece of input.
    pub(crate) fn push(&mut self, records: Records) -> Result<(), Failure> {
        self.rows += records.rows;
        self.bytes += records.bytes.len() as u64;
        self.memory += records.bytes.len() + size_of::<usize>() * records.starts.len();
        self.held.push(records);
        if self.memory > self.limit {
            self.spill().map_err(|error| self.failure("write", &error))?;
        }
        Ok(())
    }

    fn failure(&self, action: &str, error: &io::Error) -> Failure {
        let failure = Failure::retry(format!("failed to {action} a temporary file in {}: {error}", self.dir.display()));
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => failure.hint(
                "make room there (about as much as the flow files take uncompressed), raise --memory, or write to another disk",
            ),
            _ => failure,
        }
    }

    fn spill(&mut self) -> io::Result<()> {
        let mut file = match &self.spilled {
            Some(file) => file.try_clone()?,
            None => tempfile::tempfile_in(&self.dir)?,
        };
        let mut at = self.segments.last().map_or(0, |segment| segment.starts[CELLS]);
        let mut starts = Vec::with_capacity(CELLS + 1);
        let mut out = BufWriter::with_capacity(1 << 20, &mut file);
        for cell in 0..CELLS {
            starts.push(at);
            for held in &self.held {
                let records = held.cells(cell..cell + 1);
                out.write_all(records)?;
                at += records.len() as u64;
            }
        }
        starts.push(at);
        out.flush()?;
        drop(out);
        self.segments.push(Segment { starts });
        self.spilled = Some(file);
        self.held = Vec::new();
        self.memory = 0;
        Ok(())
    }

    /// The records of a range of cells.
    pub(crate) fn load(&self, cells: Range<usize>) -> Result<Loaded<'_>, Failure> {
        let mut loaded = Loaded { shuffle: self, cells, segments: Vec::with_capacity(self.segments.len()) };
        for segment in &self.segments {
            let (start, end) = (segment.starts[loaded.cells.start], segment.starts[loaded.cells.end]);
            let mut bytes = vec![0; (end - start) as usize];
            let file = self.spilled.as_ref().expect("a segment lies in the file");
            file.read_exact_at(&mut bytes, start).map_err(|error| self.failure("read", &error))?;
            loaded.segments.push(bytes);
        }
        Ok(loaded)
    }
}

impl Records {
    fn cells(&self, cells: Range<usize>) -> &[u8] {
        &self.bytes[self.starts[cells.start]..self.starts[cells.end]]
    }
}

/// The records of some cells, in memory.
pub(crate) struct Loaded<'a> {
    shuffle: &'a Shuffle,
    pub(crate) cells: Range<usize>,
    segments: Vec<Vec<u8>>,
}

impl Loaded<'_> {
    /// Calls `each` for all records of a cell.
    pub(crate) fn records<'b>(&'b self, cell: usize, mut each: impl FnMut(Record<'b>)) {
        let mut all = |mut bytes: &'b [u8]| {
            while !bytes.is_empty() {
                let record;
                (record, bytes) = Record::split(bytes);
                each(record);
            }
        };
        for (segment, bytes) in self.shuffle.segments.iter().zip(&self.segments) {
            let first = segment.starts[self.cells.start];
            all(&bytes[(segment.starts[cell] - first) as usize..(segment.starts[cell + 1] - first) as usize]);
        }
        for held in &self.shuffle.held {
            all(held.cells(cell..cell + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use weir_contract::{Flow, FlowBatch, Seed, Transport};

    use super::*;

    fn flows(ids: Range<usize>) -> FlowBatch {
        let flow = |id: usize| Flow {
            flow_id: Some(format!("flow-{id}")),
            event_time: Some(id as i64),
            source_ip: "10.0.0.1".parse().unwrap(),
            destination_ip: "10.0.0.2".parse().unwrap(),
            source_port: None,
            destination_port: None,
            transport: Transport::Tcp,
            bytes: None,
            packets: None,
            duration_ns: None,
            last: None,
            label: None,
            attack: None,
        };
        ids.map(flow).collect()
    }

    fn ids(limit: usize, per_sweep: usize) -> Vec<(u64, String)> {
        let dir = tempfile::tempdir().unwrap();
        let mut shuffle = Shuffle::new(limit, dir.path());
        let mut grouper = Grouper::default();
        for number in 0..10 {
            let batch = flows(number * 300..number * 300 + 300);
            let start = Origin { piece: number as u32, line: 0 };
            shuffle.push(grouper.group(&batch, 0..300, start, Seed(1), &(0..CELLS), &|_, _| None)).unwrap();
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "the file has no name");
        let mut found = Vec::new();
        for first in (0..CELLS).step_by(per_sweep) {
            let loaded = shuffle.load(first..(first + per_sweep).min(CELLS)).unwrap();
            for cell in loaded.cells.clone() {
                let mut records = Vec::new();
                loaded.records(cell, |record| records.push((record.place(), record.flow_id().to_owned())));
                assert!(records.iter().all(|(place, _)| cell_of(*place) == cell));
                records.sort();
                found.extend(records);
            }
        }
        found
    }

    #[test]
    fn cells_give_every_record_once_in_the_order_of_the_ring_spilled_or_not() {
        let whole = ids(usize::MAX, CELLS);
        assert_eq!(whole.len(), 3_000);
        assert!(whole.is_sorted());
        assert_eq!(ids(50_000, 7), whole);
        assert_eq!(ids(0, 1), whole);
    }
}
