//! Everything that bundle, card and report are made from, read from the artifacts.

use weir_artifact::Artifact;
use weir_contract::Classify;
use weir_contract::audit::{self, Audit};
use weir_contract::expectation::SuiteResult;
use weir_contract::feature::{self, Examples, FeatureSchema};
use weir_contract::files::{AUDIT, ENCODER, EXAMPLES, EXPECTATIONS, FEATURES, RUN_INFO, SEARCH, STATISTICS, TRANSFORM};
use weir_contract::manifest::RunInfo;
use weir_contract::search::{self, SearchResults};
use weir_contract::statistics::{self, Statistics};
use weir_contract::trial::{self, EncoderReport, Trial};
use weir_models::Detector;
use weir_stage::Failure;
use weir_transform::Transform;

use crate::inputs::Inputs;
use crate::params::PackagingParams;

/// What was read.
pub(crate) struct Run {
    pub(crate) schema: FeatureSchema,
    pub(crate) transform: Transform,
    pub(crate) examples: Examples,
    pub(crate) statistics: Statistics,
    pub(crate) expectations: SuiteResult,
    pub(crate) audit: Audit,
    /// One per training artifact that searched, in the order of the pipeline.
    pub(crate) searches: Vec<SearchResults>,
    /// Of the winner where it has one, else of the first trials that do.
    pub(crate) encoder: Option<EncoderReport>,
    pub(crate) winner: Trial,
    /// The winner, fitted.
    pub(crate) detector: Detector,
    /// What was measured, by name of the artifact; an artifact that came without is left out.
    pub(crate) timings: Vec<(String, RunInfo)>,
}

impl Run {
    /// Reads the artifacts.
    pub(crate) fn read(inputs: &Inputs, params: &PackagingParams) -> Result<Self, Failure> {
        let features = &inputs.features;
        let mut examples: Examples = features.read_versioned(EXAMPLES, feature::FORMAT)?;
        examples.examples.truncate(params.examples);

        let training = inputs.winner();
        let winner = training.trials.trials.iter().find(|trial| trial.id == inputs.choice.winner);
        let winner = winner.expect("inputs hold the winner").clone();
        let detector = Detector::from_bytes(&training.artifact.read(&winner.model)?)
            .map_err(|error| in_file(&training.artifact, &winner.model, error))?;
        let transform =
            Transform::from_json(&features.read(TRANSFORM)?).map_err(|error| in_file(features, TRANSFORM, error))?;

        let mut searches: Vec<SearchResults> = Vec::new();
        let mut encoder = None;
        for training in inputs.trainings.values() {
            if training.artifact.entry(SEARCH).is_some() {
                searches.push(training.artifact.read_versions(SEARCH, search::OLDEST_FORMAT..=search::FORMAT)?);
            }
            let is_winner = training.artifact.digest() == inputs.choice.artifact;
            if training.artifact.entry(ENCODER).is_some() && (encoder.is_none() || is_winner) {
                encoder = Some(training.artifact.read_versioned(ENCODER, trial::FORMAT)?);
            }
        }
        Ok(Self {
            schema: features.read_versioned(FEATURES, feature::FORMAT)?,
            transform,
            examples,
            statistics: features.read_versioned(STATISTICS, statistics::FORMAT)?,
            expectations: features.read_json(EXPECTATIONS)?,
            audit: features.read_versioned(AUDIT, audit::FORMAT)?,
            searches,
            encoder,
            winner,
            detector,
            timings: timings(inputs),
        })
    }

    /// The search that the winner comes from.
    pub(crate) fn winners_search(&self) -> Option<&SearchResults> {
        let id = self.winner.id;
        self.searches.iter().find(|search| (search.representation, search.family) == (id.representation, id.family))
    }
}

/// Measurements lie outside every digest: what is missing or damaged there must not stop anything.
fn timings(inputs: &Inputs) -> Vec<(String, RunInfo)> {
    inputs.artifacts().filter_map(|(role, artifact)| Some((role, artifact.read_json(RUN_INFO).ok()?))).collect()
}

fn in_file(artifact: &Artifact, name: &str, error: impl Classify) -> Failure {
    Failure::from(error).context(artifact.dir().join(name).display())
}
