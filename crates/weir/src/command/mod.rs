//! The subcommands that are not a stage's own.

pub(crate) mod audit;
pub(crate) mod block;
pub(crate) mod expectations;
pub(crate) mod output;
pub(crate) mod pipeline;
pub(crate) mod predict;
pub(crate) mod run;
pub(crate) mod simulate;
pub(crate) mod store;
