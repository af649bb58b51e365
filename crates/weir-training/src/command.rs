//! The command: what `weir-training` and `weir train` are given.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Parser, Subcommand};
use weir_contract::trial::Trials;
use weir_contract::{Digest, Family, Representation, Setting, files};
use weir_stage::{CommonArgs, Failure, ParamsArgs, Results, ResultsArgs, Stage, artifact_directories};

use crate::encoder::Encoders;
use crate::limit::{Budget, Cuts, Limit};
use crate::params::{AutoencoderSection, TrainingParams};
use crate::shards::{OpenPlan, PLAN, ShardPlan, plan};
use crate::stage::{Outcome, Request, run};

/// Train one model family on one representation: a default fit and a search
#[derive(Debug, Parser)]
#[command(subcommand_negates_reqs = true, args_conflicts_with_subcommands = true, after_help = AFTER_HELP)]
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

const AFTER_HELP: &str = "\
What a search has scored is kept piece by piece: interrupted and started again, it goes on; --force begins afresh.
How candidates are found and compared say the parameters training.grid, training.random and training.search.";

/// A search on many machines.
#[derive(Debug, Subcommand)]
enum Action {
    /// Cut a search into shards for many machines, about as long as each other
    Plan {
        #[command(flatten)]
        search: SearchArgs,

        /// Number of shards
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
        shards: u16,

        /// Directory of the plan
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Score the pieces of one shard
    RunShard {
        #[command(flatten)]
        plan: PlanArgs,

        /// Number of the shard, from 0
        #[arg(long, value_name = "N")]
        shard: u16,

        /// Directory of the shard
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Make the artifact that one machine would have made from all shards
    Gather {
        #[command(flatten)]
        plan: PlanArgs,

        /// Directories of all shards, or one around them
        #[arg(long, required = true, num_args = 1.., value_name = "DIR")]
        shards: Vec<PathBuf>,

        /// Directory of the artifact [default: weir-run/trials/<representation>-<model>]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, clap::Args)]
struct RunArgs {
    #[command(flatten)]
    search: SearchArgs,

    /// Time for the search, such as 90s, 5m or 2h; what it does not suffice for is cut
    ///
    /// Candidates are compared on few rows first, then on more, the best ones first, so that there is an answer whenever
    /// the time is up; the comparison on the fewest rows is made in any case. The default fit and that of the best
    /// candidate are not counted. Two runs may differ: search.json records the cuts, and --replay repeats them.
    #[arg(long, value_name = "TIME")]
    budget: Option<Budget>,

    /// Repeat the cuts that --budget made in an earlier search, from its search.json
    #[arg(long, value_name = "FILE", conflicts_with = "budget")]
    replay: Option<PathBuf>,

    #[command(flatten)]
    memory: MemoryArgs,

    /// Directory of the artifact [default: weir-run/trials/<representation>-<model>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// What is searched.
#[derive(Debug, clap::Args)]
struct SearchArgs {
    /// Directory of the features artifact
    #[arg(long, value_name = "DIR", default_value = "weir-run/features")]
    features: PathBuf,

    /// Model family: svc, logistic-regression, knn or decision-tree
    // Not given with a subcommand, which clap allows only where the type does.
    #[arg(long, value_name = "MODEL", required = true)]
    model: Option<Family>,

    /// What the model sees: baseline or autoencoder
    #[arg(long, value_name = "NAME", default_value = "baseline")]
    representation: Representation,

    #[command(flatten)]
    params: ParamsArgs,
}

/// Which plan, and with what.
#[derive(Debug, clap::Args)]
struct PlanArgs {
    /// Directory of the plan
    #[arg(long, value_name = "DIR")]
    plan: PathBuf,

    /// Directory of the features artifact [default: where it was for the plan]
    #[arg(long, value_name = "DIR")]
    features: Option<PathBuf>,

    #[command(flatten)]
    memory: MemoryArgs,
}

#[derive(Debug, clap::Args)]
struct MemoryArgs {
    /// Memory for caches, in MiB
    #[arg(long = "memory", value_name = "MIB", default_value_t = DEFAULT_MEMORY, value_parser = clap::value_parser!(u64).range(1..=1 << 24))]
    mib: u64,
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
    let results = args.results;
    match args.action {
        None => {
            let RunArgs { search, budget, replay, memory, out } = args.run;
            let limit = match (budget, replay) {
                (Some(budget), _) => Limit::Budget(budget),
                (None, Some(path)) => Limit::Replay(Cuts::read(&path)?),
                (None, None) => Limit::None,
            };
            let request = search.request(out, limit, memory.bytes())?;
            trials(&run(&request, stage)?, &results, stage)
        }
        Some(Action::Plan { search, shards, out }) => {
            let request = search.request(None, Limit::None, 0)?;
            let outcome = plan(&request, usize::from(shards), &out, stage)?;
            planned(&outcome, stage)
        }
        Some(Action::RunShard { plan, shard, out }) => {
            let open = OpenPlan::open(&plan.plan)?;
            let features = plan.features.as_deref();
            let outcome = open.run_shard(usize::from(shard), features, &out, plan.memory.bytes(), stage)?;
            stage.result(&artifact(&outcome), || line(&outcome))
        }
        Some(Action::Gather { plan, shards, out }) => {
            let open = OpenPlan::open(&plan.plan)?;
            let out = out.unwrap_or_else(|| default_out(open.plan().representation, open.plan().family));
            let shards = artifact_directories(shards);
            let outcome = open.gather(&shards, plan.features.as_deref(), &out, plan.memory.bytes(), stage)?;
            trials(&outcome, &results, stage)
        }
    }
}

impl SearchArgs {
    fn request(self, out: Option<PathBuf>, limit: Limit, memory: usize) -> Result<Request, Failure> {
        let family = self.model.ok_or_else(|| Failure::usage("--model is missing"))?;
        let params = self.params.load()?;
        let training: TrainingParams = params.section("training")?;
        let autoencoder: AutoencoderSection = params.section("autoencoder")?;
        Ok(Request {
            features: self.features,
            representation: self.representation,
            family,
            out: out.unwrap_or_else(|| default_out(self.representation, family)),
            params: training,
            limit,
            autoencoder: autoencoder.params(params.seed())?,
            seed: params.seed(),
            memory,
            encoders: Arc::new(Encoders::default()),
        })
    }
}

impl MemoryArgs {
    fn bytes(&self) -> usize {
        (self.mib as usize) << 20
    }
}

fn default_out(representation: Representation, family: Family) -> PathBuf {
    Path::new("weir-run/trials").join(format!("{representation}-{family}"))
}

fn artifact(outcome: &Outcome) -> serde_json::Value {
    serde_json::json!({
        "artifact": outcome.artifact.dir(),
        "digest": outcome.artifact.digest(),
        "skipped": outcome.skipped,
    })
}

fn line(outcome: &Outcome) -> String {
    let skipped = if outcome.skipped { " (unchanged)" } else { "" };
    format!("{}  {}{skipped}", outcome.artifact.dir().display(), outcome.artifact.digest().short())
}

fn planned(outcome: &Outcome, stage: &Stage) -> Result<(), Failure> {
    let plan: ShardPlan = outcome.artifact.read_json(PLAN)?;
    let mut result = artifact(outcome);
    result["plan"] = serde_json::json!(plan);
    stage.result(&result, || {
        let shard = |shard: usize| {
            let own = || plan.pieces.iter().filter(|piece| piece.shard == shard);
            let seconds: f64 = own().map(|piece| piece.seconds).sum();
            let time = if seconds > 0.0 { format!(", about {seconds:.1} s on one core") } else { String::new() };
            format!("shard {shard}: {} pieces{time}", own().count())
        };
        let lines = std::iter::once(line(outcome)).chain((0..plan.shards).map(shard));
        lines.collect::<Vec<_>>().join("\n")
    })
}

fn trials(outcome: &Outcome, results: &ResultsArgs, stage: &Stage) -> Result<(), Failure> {
    let trials: Trials = outcome.artifact.read_json(files::TRIALS)?;
    let mut result = artifact(outcome);
    result["trials"] = serde_json::json!(trials.trials);
    stage.result(&result, || {
        let lines = trials.trials.iter().map(|trial| {
            let parameters: Vec<String> =
                trial.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{:<40} {:.4}  {}", trial.id.to_string(), trial.confusion.accuracy(), parameters.join(" "))
        });
        lines.collect::<Vec<_>>().join("\n")
    })?;
    results.publish(&summary(&trials, outcome.artifact.digest()))
}

/// Scores of both fits; the confusion matrix is that of the best.
fn summary(trials: &Trials, digest: Digest) -> Results {
    let of = |setting| trials.trials.iter().find(|trial| trial.id.setting == setting);
    let mut metrics = Vec::new();
    if let Some(default) = of(Setting::Default) {
        metrics.push(("default_accuracy", default.confusion.accuracy()));
    }
    let best = of(Setting::Best);
    if let Some(best) = best {
        metrics.push(("accuracy", best.confusion.accuracy()));
        metrics.push(("balanced_accuracy", best.confusion.balanced_accuracy()));
        let malicious = best.confusion.malicious();
        metrics.extend([("precision", malicious.precision), ("recall", malicious.recall), ("f1", malicious.f1)]);
        metrics.extend(best.roc_auc.map(|area| ("roc_auc", area)));
    }
    Results { values: vec![("digest", digest.to_string())], metrics, confusion: best.map(|best| best.confusion) }
}
