//! The stage itself: from files to the artifact.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use weir_artifact::{Artifact, Draft, Expectation, digest_file};
use weir_contract::audit::{self, Audit, AuditWarning};
use weir_contract::expectation::Policy;
use weir_contract::feature::{self, Example, Examples, Feature, FeatureSchema, Identifies};
use weir_contract::statistics::{self as contract, RowAccount, Statistics};
use weir_contract::{Digest, FlowBatch, Seed, files};
use weir_flows::Format;
use weir_stage::{Failure, RunClock, Stage};
use weir_tables::{FeatureTable, Quarantined, write_flows, write_quarantine};
use weir_transform::{FeatureSet, Transform};

use crate::expectations::{self, Checked, Evaluation};
use crate::params::FeaturesParams;
use crate::read::{self, Flows};
use crate::{deduplicate, split, statistics};

/// The rule that leaves out flows of which nobody said what they are.
const UNLABELLED: &str = "unlabelled";

/// Flows of the test split shown with their features.
const EXAMPLES: usize = 5;

/// What the stage is asked to do.
#[derive(Debug, Clone)]
pub struct Request {
    /// Flow files, read in this order.
    pub data: Vec<PathBuf>,
    /// Their format; sniffed where none is given.
    pub format: Option<Format>,
    /// Where the artifact goes.
    pub out: PathBuf,
    /// Checked parameters.
    pub params: FeaturesParams,
    /// Seed of the split.
    pub seed: Seed,
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
/// rows, gate for rows that break a suite under the policy `strict`.
pub fn run(request: &Request, stage: &Stage) -> Result<Outcome, Failure> {
    let clock = stage.clock();
    let definitions = Definitions::load(&request.params)?;
    let expectation = expectation(request, &definitions)?;
    if !stage.common().force
        && let Some(artifact) = Artifact::open_current(&request.out, &expectation)?
    {
        return Ok(Outcome { artifact, skipped: true });
    }
    let artifact = make(request, definitions, expectation, clock, stage)?;
    Ok(Outcome { artifact, skipped: false })
}

/// The files that say what features are and what is expected of flows.
struct Definitions {
    set: FeatureSet,
    set_digest: Digest,
    suite: Checked,
    suite_digest: Digest,
}

impl Definitions {
    fn load(params: &FeaturesParams) -> Result<Self, Failure> {
        let (origin, text) = shipped_or_file("feature set", &params.feature_set, &weir_transform::SHIPPED)?;
        let set = FeatureSet::parse(&text, &origin)?;
        let set_digest = Digest::of(text.as_bytes());
        let (origin, text) = shipped_or_file("expectation suite", &params.expectations, &expectations::SHIPPED)?;
        let suite = Checked::parse(&text, &origin)?;
        Ok(Self { set, set_digest, suite, suite_digest: Digest::of(text.as_bytes()) })
    }
}

/// The text behind a shipped name, or of the file at that path, with what to call it in messages.
fn shipped_or_file(what: &str, name: &str, shipped: &[(&str, &str)]) -> Result<(String, String), Failure> {
    if let Some((_, text)) = shipped.iter().find(|(known, _)| *known == name) {
        return Ok((name.to_owned(), (*text).to_owned()));
    }
    match fs::read_to_string(name) {
        Ok(text) => Ok((name.to_owned(), text)),
        Err(error) => {
            let known: Vec<&str> = shipped.iter().map(|(known, _)| *known).collect();
            Err(Failure::usage(format!("{what} {name:?} is neither shipped nor a file: {error}"))
                .hint(format!("name a file, or one of {}", known.join(", "))))
        }
    }
}

fn expectation(request: &Request, definitions: &Definitions) -> Result<Expectation, Failure> {
    let mut inputs = BTreeMap::from([
        ("feature-set".to_owned(), definitions.set_digest),
        ("expectations".to_owned(), definitions.suite_digest),
    ]);
    for (number, path) in request.data.iter().enumerate() {
        if !path.is_file() {
            return Err(Failure::input(format!("{}: no such file", path.display()))
                .hint("give existing flow files with --data"));
        }
        inputs.insert(read::role(number), digest_file(path)?);
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
    request: &Request,
    definitions: Definitions,
    expectation: Expectation,
    mut clock: RunClock,
    stage: &Stage,
) -> Result<Artifact, Failure> {
    let mut flows = clock.part("read", || read::read(&request.data, request.format, stage))?;
    for (number, (path, digest)) in request.data.iter().zip(&flows.digests).enumerate() {
        if expectation.inputs.get(&read::role(number)) != Some(digest) {
            return Err(Failure::retry(format!("{} changed while it was read", path.display()))
                .hint("run again when the file is complete"));
        }
    }
    let sorted = clock.part("validate", || sort_out(&mut flows, &definitions, request, stage))?;
    stage.check()?;
    let FeaturesParams { train, test, .. } = request.params;
    let parts = split::split(&flows.flows, &sorted.kept, request.seed, train, test);
    if let Some(empty) = split::NAMES.iter().zip(&parts).find(|(_, rows)| rows.is_empty()) {
        return Err(nothing_left(empty.0, &sorted, &request.data));
    }
    let ids = parts[0].iter().filter_map(|&row| flows.flows.flow_id.get(row));
    let transform = Transform::fit(definitions.set, ids)?;
    let tables = clock.part("transform", || parts.each_ref().map(|rows| Part::new(&transform, flows.flows.take(rows))));
    let kept = clock.part("statistics", || Summary::new(&transform, &flows.flows, &sorted, &tables));
    if let Some(note) = &kept.collisions_note {
        stage.warn(note);
    }
    // Only now: whatever was refused above leaves an earlier artifact as it was.
    let mut draft = Draft::begin(&request.out)?;
    clock.part("write", || write(&draft, &transform, &tables, &kept, &sorted))?;
    for warning in &kept.audit.warnings {
        stage.detail(format!("feature {:?} identifies a {}", warning.feature, warning.identifies.name()));
    }
    stage.check()?;
    let info = clock.run_info("");
    draft.write_unsealed(files::RUN_INFO, &canonical(&info)?)?;
    let rows = rows(&sorted.account, &tables);
    let artifact = draft.commit(expectation.seal(rows))?;
    stage.note(account(&sorted.account));
    Ok(artifact)
}

/// Why a part of the split is empty: what became of the rows.
fn nothing_left(part: &str, sorted: &Sorted, files: &[PathBuf]) -> Failure {
    let failure = Failure::input(format!("no row is left for {part}: {}", account(&sorted.account)));
    if sorted.account.excluded.contains_key(UNLABELLED) {
        return failure.hint("training needs a column label with benign or malicious in every row");
    }
    match sorted.quarantined.first() {
        Some(first) => {
            let file = files.iter().enumerate().find(|(number, _)| read::role(*number) == first.file);
            let file = file.map_or_else(|| first.file.clone(), |(_, path)| path.display().to_string());
            failure.hint(format!(
                "mend the flows; the first that was set aside is {file}:{}: {}",
                first.line, first.reason
            ))
        }
        None => failure.hint("give more flows"),
    }
}

/// Every row in its place.
struct Sorted {
    kept: Vec<usize>,
    quarantined: Vec<Quarantined>,
    evaluation: Evaluation,
    account: RowAccount,
}

fn sort_out(flows: &mut Flows, definitions: &Definitions, request: &Request, stage: &Stage) -> Result<Sorted, Failure> {
    let batch = &flows.flows;
    let mut account = RowAccount { input: (batch.len() + flows.unreadable.len()) as u64, ..RowAccount::default() };
    let mut quarantined = std::mem::take(&mut flows.unreadable);
    let mut candidates = Vec::with_capacity(batch.len());
    for row in 0..batch.len() {
        let unlabelled = batch.label.is_null(row).then_some(UNLABELLED);
        match unlabelled.or_else(|| definitions.set.rows().excludes(batch, row)) {
            Some(rule) => *account.excluded.entry(rule.to_owned()).or_default() += 1,
            None => candidates.push(row),
        }
    }
    let last = deduplicate::last_records(batch, &flows.derived, &candidates);
    account.deduplicated = (candidates.len() - last.len()) as u64;
    let evaluation = definitions.suite.evaluate(batch, &last, request.params.policy);
    let mut set_aside: BTreeMap<usize, String> = BTreeMap::new();
    if !evaluation.failing.is_empty() {
        let (row, broken) = &evaluation.failing[0];
        let (file, line) = flows.origin[*row];
        let place = format!("{}:{line}", request.data[file].display());
        let text = format!("{} rows break the expectations, first {place}: {broken}", evaluation.failing.len());
        match request.params.policy {
            Policy::Strict => {
                return Err(Failure::gate(text).hint("mend the flows, or set features.policy = \"quarantine\""));
            }
            Policy::Quarantine => set_aside.extend(evaluation.failing.iter().cloned()),
            Policy::Always => stage.warn(text),
        }
    }
    let expected: Vec<usize> = last.into_iter().filter(|row| !set_aside.contains_key(row)).collect();
    // An unfitted transform refuses the same rows as a fitted one: only the numbers of flow ids differ.
    let unfitted = Transform::fit(definitions.set.clone(), std::iter::empty())?;
    for refused in unfitted.apply(&batch.take(&expected)).refused {
        set_aside.insert(expected[refused.row], format!("feature {:?}: {}", refused.feature, refused.reason));
    }
    let kept: Vec<usize> = expected.into_iter().filter(|row| !set_aside.contains_key(row)).collect();
    quarantined.extend(set_aside.into_iter().map(|(row, reason)| flows.quarantine(row, reason)));
    account.quarantined = quarantined.len() as u64;
    account.kept = kept.len() as u64;
    assert!(account.balances(), "every row is in one place: {account:?}");
    Ok(Sorted { kept, quarantined, evaluation, account })
}

/// One part of the split.
struct Part {
    flows: FlowBatch,
    table: FeatureTable,
}

impl Part {
    fn new(transform: &Transform, flows: FlowBatch) -> Self {
        let features = transform.apply(&flows);
        let table = FeatureTable {
            names: transform.set().features().iter().map(|feature| feature.name.clone()).collect(),
            columns: features.columns,
            label: flows.label.values().to_vec(),
            flow_id: flows.flow_id.clone(),
            event_time: flows.event_time.clone(),
        };
        Self { flows, table }
    }
}

/// What is said about the tables.
struct Summary {
    schema: FeatureSchema,
    statistics: Statistics,
    audit: Audit,
    examples: Examples,
    collisions_note: Option<String>,
}

impl Summary {
    fn new(transform: &Transform, flows: &FlowBatch, sorted: &Sorted, parts: &[Part; 3]) -> Self {
        let train = &parts[0].table;
        let measured: Vec<_> = train.columns.iter().map(|column| statistics::feature(column)).collect();
        let specs = transform.set().features();
        let features = specs.iter().zip(&measured).map(|(spec, statistics)| Feature {
            name: spec.name.clone(),
            expression: spec.expression.clone(),
            unit: spec.unit.clone(),
            description: spec.description.clone(),
            identifies: spec.identifies,
            missing: spec.missing,
            statistics: statistics.clone(),
        });
        let schema = FeatureSchema {
            format: feature::FORMAT,
            feature_set: transform.set().name().to_owned(),
            scaler: transform.set().scaler(),
            features: features.collect(),
            transform: transform.digest(),
            rows: train.rows() as u64,
        };
        let distributions = specs.iter().zip(&train.columns).zip(&measured);
        let distributions = distributions
            .map(|((spec, column), statistics)| statistics::distribution(&spec.name, column, &train.label, statistics));
        let times = || sorted.kept.iter().filter_map(|&row| flows.event_time.get(row));
        let uses_addresses = specs.iter().any(|spec| spec.expression.contains("address("));
        let collisions = if uses_addresses { statistics::address_collisions(flows, &sorted.kept) } else { 0 };
        let statistics = Statistics {
            format: contract::FORMAT,
            rows: sorted.account.clone(),
            splits: split::NAMES.iter().zip(parts).map(|(name, part)| statistics::split(name, &part.flows)).collect(),
            distributions: distributions.collect(),
            correlation: statistics::correlation(&train.columns, &measured),
            event_time: times().min().zip(times().max()),
            address_collisions: collisions,
        };
        let collisions_note =
            (collisions > 0).then(|| format!("{collisions} addresses share their integer with another"));
        Self { audit: audit(&schema), examples: examples(&schema, &parts[1]), schema, statistics, collisions_note }
    }
}

fn audit(schema: &FeatureSchema) -> Audit {
    let warnings = schema.features.iter().filter_map(|feature| {
        let identifies = feature.identifies?;
        let consequence = match identifies {
            Identifies::Host => "a model may learn who attacked here instead of what an attack looks like",
            Identifies::Moment => "a model may learn when the attacks here took place; the future has other times",
            Identifies::Record => "a model may learn the table by heart; a new flow has a number it never saw",
        };
        Some(AuditWarning { feature: feature.name.clone(), identifies, consequence: consequence.to_owned() })
    });
    Audit { format: audit::FORMAT, warnings: warnings.collect() }
}

fn examples(schema: &FeatureSchema, test: &Part) -> Examples {
    let examples = (0..test.flows.len().min(EXAMPLES)).map(|row| Example {
        flow: test.flows.flow(row),
        features: test.table.columns.iter().map(|column| column[row]).collect(),
    });
    Examples {
        format: feature::FORMAT,
        names: schema.features.iter().map(|feature| feature.name.clone()).collect(),
        examples: examples.collect(),
    }
}

fn write(
    draft: &Draft,
    transform: &Transform,
    parts: &[Part; 3],
    summary: &Summary,
    sorted: &Sorted,
) -> Result<(), Failure> {
    let path = |name: &str| -> Result<PathBuf, Failure> { Ok(draft.path(name)?) };
    for (name, part) in [files::TRAIN, files::TEST, files::VALIDATION].into_iter().zip(parts) {
        part.table.write(&path(name)?)?;
    }
    write_flows(&path(files::FLOWS_TEST)?, &parts[1].flows)?;
    write_flows(&path(files::FLOWS_VALIDATION)?, &parts[2].flows)?;
    write_quarantine(&path(files::QUARANTINE)?, &sorted.quarantined)?;
    draft.write(files::TRANSFORM, &transform.to_json())?;
    draft.write_json(files::FEATURES, &summary.schema)?;
    draft.write_json(files::STATISTICS, &summary.statistics)?;
    draft.write_json(files::EXPECTATIONS, &sorted.evaluation.results)?;
    draft.write_json(files::AUDIT, &summary.audit)?;
    draft.write_json(files::EXAMPLES, &summary.examples)?;
    Ok(())
}

fn canonical<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, Failure> {
    weir_contract::json::to_canonical(value).map_err(|error| Failure::retry(format!("no JSON form: {error}")))
}

fn rows(account: &RowAccount, parts: &[Part; 3]) -> BTreeMap<String, u64> {
    let mut rows = BTreeMap::from([
        ("input".to_owned(), account.input),
        ("kept".to_owned(), account.kept),
        ("quarantined".to_owned(), account.quarantined),
        ("deduplicated".to_owned(), account.deduplicated),
    ]);
    rows.extend(account.excluded.iter().map(|(rule, &count)| (format!("excluded: {rule}"), count)));
    rows.extend(split::NAMES.iter().zip(parts).map(|(name, part)| ((*name).to_owned(), part.flows.len() as u64)));
    rows
}

fn account(account: &RowAccount) -> String {
    let RowAccount { input, kept, quarantined, deduplicated, excluded } = account;
    let mut text = format!(
        "{input} records: {kept} flows kept, {deduplicated} earlier records of the same flow, {quarantined} quarantined"
    );
    for (rule, count) in excluded {
        text += &format!(", {count} left out ({rule})");
    }
    text
}
