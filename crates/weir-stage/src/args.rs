//! Arguments that every command has.

use clap::{Args, ValueEnum};

const HEADING: &str = "Common options";

/// Arguments that every command has; flatten them into the command's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct CommonArgs {
    /// Worker threads [default: all cores]
    #[arg(long, short, global = true, help_heading = HEADING, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,

    /// Run even if the result is there already
    #[arg(long, global = true, help_heading = HEADING)]
    pub force: bool,

    /// Print the result on stdout as JSON
    #[arg(long, global = true, help_heading = HEADING)]
    pub json: bool,

    /// Print nothing but warnings and errors on stderr
    #[arg(long, short, global = true, help_heading = HEADING, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Print details on stderr
    #[arg(long, short, global = true, help_heading = HEADING)]
    pub verbose: bool,

    /// Kernels to compute with; `scalar` is the same on every CPU
    #[arg(long, global = true, help_heading = HEADING, value_enum, default_value_t, value_name = "KERNELS")]
    pub simd: SimdArg,
}

/// Kernels to compute with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum SimdArg {
    /// The fastest this CPU has.
    #[default]
    Auto,
    /// The portable ones.
    Scalar,
}

impl AsRef<Self> for CommonArgs {
    fn as_ref(&self) -> &Self {
        self
    }
}
