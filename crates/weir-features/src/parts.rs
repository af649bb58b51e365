//! One run on many machines: plan, one part each, gather.
//!
//! A part is a range of cells, so that no flow is in two parts. Every part reads all files and keeps what lies in its
//! cells; gathering copies the parts' tables one after the other and joins what was counted. The artifact has the same
//! bytes as that of an unsharded run.
//!
//! What needs all rows before the first is written stays on one machine and is refused by the plan: a split by time, and
//! a feature set that numbers flow ids. An expectation that allows some unexpected rows (`mostly`), or asks for unique
//! values, and turns out not to hold over all parts is refused when they are gathered under the policy `quarantine`: the
//! rows it would set aside are written already.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use weir_artifact::{Artifact, Draft, Expectation, digest_file};
use weir_contract::expectation::Policy;
use weir_contract::feature::Example;
use weir_contract::statistics::RowAccount;
use weir_contract::{Digest, FlowBatch, Seed, files};
use weir_expectations::Evaluation;
use weir_flows::Format;
use weir_stage::{Failure, Stage};
use weir_tables::{
    FeatureReader, FeatureWriter, FlowTableReader, FlowWriter, QuarantineReader, QuarantineWriter, Quarantined,
};
use weir_transform::Transform;

use crate::definitions::{Definitions, Documents};
use crate::describe::Description;
use crate::engine::{Emitted, Engine, names};
use crate::input::role;
use crate::params::FeaturesParams;
use crate::scan::Scan;
use crate::shuffle::CELLS;
use crate::split::SplitKind;
use crate::stage::{self, Outcome, Request, TABLES};
use crate::tables::{Output, Tables};
use crate::work::Work;

/// Version of plans written by this build.
const FORMAT: u32 = 1;

/// What a part counted, beside its tables.
const COUNTS: &str = "counts.bin";

/// Rows that are copied at a time.
const ROWS: usize = 1 << 16;

/// A run that is to be cut into parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    format: u32,
    /// Digest over the sources of the stage: all parts are made by the same build.
    build: String,
    /// The flow files, in their order.
    files: Vec<PlannedFile>,
    /// Name of their format, if it was given.
    flow_format: Option<String>,
    feature_set: Digest,
    expectations: Digest,
    params: FeaturesParams,
    seed: Seed,
    parts: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct PlannedFile {
    path: PathBuf,
    sha256: Digest,
}

impl Plan {
    /// Plans the run that `request` asks for in `parts` parts; reads all files once for their digests.
    ///
    /// # Errors
    /// Usage for what cannot be done in parts, input for files that are not there.
    pub fn new(request: &Request<'_>, parts: usize) -> Result<Self, Failure> {
        let definitions = Definitions::load(&request.params, &request.documents)?;
        if !(1..=CELLS).contains(&parts) {
            return Err(Failure::usage(format!("a run has 1 to {CELLS} parts, received {parts}")));
        }
        if request.params.split == SplitKind::Time {
            return Err(Failure::usage("a split by time cannot be made in parts: its borders depend on all flows")
                .hint("split by hash, or run on one machine without a plan"));
        }
        if definitions.set.uses_flow_id() {
            let name = definitions.set.name();
            return Err(Failure::usage(format!(
                "feature set {name:?} numbers flow ids, which cannot be done in parts"
            ))
            .hint("use the feature set `default`, or run on one machine without a plan"));
        }
        let files = request.data.iter().map(|path| {
            if !path.is_file() {
                return Err(Failure::input(format!("{}: no such file", path.display()))
                    .hint("give existing flow files with --data"));
            }
            Ok(PlannedFile { path: path.clone(), sha256: digest_file(path)? })
        });
        let [(_, feature_set), (_, expectations)] = definitions.digests();
        Ok(Self {
            format: FORMAT,
            build: env!("WEIR_BUILD_ID").to_owned(),
            files: files.collect::<Result<_, _>>()?,
            flow_format: request.format.map(|format| format.to_string()),
            feature_set,
            expectations,
            params: request.params.clone(),
            seed: request.seed,
            parts,
        })
    }

