//! A batch of flows to records, grouped by cell.

use std::collections::BTreeMap;
use std::ops::Range;

use weir_contract::Seed;
use weir_contract::flow::{FlowBatch, derived_id, flow_hash, is_derived};
use weir_flows::content;

use super::record::{self, Origin};
use super::{CELLS, cell_of};

/// The records of one piece of input, grouped by cell.
#[derive(Debug)]
pub(crate) struct Records {
    pub(crate) bytes: Vec<u8>,
    /// Where the records of each cell start, and the end of the last: `CELLS + 1` places.
    pub(crate) starts: Vec<usize>,
    /// Records.
    pub(crate) rows: u64,
    /// Rows left out, by rule.
    pub(crate) excluded: BTreeMap<&'static str, u64>,
}

/// Turns batches into records; keeps its buffers between them.
#[derive(Debug, Default)]
pub(crate) struct Grouper {
    bytes: Vec<u8>,
    /// Cell and place of each record in `bytes`.
    records: Vec<(u16, usize)>,
}

impl Grouper {
    /// Writes the rows that no rule excludes and whose cell is in `cells`; `lines` are the rows' lines after `start`.
    pub(crate) fn group(
        &mut self,
        flows: &FlowBatch,
        lines: impl Iterator<Item = u64>,
        start: Origin,
        seed: Seed,
        cells: &Range<usize>,
        excludes: &(dyn Fn(&FlowBatch, usize) -> Option<&'static str> + Sync),
    ) -> Records {
        self.bytes.clear();
        self.records.clear();
        let mut excluded = BTreeMap::new();
        let mut starts = vec![0; CELLS + 1];
        for (row, line) in lines.enumerate() {
            let given = flows.flow_id.get(row);
            let stem;
            let (id, derived) = match given {
                Some(id) if is_derived(id) => (&id[..33], true),
                Some(id) => (id, false),
                None => {
                    stem = derived_id(content(flows, row), 0);
                    (stem.as_str(), true)
                }
            };
            let place = flow_hash(seed, id);
            let cell = cell_of(place);
            if !cells.contains(&cell) {
                continue;
            }
            if let Some(rule) = excludes(flows, row) {
                *excluded.entry(rule).or_default() += 1;
                continue;
            }
            let at = self.bytes.len();
            let origin = Origin { line: line as u32, ..start };
            record::write(&mut self.bytes, flows, row, place, origin, id, derived);
            self.records.push((cell as u16, at));
            starts[cell + 1] += self.bytes.len() - at;
        }
        for cell in 0..CELLS {
            starts[cell + 1] += starts[cell];
        }
        let mut bytes = vec![0; self.bytes.len()];
        let mut next: Vec<usize> = starts[..CELLS].to_vec();
        for (index, &(cell, at)) in self.records.iter().enumerate() {
            let end = self.records.get(index + 1).map_or(self.bytes.len(), |&(_, next)| next);
            let record = &self.bytes[at..end];
            let to = &mut next[usize::from(cell)];
            bytes[*to..*to + record.len()].copy_from_slice(record);
            *to += record.len();
        }
        Records { bytes, starts, rows: self.records.len() as u64, excluded }
    }
}
