//! `weir run`: the whole pipeline in this process, as its graph says.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::Parser;
use serde_json::json;
use weir_artifact::Artifact;
use weir_contract::selection::Selection;
use weir_contract::trial::Trials;
use weir_contract::{ExitCode, Family, Representation, Seed, Setting, TrialId, files};
use weir_features::FeaturesParams;
use weir_flows::Format;
use weir_models::autoencoder::AutoencoderParams;
use weir_packaging::PackagingParams;
use weir_pipeline::{Dag, Event, Input, Node, Outcome, PipelineSpec, StageRunner, Work, execute};
use weir_selection::SelectionParams;
use weir_stage::{CommonArgs, DEFAULT_PARAMS, Failure, Params, Stage};
use weir_training::{AutoencoderSection, Budget, Candidates, Encoders, Limit, TrainingParams};

/// The flows that ship with the repository.
const SAMPLE: &str = "data/sample/flows.csv";

#[derive(Parser)]
pub(crate) struct Args {
    /// Flow files, read in this order [default: the shipped sample]
    #[arg(long, num_args = 1.., value_name = "FILE")]
    data: Vec<PathBuf>,

    /// Format of the flow files [default: recognised by their first bytes]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,

    /// Directory of the run
    #[arg(long, value_name = "DIR", default_value = "weir-run")]
    out: PathBuf,

    /// Parameter file [default: built in]
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,

    /// Set one parameter, as in --set training.folds=5
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,

    /// A shipped feature set (default, report, no-identity) or a file
    #[arg(long, value_name = "NAME|FILE")]
    feature_set: Option<String>,

    /// Model families [default: all]
    #[arg(long, value_delimiter = ',', value_name = "MODEL")]
    models: Vec<Family>,

    /// What the models see [default: baseline,autoencoder]
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    representations: Vec<Representation>,

    /// Memory for caches, in MiB
    #[arg(long, value_name = "MIB", default_value_t = weir_training::DEFAULT_MEMORY, value_parser = clap::value_parser!(u64).range(1..=1 << 24))]
    memory: u64,

    /// Time for each search, such as 90s, 5m or 2h; what it does not suffice for is cut
    #[arg(long, value_name = "TIME")]
    budget: Option<Budget>,

    /// Private key to sign the bundle with, as `openssl genpkey -algorithm ed25519` writes it
    #[arg(long, value_name = "FILE")]
    signing_key: Option<PathBuf>,

