//! `weir expectations`: suites held against flow files, and suites suggested by them.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use weir_contract::expectation::{Policy, SuiteResult};
use weir_expectations::{Checked, KNOWN, Profile, suggest};
use weir_features::{each_batch, shipped_or_file};
use weir_flows::Format;
use weir_stage::{CommonArgs, Failure, Stage};

use super::output::Output;

#[derive(Parser)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,

    #[command(flatten)]
    common: CommonArgs,
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

#[derive(Subcommand)]
enum Action {
    /// Hold a suite against flow files; exit code 4 when it does not hold
    Check {
        /// Flow files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,

        /// A shipped suite (flows) or a file of Great Expectations
        #[arg(long, value_name = "NAME|FILE", default_value = "flows")]
        suite: String,

        /// Format of the flow files [default: recognised by their first bytes]
        #[arg(long, value_name = "FORMAT")]
        format: Option<Format>,
    },
    /// Profile flow files into a suite that holds for them
    Suggest {
        /// Flow files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,

        /// Format of the flow files [default: recognised by their first bytes]
        #[arg(long, value_name = "FORMAT")]
        format: Option<Format>,

        /// File to write the suite to [default: stdout]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// List the types of expectations
    List,
}

pub(crate) fn command(args: Args, stage: &Stage) -> Result<(), Failure> {
    match args.action {
        Action::Check { files, suite, format } => check(&files, &suite, format, stage),
        Action::Suggest { files, format, out } => {
            let mut profile = Profile::default();
            for path in &files {
                each_batch(path, format, stage, |batch| {
                    profile.observe(&batch.flows, 0..batch.flows.len());
                    Ok(())
                })?;
            }
            let bytes = weir_contract::json::to_canonical(&suggest(&profile))
                .map_err(|error| Failure::retry(format!("the suite has no JSON form: {error}")))?;
            let mut out = Output::open(out.as_deref())?;
            out.write_all(&bytes).map_err(|error| Failure::retry(format!("failed to write the suite: {error}")))?;
            out.finish()
        }
        Action::List => stage.result(&KNOWN.as_slice(), || KNOWN.join("\n")),
    }
}

fn check(files: &[PathBuf], suite: &str, format: Option<Format>, stage: &Stage) -> Result<(), Failure> {
    let (origin, text) = shipped_or_file("expectation suite", suite, &weir_expectations::SHIPPED)?;
    let suite = Checked::parse(&text, &origin)?;
    let mut evaluation = suite.start();
    let mut unreadable = 0;
    for path in files {
        each_batch(path, format, stage, |batch| {
            unreadable += batch.rejected.len();
            evaluation.observe(&suite, &batch.flows, 0..batch.flows.len(), &mut |_, _| {});
            Ok(())
        })?;
    }
    if unreadable > 0 {
        stage.warn(format!("{unreadable} records could not be read and were not judged"));
    }
    let result = evaluation.finish(&suite, Policy::Always)?;
    stage.result(&result, || in_words(&result))?;
    match result.statistics.unsuccessful_expectations {
        0 => Ok(()),
        broken => Err(Failure::gate(format!("{broken} expectations do not hold"))),
    }
}

fn in_words(result: &SuiteResult) -> String {
    let lines = result.results.iter().map(|one| {
        let mark = if one.success { "holds" } else { "BROKEN" };
        let seen = ["unexpected_count", "observed_value"].into_iter().find_map(|key| Some((key, one.result.get(key)?)));
        let seen = seen.map_or_else(String::new, |(key, value)| format!("  {key} {value}"));
        format!("{mark:<7} {}{seen}", weir_expectations::describe(&one.expectation_config))
    });
    lines.collect::<Vec<_>>().join("\n")
}
