//! `weir simulate access-log`.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Parser;
use weir_contract::{Seed, json};
use weir_simulate::access_log::{AccessLogParams, AccessLogSummary, AttackPlan, simulate};
use weir_stage::{CommonArgs, Failure, Stage};

use crate::command::output::{self, Output};

#[derive(Parser)]
pub(super) struct Args {
    /// Lines that are no attack; attacks come on top. 0: the attacks only
    #[arg(long, value_name = "N", default_value_t = AccessLogParams::default().lines)]
    lines: u64,

    /// Seconds over which they are spread, about [default: a tenth of the lines]
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<f64>,

    /// Addresses that visitors may have [default: a thirtieth of the lines]
    #[arg(long, value_name = "N")]
    visitors: Option<u32>,

    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = AccessLogParams::default().seed.0)]
    seed: u64,

    /// Start of the log, ISO-8601 [default: 2026-03-02T08:00:00Z]
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    start: Option<i64>,

    /// An attack, such as random-url:20:10:60: twenty clients with ten requests per second each, for a minute. Shapes:
    /// random-url, random-path, same-url, valid-pages, slow. START is in seconds from the start of the log
    /// [default: a third of it]
    #[arg(long = "attack", value_name = "SHAPE:CLIENTS:RATE:SECONDS[:START]")]
    attacks: Vec<AttackPlan>,

    /// Requests per second that the server answers; beyond, everybody's fail [default: without bound]
    #[arg(long, value_name = "N")]
    capacity: Option<u32>,

    /// Share of the lines whose request is garbage, 0 to 0.5
    #[arg(long, value_name = "SHARE", default_value_t = AccessLogParams::default().garbage)]
    garbage: f64,

    /// File to write who attacked to, JSON
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,

    /// File to write [default: stdout]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    pub(super) common: CommonArgs,
}

pub(super) fn command(args: &Args, stage: &Stage) -> Result<(), Failure> {
    let default = AccessLogParams::default();
    let params = AccessLogParams {
        lines: args.lines,
        seconds: args.seconds,
        visitors: args.visitors,
        seed: Seed(args.seed),
        start: args.start.unwrap_or(default.start),
        attacks: args.attacks.clone(),
        capacity: args.capacity,
        garbage: args.garbage,
    };
    let params = params.check()?;
    let Some(summary) = super::write(args.out.as_deref(), stage, |out| simulate(&params, out))? else {
        return Ok(());
    };
    if let Some(path) = &args.truth {
        let bytes = json::to_canonical(&summary).map_err(|error| Failure::retry(format!("truth: {error}")))?;
        let mut truth = Output::open(Some(path))?;
        truth.write_all(&bytes).map_err(|error| output::failure(path, &error))?;
        truth.finish()?;
    }
    stage.note(describe(&summary));
    Ok(())
}

fn describe(summary: &AccessLogSummary) -> String {
    format!(
        "{} lines: {} of {} clients, {} of {} attackers",
        summary.lines,
        summary.ordinary,
        summary.clients,
        summary.lines - summary.ordinary,
        summary.attackers.len()
    )
}
