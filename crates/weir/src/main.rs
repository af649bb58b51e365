//! The command `weir`: the whole pipeline, its stages one by one, and what surrounds them.
//!
//! One file per subcommand under `command/`. A subcommand reads arguments, calls a library and prints; whatever a
//! library could know lives in one.

mod command;

use clap::{Parser, Subcommand};
use weir_stage::{CommonArgs, Failure, Stage};

/// Turn labelled NetFlow records into a deployed, watched and retrainable attack detector
#[derive(Parser)]
#[command(subcommand_required = true, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the whole pipeline: features, training, selection, packaging
    Run(command::run::Args),
    /// Write the pipeline as a workflow for Argo or Kubeflow, or as the plan of a local run
    Pipeline(command::pipeline::Args),
    /// Turn labelled flows into validated and split feature tables
    Features(weir_features::Args),
    /// Train one model family on one representation: a default fit and a search
    Train(weir_training::Args),
    /// Choose the best trial by its score on test
    Select(weir_selection::Args),
    /// Make the bundle of the winner and the run report
    Package(weir_packaging::Args),
    /// Push the image of a bundle to a registry
    Push(weir_packaging::PushArgs),
    /// Pull a bundle from a registry and check it
    Pull(weir_packaging::PullArgs),
    /// Sign a bundle with an Ed25519 key
    Sign(weir_packaging::SignArgs),
    /// Show what flow files hold in canonical form, or convert them to Parquet
    Flows(weir_features::FlowsArgs),
    /// Hold expectation suites against flow files, or suggest one
    Expectations(command::expectations::Args),
    /// Search feature tables for what lets a model learn who, when or which record
    Audit(command::audit::Args),
    /// Keep flows in a feature store: groups, commits, labels, training datasets, lineage
    Store(command::store::Args),
    /// Label raw flows with a bundle
    Predict(command::predict::Args),
    /// Serve a bundle over HTTP: Open Inference Protocol v1 and v2, raw flows, metrics
    Serve(weir_serving::Args),
    /// Send the validation flows to a served model, and hold its accuracy against a minimum
    Validate(weir_monitor::ValidateArgs),
    /// Run the pipeline on a cluster and watch it until it ends
    Submit(weir_cluster::SubmitArgs),
    /// List the runs on a cluster
    Runs(weir_cluster::RunsArgs),
    /// Show what the steps of a run on a cluster wrote
    Logs(weir_cluster::LogsArgs),
    /// Stop a run on a cluster
    Stop(weir_cluster::StopArgs),
    /// Serve a bundle through KServe, and wait until it is what is served
    Deploy(weir_cluster::DeployArgs),
    /// Block clients that flood a web server, by its access logs
    Block(command::block::Args),
    /// Make labelled traffic of a small cluster, or access logs
    Simulate(command::simulate::Args),
    /// Download a published data set, check it and unpack it
    Fetch(weir_fetch::Args),
}

impl AsRef<CommonArgs> for Arguments {
    fn as_ref(&self) -> &CommonArgs {
        match &self.command {
            Command::Run(args) => args.as_ref(),
            Command::Pipeline(args) => args.as_ref(),
            Command::Features(args) => args.as_ref(),
            Command::Train(args) => args.as_ref(),
            Command::Select(args) => args.as_ref(),
            Command::Package(args) => args.as_ref(),
            Command::Push(args) => args.as_ref(),
            Command::Pull(args) => args.as_ref(),
            Command::Sign(args) => args.as_ref(),
            Command::Flows(args) => args.as_ref(),
            Command::Expectations(args) => args.as_ref(),
            Command::Audit(args) => args.as_ref(),
            Command::Store(args) => args.as_ref(),
            Command::Predict(args) => args.as_ref(),
            Command::Serve(args) => args.as_ref(),
            Command::Validate(args) => args.as_ref(),
            Command::Submit(args) => args.as_ref(),
            Command::Runs(args) => args.as_ref(),
            Command::Logs(args) => args.as_ref(),
            Command::Stop(args) => args.as_ref(),
            Command::Deploy(args) => args.as_ref(),
            Command::Block(args) => args.as_ref(),
            Command::Simulate(args) => args.as_ref(),
            Command::Fetch(args) => args.as_ref(),
        }
    }
}

fn run(arguments: Arguments, stage: &Stage) -> Result<(), Failure> {
    match arguments.command {
        Command::Run(args) => command::run::command(args, stage),
        Command::Pipeline(args) => command::pipeline::command(args, stage),
        Command::Features(args) => weir_features::command(args, stage),
        Command::Train(args) => weir_training::command(args, stage),
        Command::Select(args) => weir_selection::command(args, stage),
        Command::Package(args) => weir_packaging::command(args, stage),
        Command::Push(args) => weir_packaging::push_command(args, stage),
        Command::Pull(args) => weir_packaging::pull_command(args, stage),
        Command::Sign(args) => weir_packaging::sign_command(args, stage),
        Command::Flows(args) => weir_features::flows_command(args, stage),
        Command::Expectations(args) => command::expectations::command(args, stage),
        Command::Audit(args) => command::audit::command(args, stage),
        Command::Store(args) => command::store::command(args, stage),
        Command::Predict(args) => command::predict::command(args, stage),
        Command::Serve(args) => weir_serving::command(args, stage),
        Command::Validate(args) => weir_monitor::validate_command(args, stage),
        Command::Submit(args) => weir_cluster::submit_command(args, stage),
        Command::Runs(args) => weir_cluster::runs_command(args, stage),
        Command::Logs(args) => weir_cluster::logs_command(args, stage),
        Command::Stop(args) => weir_cluster::stop_command(args, stage),
        Command::Deploy(args) => weir_cluster::deploy_command(args, stage),
        Command::Block(args) => command::block::command(args, stage),
        Command::Simulate(args) => command::simulate::command(args, stage),
        Command::Fetch(args) => weir_fetch::command(args, stage),
    }
}

fn main() -> std::process::ExitCode {
    weir_stage::main("weir", env!("CARGO_PKG_VERSION"), run)
}
