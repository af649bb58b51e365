//! `weir simulate flows`.

use std::path::PathBuf;

use clap::Parser;
use weir_contract::Seed;
use weir_simulate::{SimulationParams, SimulationSummary};
use weir_stage::{CommonArgs, Failure, Stage};

#[derive(Parser)]
pub(super) struct Args {
    /// Records to write
    #[arg(long, value_name = "N", default_value_t = SimulationParams::default().rows)]
    rows: u64,

    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = SimulationParams::default().seed.0)]
    seed: u64,

    /// Time of the first flow, ISO-8601 [default: 2026-03-02T08:00:00Z]
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    start: Option<i64>,

    /// How far the traffic has moved away from the default mix, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = SimulationParams::default().drift)]
    drift: f64,

    /// Share of the flows that are attacks, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = SimulationParams::default().attack_share)]
    attack_share: f64,

    /// File to write [default: stdout]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    pub(super) common: CommonArgs,
}

pub(super) fn command(args: &Args, stage: &Stage) -> Result<(), Failure> {
    let default = SimulationParams::default();
    let params = SimulationParams {
        rows: args.rows,
        seed: Seed(args.seed),
        start: args.start.unwrap_or(default.start),
        drift: args.drift,
        attack_share: args.attack_share,
    };
    let params = params.check()?;
    let summary = super::write(args.out.as_deref(), stage, |out| weir_simulate::simulate(&params, out))?;
    if let Some(summary) = summary {
        stage.note(describe(&summary));
    }
    Ok(())
}

fn describe(summary: &SimulationSummary) -> String {
    let attacks = summary.attacks.iter().map(|(attack, counts)| format!("{attack} {}", counts.flows));
    format!(
        "{} records of {} flows: {} benign, {} malicious ({})",
        summary.records,
        summary.flows,
        summary.benign.flows,
        summary.malicious.flows,
        attacks.collect::<Vec<_>>().join(", ")
    )
}
