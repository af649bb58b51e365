//! The validation rows of a features artifact, some at a time.

use std::path::PathBuf;

use weir_artifact::{Artifact, ArtifactError, digest_file};
use weir_contract::feature::{self, FeatureSchema};
use weir_contract::files::{FEATURES, FLOWS_VALIDATION, VALIDATION};
use weir_contract::validation::Payload;
use weir_contract::{Digest, Flow, FlowBatch, Label};
use weir_stage::Failure;
use weir_tables::{FeatureReader, FeatureTable, FlowTableReader};

use crate::tally::Row;
use crate::wire::Rows;

/// Rows that are read at a time.
const CHUNK: usize = 8_192;

/// Validation rows being read.
pub(crate) struct Source {
    /// Digest of the artifact.
    pub(crate) digest: Digest,
    /// Rows in all.
    pub(crate) total: u64,
    table: Table,
    path: PathBuf,
    done: usize,
}

enum Table {
    Flows(FlowTableReader),
    Features(FeatureReader),
}

/// Some rows: what is sent, and what is compared with the answers.
pub(crate) struct Chunk {
    content: Content,
    pub(crate) rows: Vec<Row>,
}

enum Content {
    /// Without label and attack: a predictor must not be told what it is asked.
    Flows(Vec<Flow>),
    Vectors {
        values: Vec<f64>,
        width: usize,
    },
}

impl Chunk {
    pub(crate) fn to_send(&self) -> Rows<'_> {
        match &self.content {
            Content::Flows(flows) => Rows::Flows(flows),
            Content::Vectors { values, width } => Rows::Vectors { values, width: *width },
        }
    }
}

impl Source {
    /// Opens the validation rows of the artifact in `dir`, after a look at their checksums.
    pub(crate) fn open(dir: &std::path::Path, payload: Payload) -> Result<Self, Failure> {
        let artifact = Artifact::open(dir)?;
        let total = FlowTableReader::open(&verified(&artifact, FLOWS_VALIDATION)?)?.rows() as u64;
        if total == 0 {
            return Err(Failure::input(format!("{} holds no validation rows", dir.display()))
                .hint("make the features again with more flows, or with smaller shares of train and test"));
        }
        let (table, path) = match payload {
            Payload::Flows => {
                let path = artifact.path(FLOWS_VALIDATION)?;
                (Table::Flows(FlowTableReader::open(&path)?), path)
            }
            Payload::Features => {
                let schema: FeatureSchema = artifact.read_versioned(FEATURES, feature::FORMAT)?;
                let names: Vec<String> = schema.names().into_iter().map(str::to_owned).collect();
                let path = verified(&artifact, VALIDATION)?;
                (Table::Features(FeatureReader::open(&path, &names)?), path)
            }
        };
        Ok(Self { digest: artifact.digest(), total, table, path, done: 0 })
    }

    /// The next rows; nothing at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Chunk>, Failure> {
        let chunk = match &mut self.table {
            Table::Flows(reader) => match reader.next(CHUNK)? {
                Some(flows) => self.of_flows(&flows)?,
                None => return Ok(None),
            },
            Table::Features(reader) => match reader.next(CHUNK)? {
                Some(table) => of_features(&table),
                None => return Ok(None),
            },
        };
        self.done += chunk.rows.len();
        Ok(Some(chunk))
    }

    fn of_flows(&self, batch: &FlowBatch) -> Result<Chunk, Failure> {
        let mut flows = Vec::with_capacity(batch.len());
        let mut rows = Vec::with_capacity(batch.len());
        for row in 0..batch.len() {
            let flow = batch.flow(row);
            let label = flow.label.ok_or_else(|| {
                Failure::input(format!("{}: row {} has no label", self.path.display(), self.done + row))
                    .hint("make the features again from labelled flows")
            })?;
            rows.push(Row { flow_id: flow.flow_id.clone(), label });
            flows.push(Flow { label: None, attack: None, ..flow });
        }
        Ok(Chunk { content: Content::Flows(flows), rows })
    }
}

fn of_features(table: &FeatureTable) -> Chunk {
    let rows = 0..table.rows();
    let values = rows.clone().flat_map(|row| table.columns.iter().map(move |column| column[row])).collect();
    let rows = rows.map(|row| Row {
        flow_id: table.flow_id.get(row).map(str::to_owned),
        label: Label::from_class(table.label[row]),
    });
    Chunk { content: Content::Vectors { values, width: table.columns.len() }, rows: rows.collect() }
}

/// The path of a sealed file that holds what the manifest says.
fn verified(artifact: &Artifact, name: &str) -> Result<PathBuf, Failure> {
    let path = artifact.path(name)?;
    let found = digest_file(&path)?;
    match artifact.entry(name) {
        Some(entry) if entry.sha256 != found => {
            Err(ArtifactError::WrongDigest { path, expected: entry.sha256, found }.into())
        }
        _ => Ok(path),
    }
}
