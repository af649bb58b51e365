//! The command: what `weir-training` and `weir train` are given.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use weir_contract::trial::Trials;
use weir_contract::{Family, Representation, files};
use weir_stage::{CommonArgs, DEFAULT_PARAMS, Failure, Params, Stage};

use crate::encoder::Encoders;
use crate::params::{AutoencoderSection, TrainingParams};
use crate::stage::{Request, run};

/// Train one model family on one representation: a default fit and a grid search
#[derive(Debug, Parser)]
pub struct Args {
    /// Directory of the features artifact
    #[arg(long, value_name = "DIR", default_value = "weir-run/features")]
    pub features: PathBuf,

    /// Model family: svc, logistic-regression, knn or decision-tree
    #[arg(long, value_name = "MODEL")]
    pub model: Family,

    /// What the model sees: baseline or autoencoder
    #[arg(long, value_name = "NAME", default_value = "baseline")]
    pub representation: Representation,

    /// Memory for caches, in MiB
    #[arg(long, value_name = "MIB", default_value_t = DEFAULT_MEMORY, value_parser = clap::value_parser!(u64).range(1..=1 << 24))]
    pub memory: u64,

    /// Parameter file [default: built in]
    #[arg(long, value_name = "FILE")]
    pub params: Option<PathBuf>,

    /// Set one parameter, as in --set training.folds=5
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,

    /// Directory of the artifact [default: weir-run/trials/<representation>-<model>]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    #[command(flatten)]
    common: CommonArgs,
}

/// MiB for caches where nothing else is said.
pub const DEFAULT_MEMORY: u64 = 1024;

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// Runs the stage as `args` say and prints how both fits did on test.
///
/// # Errors
/// As [`run`], and [`Failure`] of usage for parameters that do not hold.
pub fn command(args: Args, stage: &Stage) -> Result<(), Failure> {
    let params = Params::load(args.params.as_deref(), DEFAULT_PARAMS, &args.set)?;
    let training: TrainingParams = params.section("training")?;
    let autoencoder: AutoencoderSection = params.section("autoencoder")?;
    let name = format!("{}-{}", args.representation, args.model);
    let request = Request {
        features: args.features,
        representation: args.representation,
        family: args.model,
        out: args.out.unwrap_or_else(|| PathBuf::from("weir-run/trials").join(name)),
        params: training,
        autoencoder: autoencoder.params(params.seed())?,
        seed: params.seed(),
        memory: (args.memory as usize) << 20,
        encoders: Arc::new(Encoders::default()),
    };
    let outcome = run(&request, stage)?;
    let trials: Trials = outcome.artifact.read_json(files::TRIALS)?;
    let result = serde_json::json!({
        "artifact": outcome.artifact.dir(),
        "digest": outcome.artifact.digest(),
        "skipped": outcome.skipped,
        "trials": trials.trials,
    });
    stage.result(&result, || {
        let lines = trials.trials.iter().map(|trial| {
            let parameters: Vec<String> =
                trial.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{:<40} {:.4}  {}", trial.id.to_string(), trial.confusion.accuracy(), parameters.join(" "))
        });
        lines.collect::<Vec<_>>().join("\n")
    })
}
