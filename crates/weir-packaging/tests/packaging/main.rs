//! The stage as the pipeline runs it: artifacts in, bundle and report out.

mod fixture;
mod packages;
mod program;
mod refuses;
