//! The one typed pipeline: its steps, the graph of a run, its executor on one machine, and the forms it takes elsewhere.
//!
//! ```text
//! features ─┬─> training/baseline-svc ────────┬─> selection ──> packaging ──> deploy ──> validation
//!           ├─> training/baseline-knn ────────┤                 (also from features
//!           └─> training/autoencoder-svc ... ─┘                  and every training)
//! ```
//!
//! [`STEPS`] and [`PARAMETERS`] say what the pipeline is: programs, their arguments, artifacts, small results, needs.
//! [`PipelineSpec`] says what fans out and makes the [`Dag`] of a run, which [`execute`] runs through a [`StageRunner`];
//! [`local`] makes the calls of programs from it. Everything else is made from the same steps.
//!
//! This crate does not know how a stage works, where its files are or how a cluster is spoken to. It reads and writes no
//! files.

pub mod argo;
mod dag;
mod definition;
mod execute;
pub mod kfp;
pub mod local;
mod node;
mod spec;
mod step;
pub mod yaml;

pub use dag::{Dag, DagError};
pub use definition::{PARAMETERS, REGISTRY, SAMPLE, STEPS};
pub use execute::{Event, Input, Outcome, StageRunner, Stopped, execute};
pub use node::{Edge, Node, NodeId, Work};
pub use spec::{PipelineSpec, Trial};
pub use step::{
    Argument, Default, Divided, FINAL_EXIT_CODES, Fan, Kind, Output, Parameter, Port, RETRIES, RETRY_SECONDS,
    Resources, Step, Value,
};
