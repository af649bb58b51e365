//! The stage itself: from the features artifact to the trials artifact.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use ndarray::Array2;
use serde_json::json;
use weir_artifact::{Artifact, Draft, Expectation};
use weir_contract::feature::{self, FeatureSchema, ScalerKind};
use weir_contract::trial::{self, Trial, Trials};
use weir_contract::{Digest, Family, ParamMap, Representation, Seed, Setting, TrialId, files, json as canonical};
use weir_models::autoencoder::{AutoencoderParams, TrainedAutoencoder};
use weir_models::{Context, Dataset, Detector, FitError, Folds, ModelParams, Progress, Scaler, Simd};
use weir_stage::{Failure, ProgressHandle, RunClock, SimdArg, Stage};
use weir_tables::FeatureTable;

use crate::encoder::Encoders;
use crate::params::TrainingParams;
use crate::{search, trial as scoring};

/// Dead latent units above which a reader is warned.
const DEAD_UNITS: usize = 3;

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
    let clock = stage.clock();
    let candidates = request.params.grid.candidates(request.family)?;
    let features = Artifact::open(&request.features)?;
    if features.manifest().stage != "features" {
        let made_by = &features.manifest().stage;
        return Err(Failure::input(format!("{} was made by stage {made_by}", request.features.display()))
            .hint("give the artifact of the stage features with --features"));
    }
    let expectation = expectation(request, features.digest());
    if !stage.common().force
        && let Some(artifact) = Artifact::open_current(&request.out, &expectation)?
    {
        return Ok(Outcome { artifact, skipped: true });
    }
    features.verify()?;
    let artifact = make(request, &features, candidates, expectation, clock, stage)?;
    Ok(Outcome { artifact, skipped: false })
}

fn expectation(request: &Request, features: Digest) -> Expectation {
    let mut parameters = json!({
        "family": request.family,
        "representation": request.representation,
        "folds": request.params.folds,
        "grid": request.params.grid.of(request.family),
    });
    if request.representation == Representation::Autoencoder {
        parameters["autoencoder"] = json!(request.autoencoder.to_map());
    }
    Expectation {
        stage: "training".to_owned(),
        build: env!("WEIR_BUILD_ID").to_owned(),
        inputs: BTreeMap::from([("features".to_owned(), features)]),
        parameters,
        seed: Some(request.seed),
    }
}

fn make(
    request: &Request,
    features: &Artifact,
    candidates: Vec<(ParamMap, ModelParams)>,
    expectation: Expectation,
    mut clock: RunClock,
    stage: &Stage,
) -> Result<Artifact, Failure> {
    let data = clock.part("read", || Data::read(features))?;
    let folds = Folds::stratified(&data.train.label, request.params.folds)
        .map_err(|error| Failure::input(format!("train: {error}")).hint("give more labelled flows of both classes"))?;
    let label = format!("{} on {}", request.family.title(), request.representation);
    let pieces = (candidates.len() * folds.len() + Setting::ALL.len()) as u64;

    let simd = match stage.common().simd {
        SimdArg::Auto => Simd::Auto,
        SimdArg::Scalar => Simd::Scalar,
    };
    let context = Context { memory: request.memory, simd, progress: &(), cancelled: stage.cancelled(), deadline: None };
    let front = clock.part("represent", || Front::fit(request, features.digest(), &data, &context, stage))?;

    let bar = stage.progress(&format!("training {label}"), pieces);
    let context = Context { progress: &Bar(&bar), ..context };
    let train = Dataset::new(front.train.view(), &data.train.label);
    let fit = |params: &ModelParams, setting: Setting| -> Result<(Trial, Detector), Failure> {
        let fitted = weir_models::fit(params, train, &context).map_err(|error| failure(&label, error))?;
        bar.advance(1);
        let mut warnings = front.warnings.clone();
        if !fitted.converged {
            warnings.push("the solver stopped at its iteration limit before it reached its tolerance".to_owned());
        }
        let detector = Detector::new(front.scaler.clone(), front.encoder(), fitted.model);
        let id = TrialId { representation: request.representation, family: request.family, setting };
        let test = data.test.matrix();
        let trial = scoring::score(id, params.to_map(), &detector, test.view(), &data.test.label, warnings);
        Ok((trial, detector))
    };

    let default = ModelParams::from_map(request.family, &ParamMap::new()).expect("defaults hold");
    let default = clock.part("default", || fit(&default, Setting::Default))?;
    let params: Vec<ModelParams> = candidates.iter().map(|(_, params)| params.clone()).collect();
    let scores = clock
        .part("search", || weir_models::search(&params, train, &folds, &context))
        .map_err(|error| failure(&label, error))?;
    let table = search::table(request.family, request.representation, folds.len(), &candidates, scores);
    let best = clock.part("best", || fit(&params[table.best], Setting::Best))?;
    bar.finish();

    let fits = [default, best];
    // Only now: an earlier artifact stands until its successor is there.
    let mut draft = Draft::begin(&request.out)?;
    draft.write_json(files::SEARCH, &table)?;
    for (trial, detector) in &fits {
        draft.write(&trial.model, &detector.to_bytes())?;
        for warning in &trial.warnings {
            stage.warn(format!("{}: {warning}", trial.id));
        }
    }
    let trials = fits.into_iter().map(|(trial, _)| trial).collect();
    let (family, representation) = (request.family, request.representation);
    draft.write_json(files::TRIALS, &Trials { format: trial::FORMAT, family, representation, trials })?;
    if let Some(trained) = &front.trained {
        draft.write_json(files::ENCODER, &trained.report())?;
    }
    let info = canonical::to_canonical(&clock.run_info(simd.code_path()))
        .map_err(|error| Failure::retry(format!("no JSON form: {error}")))?;
    draft.write_unsealed(files::RUN_INFO, &info)?;
    stage.check()?;
    let rows = [("train", data.train.rows()), ("test", data.test.rows())];
    let rows = rows.into_iter().map(|(name, rows)| (name.to_owned(), rows as u64)).collect();
    Ok(draft.commit(expectation.seal(rows))?)
}

