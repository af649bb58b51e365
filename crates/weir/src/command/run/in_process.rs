//! A run in this process: each stage is a function.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use weir_contract::{Family, Seed};
use weir_features::FeaturesParams;
use weir_flows::Format;
use weir_models::autoencoder::AutoencoderParams;
use weir_packaging::PackagingParams;
use weir_pipeline::{Input, Node, Outcome, StageRunner, Work};
use weir_selection::SelectionParams;
use weir_stage::{Failure, Stage};
use weir_training::{AutoencoderSection, Candidates, Encoders, Limit, TrainingParams};

use super::Args;

/// Runs the stages as functions of this process.
pub(super) struct InProcess<'a> {
    data: Vec<PathBuf>,
    format: Option<Format>,
    out: PathBuf,
    memory: usize,
    seed: Seed,
    features: FeaturesParams,
    training: TrainingParams,
    limit: Limit,
    autoencoder: AutoencoderParams,
    selection: SelectionParams,
    packaging: PackagingParams,
    signing_key: Option<PathBuf>,
    encoders: Arc<Encoders>,
    stage: &'a Stage,
}

impl<'a> InProcess<'a> {
    /// Checks all parameters before anything runs.
    pub(super) fn new(args: Args, stage: &'a Stage) -> Result<Self, Failure> {
        let params = args.params.load()?;
        let data = args.flow_files()?;
        let mut features: FeaturesParams = params.section("features")?;
        if let Some(set) = args.feature_set {
            features.feature_set = set;
        }
        let training: TrainingParams = params.section("training")?;
        for &family in Family::ALL {
            Candidates::new(&training, family, params.seed())?;
        }
        Ok(Self {
            data,
            format: args.format,
            out: args.out,
            memory: (args.memory.unwrap_or(weir_training::DEFAULT_MEMORY) as usize) << 20,
            seed: params.seed(),
            features,
            training,
            limit: args.budget.map_or(Limit::None, Limit::Budget),
            autoencoder: params.section::<AutoencoderSection>("autoencoder")?.params(params.seed())?,
            selection: params.section("selection")?,
            packaging: params.section("packaging")?,
            signing_key: args.signing_key,
            encoders: Arc::default(),
            stage,
        })
    }

    fn dir(&self, node: &Node) -> PathBuf {
        self.out.join(&node.output)
    }

    /// The directory of the input with role `artifact`.
    fn input(&self, inputs: &[Input<'_>], artifact: &str) -> PathBuf {
        let found = inputs.iter().find(|input| input.edge.artifact == artifact);
        self.dir(found.expect("the graph gives every stage its inputs").node)
    }

    fn trials(&self, inputs: &[Input<'_>]) -> Vec<PathBuf> {
        let trials = inputs.iter().filter(|input| matches!(input.node.work, Work::Training { .. }));
        trials.map(|input| self.dir(input.node)).collect()
    }
}

impl StageRunner for InProcess<'_> {
    type Error = Failure;

    fn run(&self, node: &Node, inputs: &[Input<'_>]) -> Result<Outcome, Failure> {
        self.stage.check()?;
        let begin = Instant::now();
        let out = self.dir(node);
        let (artifact, skipped) = match node.work {
            Work::Features => {
                let request = weir_features::Request {
                    data: self.data.clone(),
                    format: self.format,
                    labels: None,
                    out,
                    params: self.features.clone(),
                    documents: weir_features::Documents::default(),
                    seed: self.seed,
                    memory: (weir_features::DEFAULT_MEMORY as usize) << 20,
                };
                let outcome = weir_features::run(&request, self.stage)?;
                (outcome.artifact, outcome.skipped)
            }
            Work::Training { representation, family } => {
                let request = weir_training::Request {
                    features: self.input(inputs, "features"),
                    representation,
                    family,
                    out,
                    params: self.training.clone(),
                    limit: self.limit.clone(),
                    autoencoder: self.autoencoder.clone(),
                    seed: self.seed,
                    memory: self.memory,
                    encoders: Arc::clone(&self.encoders),
                };
                let outcome = weir_training::run(&request, self.stage)?;
                (outcome.artifact, outcome.skipped)
            }
            Work::Selection => {
                let request = weir_selection::Request {
                    trials: self.trials(inputs),
                    champion: None,
                    params: self.selection.clone(),
                    out,
                };
                let outcome = weir_selection::run(&request, self.stage)?;
                (outcome.artifact, outcome.skipped)
            }
            Work::Packaging => {
                let request = weir_packaging::Request {
                    features: self.input(inputs, "features"),
                    selection: self.input(inputs, "selection"),
                    trials: self.trials(inputs),
                    signing_key: self.signing_key.clone(),
                    params: self.packaging.clone(),
                    out,
                };
                let outcome = weir_packaging::run(&request, self.stage)?;
                (outcome.artifact, outcome.skipped)
            }
        };
        Ok(Outcome { digest: artifact.digest(), skipped, seconds: begin.elapsed().as_secs_f64() })
    }
}
