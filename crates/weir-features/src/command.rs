//! The command: what `weir-features` and `weir features` are given.

use std::path::PathBuf;

use clap::Parser;
use weir_flows::Format;
use weir_stage::{CommonArgs, Failure, Params, Stage};

use crate::params::FeaturesParams;
use crate::split::SplitKind;
use crate::stage::{DEFAULT_MEMORY, Request, run};

/// Turn labelled flows into validated and split feature tables
#[derive(Debug, Parser)]
pub struct Args {
    /// Flow files, read in this order
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub data: Vec<PathBuf>,

    /// Format of the flow files [default: recognised by their first bytes]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,

    /// A shipped feature set (default, report, no-identity) or a file; same as --set features.feature_set=NAME
    #[arg(long, value_name = "NAME|FILE")]
    pub feature_set: Option<String>,

    /// Parameter file [default: built in]
    #[arg(long, value_name = "FILE")]
    pub params: Option<PathBuf>,

    /// How flows are split: by the hash of their id, or by event time; same as --set features.split=time
    #[arg(long, value_enum, value_name = "HOW")]
    pub split: Option<SplitKind>,

    /// Do not search the features for what identifies hosts, moments or records; same as --set features.audit=false
    #[arg(long)]
    pub no_audit: bool,

    /// MiB of records held in memory; what is more goes to a temporary file beside the artifact
    #[arg(long, value_name = "MIB", default_value_t = DEFAULT_MEMORY, value_parser = clap::value_parser!(u64).range(1..=1 << 24))]
    pub memory: u64,

    /// Set one parameter, as in --set features.policy=strict
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,

    /// Directory of the artifact
    #[arg(long, value_name = "DIR", default_value = "weir-run/features")]
    pub out: PathBuf,

    #[command(flatten)]
    common: CommonArgs,
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// Runs the stage as `args` say and prints the artifact's directory and digest.
///
/// # Errors
/// As [`run`], and [`Failure`] of usage for parameters that do not hold.
pub fn command(args: Args, stage: &Stage) -> Result<(), Failure> {
    let params = Params::load(args.params.as_deref(), weir_stage::DEFAULT_PARAMS, &args.set)?;
    let mut features: FeaturesParams = params.section("features")?;
    if let Some(set) = args.feature_set {
        features.feature_set = set;
    }
    if let Some(split) = args.split {
        features.split = split;
    }
    features.audit &= !args.no_audit;
    let request = Request {
        data: args.data,
        format: args.format,
        labels: None,
        out: args.out,
        params: features,
        seed: params.seed(),
        memory: (args.memory as usize) << 20,
    };
    let outcome = run(&request, stage)?;
    let result = serde_json::json!({
        "artifact": outcome.artifact.dir(),
        "digest": outcome.artifact.digest(),
        "skipped": outcome.skipped,
        "rows": outcome.artifact.manifest().rows,
    });
    stage.result(&result, || {
        let skipped = if outcome.skipped { " (unchanged)" } else { "" };
        format!("{}  {}{skipped}", outcome.artifact.dir().display(), outcome.artifact.digest().short())
    })
}