    #[command(flatten)]
    common: CommonArgs,
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

pub(crate) fn command(args: Args, stage: &Stage) -> Result<(), Failure> {
    let started = Instant::now();
    let spec = PipelineSpec {
        models: if args.models.is_empty() { Family::ALL.to_vec() } else { args.models.clone() },
        representations: match args.representations.is_empty() {
            true => Representation::ALL.to_vec(),
            false => args.representations.clone(),
        },
    };
    let dag = spec.dag().map_err(|error| Failure::usage(error.to_string()))?;
    let runner = Runner::new(args, stage)?;
    let finished = execute(&dag, &runner, |event| observe(stage, event)).map_err(|stopped| {
        let unfinished = stopped.error.context(&stopped.node);
        match (unfinished.code, &unfinished.hint) {
            (ExitCode::Retry, None) => {
                unfinished.hint("what was finished is kept; start the same command again to go on")
            }
            _ => unfinished,
        }
    })?;
    let summary = Summary::read(&runner, &dag)?;
    let nodes: Vec<_> = finished.iter().map(|(id, outcome)| json!({"id": id, "outcome": outcome})).collect();
    let result = json!({
        "out": runner.out,
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

/// Runs the stages as functions of this process.
struct Runner<'a> {
    data: Vec<PathBuf>,
    format: Option<Format>,
    out: PathBuf,
    memory: usize,
    seed: Seed,
    features: FeaturesParams,
    training: TrainingParams,
    limit: Limit,
    autoencoder: AutoencoderParams,
    selection: SelectionParams,
    packaging: PackagingParams,
    signing_key: Option<PathBuf>,
    encoders: Arc<Encoders>,
    stage: &'a Stage,
}

impl<'a> Runner<'a> {
    /// Checks all parameters before anything runs.
    fn new(args: Args, stage: &'a Stage) -> Result<Self, Failure> {
        let params = Params::load(args.params.as_deref(), DEFAULT_PARAMS, &args.set)?;
        let mut features: FeaturesParams = params.section("features")?;
        if let Some(set) = args.feature_set {
            features.feature_set = set;
        }
        let training: TrainingParams = params.section("training")?;
        for &family in Family::ALL {
            Candidates::new(&training, family, params.seed())?;
        }
        let data = if args.data.is_empty() { vec![sample()?] } else { args.data };
        Ok(Self {
            data,
            format: args.format,
            out: args.out,
            memory: (args.memory as usize) << 20,
            seed: params.seed(),
            features,
            training,
            limit: args.budget.map_or(Limit::None, Limit::Budget),
            autoencoder: params.section::<AutoencoderSection>("autoencoder")?.params(params.seed())?,
            selection: params.section("selection")?,
            packaging: params.section("packaging")?,
            signing_key: args.signing_key,
            encoders: Arc::default(),
            stage,
        })
    }

    fn dir(&self, node: &Node) -> PathBuf {
        self.out.join(&node.output)
    }

    /// The directory of the input with role `artifact`.
    fn input(&self, inputs: &[Input<'_>], artifact: &str) -> PathBuf {
        let found = inputs.iter().find(|input| input.edge.artifact == artifact);
        self.dir(found.expect("the graph gives every stage its inputs").node)
    }

    fn trials(&self, inputs: &[Input<'_>]) -> Vec<PathBuf> {
        let trials = inputs.iter().filter(|input| matches!(input.node.work, Work::Training { .. }));
        trials.map(|input| self.dir(input.node)).collect()
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

impl StageRunner for Runner<'_> {
    type Error = Failure;

    fn run(&self, node: &Node, inputs: &[Input<'_>]) -> Result<Outcome, Failure> {
        self.stage.check()?;
        let begin = Instant::now();
        let out = self.dir(node);
        let (artifact, skipped) = match node.work {
            Work::Features => {
                let request = weir_features::Request {
                    data: self.data.clone(),
                    format: self.format,
                    labels: None,
                    out,
                    params: self.features.clone(),
                    documents: weir_features::Documents::default(),
                    seed: self.seed,
                    memory: (weir_features::DEFAULT_MEMORY as usize) << 20,
                };
                let outcome = weir_features::run(&request, self.stage)?;
                (outcome.artifact, outcome.skipped)
            }
            Work::Training { representation, family } => {
                let request = weir_training::Request {
                    features: self.input(inputs, "features"),
                    representation,
                    family,
                    out,
                    params: self.training.clone(),
                    limit: self.limit.clone(),
                    autoencoder: self.autoencoder.clone(),
                    seed: self.seed,
                    memory: self.memory,
                    encoders: Arc::clone(&self.encoders),
                };
                let outcome = weir_training::run(&request, self.stage)?;
                (outcome.artifact, outcome.skipped)
            }
            Work::Selection => {
                let request = weir_selection::Request {
                    trials: self.trials(inputs),
                    champion: None,
                    params: self.selection.clone(),
                    out,
                };
                let outcome = weir_selection::run(&request, self.stage)?;
                (outcome.artifact, outcome.skipped)
            }
            Work::Packaging => {
                let request = weir_packaging::Request {
                    features: self.input(inputs, "features"),
                    selection: self.input(inputs, "selection"),
                    trials: self.trials(inputs),
                    signing_key: self.signing_key.clone(),
                    params: self.packaging.clone(),
                    out,
                };
                let outcome = weir_packaging::run(&request, self.stage)?;
                (outcome.artifact, outcome.skipped)
            }
        };
        Ok(Outcome { digest: artifact.digest(), skipped, seconds: begin.elapsed().as_secs_f64() })
    }
}

/// What a person wants to see at the end.
struct Summary {
    package: PathBuf,
    selection: Selection,
    trials: Vec<Trials>,
}

impl Summary {
    fn read(runner: &Runner<'_>, dag: &Dag) -> Result<Self, Failure> {
        let mut package = None;
        let mut selection = None;
        let mut trials = Vec::new();
        for node in dag.nodes() {
            let dir = runner.dir(node);
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
