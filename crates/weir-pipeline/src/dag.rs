//! A graph of nodes that can be run: checked once, in an order that respects every edge.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use weir_contract::{Classify, ExitCode};

use crate::node::{Node, NodeId};

/// A checked graph: ids and outputs are distinct, every input exists, nothing waits for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Dag {
    nodes: Vec<Node>,
}

/// A graph that cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DagError {
    /// Nothing to fan out over.
    #[error("the pipeline needs at least one {0}")]
    Nothing(&'static str),
    /// Two nodes have one name.
    #[error("two nodes of the pipeline are called {0}")]
    SameId(NodeId),
    /// A directory is that of another node, or around it: each would clear the files of the other.
    #[error("nodes {0} and {1} of the pipeline would write into each other's directory")]
    SameOutput(NodeId, NodeId),
    /// A directory outside the run directory.
    #[error("node {id} of the pipeline would write to {output:?}, which is not inside the run directory")]
    Outside {
        /// The node.
        id: NodeId,
        /// Its output.
        output: String,
    },
    /// A node takes an artifact that no node writes.
    #[error("node {id} of the pipeline takes {artifact} from {from}, which does not exist")]
    NoSuchInput {
        /// The node.
        id: NodeId,
        /// What it takes.
        artifact: String,
        /// From where.
        from: NodeId,
    },
    /// A node takes two artifacts under one name.
    #[error("node {id} of the pipeline takes two artifacts as {artifact}")]
    SameArtifact {
        /// The node.
        id: NodeId,
        /// The name.
        artifact: String,
    },
    /// Nodes that wait for each other.
    #[error("nodes of the pipeline wait for each other: {}", .0.iter().map(NodeId::as_str).collect::<Vec<_>>().join(", "))]
    Cycle(Vec<NodeId>),
}

impl Classify for DagError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }
}

impl Dag {
    /// Checks `nodes` and puts them in order.
    ///
    /// # Errors
    /// A [`DagError`] for the first thing that is wrong.
    pub fn new(nodes: Vec<Node>) -> Result<Self, DagError> {
        check_ids(&nodes)?;
        check_outputs(&nodes)?;
        check_inputs(&nodes)?;
        Ok(Self { nodes: sort(nodes)? })
    }

    /// The nodes, each after those it takes artifacts from; among those that are free, in the order given.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }
}

fn check_ids(nodes: &[Node]) -> Result<(), DagError> {
    let mut seen = BTreeSet::new();
    match nodes.iter().find(|node| !seen.insert(&node.id)) {
        Some(node) => Err(DagError::SameId(node.id.clone())),
        None => Ok(()),
    }
}

fn check_outputs(nodes: &[Node]) -> Result<(), DagError> {
    for (i, node) in nodes.iter().enumerate() {
        if node.output.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(DagError::Outside { id: node.id.clone(), output: node.output.clone() });
        }
        let clash = nodes[..i].iter().find(|other| is_within(&node.output, &other.output));
        if let Some(other) = clash {
            return Err(DagError::SameOutput(other.id.clone(), node.id.clone()));
        }
    }
    Ok(())
}

/// Whether one of two directories is the other or inside it.
fn is_within(a: &str, b: &str) -> bool {
    a.split('/').zip(b.split('/')).all(|(a, b)| a == b)
}

fn check_inputs(nodes: &[Node]) -> Result<(), DagError> {
    let ids: BTreeSet<&NodeId> = nodes.iter().map(|node| &node.id).collect();
    for node in nodes {
        let mut artifacts = BTreeSet::new();
        for edge in &node.inputs {
            let (id, artifact) = (node.id.clone(), edge.artifact.clone());
            if !ids.contains(&edge.from) {
                return Err(DagError::NoSuchInput { id, artifact, from: edge.from.clone() });
            }
            if !artifacts.insert(&edge.artifact) {
                return Err(DagError::SameArtifact { id, artifact });
            }
        }
    }
    Ok(())
}

/// Takes, again and again, the first node that waits for no other (A. B. Kahn, "Topological sorting of large
/// networks", 1962).
fn sort(nodes: Vec<Node>) -> Result<Vec<Node>, DagError> {
    let mut waiting: BTreeMap<usize, Node> = nodes.into_iter().enumerate().collect();
    let mut done: BTreeSet<NodeId> = BTreeSet::new();
    let mut order = Vec::new();
    while !waiting.is_empty() {
        let is_free = |node: &Node| node.inputs.iter().all(|edge| done.contains(&edge.from));
        let free = waiting.iter().find(|(_, node)| is_free(node)).map(|(&index, _)| index);
        let Some(node) = free.and_then(|index| waiting.remove(&index)) else {
            return Err(DagError::Cycle(waiting.into_values().map(|node| node.id).collect()));
        };
        done.insert(node.id.clone());
        order.push(node);
    }
    Ok(order)
}
