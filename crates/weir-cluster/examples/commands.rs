//! The commands that `weir` takes over from this crate, as a program for tests.

use clap::{Parser, Subcommand};
use weir_blocklist::enforce::{EnforceArgs, RemoveArgs, enforce_command, remove_command};
use weir_cluster::{DeployArgs, LogsArgs, RunsArgs, StopArgs, SubmitArgs, WithPolicy, policy_enforcers};
use weir_stage::{CommonArgs, Failure, Stage};

/// Weir on a cluster
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Submit(Box<SubmitArgs>),
    Runs(RunsArgs),
    Logs(LogsArgs),
    Stop(StopArgs),
    Deploy(DeployArgs),
    Block(Box<WithPolicy<EnforceArgs>>),
    Unblock(Box<WithPolicy<RemoveArgs>>),
}

impl AsRef<CommonArgs> for Arguments {
    fn as_ref(&self) -> &CommonArgs {
        match &self.command {
            Command::Submit(args) => (**args).as_ref(),
            Command::Runs(args) => args.as_ref(),
            Command::Logs(args) => args.as_ref(),
            Command::Stop(args) => args.as_ref(),
            Command::Deploy(args) => args.as_ref(),
            Command::Block(args) => (**args).as_ref(),
            Command::Unblock(args) => (**args).as_ref(),
        }
    }
}

fn run(arguments: Arguments, stage: &Stage) -> Result<(), Failure> {
    match arguments.command {
        Command::Submit(args) => weir_cluster::submit_command(*args, stage),
        Command::Runs(args) => weir_cluster::runs_command(args, stage),
        Command::Logs(args) => weir_cluster::logs_command(args, stage),
        Command::Stop(args) => weir_cluster::stop_command(args, stage),
        Command::Deploy(args) => weir_cluster::deploy_command(args, stage),
        Command::Block(args) => enforce_command(args.inner, stage, &policy_enforcers(&args.policy, stage)),
        Command::Unblock(args) => remove_command(args.inner, stage, &policy_enforcers(&args.policy, stage)),
    }
}

fn main() -> std::process::ExitCode {
    weir_stage::main("commands", env!("CARGO_PKG_VERSION"), run)
}
