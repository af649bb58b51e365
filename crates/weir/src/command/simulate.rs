//! `weir simulate`: labelled traffic of a small cluster.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use weir_contract::Seed;
use weir_simulate::{SimulationParams, SimulationSummary};
use weir_stage::{CommonArgs, Failure, Stage};

use super::output::{self, Output};

#[derive(Parser)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Flows in the form of a Packetbeat CSV export
    Flows(FlowsArgs),
}

#[derive(Parser)]
struct FlowsArgs {
    /// Records to write
    #[arg(long, value_name = "N", default_value_t = SimulationParams::default().rows)]
    rows: u64,

    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = SimulationParams::default().seed.0)]
    seed: u64,

    /// Time of the first flow, ISO-8601 [default: 2026-03-02T08:00:00Z]
    #[arg(long, value_name = "TIME", value_parser = time)]
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
    common: CommonArgs,
}

fn time(text: &str) -> Result<i64, String> {
    weir_flows::parse_time(text).ok_or_else(|| "expected a time such as 2026-03-02T08:00:00Z".to_owned())
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        let What::Flows(args) = &self.what;
        &args.common
    }
}

pub(crate) fn command(args: Args, stage: &Stage) -> Result<(), Failure> {
    let What::Flows(args) = args.what;
    let default = SimulationParams::default();
    let params = SimulationParams {
        rows: args.rows,
        seed: Seed(args.seed),
        start: args.start.unwrap_or(default.start),
        drift: args.drift,
        attack_share: args.attack_share,
    };
    let params = params.check()?;
    let mut out = Output::open(args.out.as_deref())?;
    let summary = match weir_simulate::simulate(&params, &mut Interruptible { out: &mut out, stage }) {
        Err(_) if stage.is_cancelled() => return Err(Failure::interrupted()),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
        summary => {
            summary.map_err(|error| output::failure(args.out.as_deref().unwrap_or(Path::new("stdout")), &error))?
        }
    };
    out.finish()?;
    stage.note(describe(&summary));
    Ok(())
}

/// Stops writing on Ctrl-C.
struct Interruptible<'a> {
    out: &'a mut Output,
    stage: &'a Stage,
}

impl Write for Interruptible<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // Another kind than Interrupted, after which a writer tries again.
        if self.stage.is_cancelled() { Err(std::io::Error::other("cancelled")) } else { self.out.write(bytes) }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
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
