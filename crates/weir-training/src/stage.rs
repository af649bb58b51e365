//! The stage itself: from the features artifact to the trials artifact.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use weir_artifact::{Artifact, Draft, Expectation};
use weir_contract::manifest::{RunInfo, RungInfo};
use weir_contract::trial::{self, Trials};
use weir_contract::{Digest, Family, Representation, Seed, files, json as canonical};
use weir_models::autoencoder::AutoencoderParams;
use weir_models::{Context, FitError, Progress, Simd};
use weir_stage::{Failure, ProgressHandle, RunClock, SimdArg, Stage};

use crate::candidates::Candidates;
use crate::data::{Data, Front};
use crate::encoder::Encoders;
use crate::limit::Limit;
use crate::params::{Strategy, TrainingParams};
use crate::pieces::{Pieces, Scored};
use crate::train::Training;

/// What the stage is asked to do.
#[derive(Clone)]
pub struct Request {
    /// The features artifact.
    pub features: PathBuf,
    /// What the models see.
    pub representation: Representation,
    /// The model family.
    pub family: Family,
    /// Where the artifact goes.
    pub out: PathBuf,
    /// Checked parameters of the search.
    pub params: TrainingParams,
    /// What ends the search before everything is scored.
    pub limit: Limit,
    /// Checked parameters of the autoencoder.
    pub autoencoder: AutoencoderParams,
    /// Seed of the run; the autoencoder's parameters carry it.
    pub seed: Seed,
    /// Bytes that caches may hold. Results do not depend on it.
    pub memory: usize,
    /// Encoders that this process has fitted already.
    pub encoders: Arc<Encoders>,
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
/// [`Failure`]: usage for a grid that does not hold, input for a features artifact that is damaged or cannot be
/// learned from, interrupted on Ctrl-C.
pub fn run(request: &Request, stage: &Stage) -> Result<Outcome, Failure> {
    run_with(request, Vec::new(), stage)
}

/// As [`run`], with pieces of the search that were scored elsewhere.
pub(crate) fn run_with(request: &Request, scored: Vec<Scored>, stage: &Stage) -> Result<Outcome, Failure> {
    let clock = stage.clock();
    let candidates = Candidates::new(&request.params, request.family, request.seed)?;
    let features = open_features(request)?;
    let expectation = expectation(request, features.digest());
    if !stage.common().force
        && let Some(artifact) = Artifact::open_current(&request.out, &expectation)?
    {
        Pieces::remove_leftovers(&request.out);
        return Ok(Outcome { artifact, skipped: true });
    }
    features.verify()?;
    let mut pieces = Pieces::open(&request.out, run_digest(&expectation), stage.common().force)?;
    pieces.take_in(scored);
    let artifact = make(request, &features, &candidates, expectation, pieces, clock, stage)?;
    Ok(Outcome { artifact, skipped: false })
}

/// The features artifact, looked at but not verified.
pub(crate) fn open_features(request: &Request) -> Result<Artifact, Failure> {
    let features = Artifact::open(&request.features)?;
    if features.manifest().stage != "features" {
        let made_by = &features.manifest().stage;
        return Err(Failure::input(format!("{} was made by stage {made_by}", request.features.display()))
            .hint("give the artifact of the stage features with --features"));
    }
    Ok(features)
}

/// What makes the artifact what it is.
pub(crate) fn expectation(request: &Request, features: Digest) -> Expectation {
    let params = &request.params;
    let mut parameters = json!({
        "family": request.family,
        "representation": request.representation,
        "folds": params.folds,
        "search": params.search,
    });
    match params.random.as_ref().and_then(|random| Some((random.samples, random.of(request.family)?))) {
        Some((samples, space)) => parameters["random"] = json!({"samples": samples, "space": space}),
        None => parameters["grid"] = json!(params.grid.of(request.family)),
    }
    if params.search == Strategy::Halving || request.limit != Limit::None {
        parameters["rungs"] = json!(params.rungs);
    }
    if request.representation == Representation::Autoencoder {
        parameters["autoencoder"] = json!(request.autoencoder.to_map());
    }
    let mut inputs = BTreeMap::from([("features".to_owned(), features)]);
    match &request.limit {
        Limit::None => {}
        Limit::Budget(budget) => parameters["budget_seconds"] = json!(budget.duration().as_secs_f64()),
        Limit::Replay(cuts) => {
            inputs.insert("cuts".to_owned(), cuts.digest());
        }
    }
    Expectation {
        stage: "training".to_owned(),
        build: env!("WEIR_BUILD_ID").to_owned(),
        inputs,
        parameters,
        seed: Some(request.seed),
    }
}

/// Digest of what makes scores what they are, and so of the pieces that belong together.
pub(crate) fn run_digest(expectation: &Expectation) -> Digest {
    let Expectation { stage, build, inputs, parameters, seed } = expectation;
    let all = json!({"stage": stage, "build": build, "inputs": inputs, "parameters": parameters, "seed": seed});
    Digest::of(&canonical::to_canonical(&all).expect("what a manifest holds has a JSON form"))
}

/// What the models are given beside data; progress is heard by nobody yet.
pub(crate) fn context<'a>(request: &Request, stage: &'a Stage) -> Context<'a> {
    let simd = match stage.common().simd {
        SimdArg::Auto => Simd::Auto,
        SimdArg::Scalar => Simd::Scalar,
    };
    Context { memory: request.memory, simd, progress: &(), cancelled: stage.cancelled(), deadline: None }
}

