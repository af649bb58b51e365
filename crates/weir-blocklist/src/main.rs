//! The stages of the blocklist, as a program.

use clap::{Parser, Subcommand};
use weir_blocklist::detect::{DetectArgs, detect_command};
use weir_blocklist::enforce::{
    EnforceArgs, ListArgs, RemoveArgs, enforce_command, list_command, no_others, remove_command,
};
use weir_blocklist::fetch::{FetchArgs, fetch_command};
use weir_blocklist::notice::{NotifyArgs, notify_command};
use weir_blocklist::serve::{ServeArgs, serve_command};
use weir_blocklist::{RunArgs, run_command};
use weir_stage::{CommonArgs, Failure, Stage};

/// Block clients that flood a web server, by its access logs
#[derive(Parser)]
#[command(subcommand_required = true, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Bring access logs here
    Fetch(FetchArgs),
    /// Find the clients that flood a web server, by its access logs
    Detect(DetectArgs),
    /// Keep out whom a detection lists, for a while; without --apply only say what would change
    Enforce(EnforceArgs),
    /// Fetch, detect, enforce, and tell how it went; without --apply only say what would change
    Run(Box<RunArgs>),
    /// Show who is blocked, for how long and why
    List(ListArgs),
    /// Let in who is blocked
    Remove(RemoveArgs),
    /// Serve the blocklist to CrowdSec's bouncers
    Serve(ServeArgs),
    /// Tell how a run ended
    Notify(NotifyArgs),
}

impl AsRef<CommonArgs> for Arguments {
    fn as_ref(&self) -> &CommonArgs {
        match &self.command {
            Command::Fetch(args) => args.as_ref(),
            Command::Detect(args) => args.as_ref(),
            Command::Enforce(args) => args.as_ref(),
            Command::Run(args) => (**args).as_ref(),
            Command::List(args) => args.as_ref(),
            Command::Remove(args) => args.as_ref(),
            Command::Serve(args) => args.as_ref(),
            Command::Notify(args) => args.as_ref(),
        }
    }
}

fn run(arguments: Arguments, stage: &Stage) -> Result<(), Failure> {
    match arguments.command {
        Command::Fetch(args) => fetch_command(args, stage),
        Command::Detect(args) => detect_command(args, stage),
        Command::Enforce(args) => enforce_command(args, stage, &no_others),
        Command::Run(args) => run_command(*args, stage, &no_others),
        Command::List(args) => list_command(args, stage, &no_others),
        Command::Remove(args) => remove_command(args, stage, &no_others),
        Command::Serve(args) => serve_command(args, stage),
        Command::Notify(args) => notify_command(args, stage),
    }
}

fn main() -> std::process::ExitCode {
    weir_stage::main("weir-blocklist", env!("CARGO_PKG_VERSION"), run)
}