    /// Reads a plan.
    ///
    /// # Errors
    /// Input for a file that is no plan, or one that another build wrote.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let bytes =
            fs::read(path).map_err(|error| Failure::input(format!("failed to read {}: {error}", path.display())))?;
        let plan: Self = serde_json::from_slice(&bytes)
            .map_err(|error| Failure::input(format!("{} is no plan: {error}", path.display())))?;
        if plan.format != FORMAT || plan.build != env!("WEIR_BUILD_ID") {
            return Err(Failure::input(format!("{} was written by another build of weir", path.display()))
                .hint("plan, run the parts and gather them with one build"));
        }
        Ok(plan)
    }

    /// Parts.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.parts
    }

    fn cells(&self, part: usize) -> Range<usize> {
        part * CELLS / self.parts..(part + 1) * CELLS / self.parts
    }

    fn request(&self, out: &Path, memory: usize) -> Result<Request<'static>, Failure> {
        let format = self.flow_format.as_deref().map(str::parse::<Format>).transpose();
        Ok(Request {
            data: self.files.iter().map(|file| file.path.clone()).collect(),
            format: format.map_err(|error| Failure::input(error.to_string()))?,
            labels: None,
            out: out.to_owned(),
            params: self.params.clone(),
            documents: Documents::default(),
            seed: self.seed,
            memory,
        })
    }

    fn digests(&self) -> Vec<Digest> {
        self.files.iter().map(|file| file.sha256).collect()
    }

    /// The definitions, if they are what was planned with.
    fn definitions(&self) -> Result<Definitions, Failure> {
        let definitions = Definitions::load(&self.params, &Documents::default())?;
        let [(_, set), (_, suite)] = definitions.digests();
        if (set, suite) == (self.feature_set, self.expectations) {
            return Ok(definitions);
        }
        Err(Failure::input("the feature set or the expectation suite changed after the plan was made")
            .hint("plan again"))
    }

    /// What makes a part what it is.
    fn expectation(&self, part: usize) -> Result<Expectation, Failure> {
        let mut inputs = BTreeMap::from([
            ("feature-set".to_owned(), self.feature_set),
            ("expectations".to_owned(), self.expectations),
        ]);
        inputs.extend(self.files.iter().enumerate().map(|(number, file)| (role(number), file.sha256)));
        let parameters = serde_json::json!({
            "features": self.params, "format": self.flow_format, "part": part, "parts": self.parts,
        });
        Ok(Expectation {
            stage: "features-part".to_owned(),
            build: self.build.clone(),
            inputs,
            parameters,
            seed: Some(self.seed),
        })
    }
}

/// What a part leaves beside its tables.
#[derive(Serialize, Deserialize)]
struct Counts {
    evaluation: Evaluation,
    description: Description,
    account: RowAccount,
    /// As JSON: an example's flow has optional fields, which the binary form cannot leave out.
    examples: String,
}

