//! The binary `weir-selection`.

use std::process::ExitCode;

fn main() -> ExitCode {
    weir_stage::main("weir-selection", env!("CARGO_PKG_VERSION"), weir_selection::command)
}
