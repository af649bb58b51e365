//! Arguments of `weir-selection` and `weir select`, and what they print.

use std::path::{Path, PathBuf};

use clap::Parser;
use weir_contract::Digest;
use weir_contract::files::SELECTION;
use weir_contract::selection::{Selection, Verdict};
use weir_stage::{CommonArgs, Failure, ParamsArgs, Results, ResultsArgs, Stage, trial_directories};

use crate::{Request, run};

/// Choose the best trial by its score on test, and compare it with the champion
#[derive(Debug, Clone, PartialEq, Parser)]
pub struct Args {
    /// Common options.
    #[command(flatten)]
    pub common: CommonArgs,

    /// Directories of training artifacts, or one around them [default: all in weir-run/trials]
    #[arg(long, num_args = 1.., value_name = "DIR")]
    pub trials: Vec<PathBuf>,

    /// Directory of the champion's training artifact, scored on the same test rows
    #[arg(long, value_name = "DIR")]
    pub champion: Option<PathBuf>,

    /// Parameters.
    #[command(flatten)]
    pub params: ParamsArgs,

    /// Directory of the artifact
    #[arg(long, value_name = "DIR", default_value = "weir-run/selection")]
    pub out: PathBuf,

    /// End with exit code 4 when the verdict is to keep the champion
    #[arg(long)]
    pub fail_on_keep: bool,

    /// Small results for workflow engines.
    #[command(flatten)]
    pub results: ResultsArgs,
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// Runs the stage and prints the selection.
///
/// # Errors
/// Those of [`run`]; of usage (exit 2) for wrong parameters; of a gate (exit 4) with `--fail-on-keep` when the
/// champion is kept, after the artifact is written and printed.
pub fn command(args: Args, stage: &Stage) -> Result<(), Failure> {
    let params = args.params.load()?.section("selection")?;
    let trials = trial_directories(args.trials, Path::new("weir-run/trials"))?;
    let request = Request { trials, champion: args.champion, params, out: args.out };
    let outcome = run(&request, stage)?;
    if outcome.skipped {
        stage.note(format!("{} is up to date", request.out.display()));
    }
    let selection: Selection = outcome.artifact.read_json(SELECTION)?;
    for warning in &selection.warnings {
        stage.warn(warning);
    }
    stage.result(&selection, || text(&selection))?;
    args.results.publish(&results(&selection, outcome.artifact.digest()))?;
    match (&selection.champion, selection.verdict) {
        (Some(champion), Verdict::Keep) if args.fail_on_keep => {
            Err(Failure::gate(format!("the champion {} is kept: {}", champion.id, champion.reason)))
        }
        _ => Ok(()),
    }
}

fn results(selection: &Selection, digest: Digest) -> Results {
    let winner = selection.ranking.first().map(|ranked| ranked.confusion);
    let accuracy = winner.map(|confusion| confusion.accuracy());
    let values = [
        Some(("digest", digest.to_string())),
        Some(("winner", selection.winner.to_string())),
        accuracy.map(|accuracy| ("accuracy", accuracy.to_string())),
        Some(("verdict", selection.verdict.name().to_owned())),
    ];
    Results {
        values: values.into_iter().flatten().collect(),
        metrics: accuracy.map(|accuracy| ("accuracy", accuracy)).into_iter().collect(),
        confusion: winner,
    }
}

/// The ranking as a table, then winner and verdict with their reasons.
fn text(selection: &Selection) -> String {
    let names = selection.ranking.iter().map(|ranked| ranked.id.to_string().len());
    let width = names.max().unwrap_or(0).max("trial".len());
    let metric = selection.metric.name();
    let columns = metric.len().max(8);
    let mut text = format!("{:width$}  {metric:>columns$}  {:>7}  {:>7}\n", "trial", "FN", "FP");
    for ranked in &selection.ranking {
        let (id, value, confusion) = (ranked.id.to_string(), ranked.value, ranked.confusion);
        let (missed, alarms) = (confusion.false_negatives, confusion.false_positives);
        text += &format!("{id:width$}  {value:>columns$.6}  {missed:>7}  {alarms:>7}\n");
    }
    text += &format!("\nwinner   {}\n         {}\n", selection.winner, selection.reason);
    let against = match &selection.champion {
        None => "there is no champion".to_owned(),
        Some(champion) => format!("against champion {}, {}", champion.id, champion.reason),
    };
    text + &format!("verdict  {}\n         {against}\n", selection.verdict.name())
}
