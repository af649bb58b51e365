//! The stage `packaging` as a program.

fn main() -> std::process::ExitCode {
    weir_stage::main("weir-packaging", env!("CARGO_PKG_VERSION"), weir_packaging::command)
}
