//! The predictor as a program.

fn main() -> std::process::ExitCode {
    weir_stage::main("weir-serving", env!("CARGO_PKG_VERSION"), weir_serving::command)
}
