//! The command layer of a stage binary and of `weir`: shared arguments, exit codes, progress, signals, parameters.
//!
//! A binary is a doorway: `fn main() -> ExitCode { weir_stage::main("weir-training", VERSION, weir_training::command) }`.
//! [`main`] reads the arguments, starts the thread pool, listens for Ctrl-C and SIGTERM and turns a [`Failure`]
//! into its exit code; the function gets its arguments and a [`Stage`] to speak through.
//!
//! Stdout is data; everything for people goes to stderr. This is the only place where environment variables are
//! read: `ARGO_PROGRESS_FILE` (progress as `N/M`), `NO_COLOR`, and what a command asks for ([`Stage::variable`]).
//!
//! This crate does not know any one stage, nor what artifacts hold. It reads parameter files and writes none.

mod args;
mod clock;
mod entry;
mod failure;
mod interrupt;
mod panic;
mod params;
mod printer;
mod progress;
mod results;
mod stage;
mod trials;

pub use args::{CommonArgs, ParamsArgs, SimdArg};
pub use clock::RunClock;
pub use entry::main;
pub use failure::Failure;
pub use params::{DEFAULT_PARAMS, Params, SECTIONS};
pub use progress::ProgressHandle;
pub use results::{Results, ResultsArgs};
pub use stage::Stage;
pub use trials::{artifact_directories, trial_directories};
