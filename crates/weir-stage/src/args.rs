//! Arguments that every command has.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::{DEFAULT_PARAMS, Failure, Params};

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

/// Where parameters come from; flatten them into the arguments of a command that has any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct ParamsArgs {
    /// Parameter file [default: built in]
    #[arg(long, value_name = "FILE")]
    pub params: Option<PathBuf>,

    /// Parameters as a text in TOML, in place of a file; empty: built in
    #[arg(long, value_name = "TOML", conflicts_with = "params")]
    pub params_text: Option<String>,

    /// Set one parameter, as in --set training.folds=5
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

impl ParamsArgs {
    /// The parameters of text, file or build, with what `--set` sets.
    ///
    /// # Errors
    /// Those of [`Params::load`].
    pub fn load(&self) -> Result<Params, Failure> {
        match self.params_text.as_deref().filter(|text| !text.trim().is_empty()) {
            Some(text) => Params::parse("--params-text", text, &self.set),
            None => Params::load(self.params.as_deref(), DEFAULT_PARAMS, &self.set),
        }
    }
}
