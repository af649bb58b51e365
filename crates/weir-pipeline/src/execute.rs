//! Running a graph on one machine.
//!
//! Nodes run one at a time. Each stage uses every core by itself and bounds its memory as if it were alone;
//! two at once would share cores and double the peak, and gain nothing. A cluster, where nodes have machines of
//! their own, runs the same graph side by side.

use std::collections::BTreeMap;

use serde::Serialize;
use weir_contract::Digest;

use crate::dag::Dag;
use crate::node::{Edge, Node, NodeId};

/// What runs a node: as a function of this process, as a process, or not at all in a test.
pub trait StageRunner {
    /// Why a node could not be run.
    type Error;

    /// Runs `node` over `inputs`, which are in the order of its edges.
    ///
    /// # Errors
    /// Ends the run; nodes after this one are not started.
    fn run(&self, node: &Node, inputs: &[Input<'_>]) -> Result<Outcome, Self::Error>;
}

/// An artifact that a node takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input<'a> {
    /// The edge it came along.
    pub edge: &'a Edge,
    /// The node that wrote it; its `output` says where.
    pub node: &'a Node,
    /// The artifact's digest.
    pub digest: Digest,
}

/// How a node ended.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Outcome {
    /// Digest of the artifact it left.
    pub digest: Digest,
    /// Whether the artifact was there already.
    pub skipped: bool,
    /// Wall-clock seconds.
    pub seconds: f64,
}

/// What an observer hears.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'a> {
    /// A node starts; `index` of `total`, from 1.
    Started {
        /// The node.
        node: &'a Node,
        /// Its number.
        index: usize,
        /// Nodes in all.
        total: usize,
    },
    /// A node ended well, or was skipped as its outcome says.
    Finished {
        /// The node.
        node: &'a Node,
        /// Its number.
        index: usize,
        /// Nodes in all.
        total: usize,
        /// How it ended.
        outcome: Outcome,
    },
}

/// A run that ended at the first node that failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Stopped<E> {
    /// The node.
    pub node: NodeId,
    /// Why it failed.
    pub error: E,
    /// The nodes that were done by then, in the order they ran.
    pub finished: Vec<(NodeId, Outcome)>,
}

/// Runs every node of `dag`, one at a time in the order of [`Dag::nodes`], up to the first that fails.
///
/// # Errors
/// [`Stopped`] with the node, its error, and what was finished.
pub fn execute<R: StageRunner + ?Sized>(
    dag: &Dag,
    runner: &R,
    mut observe: impl FnMut(Event<'_>),
) -> Result<Vec<(NodeId, Outcome)>, Stopped<R::Error>> {
    let total = dag.nodes().len();
    let mut done: BTreeMap<&NodeId, (&Node, Outcome)> = BTreeMap::new();
    let mut finished = Vec::new();
    for (node, index) in dag.nodes().iter().zip(1..) {
        // A checked graph has every input, and its order brings them first: nothing is left out here.
        let input = |edge| done_input(&done, edge);
        let inputs: Vec<Input<'_>> = node.inputs.iter().filter_map(input).collect();
        observe(Event::Started { node, index, total });
        match runner.run(node, &inputs) {
            Ok(outcome) => {
                observe(Event::Finished { node, index, total, outcome });
                done.insert(&node.id, (node, outcome));
                finished.push((node.id.clone(), outcome));
            }
            Err(error) => return Err(Stopped { node: node.id.clone(), error, finished }),
        }
    }
    Ok(finished)
}

fn done_input<'a>(done: &BTreeMap<&NodeId, (&'a Node, Outcome)>, edge: &'a Edge) -> Option<Input<'a>> {
    done.get(&edge.from).map(|&(node, outcome)| Input { edge, node, digest: outcome.digest })
}
