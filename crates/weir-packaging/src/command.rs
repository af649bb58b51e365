//! The command: what `weir-packaging` and `weir package` are given.

use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::Parser;
use weir_stage::{CommonArgs, Failure, ParamsArgs, Results, ResultsArgs, Stage, trial_directories};

use crate::stage::{Request, run};

/// Package the winner: a bundle for predictors, and the report of the run
#[derive(Debug, Clone, Parser)]
pub struct Args {
    /// Directory of the features artifact
    #[arg(long, value_name = "DIR", default_value = "weir-run/features")]
    pub features: PathBuf,

    /// Directory of the selection artifact
    #[arg(long, value_name = "DIR", default_value = "weir-run/selection")]
    pub selection: PathBuf,

    /// Directories of all training artifacts that the selection compared, or one around them [default: all in
    /// weir-run/trials]
    #[arg(long, num_args = 1.., value_name = "DIR")]
    pub trials: Vec<PathBuf>,

    /// Parameters.
    #[command(flatten)]
    pub params: ParamsArgs,

    /// Private key to sign the bundle with, as `openssl genpkey -algorithm ed25519` writes it
    #[arg(long, value_name = "FILE")]
    pub signing_key: Option<PathBuf>,

    /// Directory of the artifact
    #[arg(long, value_name = "DIR", default_value = "weir-run/package")]
    pub out: PathBuf,

    /// Write the report to this file, too
    #[arg(long, value_name = "FILE")]
    pub report_file: Option<PathBuf>,

    /// Small results for workflow engines.
    #[command(flatten)]
    pub results: ResultsArgs,

    /// Common options.
    #[command(flatten)]
    pub common: CommonArgs,
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// Runs the stage as `args` say and prints where bundle and report are.
///
/// # Errors
/// As [`run`], and [`Failure`] of usage for parameters that do not hold.
pub fn command(args: Args, stage: &Stage) -> Result<(), Failure> {
    let params = args.params.load()?.section("packaging")?;
    let Args { features, selection, trials, signing_key, out, report_file, results, .. } = args;
    let trials = trial_directories(trials, Path::new("weir-run/trials"))?;
    let outcome = run(&Request { features, selection, trials, out, signing_key, params }, stage)?;
    if outcome.skipped {
        stage.note(format!("{} is up to date", outcome.artifact.dir().display()));
    }
    let (bundle, report) = (outcome.bundle(), outcome.report());
    let result = serde_json::json!({
        "artifact": outcome.artifact.dir(),
        "digest": outcome.artifact.digest(),
        "skipped": outcome.skipped,
        "bundle": bundle,
        "bundle_digest": outcome.bundle_digest(),
        "image": outcome.image(),
        "report": report,
    });
    if let Some(file) = report_file.filter(|file| !file.as_os_str().is_empty()) {
        copy(&report, &file)?;
    }
    stage.result(&result, || format!("{}\n{}", bundle.display(), report.display()))?;
    let values = [("digest", Some(outcome.artifact.digest())), ("bundle", outcome.bundle_digest())];
    let values = values.into_iter().filter_map(|(name, digest)| Some((name, digest?.to_string())));
    results.publish(&Results { values: values.collect(), ..Results::default() })
}

fn copy(report: &Path, file: &Path) -> Result<(), Failure> {
    let copied = || -> io::Result<u64> {
        fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
        fs::copy(report, file)
    };
    copied()
        .map(drop)
        .map_err(|error| Failure::retry(format!("failed to copy {} to {}: {error}", report.display(), file.display())))
}
