//! The fitted tree.

use ndarray::ArrayView2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::classifier::{Classifier, ScoreKind, Scores};

/// Rows handed to a thread at a time.
const ROWS_PER_PIECE: usize = 4096;

/// A fitted decision tree. Reading one from bytes checks that every walk ends in a leaf.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Tree {
    features: u32,
    nodes: Vec<Node>,
}

/// A node; it knows the rows it was fitted on even when it is split further.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Fitted rows of class 0 and of class 1 that reached it.
    pub counts: [u32; 2],
    /// How it sends rows on; `None` for a leaf.
    pub split: Option<Split>,
}

/// The test of an inner node. The left child is the next node in [`Tree::nodes`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// Index of the feature.
    pub feature: u32,
    /// A row goes left when its value is at most this.
    pub threshold: f64,
    /// Index of the right child.
    pub right: u32,
}

/// Bytes that are not a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedTree {
    /// No root.
    #[error("a decision tree needs at least one node")]
    Empty,
    /// A node that is empty, tests an unknown feature, has no number as threshold, or whose child does not follow it.
    #[error("node {index} of the decision tree is malformed")]
    Node {
        /// Its index.
        index: usize,
    },
}

#[derive(Deserialize)]
struct Unchecked {
    features: u32,
    nodes: Vec<Node>,
}

impl Tree {
    pub(super) fn new(features: usize, nodes: Vec<Node>) -> Self {
        Self { features: features as u32, nodes }
    }

    /// The nodes in preorder; the first is the root.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Splits on the longest way from the root to a leaf.
    #[must_use]
    pub fn depth(&self) -> usize {
        // A parent comes before its children.
        let mut depths = vec![0; self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate() {
            if let Some(split) = &node.split {
                depths[index + 1] = depths[index] + 1;
                depths[split.right as usize] = depths[index] + 1;
            }
        }
        depths.into_iter().max().unwrap_or(0)
    }

    /// Index of the leaf that `row`: `[features]` ends in.
    fn leaf(&self, row: &[f64]) -> usize {
        let mut index = 0;
        while let Some(split) = &self.nodes[index].split {
            index = if row[split.feature as usize] <= split.threshold { index + 1 } else { split.right as usize };
        }
        index
    }
}

impl Node {
    /// The majority class; a tie is class 0.
    #[must_use]
    pub fn class(&self) -> u8 {
        majority(self.counts)
    }

    /// Share of class 1.
    #[must_use]
    pub fn probability(&self) -> f64 {
        let [benign, malicious] = self.counts.map(f64::from);
        malicious / (benign + malicious)
    }

    /// Fitted rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.counts[0] as usize + self.counts[1] as usize
    }
}

/// The class with more rows; a tie is class 0.
pub(super) fn majority(counts: [u32; 2]) -> u8 {
    u8::from(counts[1] > counts[0])
}

impl Classifier for Tree {
    fn features(&self) -> usize {
        self.features as usize
    }

    fn score_kind(&self) -> ScoreKind {
        ScoreKind::Probability
    }

    fn predict(&self, x: ArrayView2<'_, f64>) -> Scores {
        assert_eq!(x.ncols(), self.features(), "one column per feature");
        let x = x.as_standard_layout();
        let values = x.as_slice().expect("standard layout");
        let features = self.features();
        let leaf = |row: usize| self.leaf(&values[row * features..(row + 1) * features]) as u32;
        let rows = 0..x.nrows();
        // A few rows should not wait for the thread pool.
        let leaves: Vec<u32> = if rows.len() <= ROWS_PER_PIECE {
            rows.map(leaf).collect()
        } else {
            rows.into_par_iter().with_min_len(ROWS_PER_PIECE).map(leaf).collect()
        };
        let node = |leaf: &u32| &self.nodes[*leaf as usize];
        Scores {
            classes: leaves.iter().map(|leaf| node(leaf).class()).collect(),
            scores: leaves.iter().map(|leaf| node(leaf).probability()).collect(),
        }
    }

    /// Comparisons on the longest path.
    fn operations(&self) -> u64 {
        self.depth() as u64
    }
}

impl TryFrom<Unchecked> for Tree {
    type Error = MalformedTree;

    fn try_from(Unchecked { features, nodes }: Unchecked) -> Result<Self, MalformedTree> {
        if nodes.is_empty() {
            return Err(MalformedTree::Empty);
        }
        for (index, node) in nodes.iter().enumerate() {
            let sound = node.split.as_ref().is_none_or(|split| {
                let right = split.right as usize;
                split.feature < features && split.threshold.is_finite() && right > index + 1 && right < nodes.len()
            });
            if !sound || node.counts == [0, 0] {
                return Err(MalformedTree::Node { index });
            }
        }
        Ok(Self { features, nodes })
    }
}
