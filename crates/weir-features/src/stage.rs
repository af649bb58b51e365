//! The stage itself: from files to the artifact.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use weir_artifact::{Artifact, Draft, Expectation, digest_file};
use weir_contract::audit::Audit;
use weir_contract::feature::{self, Examples};
use weir_contract::statistics::RowAccount;
use weir_contract::{Digest, FlowBatch, Seed, files};
use weir_flows::Format;
use weir_stage::{Failure, RunClock, Stage};
use weir_transform::Transform;

use crate::definitions::{Definitions, Documents};
use crate::describe::Summary;
use crate::engine::{Emitted, Engine, names};
use crate::input::role;
use crate::leakage;
use crate::params::FeaturesParams;
use crate::scan::{Relabel, Scan};
use crate::shuffle::CELLS;
use crate::split;
use crate::tables::{Output, Tables};
use crate::work::Work;

/// The rule that leaves out flows of which nobody said what they are.
const UNLABELLED: &str = "unlabelled";

/// MiB of records that are held in memory before they go to a temporary file.
pub const DEFAULT_MEMORY: u64 = 128;

/// The tables, which are written before anything is given up that may be there.
pub(crate) const TABLES: [&str; 6] =
    [files::TRAIN, files::TEST, files::VALIDATION, files::FLOWS_TEST, files::FLOWS_VALIDATION, files::QUARANTINE];

/// What the stage is asked to do.
#[derive(Clone)]
pub struct Request<'a> {
    /// Flow files, read in this order.
    pub data: Vec<PathBuf>,
    /// Their format; sniffed where none is given.
    pub format: Option<Format>,
    /// Labels given to the flows as they are read, with the digest of what says them.
    pub labels: Option<(Digest, Relabel<'a>)>,
    /// Where the artifact goes.
    pub out: PathBuf,
    /// Checked parameters.
    pub params: FeaturesParams,
    /// Feature set and suite, where they are not the ones that the parameters name.
    pub documents: Documents,
    /// Seed of the split.
    pub seed: Seed,
    /// Bytes of records held in memory; what is more goes to a temporary file in `out`. Changes no result.
    pub memory: usize,
}

/// What the stage left.
#[derive(Debug)]
pub struct Outcome {
    /// The artifact.
    pub artifact: Artifact,
    /// Whether it was there already.
    pub skipped: bool,
}

/// Runs the stage, unless the artifact is there already.
///
/// # Errors
/// [`Failure`]: usage for a feature set or suite that does not hold, input for files that are no flows or leave no
/// rows, gate for flows that break a suite under the policy `strict`.
pub fn run(request: &Request<'_>, stage: &Stage) -> Result<Outcome, Failure> {
    let mut clock = stage.clock();
    let definitions = Definitions::load(&request.params, &request.documents)?;
    for path in &request.data {
        if !path.is_file() {
            return Err(Failure::input(format!("{}: no such file", path.display()))
                .hint("give existing flow files with --data"));
        }
    }
    // Digests cost a look at every byte: without an artifact to compare with they are taken while reading.
    let known = if !stage.common().force && request.out.join(files::MANIFEST).is_file() {
        let digests: Result<Vec<Digest>, _> = clock.part("digest", || request.data.iter().map(digest_file).collect());
        let digests = digests?;
        let expectation = expectation(request, &definitions, &digests)?;
        if let Some(artifact) = Work::done(&request.out, &expectation)? {
            return Ok(Outcome { artifact, skipped: true });
        }
        Some(digests)
    } else {
        None
    };
    let artifact = make(request, &definitions, known.as_deref(), clock, stage)?;
    Ok(Outcome { artifact, skipped: false })
}

/// What makes the artifact what it is.
pub(crate) fn expectation(
    request: &Request<'_>,
    definitions: &Definitions,
    digests: &[Digest],
) -> Result<Expectation, Failure> {
    let mut inputs = BTreeMap::from(definitions.digests());
    inputs.extend(digests.iter().enumerate().map(|(number, &digest)| (role(number), digest)));
    if let Some((digest, _)) = request.labels {
        inputs.insert("labels".to_owned(), digest);
    }
    let mut parameters = serde_json::to_value(&request.params)
        .map_err(|error| Failure::usage(format!("parameters have no JSON form: {error}")))?;
    parameters["format"] = request.format.map(|format| format.to_string()).into();
    Ok(Expectation {
        stage: "features".to_owned(),
        build: env!("WEIR_BUILD_ID").to_owned(),
        inputs,
        parameters,
        seed: Some(request.seed),
    })
}

fn make(
    request: &Request<'_>,
    definitions: &Definitions,
    known: Option<&[Digest]>,
    mut clock: RunClock,
    stage: &Stage,
) -> Result<Artifact, Failure> {
    let work = Work::begin(&request.out)?;
    let excludes = |flows: &FlowBatch, row: usize| excludes(definitions, flows, row);
    let scan = Scan {
        files: &request.data,
        format: request.format,
        seed: request.seed,
        cells: 0..CELLS,
        excludes: &excludes,
        relabel: request.labels.map(|(_, relabel)| relabel),
        memory: request.memory,
        dir: work.dir(),
    };
    let scanned = clock.part("read", || scan.run(stage))?;
    let digests = scanned.digests.clone();
    if let Some(known) = known {
        unchanged(&request.data, known, &digests)?;
    }
    let mut engine = Engine {
        files: &request.data,
        scanned,
        definitions,
        params: &request.params,
        whole: false,
        sharded: false,
        cells: 0..CELLS,
        stage,
    };
    let draft = work.draft();
    let open = |transform: &Transform| -> Result<Box<dyn Output>, Failure> {
        Ok(Box::new(Tables::create(draft, &names(transform))?))
    };
    let emitted = clock.part("transform and write", || engine.emit(draft, &open))?;
    // The records are not needed any more.
    drop(engine);
    let expectation = expectation(request, definitions, &digests)?;
    seal(request, definitions, emitted, expectation, work, clock, stage)
}

