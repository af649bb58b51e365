//! What a pipeline fans out over.

use weir_contract::{Family, Representation};

use crate::dag::{Dag, DagError};
use crate::node::{Edge, Node, NodeId, Work};

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

impl PipelineSpec {
    /// The graph: features, one training per representation and family, selection, packaging.
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
        let features = Node {
            id: NodeId::new("features"),
            work: Work::Features,
            output: "features".to_owned(),
            inputs: Vec::new(),
        };
        let trainings = self.trainings(&features);
        let trials: Vec<Edge> = trainings.iter().map(|node| edge(&node.output, node)).collect();
        let selection = Node {
            id: NodeId::new("selection"),
            work: Work::Selection,
            output: "selection".to_owned(),
            inputs: trials.clone(),
        };
        // Which of the trials wins is known only to the run, so packaging takes them all.
        let packaging = Node {
            id: NodeId::new("packaging"),
            work: Work::Packaging,
            output: "package".to_owned(),
            inputs: [edge("features", &features), edge("selection", &selection)].into_iter().chain(trials).collect(),
        };
        let mut nodes = vec![features];
        nodes.extend(trainings);
        nodes.extend([selection, packaging]);
        Dag::new(nodes)
    }

    fn trainings(&self, features: &Node) -> Vec<Node> {
        let mut nodes = Vec::new();
        for &representation in &self.representations {
            for &family in &self.models {
                nodes.push(Node {
                    id: NodeId::new(format!("training/{representation}-{family}")),
                    work: Work::Training { representation, family },
                    output: format!("trials/{representation}-{family}"),
                    inputs: vec![edge("features", features)],
                });
            }
        }
        nodes
    }
}

fn edge(artifact: &str, from: &Node) -> Edge {
    Edge { artifact: artifact.to_owned(), from: from.id.clone() }
}
