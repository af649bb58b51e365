//! The steps of a run that speak to the cluster, as a program.

use clap::{Parser, Subcommand};
use weir_blocklist::enforce::{EnforceArgs, RemoveArgs, enforce_command, remove_command};
use weir_cluster::{DeployArgs, ExportArgs, NotifyArgs, WithPolicy, policy_enforcers};
use weir_stage::{CommonArgs, Failure, Stage};

/// What a run on a cluster does to the cluster: deploy the predictor, block clients, notify
#[derive(Parser)]
#[command(subcommand_required = true, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve a bundle through KServe, and wait until it is what is served
    Deploy(DeployArgs),
    /// Tell a webhook how a run ended
    Notify(NotifyArgs),
    /// Keep out whom a detection lists, by a policy; without --apply only say what would change
    Block(Box<WithPolicy<EnforceArgs>>),
    /// Let somebody in whom a policy keeps out
    Unblock(Box<WithPolicy<RemoveArgs>>),
    /// Write an artifact to stdout, for `weir submit --out`
    Export(ExportArgs),
}

impl AsRef<CommonArgs> for Arguments {
    fn as_ref(&self) -> &CommonArgs {
        match &self.command {
            Command::Deploy(args) => args.as_ref(),
            Command::Notify(args) => args.as_ref(),
            Command::Block(args) => (**args).as_ref(),
            Command::Unblock(args) => (**args).as_ref(),
            Command::Export(args) => args.as_ref(),
        }
    }
}

fn run(arguments: Arguments, stage: &Stage) -> Result<(), Failure> {
    match arguments.command {
        Command::Deploy(args) => weir_cluster::deploy_command(args, stage),
        Command::Notify(args) => weir_cluster::notify_command(args, stage),
        Command::Block(args) => enforce_command(args.inner, stage, &policy_enforcers(&args.policy, stage)),
        Command::Unblock(args) => remove_command(args.inner, stage, &policy_enforcers(&args.policy, stage)),
        Command::Export(args) => weir_cluster::export_command(args, stage),
    }
}

fn main() -> std::process::ExitCode {
    weir_stage::main("weir-cluster", env!("CARGO_PKG_VERSION"), run)
}
