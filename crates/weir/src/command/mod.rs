//! The subcommands that are not a stage's own.

pub(crate) mod output;
pub(crate) mod predict;
pub(crate) mod run;
pub(crate) mod simulate;