/// The rule that leaves a row out of a training table, if one does.
pub(crate) fn excludes(definitions: &Definitions, flows: &FlowBatch, row: usize) -> Option<&'static str> {
    if flows.label.is_null(row) { Some(UNLABELLED) } else { definitions.set.rows().excludes(flows, row) }
}

/// Holds the digests of the files as they were read against those of before.
pub(crate) fn unchanged(files: &[PathBuf], before: &[Digest], read: &[Digest]) -> Result<(), Failure> {
    match files.iter().zip(before.iter().zip(read)).find(|(_, (before, read))| before != read) {
        None => Ok(()),
        Some((path, _)) => Err(Failure::retry(format!("{} changed while it was read", path.display()))
            .hint("run again when the file is complete")),
    }
}

/// Describes what was written and makes it an artifact.
pub(crate) fn seal(
    request: &Request<'_>,
    definitions: &Definitions,
    emitted: Emitted,
    expectation: Expectation,
    work: Work,
    mut clock: RunClock,
    stage: &Stage,
) -> Result<Artifact, Failure> {
    let Emitted { evaluation, description, account, examples, transform, first_aside } = emitted;
    let empty = (0..split::NAMES.len()).find(|&part| description.classes.rows(part) == 0);
    if let Some(part) = empty {
        return Err(nothing_left(split::NAMES[part], &account, first_aside.as_ref(), request));
    }
    let summary = clock.part("statistics", || Summary::new(description, &transform, account.clone()));
    let collisions = summary.statistics.address_collisions;
    if collisions > 0 {
        stage.warn(format!("{collisions} addresses share their integer with another"));
    }
    let audit = clock.part("audit", || leakage::audit(&summary, request.params.audit, stage))?;
    let results = evaluation.finish(&definitions.suite, request.params.policy)?;
    stage.check()?;
    // Only now: whatever was refused above leaves an earlier artifact as it was.
    let mut draft = work.hand_over(&request.out, &TABLES)?;
    draft.write(files::TRANSFORM, &transform.to_json())?;
    draft.write_json(files::FEATURES, &summary.schema)?;
    draft.write_json(files::STATISTICS, &summary.statistics)?;
    draft.write_json(files::EXPECTATIONS, &results)?;
    draft.write_json(files::AUDIT, &audit)?;
    let examples = Examples { format: feature::FORMAT, names: names(&transform), examples };
    draft.write_json(files::EXAMPLES, &examples)?;
    tell(&audit, stage);
    write_run_info(&mut draft, &clock)?;
    let splits = summary.statistics.splits.iter().map(|part| (part.split.clone(), part.benign + part.malicious));
    let artifact = draft.commit(expectation.seal(rows(&account, splits)))?;
    stage.note(in_words(&account));
    Ok(artifact)
}

/// Leaves what was measured beside the sealed files.
pub(crate) fn write_run_info(draft: &mut Draft, clock: &RunClock) -> Result<(), Failure> {
    let info = weir_contract::json::to_canonical(&clock.run_info(""))
        .map_err(|error| Failure::retry(format!("no JSON form: {error}")))?;
    Ok(draft.write_unsealed(files::RUN_INFO, &info)?)
}

fn tell(audit: &Audit, stage: &Stage) {
    for warning in &audit.warnings {
        stage.detail(format!("feature {:?} {}", warning.feature, warning.finding.in_words()));
    }
}

/// Why a part of the split is empty: what became of the rows.
fn nothing_left(
    part: &str,
    account: &RowAccount,
    first_aside: Option<&weir_tables::Quarantined>,
    request: &Request<'_>,
) -> Failure {
    let failure = Failure::input(format!("no row is left for {part}: {}", in_words(account)));
    if account.excluded.contains_key(UNLABELLED) {
        return failure.hint("training needs a column label with benign or malicious in every row");
    }
    match first_aside {
        Some(first) => {
            let file = request.data.iter().enumerate().find(|(number, _)| role(*number) == first.file);
            let file = file.map_or(Path::new(&first.file), |(_, path)| path.as_path());
            failure.hint(format!(
                "mend the flows; the first that was set aside is {}:{}: {}",
                file.display(),
                first.line,
                first.reason
            ))
        }
        None => failure.hint("give more flows"),
    }
}

fn rows(account: &RowAccount, splits: impl Iterator<Item = (String, u64)>) -> BTreeMap<String, u64> {
    let mut rows = BTreeMap::from([
        ("input".to_owned(), account.input),
        ("kept".to_owned(), account.kept),
        ("quarantined".to_owned(), account.quarantined),
        ("deduplicated".to_owned(), account.deduplicated),
    ]);
    rows.extend(account.excluded.iter().map(|(rule, &count)| (format!("excluded: {rule}"), count)));
    rows.extend(splits);
    rows
}

pub(crate) fn in_words(account: &RowAccount) -> String {
    let RowAccount { input, kept, quarantined, deduplicated, excluded } = account;
    let mut text = format!(
        "{input} records: {kept} flows kept, {deduplicated} earlier records of the same flow, {quarantined} quarantined"
    );
    for (rule, count) in excluded {
        text += &format!(", {count} left out ({rule})");
    }
    text
}
