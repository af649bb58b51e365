//! A step of the pipeline, and what it takes from other steps.

use std::fmt;

use serde::{Deserialize, Serialize};
use weir_contract::{Family, Representation};

/// Name of a node, like `features` or `training/baseline-knn`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(String);

impl NodeId {
    /// The node called `name`.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "lowercase")]
pub enum Work {
    /// Flows to features.
    Features,
    /// Default fit and search of one family on one representation.
    Training {
        /// What the models see.
        representation: Representation,
        /// The model family.
        family: Family,
    },
    /// The best trial.
    Selection,
    /// The bundle of the winner and the run report.
    Packaging,
}

impl Work {
    /// Name of the stage that does it, as in its manifest.
    #[must_use]
    pub const fn stage(self) -> &'static str {
        match self {
            Self::Features => "features",
            Self::Training { .. } => "training",
            Self::Selection => "selection",
            Self::Packaging => "packaging",
        }
    }
}

/// An artifact that a node takes from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// What the artifact is to the node that takes it: its role among the inputs in the manifest.
    pub artifact: String,
    /// The node that writes it.
    pub from: NodeId,
}

/// One step of the pipeline. It writes one artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its name, unique in the graph.
    pub id: NodeId,
    /// What it does.
    #[serde(flatten)]
    pub work: Work,
    /// Directory of its artifact, relative to the run directory, with `/` between parts.
    pub output: String,
    /// What it takes from other nodes, in a fixed order.
    pub inputs: Vec<Edge>,
}
