//! From the arguments of a process to its exit code.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;

use clap::Parser;
use weir_contract::ExitCode;

use crate::{CommonArgs, Failure, Stage, interrupt, panic};

/// Runs a command: parses its arguments, starts `--jobs` threads, listens for signals, calls `run` and turns
/// what it returns into an exit code.
///
/// `name` and `version` are what `--help` and `--version` show; `version` also goes into `run-info.json`.
///
/// Exit codes are those of [`ExitCode`]; a panic is told in one line and ends with 1. A second Ctrl-C or SIGTERM
/// ends the process at once with 130. A `run` that finishes in spite of a signal has its result, and ends with 0.
pub fn main<A: Parser + AsRef<CommonArgs>>(
    name: &'static str,
    version: &'static str,
    run: impl FnOnce(A, &Stage) -> Result<(), Failure>,
) -> process::ExitCode {
    let arguments = match parse::<A>(name, version) {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let stage = Stage::new(version, arguments.as_ref().clone());
    panic::report_in_one_line(stage.printer().clone());
    interrupt::listen(stage.cancel_flag(), stage.printer().clone());
    let result = start_threads(&stage)
        .and_then(|()| catch_unwind(AssertUnwindSafe(|| run(arguments, &stage))).unwrap_or_else(|_| Err(told())));
    process::ExitCode::from(end(&stage, result).code())
}

fn parse<A: Parser>(name: &'static str, version: &'static str) -> Result<A, process::ExitCode> {
    let command = A::command().name(name).version(version);
    let parsed = command.try_get_matches().and_then(|mut matches| A::from_arg_matches_mut(&mut matches));
    parsed.map_err(|error| {
        // A closed stdout is no reason to fail `--help`.
        let _ = error.print();
        let code = if error.use_stderr() { ExitCode::Usage } else { ExitCode::Done };
        process::ExitCode::from(code.code())
    })
}

fn start_threads(stage: &Stage) -> Result<(), Failure> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(stage.threads()).thread_name(|i| format!("worker-{i}"));
    pool.build_global().map_err(|error| Failure::retry(format!("failed to start {} threads: {error}", stage.threads())))
}

/// The failure of a panic, which its hook has reported already.
fn told() -> Failure {
    Failure::retry("")
}

fn end(stage: &Stage, result: Result<(), Failure>) -> ExitCode {
    let Err(failure) = result else { return ExitCode::Done };
    if !failure.message.is_empty() {
        stage.printer().failure(&failure);
    }
    if stage.is_cancelled() { ExitCode::Interrupted } else { failure.code }
}
