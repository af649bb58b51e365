//! What a pipeline fans out over.

use weir_contract::{Family, Representation};

use crate::dag::{Dag, DagError};
use crate::definition::STEPS;
use crate::node::{Edge, Node, NodeId, Work};
use crate::step::{Fan, Kind, Step};

/// The choices that shape the graph. Both lists keep their order; the default is everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineSpec {
    /// The model families to train.
    pub models: Vec<Family>,
    /// What they see.
    pub representations: Vec<Representation>,
}

impl Default for PipelineSpec {
    fn default() -> Self {
        Self { models: Family::ALL.to_vec(), representations: Representation::ALL.to_vec() }
    }
}

/// One family on one representation.
pub type Trial = (Representation, Family);

impl PipelineSpec {
    /// The graph of a run: every step of [`STEPS`] that needs no cluster, those with a fan-out once per trial.
    ///
    /// # Errors
    /// [`DagError::Nothing`] when there is no family or no representation, [`DagError::SameId`] when one is
    /// named twice.
    pub fn dag(&self) -> Result<Dag, DagError> {
        if self.models.is_empty() {
            return Err(DagError::Nothing("model"));
        }
        if self.representations.is_empty() {
            return Err(DagError::Nothing("representation"));
        }
        let mut nodes: Vec<Node> = Vec::new();
        for step in STEPS.iter().filter(|step| !step.deployment) {
            let trials = match step.fan {
                Fan::Once => vec![None],
                Fan::Trials => self.trials().into_iter().map(Some).collect(),
            };
            let made: Vec<Node> = trials.into_iter().filter_map(|trial| node(step, trial, &nodes)).collect();
            nodes.extend(made);
        }
        Dag::new(nodes)
    }

    /// What is trained, in the order of the graph.
    #[must_use]
    pub fn trials(&self) -> Vec<Trial> {
        let of = |&representation| self.models.iter().map(move |&family| (representation, family));
        self.representations.iter().flat_map(of).collect()
    }
}

/// `step` for `trial`, taking its inputs from the nodes `before`.
fn node(step: &Step, trial: Option<Trial>, before: &[Node]) -> Option<Node> {
    let output = step.output?;
    let work = match (output.kind, trial) {
        (Kind::Features, _) => Work::Features,
        (Kind::Trial, Some((representation, family))) => Work::Training { representation, family },
        (Kind::Selection, _) => Work::Selection,
        (Kind::Package, _) => Work::Packaging,
        (Kind::Trial, None) | (Kind::Validation, _) => return None,
    };
    let inputs = step.inputs.iter().flat_map(|port| {
        let writers = before.iter().filter(|node| node.work.stage() == port.from);
        writers.map(|node| match node.work {
            Work::Training { .. } => edge(&node.output, node),
            _ => edge(port.name, node),
        })
    });
    Some(Node {
        id: NodeId::new(one_of(step.name, trial)),
        work,
        output: one_of(output.name, trial),
        inputs: inputs.collect(),
    })
}

fn one_of(name: &str, trial: Option<Trial>) -> String {
    trial.map_or_else(|| name.to_owned(), |(representation, family)| format!("{name}/{representation}-{family}"))
}

fn edge(artifact: &str, from: &Node) -> Edge {
    Edge { artifact: artifact.to_owned(), from: from.id.clone() }
}
