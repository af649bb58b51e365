//! The stage `features` as a program.

fn main() -> std::process::ExitCode {
    weir_stage::main("weir-features", env!("CARGO_PKG_VERSION"), weir_features::command)
}
