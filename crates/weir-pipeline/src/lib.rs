//! The one typed graph of stages, and its executor on one machine.
//!
//! ```text
//! features ─┬─> training/baseline-svc ────────┬─> selection ──> packaging
//!           ├─> training/baseline-knn ────────┤                 (also from features
//!           └─> training/autoencoder-svc ... ─┘                  and every training)
//! ```
//!
//! [`PipelineSpec`] says what fans out, [`Dag`] holds nodes and edges, [`execute`] runs them through a
//! [`StageRunner`]. Artifact names and edges are explicit on the nodes, so that whatever is made from the graph
//! (a local run, a workflow of a cluster) has the same steps and the same edges.
//!
//! This crate does not know how a stage works, where its files are or what a cluster is. It reads and writes none.

mod dag;
mod execute;
mod node;
mod spec;

pub use dag::{Dag, DagError};
pub use execute::{Event, Input, Outcome, StageRunner, Stopped, execute};
pub use node::{Edge, Node, NodeId, Work};
pub use spec::PipelineSpec;
