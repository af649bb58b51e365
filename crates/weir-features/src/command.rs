//! The command: what `weir-features` and `weir features` are given.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Parser, Subcommand};
use weir_flows::Format;
use weir_stage::{CommonArgs, Failure, ParamsArgs, Results, ResultsArgs, Stage, artifact_directories};

use crate::definitions::Documents;
use crate::input::flow_files;
use crate::params::FeaturesParams;
use crate::parts::{Plan, gather, run_part};
use crate::split::SplitKind;
use crate::stage::{DEFAULT_MEMORY, Request, run};

/// Turn labelled flows into validated and split feature tables
#[derive(Debug, Parser)]
#[command(subcommand_negates_reqs = true, args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,

    #[command(flatten)]
    run: RunArgs,

    #[command(flatten)]
    results: ResultsArgs,

    #[command(flatten)]
    common: CommonArgs,
}

/// A run on many machines.
#[derive(Debug, Subcommand)]
enum Action {
    /// Cut a run into parts for many machines; each reads all files and keeps its share of the flows
    Plan {
        #[command(flatten)]
        flows: FlowArgs,

        /// Number of parts
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
        parts: u16,

        /// File to write the plan to
        #[arg(long, value_name = "FILE")]
        plan: PathBuf,
    },
    /// Run one part of a plan
    RunPart {
        /// The plan
        #[arg(long, value_name = "FILE")]
        plan: PathBuf,

        /// Number of the part, from 0
        #[arg(long, value_name = "N")]
        part: u16,

        /// Directory of the part
        #[arg(long, value_name = "DIR")]
        out: PathBuf,

        /// MiB of records held in memory; what is more goes to a temporary file in the part's directory
        #[arg(long, value_name = "MIB", default_value_t = DEFAULT_MEMORY, value_parser = clap::value_parser!(u64).range(1..=1 << 24))]
        memory: u64,
    },
    /// Join the parts of a plan into the artifact that one machine would have made
    Gather {
        /// The plan
        #[arg(long, value_name = "FILE")]
        plan: PathBuf,

        /// Directories of all parts, or one around them
        #[arg(long, required = true, num_args = 1.., value_name = "DIR")]
        parts: Vec<PathBuf>,

        /// Directory of the artifact
        #[arg(long, value_name = "DIR", default_value = "weir-run/features")]
        out: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct RunArgs {
    #[command(flatten)]
    flows: FlowArgs,

    /// MiB of records held in memory; what is more goes to a temporary file in the artifact's directory
    #[arg(long, value_name = "MIB", default_value_t = DEFAULT_MEMORY, value_parser = clap::value_parser!(u64).range(1..=1 << 24))]
    memory: u64,

    /// Directory of the artifact
    #[arg(long, value_name = "DIR", default_value = "weir-run/features")]
    out: PathBuf,
}

/// Which flows, and what becomes of them.
#[derive(Debug, clap::Args)]
struct FlowArgs {
    /// Flow files, read in this order; a directory stands for the files in it, by name
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    data: Vec<PathBuf>,

    /// Format of the flow files [default: recognised by their first bytes]
    #[arg(long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    format: FormatArg,

    /// A shipped feature set (default, report, no-identity) or a file; same as --set features.feature_set=NAME
    #[arg(long, value_name = "NAME|FILE")]
    feature_set: Option<String>,

    #[command(flatten)]
    params: ParamsArgs,

    /// How flows are split: by the hash of their id, or by event time; same as --set features.split=time
    #[arg(long, value_enum, value_name = "HOW")]
    split: Option<SplitKind>,

    /// Do not search the features for what identifies hosts, moments or records; same as --set features.audit=false
    #[arg(long)]
    no_audit: bool,
}

/// A format, or nothing where the text is empty, as workflows have it.
#[derive(Debug, Clone, Copy)]
struct FormatArg(Option<Format>);

impl FromStr for FormatArg {
    type Err = <Format as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() { Ok(Self(None)) } else { text.parse().map(|format| Self(Some(format))) }
    }
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
    let outcome = match args.action {
        None => run(&args.run.flows.request(args.run.out, (args.run.memory as usize) << 20)?, stage)?,
        Some(Action::Plan { flows, parts, plan: path }) => {
            let plan = Plan::new(&flows.request(PathBuf::new(), 0)?, usize::from(parts))?;
            let bytes = weir_contract::json::to_canonical(&plan)
                .map_err(|error| Failure::retry(format!("the plan has no JSON form: {error}")))?;
            let folder = path.parent().unwrap_or(Path::new(""));
            std::fs::create_dir_all(folder)
                .and_then(|()| std::fs::write(&path, bytes))
                .map_err(|error| Failure::retry(format!("failed to write {}: {error}", path.display())))?;
            return stage.result(&plan, || format!("{}  {parts} parts", path.display()));
        }
        Some(Action::RunPart { plan, part, out, memory }) => {
            run_part(&Plan::read(&plan)?, usize::from(part), &out, (memory as usize) << 20, stage)?
        }
        Some(Action::Gather { plan, parts, out }) => {
            gather(&Plan::read(&plan)?, &artifact_directories(parts), &out, stage)?
        }
    };
    let result = serde_json::json!({
        "artifact": outcome.artifact.dir(),
        "digest": outcome.artifact.digest(),
        "skipped": outcome.skipped,
        "rows": outcome.artifact.manifest().rows,
    });
    stage.result(&result, || {
        let skipped = if outcome.skipped { " (unchanged)" } else { "" };
        format!("{}  {}{skipped}", outcome.artifact.dir().display(), outcome.artifact.digest().short())
    })?;
    args.results
        .publish(&Results { values: vec![("digest", outcome.artifact.digest().to_string())], ..Results::default() })
}

impl FlowArgs {
    fn request(self, out: PathBuf, memory: usize) -> Result<Request<'static>, Failure> {
        let params = self.params.load()?;
        let mut features: FeaturesParams = params.section("features")?;
        if let Some(set) = self.feature_set.filter(|set| !set.is_empty()) {
            features.feature_set = set;
        }
        if let Some(split) = self.split {
            features.split = split;
        }
        features.audit &= !self.no_audit;
        Ok(Request {
            data: flow_files(self.data)?,
            format: self.format.0,
            labels: None,
            out,
            params: features,
            documents: Documents::default(),
            seed: params.seed(),
            memory,
        })
    }
}