/// Runs part number `part` of a plan, from 0, unless it is there already.
///
/// # Errors
/// As [`crate::run`]; [`Failure`] of input when a flow file is not what was planned with.
pub fn run_part(plan: &Plan, part: usize, out: &Path, memory: usize, stage: &Stage) -> Result<Outcome, Failure> {
    if part >= plan.parts {
        return Err(Failure::usage(format!("the plan has parts 0 to {}, received {part}", plan.parts - 1)));
    }
    let mut clock = stage.clock();
    let definitions = plan.definitions()?;
    let expectation = plan.expectation(part)?;
    if !stage.common().force
        && let Some(artifact) = Work::done(out, &expectation)?
    {
        return Ok(Outcome { artifact, skipped: true });
    }
    let request = plan.request(out, memory)?;
    let work = Work::begin(out)?;
    let excludes = |flows: &FlowBatch, row: usize| stage::excludes(&definitions, flows, row);
    let scan = Scan {
        files: &request.data,
        format: request.format,
        seed: request.seed,
        cells: plan.cells(part),
        excludes: &excludes,
        relabel: None,
        memory,
        dir: work.dir(),
    };
    let scanned = clock.part("read", || scan.run(stage))?;
    stage::unchanged(&request.data, &plan.digests(), &scanned.digests)?;
    let mut engine = Engine {
        files: &request.data,
        scanned,
        definitions: &definitions,
        params: &request.params,
        whole: false,
        sharded: true,
        cells: plan.cells(part),
        stage,
    };
    let draft = work.draft();
    let open = |transform: &Transform| -> Result<Box<dyn Output>, Failure> {
        Ok(Box::new(Tables::create(draft, &names(transform))?))
    };
    let emitted = clock.part("transform and write", || engine.emit(draft, &open))?;
    let Emitted { evaluation, description, account, examples, .. } = emitted;
    let examples = serde_json::to_string(&examples).map_err(|error| no_form(&error))?;
    let rows = BTreeMap::from([("input".to_owned(), account.input), ("kept".to_owned(), account.kept)]);
    let counts =
        postcard::to_stdvec(&Counts { evaluation, description, account, examples }).map_err(|error| no_form(&error))?;
    let mut draft = work.hand_over(out, &TABLES)?;
    draft.write(COUNTS, &counts)?;
    stage::write_run_info(&mut draft, &clock)?;
    let artifact = draft.commit(expectation.seal(rows))?;
    Ok(Outcome { artifact, skipped: false })
}

/// Joins all parts of a plan into the artifact of the run. `parts` are their directories, in any order.
///
/// # Errors
/// [`Failure`]: input when a part is missing, damaged or of another plan; gate as in [`crate::run`], and when rows that
/// were written would have to be set aside.
pub fn gather(plan: &Plan, parts: &[PathBuf], out: &Path, stage: &Stage) -> Result<Outcome, Failure> {
    let clock = stage.clock();
    let definitions = plan.definitions()?;
    let request = plan.request(out, 0)?;
    let expectation = stage::expectation(&request, &definitions, &plan.digests())?;
    if !stage.common().force
        && let Some(artifact) = Work::done(out, &expectation)?
    {
        return Ok(Outcome { artifact, skipped: true });
    }
    let parts = in_order(plan, parts)?;
    let work = Work::begin(out)?;
    let suite = &definitions.suite;
    let transform = Transform::fit(definitions.set.clone(), std::iter::empty())?;
    let mut joined = Emitted {
        evaluation: suite.start(),
        description: Description::default(),
        account: RowAccount::default(),
        examples: Vec::new(),
        transform,
        first_aside: None,
    };
    for part in &parts {
        let bytes = part.read(COUNTS)?;
        let damaged = |error: String| Failure::input(format!("{}: {COUNTS} is damaged: {error}", part.dir().display()));
        let counts: Counts = postcard::from_bytes(&bytes).map_err(|error| damaged(error.to_string()))?;
        if !counts.evaluation.is_of(suite) {
            return Err(damaged("it is of another suite".to_owned()));
        }
        joined.evaluation.merge(suite, counts.evaluation);
        joined.description.merge(counts.description);
        add(&mut joined.account, counts.account);
        let examples: Vec<Example> =
            serde_json::from_str(&counts.examples).map_err(|error| damaged(error.to_string()))?;
        joined.examples.extend(examples);
    }
    joined.examples.truncate(crate::tables::EXAMPLES);
    held(plan, &definitions, &joined.evaluation)?;
    copy(&parts, &names(&joined.transform), work.draft(), &mut joined.first_aside, stage)?;
    let artifact = stage::seal(&request, &definitions, joined, expectation, work, clock, stage)?;
    Ok(Outcome { artifact, skipped: false })
}

