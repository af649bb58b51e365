//! The stage `training` as a program.

fn main() -> std::process::ExitCode {
    weir_stage::main("weir-training", env!("CARGO_PKG_VERSION"), weir_training::command)
}
