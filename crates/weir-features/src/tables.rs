//! The Parquet files of the artifact, written as the cells come.

use std::path::Path;

use rayon::prelude::*;
use weir_artifact::Draft;
use weir_contract::feature::Example;
use weir_contract::files;
use weir_stage::Failure;
use weir_tables::{FeatureWriter, FlowWriter};
use weir_transform::Transform;

use crate::cell::Cell;

/// Flows of the test split shown with their features.
pub(crate) const EXAMPLES: usize = 5;

/// Where the kept rows of a pass go, cell by cell.
pub(crate) trait Output: Send {
    /// Appends the rows of a cell; `split[row]` is the part of each.
    fn append(&mut self, cell: &Cell, split: &[u8]) -> Result<(), Failure>;

    /// Ends the files, and gives a few flows of test with their features.
    fn finish(self: Box<Self>) -> Result<Vec<Example>, Failure>;
}

/// Opens the output of a pass under a transform.
pub(crate) type Open<'a> = dyn Fn(&Transform) -> Result<Box<dyn Output>, Failure> + 'a;

/// The tables of the three parts, and the flows of test and validation.
pub(crate) struct Tables {
    features: [FeatureWriter; 3],
    flows: [FlowWriter; 2],
    examples: Vec<Example>,
}

impl Tables {
    /// Starts the files of a table with the features `names`.
    pub(crate) fn create(draft: &Draft, names: &[String]) -> Result<Self, Failure> {
        let features =
            |name| -> Result<FeatureWriter, Failure> { Ok(FeatureWriter::create(&draft.path(name)?, names)?) };
        let flows = |name| -> Result<FlowWriter, Failure> { Ok(FlowWriter::create(&draft.path(name)?)?) };
        Ok(Self {
            features: [features(files::TRAIN)?, features(files::TEST)?, features(files::VALIDATION)?],
            flows: [flows(files::FLOWS_TEST)?, flows(files::FLOWS_VALIDATION)?],
            examples: Vec::new(),
        })
    }
}

impl Output for Tables {
    fn append(&mut self, cell: &Cell, split: &[u8]) -> Result<(), Failure> {
        let columns: Vec<&[f64]> = cell.features.iter().map(Vec::as_slice).collect();
        let flows = &cell.flows;
        let mut start = 0;
        for part in split.chunk_by(|a, b| a == b) {
            let rows = start..start + part.len();
            start = rows.end;
            let number = usize::from(part[0]);
            let table = &mut self.features[number];
            table.append(&columns, flows.label.values(), &flows.flow_id, &flows.event_time, rows.clone())?;
            if number > 0 {
                self.flows[number - 1].append(flows, rows.clone())?;
            }
            if number == 1 && self.examples.len() < EXAMPLES {
                let shown = rows.take(EXAMPLES - self.examples.len());
                self.examples.extend(shown.map(|row| Example {
                    flow: flows.flow(row),
                    features: columns.iter().map(|column| column[row]).collect(),
                }));
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Vec<Example>, Failure> {
        let Self { features, flows, examples } = *self;
        // Most of the last rows of the tables wait until now.
        let ended = rayon::join(
            || features.into_par_iter().map(FeatureWriter::finish).collect::<Result<(), _>>(),
            || flows.into_par_iter().map(FlowWriter::finish).collect::<Result<(), _>>(),
        );
        ended.0?;
        ended.1?;
        Ok(examples)
    }
}

/// All kept flows in one table.
pub(crate) struct FlowTable(FlowWriter);

impl FlowTable {
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        Ok(Self(FlowWriter::create(path)?))
    }
}

impl Output for FlowTable {
    fn append(&mut self, cell: &Cell, _split: &[u8]) -> Result<(), Failure> {
        Ok(self.0.append(&cell.flows, 0..cell.flows.len())?)
    }

    fn finish(self: Box<Self>) -> Result<Vec<Example>, Failure> {
        self.0.finish()?;
        Ok(Vec::new())
    }
}
