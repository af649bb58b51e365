//! `weir run`: the whole pipeline, as its graph says.

mod containers;
mod in_process;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Parser, ValueEnum};
use serde_json::json;
use weir_artifact::Artifact;
use weir_contract::selection::Selection;
use weir_contract::trial::Trials;
use weir_contract::{ExitCode, Setting, TrialId, files};
use weir_flows::Format;
use weir_pipeline::{Dag, Event, Work, execute};
use weir_stage::{CommonArgs, Failure, ParamsArgs, Stage};
use weir_training::Budget;

use super::pipeline::TrialsArgs;
use containers::{ContainerArgs, Containers};
use in_process::InProcess;

/// The flows that ship with the repository.
const SAMPLE: &str = "data/sample/flows.csv";

#[derive(Parser)]
pub(crate) struct Args {
    /// Flow files, read in this order; a directory stands for the files in it [default: the shipped sample]
    #[arg(long, num_args = 1.., value_name = "FILE")]
    data: Vec<PathBuf>,

    /// Format of the flow files [default: recognised by their first bytes]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,

    /// Directory of the run
    #[arg(long, value_name = "DIR", default_value = "weir-run")]
    out: PathBuf,

    #[command(flatten)]
    params: ParamsArgs,

    /// A shipped feature set (default, report, no-identity) or a file
    #[arg(long, value_name = "NAME|FILE")]
    feature_set: Option<String>,

    #[command(flatten)]
    trials: TrialsArgs,

    /// Memory for caches, in MiB [default: 1024]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=1 << 24))]
    memory: Option<u64>,

    /// Time for each search, such as 90s, 5m or 2h; what it does not suffice for is cut
    #[arg(long, value_name = "TIME")]
    budget: Option<Budget>,

    /// Private key to sign the bundle with, as `openssl genpkey -algorithm ed25519` writes it
    #[arg(long, value_name = "FILE")]
    signing_key: Option<PathBuf>,

    /// What runs the stages: this process, or a container each
    #[arg(long, value_enum, default_value_t, value_name = "ENGINE")]
    engine: Engine,

    #[command(flatten)]
    containers: ContainerArgs,

    #[command(flatten)]
    common: CommonArgs,
}

/// What runs the stages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// This process
    #[default]
    InProcess,
    /// The images of the stages, through podman or docker
    Containers,
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

impl Args {
    /// The flow files to read.
    fn flow_files(&self) -> Result<Vec<PathBuf>, Failure> {
        if self.data.is_empty() { Ok(vec![sample()?]) } else { weir_features::flow_files(self.data.clone()) }
    }
}

pub(crate) fn command(args: Args, stage: &Stage) -> Result<(), Failure> {
    let started = Instant::now();
    let dag = args.trials.spec().dag().map_err(|error| Failure::usage(error.to_string()))?;
    let out = args.out.clone();
    let observe = |event: Event<'_>| observe(stage, event);
    let finished = match args.engine {
        Engine::InProcess => execute(&dag, &InProcess::new(args, stage)?, observe),
        Engine::Containers => execute(&dag, &Containers::new(args, &dag, stage)?, observe),
    };
    let finished = finished.map_err(|stopped| {
        let unfinished = stopped.error.context(&stopped.node);
        match (unfinished.code, &unfinished.hint) {
            (ExitCode::Retry, None) => {
                unfinished.hint("what was finished is kept; start the same command again to go on")
            }
            _ => unfinished,
        }
    })?;
    let summary = Summary::read(&out, &dag)?;
    let nodes: Vec<_> = finished.iter().map(|(id, outcome)| json!({"id": id, "outcome": outcome})).collect();
    let result = json!({
        "out": out,
        "bundle": summary.bundle(),
        "report": summary.report(),
        "winner": summary.selection.winner,
        "accuracy": summary.selection.ranking.first().map(|first| first.confusion.accuracy()),
        "verdict": summary.selection.verdict,
        "nodes": nodes,
        "seconds": started.elapsed().as_secs_f64(),
    });
    stage.result(&result, || summary.text(started.elapsed().as_secs_f64()))
}

fn observe(stage: &Stage, event: Event<'_>) {
    match event {
        Event::Started { node, index, total } => stage.detail(format!("[{index}/{total}] {}", node.id)),
        Event::Finished { node, index, total, outcome } => {
            let how = if outcome.skipped { "unchanged".to_owned() } else { format!("{:.1} s", outcome.seconds) };
            stage.note(format!("[{index}/{total}] {:<36} {}  {how}", node.id.as_str(), outcome.digest.short()));
        }
    }
}

fn sample() -> Result<PathBuf, Failure> {
    let sample = Path::new(SAMPLE);
    if sample.is_file() {
        return Ok(sample.to_owned());
    }
    Err(Failure::usage(format!("no --data given and {SAMPLE} is not here")).hint(
        "name flow files with --data, or make some: weir simulate flows --out flows.csv && weir run --data flows.csv",
    ))
}

/// What a person wants to see at the end.
struct Summary {
    package: PathBuf,
    selection: Selection,
    trials: Vec<Trials>,
}

impl Summary {
    fn read(out: &Path, dag: &Dag) -> Result<Self, Failure> {
        let mut package = None;
        let mut selection = None;
        let mut trials = Vec::new();
        for node in dag.nodes() {
            let dir = out.join(&node.output);
            match node.work {
                Work::Features => {}
                Work::Training { .. } => trials.push(Artifact::open(dir)?.read_json(files::TRIALS)?),
                Work::Selection => selection = Some(Artifact::open(dir)?.read_json(files::SELECTION)?),
                Work::Packaging => package = Some(dir),
            }
        }
        let (package, selection) = package.zip(selection).expect("every graph selects and packages");
        Ok(Self { package, selection, trials })
    }

    fn bundle(&self) -> PathBuf {
        self.package.join(files::BUNDLE)
    }

    fn report(&self) -> PathBuf {
        self.package.join(files::REPORT)
    }

    fn text(&self, seconds: f64) -> String {
        let mut lines = vec![format!("{:<34} {:>8} {:>12}", "accuracy on test", "default", "grid search")];
        for trials in &self.trials {
            let of = |setting: Setting| {
                let id = TrialId { representation: trials.representation, family: trials.family, setting };
                let trial = trials.trials.iter().find(|trial| trial.id == id);
                let mark = if self.selection.winner == id { "*" } else { " " };
                trial.map_or_else(String::new, |trial| format!("{:.4}{mark}", trial.confusion.accuracy()))
            };
            let name = format!("{}, {}", trials.family.title(), trials.representation);
            lines.push(format!("{name:<34} {:>9} {:>12}", of(Setting::Default), of(Setting::Best)));
        }
        lines.push(format!("winner   {}: {}", self.selection.winner, self.selection.reason));
        lines.push(format!("report   {}", self.report().display()));
        lines.push(format!("bundle   {}", self.bundle().display()));
        lines.push(format!("time     {seconds:.1} s"));
        lines.join("\n")
    }
}
