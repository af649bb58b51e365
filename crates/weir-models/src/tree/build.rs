//! Nodes of one tree, as growth comes by them.

use super::grow::Harvest;
use super::model::{Node, Split};

/// The nodes so far, in preorder.
#[derive(Default)]
pub(super) struct Builder {
    nodes: Vec<Node>,
}

impl Builder {
    /// The nodes of the whole tree.
    pub(super) fn finish(mut self) -> Vec<Node> {
        // A right child follows its sibling's subtree, the left child its parent.
        let mut sizes = vec![1; self.nodes.len()];
        for index in (0..self.nodes.len()).rev() {
            if let Some(split) = &mut self.nodes[index].split {
                let right = index + 1 + sizes[index + 1];
                split.right = right as u32;
                sizes[index] = 1 + sizes[index + 1] + sizes[right];
            }
        }
        self.nodes
    }
}

impl Harvest for Builder {
    type Note = ();

    fn leaf(&mut self, _note: &(), counts: [u32; 2], _candidates: &[usize]) {
        self.nodes.push(Node { counts, split: None });
    }

    fn split(&mut self, _note: (), counts: [u32; 2], feature: usize, threshold: f64) -> [(); 2] {
        let split = Split { feature: feature as u32, threshold, right: 0 };
        self.nodes.push(Node { counts, split: Some(split) });
        [(), ()]
    }
}
