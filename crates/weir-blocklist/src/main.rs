//! The binary `weir-blocklist`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use weir_blocklist::enforce::command::{
    EnforceArgs, ListArgs, RemoveArgs, enforce_command, list_command, no_others, remove_command,
};
use weir_stage::{CommonArgs, Failure, Stage};

/// Access logs to a blocklist that is enforced
#[derive(Debug, Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Enforce(EnforceArgs),
    List(ListArgs),
    Remove(RemoveArgs),
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        match &self.command {
            Command::Enforce(args) => args.as_ref(),
            Command::List(args) => args.as_ref(),
            Command::Remove(args) => args.as_ref(),
        }
    }
}

fn run(args: Args, stage: &Stage) -> Result<(), Failure> {
    match args.command {
        Command::Enforce(args) => enforce_command(args, stage, &no_others),
        Command::List(args) => list_command(args, stage, &no_others),
        Command::Remove(args) => remove_command(args, stage, &no_others),
    }
}

fn main() -> ExitCode {
    weir_stage::main("weir-blocklist", env!("CARGO_PKG_VERSION"), run)
}