/// Train and test, unscaled.
struct Data {
    train: FeatureTable,
    test: FeatureTable,
    scaler: ScalerKind,
}

impl Data {
    fn read(features: &Artifact) -> Result<Self, Failure> {
        let schema: FeatureSchema = features.read_versioned(files::FEATURES, feature::FORMAT)?;
        let read = |name: &str| -> Result<FeatureTable, Failure> {
            Ok(FeatureTable::read(&features.path(name)?, &schema.names())?)
        };
        Ok(Self { train: read(files::TRAIN)?, test: read(files::TEST)?, scaler: schema.scaler })
    }
}

/// What stands in front of the model, fitted on train, and train as the model sees it.
struct Front {
    scaler: Scaler,
    trained: Option<Arc<TrainedAutoencoder>>,
    train: Array2<f64>,
    warnings: Vec<String>,
}

impl Front {
    fn fit(
        request: &Request,
        features: Digest,
        data: &Data,
        context: &Context<'_>,
        stage: &Stage,
    ) -> Result<Self, Failure> {
        let unscaled = data.train.matrix();
        // Trees split on order alone; scaling would only cost them digits.
        let kind = match (request.representation, request.family) {
            (Representation::Baseline, Family::DecisionTree) => ScalerKind::None,
            _ => data.scaler,
        };
        let scaler = Scaler::fit(kind, unscaled.view());
        let scaled = scaler.transform(unscaled.view());
        if request.representation == Representation::Baseline {
            return Ok(Self { scaler, trained: None, train: scaled, warnings: Vec::new() });
        }
        let trained = request
            .encoders
            .get(features, &request.autoencoder, scaled.view(), context, stage)
            .map_err(|error| failure("autoencoder", error))?;
        let dead = trained.dead_units.len();
        let warnings = (dead > DEAD_UNITS).then(|| format!("{dead} latent units are 0 on every row of train"));
        let train = trained.encoder.encode(scaled.view());
        Ok(Self { scaler, trained: Some(trained), train, warnings: warnings.into_iter().collect() })
    }

    fn encoder(&self) -> Option<weir_models::autoencoder::Encoder> {
        self.trained.as_ref().map(|trained| trained.encoder.clone())
    }
}

/// A progress display as the models' crate knows it.
struct Bar<'a>(&'a ProgressHandle);

impl Progress for Bar<'_> {
    fn advance(&self, pieces: u64) {
        self.0.advance(pieces);
    }
}

fn failure(what: &str, error: FitError) -> Failure {
    match error {
        // Nobody set a deadline.
        FitError::Cancelled | FitError::OutOfTime => Failure::interrupted(),
        FitError::OneClass { .. } | FitError::Data(_) => Failure::input(format!("{what}: {error}"))
            .hint("see statistics.json of the features, and give flows of both classes with sensible values"),
        FitError::Parameter { .. } => {
            Failure::usage(format!("{what}: {error}")).hint("change the parameter, or the feature set and its scaler")
        }
    }
}
