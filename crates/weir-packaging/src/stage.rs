//! The stage itself: artifacts of a run in, the artifact of the package out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use weir_artifact::{Artifact, Draft, Expectation};
use weir_bundle::files::SUMS_SIGNATURE;
use weir_bundle::{Bundle, BundleParts, Provenance, SigningKey};
use weir_contract::files::{BUNDLE, IMAGE, REPORT, RUN_INFO};
use weir_contract::{Digest, json};
use weir_stage::{Failure, RunClock, Stage};

use crate::inputs::Inputs;
use crate::oci::About;
use crate::params::PackagingParams;
use crate::run::Run;
use crate::{card, mlflow, oci, report};

/// What the stage is asked to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Directory of the features artifact.
    pub features: PathBuf,
    /// Directory of the selection artifact.
    pub selection: PathBuf,
    /// Directories of all training artifacts that the selection compared, in any order.
    pub trials: Vec<PathBuf>,
    /// Where the artifact goes.
    pub out: PathBuf,
    /// Private key to sign the bundle with.
    pub signing_key: Option<PathBuf>,
    /// Checked parameters.
    pub params: PackagingParams,
}

/// What the stage left.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The artifact.
    pub artifact: Artifact,
    /// Whether it was there already.
    pub skipped: bool,
}

impl Outcome {
    /// Where the bundle is.
    #[must_use]
    pub fn bundle(&self) -> PathBuf {
        self.artifact.dir().join(BUNDLE)
    }

    /// SHA-256 of the bundle's `SHA256SUMS`, and so of the whole bundle; as [`Bundle::digest`].
    #[must_use]
    pub fn bundle_digest(&self) -> Option<Digest> {
        self.artifact.entry(&format!("{BUNDLE}/{}", weir_bundle::files::SUMS)).map(|entry| entry.sha256)
    }

    /// Where the bundle's OCI image layout is.
    #[must_use]
    pub fn image(&self) -> PathBuf {
        self.artifact.dir().join(IMAGE)
    }

    /// Where the run report is.
    #[must_use]
    pub fn report(&self) -> PathBuf {
        self.artifact.dir().join(REPORT)
    }
}

/// Packages the winner of a run and commits `bundle/`, `oci/` and `report.html` to `request.out`, unless an artifact of the
/// same inputs, parameters and build is there and `--force` was not given.
///
/// Every sealed byte of every input is compared with its manifest before anything is packaged.
///
/// # Errors
/// Failures of input (exit 3) for a directory that is not a whole artifact of its stage, for artifacts of different
/// runs, for a key that is none, for a selection whose winner is in none of the trials or that compared more of them, and for a transform that
/// this build computes otherwise; of usage (exit 2) for two directories of the same family and representation, and for
/// an output directory in use; interrupted on Ctrl-C; to be retried (exit 1) when writing fails.
pub fn run(request: &Request, stage: &Stage) -> Result<Outcome, Failure> {
    let mut clock = stage.clock();
    let key = request.signing_key.as_deref().map(SigningKey::read).transpose()?;
    let inputs = Inputs::open(request)?;
    let expectation = expectation(request, &inputs, key.as_ref())?;
    if !stage.common().force
        && let Some(artifact) = Artifact::open_current(&request.out, &expectation)?
    {
        return Ok(Outcome { artifact, skipped: true });
    }
    clock.part("verify", || inputs.verify(stage))?;
    let run = clock.part("read", || Run::read(&inputs, &request.params))?;
    let artifact = package(request, &run, &inputs, (expectation, key), clock, stage)?;
    Ok(Outcome { artifact, skipped: false })
}

fn expectation(request: &Request, inputs: &Inputs, key: Option<&SigningKey>) -> Result<Expectation, Failure> {
    let mut parameters = serde_json::to_value(&request.params)
        .map_err(|error| Failure::retry(format!("failed to write the parameters as JSON: {error}")))?;
    if let Some(key) = key {
        parameters["signing_key"] = serde_json::json!(key.verifying_key().digest());
    }
    Ok(Expectation {
        stage: "packaging".to_owned(),
        build: env!("WEIR_BUILD_ID").to_owned(),
        inputs: inputs.artifacts().map(|(role, artifact)| (role, artifact.digest())).collect(),
        parameters,
        seed: None,
    })
}

fn package(
    request: &Request,
    run: &Run,
    inputs: &Inputs,
    (expectation, key): (Expectation, Option<SigningKey>),
    mut clock: RunClock,
    stage: &Stage,
) -> Result<Artifact, Failure> {
    let provenance = Provenance {
        features: inputs.features.digest(),
        training: inputs.winner().artifact.digest(),
        selection: inputs.selection.digest(),
        build: expectation.build.clone(),
        revision: (!request.params.revision.is_empty()).then(|| request.params.revision.clone()),
    };
    let card = card::write(&request.params.name, run, inputs, &provenance);
    let name = &request.params.name;
    let others =
        clock.part("onnx", || mlflow::others(name.as_str(), &run.detector, run.winner.calibration, &run.examples));
    let mut files = clock.part("bundle", || {
        Bundle::files(&BundleParts {
            name,
            trial: run.winner.id,
            parameters: &run.winner.parameters,
            transform: &run.transform,
            schema: &run.schema,
            detector: &run.detector,
            calibration: run.winner.calibration,
            examples: &run.examples,
            card: &card,
            provenance: &provenance,
            others: &others,
        })
    })?;
    let sums = files.last().map_or(&[][..], |(_, sums)| sums);
    let digest = Digest::of(sums);
    if let Some(key) = key {
        let signature = key.sign(sums);
        files.push((SUMS_SIGNATURE.to_owned(), signature));
    }
    let about = About { name, digest, trial: run.winner.id, revision: provenance.revision.as_deref() };
    let image = clock.part("image", || oci::layout(&files, &about))?;
    let page = clock.part("report", || report::render(&request.params.name, run, inputs, stage.version()))?;
    stage.check()?;

    let mut draft = Draft::begin(&request.out)?;
    for (name, bytes) in files {
        draft.write(&format!("{BUNDLE}/{name}"), &bytes)?;
    }
    for (path, bytes) in image.files {
        draft.write(&format!("{IMAGE}/{path}"), &bytes)?;
    }
    // What cannot be opened here cannot be served anywhere.
    clock.part("open", || Bundle::open(draft.dir().join(BUNDLE)))?;
    draft.write_unsealed(REPORT, page.as_bytes())?;
    let run_info = json::to_canonical(&clock.run_info(""))
        .map_err(|error| Failure::retry(format!("failed to write {RUN_INFO} as JSON: {error}")))?;
    draft.write_unsealed(RUN_INFO, &run_info)?;
    let rows = BTreeMap::from([("examples".to_owned(), run.examples.examples.len() as u64)]);
    Ok(draft.commit(expectation.seal(rows))?)
}
