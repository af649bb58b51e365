//! The monitor as a program.

use clap::{Parser, Subcommand};
use weir_monitor::{ValidateArgs, validate_command};
use weir_stage::{CommonArgs, Failure, Stage};

/// Watch a deployed predictor
#[derive(Parser)]
#[command(subcommand_required = true, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Send every validation flow to a predictor and report what it answers
    Validate(ValidateArgs),
}

impl AsRef<CommonArgs> for Arguments {
    fn as_ref(&self) -> &CommonArgs {
        let Command::Validate(args) = &self.command;
        args.as_ref()
    }
}

fn run(arguments: Arguments, stage: &Stage) -> Result<(), Failure> {
    let Command::Validate(args) = arguments.command;
    validate_command(args, stage)
}

fn main() -> std::process::ExitCode {
    weir_stage::main("weir-monitor", env!("CARGO_PKG_VERSION"), run)
}
