//! Flow files to one table of canonical flows, as a feature store keeps them.

use std::path::{Path, PathBuf};

use weir_contract::expectation::SuiteResult;
use weir_contract::feature::FeatureSchema;
use weir_contract::statistics::{RowAccount, Statistics};
use weir_contract::{Digest, FlowBatch, Seed, files};
use weir_flows::Format;
use weir_stage::{Failure, Stage};
use weir_transform::Transform;

use crate::definitions::{Definitions, Documents};
use crate::describe::Summary;
use crate::engine::Engine;
use crate::params::FeaturesParams;
use crate::scan::Scan;
use crate::shuffle::CELLS;
use crate::stage::in_words;
use crate::tables::{FlowTable, Output};
use crate::work::Work;

const FLOWS: &str = "flows.parquet";

/// What is brought in.
#[derive(Debug, Clone)]
pub struct Ingest<'a> {
    /// Flow files.
    pub data: &'a [PathBuf],
    /// Their format; sniffed where none is given.
    pub format: Option<Format>,
    /// Feature set, suite and policy; the split is not looked at.
    pub params: &'a FeaturesParams,
    /// Feature set and suite, where they are not the ones that the parameters name.
    pub documents: &'a Documents,
    /// Seed of the order of rows.
    pub seed: Seed,
    /// Bytes of records held in memory.
    pub memory: usize,
    /// Where a directory for files is made until they are in the store.
    pub work: &'a Path,
}

/// One record of every flow in canonical order, with what is known about them. The files are removed when this is
/// dropped.
pub struct Ingested {
    work: Work,
    /// Digests of the files, in the order given.
    pub digests: Vec<Digest>,
    /// Where every record went.
    pub account: RowAccount,
    /// Statistics of all rows; the only part is called `all`.
    pub statistics: Statistics,
    /// Schema and statistics of the features of all rows.
    pub schema: FeatureSchema,
    /// Results of the suite.
    pub expectations: SuiteResult,
}

impl Ingested {
    /// The flows, unlabelled ones included, as canonical Parquet.
    #[must_use]
    pub fn flows(&self) -> PathBuf {
        self.work.dir().join(FLOWS)
    }

    /// The rows set aside.
    #[must_use]
    pub fn quarantine(&self) -> PathBuf {
        self.work.dir().join(files::QUARANTINE)
    }
}

/// Reads flows, keeps one record of each, and holds them against the suite. Rows whose features cannot be computed are
/// set aside, as those that break the suite; unlabelled rows stay.
///
/// # Errors
/// As [`crate::run`], but no part can be empty.
pub fn ingest(request: &Ingest<'_>, stage: &Stage) -> Result<Ingested, Failure> {
    let definitions = Definitions::load(request.params, request.documents)?;
    let work = Work::begin_in(request.work)?;
    let excludes = |flows: &FlowBatch, row: usize| definitions.set.rows().excludes(flows, row);
    let scan = Scan {
        files: request.data,
        format: request.format,
        seed: request.seed,
        cells: 0..CELLS,
        excludes: &excludes,
        relabel: None,
        memory: request.memory,
        dir: work.dir(),
    };
    let scanned = scan.run(stage)?;
    let digests = scanned.digests.clone();
    let mut engine = Engine {
        files: request.data,
        scanned,
        definitions: &definitions,
        params: request.params,
        whole: true,
        sharded: false,
        cells: 0..CELLS,
        stage,
    };
    let path = work.draft().path(FLOWS)?;
    let open = |_: &Transform| -> Result<Box<dyn Output>, Failure> { Ok(Box::new(FlowTable::create(&path)?)) };
    let emitted = engine.emit(work.draft(), &open)?;
    let expectations = emitted.evaluation.finish(&definitions.suite, request.params.policy)?;
    let Summary { schema, mut statistics, .. } =
        Summary::new(emitted.description, &emitted.transform, emitted.account.clone());
    statistics.splits.truncate(1);
    statistics.splits.iter_mut().for_each(|part| "all".clone_into(&mut part.split));
    stage.note(in_words(&emitted.account));
    Ok(Ingested { work, digests, account: emitted.account, statistics, schema, expectations })
}