/// What is searched, in the words of people.
pub(crate) fn label(request: &Request) -> String {
    format!("{} on {}", request.family.title(), request.representation)
}

fn make(
    request: &Request,
    features: &Artifact,
    candidates: &Candidates,
    expectation: Expectation,
    pieces: Pieces,
    mut clock: RunClock,
    stage: &Stage,
) -> Result<Artifact, Failure> {
    let mut data = clock.part("read", || Data::read(features))?;
    let loaded = Instant::now();
    let context = context(request, stage);
    let front = clock.part("represent", || Front::fit(request, features, &mut data, &context, stage))?;
    let training = Training { request, candidates, data: &data, front: &front, pieces: &pieces, context, stage };
    let trained = training.run(&mut clock)?;
    // From loaded matrices to scored results: all but reading, digests and writing.
    clock.add("compute", loaded.elapsed().as_secs_f64());

    // Only now: an earlier artifact stands until its successor is there.
    let mut draft = Draft::begin_over(&request.out)?;
    draft.write_json(files::SEARCH, &trained.search)?;
    for (trial, detector) in &trained.fits {
        draft.write(&trial.model, &detector.to_bytes())?;
        for warning in &trial.warnings {
            stage.warn(format!("{}: {warning}", trial.id));
        }
    }
    let trials = trained.fits.into_iter().map(|(trial, _)| trial).collect();
    let (family, representation) = (request.family, request.representation);
    draft.write_json(files::TRIALS, &Trials { format: trial::FORMAT, family, representation, trials })?;
    if let Some(trained) = &front.trained {
        draft.write_json(files::ENCODER, &trained.report())?;
    }
    write_run_info(&mut draft, &clock, context.simd.code_path(), trained.rungs)?;
    stage.check()?;
    pieces.remove()?;
    let rows = [("train", data.train.y.len()), ("test", data.test.y.len())];
    let rows = rows.into_iter().map(|(name, rows)| (name.to_owned(), rows as u64)).collect();
    Ok(draft.commit(expectation.seal(rows))?)
}

/// Leaves what was measured beside the artifact. `code_path` is empty where no kernel ran.
pub(crate) fn write_run_info(
    draft: &mut Draft,
    clock: &RunClock,
    code_path: &str,
    rungs: Vec<RungInfo>,
) -> Result<(), Failure> {
    let info = RunInfo { rungs, ..clock.run_info(code_path) };
    let info = canonical::to_canonical(&info).map_err(|error| Failure::retry(format!("no JSON form: {error}")))?;
    Ok(draft.write_unsealed(files::RUN_INFO, &info)?)
}

/// A progress display as the models' crate knows it.
pub(crate) struct Bar<'a>(pub(crate) &'a ProgressHandle);

impl Progress for Bar<'_> {
    fn advance(&self, pieces: u64) {
        self.0.advance(pieces);
    }
}

/// What the command reports when `what` could not be computed.
pub(crate) fn failure(what: &str, error: FitError) -> Failure {
    match error {
        FitError::Cancelled => Failure::interrupted(),
        // A search leaves out what a deadline cuts, and fits have none.
        FitError::OutOfTime => Failure::retry(format!("{what}: {error}")),
        FitError::OneClass { .. } | FitError::Data(_) => Failure::input(format!("{what}: {error}"))
            .hint("see statistics.json of the features, and give flows of both classes with sensible values"),
        FitError::Parameter { .. } => {
            Failure::usage(format!("{what}: {error}")).hint("change the parameter, or the feature set and its scaler")
        }
    }
}