/// The parts as artifacts, in the order of their cells.
fn in_order(plan: &Plan, dirs: &[PathBuf]) -> Result<Vec<Artifact>, Failure> {
    let mut parts = BTreeMap::new();
    for dir in dirs {
        let artifact = Artifact::open(dir)?;
        let number = artifact.manifest().parameters.get("part").and_then(serde_json::Value::as_u64);
        let number = number.and_then(|number| usize::try_from(number).ok()).filter(|&number| number < plan.parts);
        let of_plan = match number {
            Some(number) => Artifact::open_current(dir, &plan.expectation(number)?)?.map(|_| number),
            None => None,
        };
        let Some(number) = of_plan else {
            return Err(Failure::input(format!("{} is no part of this plan", dir.display()))
                .hint("gather what run-part made of the same plan"));
        };
        artifact.verify()?;
        if parts.insert(number, artifact).is_some() {
            return Err(Failure::usage(format!("part {number} is given twice, again in {}", dir.display())));
        }
    }
    match (0..plan.parts).find(|number| !parts.contains_key(number)) {
        None => Ok(parts.into_values().collect()),
        Some(missing) => Err(Failure::input(format!("part {missing} of {} is missing", plan.parts))
            .hint(format!("run it: weir features run-part --plan PLAN --part {missing} --out DIR"))),
    }
}

fn add(sum: &mut RowAccount, part: RowAccount) {
    sum.input += part.input;
    sum.kept += part.kept;
    sum.quarantined += part.quarantined;
    sum.deduplicated += part.deduplicated;
    for (rule, rows) in part.excluded {
        *sum.excluded.entry(rule).or_default() += rows;
    }
}

/// Refuses what an unsharded run would have refused or written otherwise.
fn held(plan: &Plan, definitions: &Definitions, evaluation: &Evaluation) -> Result<(), Failure> {
    let suite = &definitions.suite;
    let failed = evaluation.failed(suite)?;
    for expectation in (0..failed.len()).filter(|&expectation| failed[expectation]) {
        let text = || format!("the flows of all parts break the expectation {}", suite.describe(expectation));
        match plan.params.policy {
            Policy::Strict => {
                return Err(Failure::gate(text()).hint("mend the flows, or plan with features.policy = \"quarantine\""));
            }
            Policy::Quarantine if suite.is_late(expectation) => {
                return Err(Failure::gate(text()).hint(
                    "its rows can only be set aside on one machine: run without a plan, or change the expectation",
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Copies the tables of the parts, one after the other.
fn copy(
    parts: &[Artifact],
    names: &[String],
    draft: &Draft,
    first_aside: &mut Option<Quarantined>,
    stage: &Stage,
) -> Result<(), Failure> {
    for name in [files::TRAIN, files::TEST, files::VALIDATION] {
        let mut writer = FeatureWriter::create(&draft.path(name)?, names)?;
        for part in parts {
            let mut reader = FeatureReader::open(&part.path(name)?, names)?;
            while let Some(rows) = reader.next(ROWS)? {
                stage.check()?;
                let columns: Vec<&[f64]> = rows.columns.iter().map(Vec::as_slice).collect();
                writer.append(&columns, &rows.label, &rows.flow_id, &rows.event_time, 0..rows.rows())?;
            }
        }
        writer.finish()?;
    }
    for name in [files::FLOWS_TEST, files::FLOWS_VALIDATION] {
        let mut writer = FlowWriter::create(&draft.path(name)?)?;
        for part in parts {
            let mut reader = FlowTableReader::open(&part.path(name)?)?;
            while let Some(flows) = reader.next(ROWS)? {
                stage.check()?;
                writer.append(&flows, 0..flows.len())?;
            }
        }
        writer.finish()?;
    }
    let mut writer = QuarantineWriter::create(&draft.path(files::QUARANTINE)?)?;
    for part in parts {
        let mut reader = QuarantineReader::open(&part.path(files::QUARANTINE)?)?;
        while let Some(rows) = reader.next_rows()? {
            for row in rows {
                first_aside.get_or_insert_with(|| row.clone());
                writer.push(row)?;
            }
        }
    }
    Ok(writer.finish()?)
}

fn no_form(error: &dyn std::fmt::Display) -> Failure {
    Failure::retry(format!("what was counted has no binary form: {error}"))
}
