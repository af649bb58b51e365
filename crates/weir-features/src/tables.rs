//! The Parquet files of the artifact, written as the cells come.

use weir_artifact::Draft;
use weir_contract::feature::Example;
use weir_contract::files;
use weir_stage::Failure;
use weir_tables::{FeatureWriter, FlowWriter};

use crate::cell::Cell;

/// Flows of the test split shown with their features.
const EXAMPLES: usize = 5;

/// The tables of the three parts, and the flows of test and validation.
pub(crate) struct Tables {
    features: [FeatureWriter; 3],
    flows: [FlowWriter; 2],
    pub(crate) examples: Vec<Example>,
}

impl Tables {
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

    /// Appends the rows of a cell; `split[row]` is the part of each.
    pub(crate) fn append(&mut self, cell: &Cell, split: &[u8]) -> Result<(), Failure> {
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

    pub(crate) fn finish(self) -> Result<Vec<Example>, Failure> {
        for table in self.features {
            table.finish()?;
        }
        for flows in self.flows {
            flows.finish()?;
        }
        Ok(self.examples)
    }
}
