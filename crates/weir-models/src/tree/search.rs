//! Many candidates on many folds from few growths.
//!
//! One presort serves everything. What bounds a tree from above only cuts it short: a node's split depends on its own
//! rows, not on `max_depth` or `min_samples_split`, so the tree of a smaller depth is the top of a deeper one.
//! Candidates that differ in nothing else are therefore read from one growth, which counts once, at every node, the
//! held-out rows that come by. `min_samples_leaf` changes which cuts are allowed and needs a growth of its own.

use std::sync::OnceLock;

use crate::context::{Context, FitError};
use crate::data::Dataset;
use crate::folds::{Fold, Folds};
use crate::search::{Cell, Estimate, FamilySearch, Piece, Score};

use super::grow::{Limits, grow, working_bytes};
use super::model::Node;
use super::params::TreeParams;
use super::presort::{Presorted, presort};

/// A search over trees: a piece is a growth on a fold.
pub(crate) struct Search<'a> {
    candidates: Vec<TreeParams>,
    groups: Vec<Vec<usize>>,
    data: Dataset<'a>,
    folds: &'a Folds,
    presorted: OnceLock<Presorted>,
}

impl<'a> Search<'a> {
    /// # Errors
    /// [`FitError::OneClass`] when there are no rows.
    pub(crate) fn new(candidates: Vec<TreeParams>, data: Dataset<'a>, folds: &'a Folds) -> Result<Self, FitError> {
        super::refuse_no_rows(data)?;
        Ok(Self { groups: group(&candidates), candidates, data, folds, presorted: OnceLock::new() })
    }
}

impl FamilySearch for Search<'_> {
    type Scratch = ();

    fn pieces(&self) -> Vec<Piece> {
        let piece = |group: &Vec<usize>, fold: usize| {
            let first = &self.candidates[group[0]];
            Piece {
                name: format!(
                    "{} min_samples_leaf={} fold={}",
                    first.criterion.name(),
                    first.min_samples_leaf,
                    fold + 1
                ),
                cells: group.iter().map(|&candidate| Cell { candidate, fold }).collect(),
                estimate: Estimate { seconds: 0.0, bytes: working_bytes(self.data.rows(), self.data.features()) },
            }
        };
        let folds = 0..self.folds.len();
        folds.flat_map(|fold| self.groups.iter().map(move |group| piece(group, fold))).collect()
    }

    fn scratch(&self, _bytes: usize) {}

    fn score(&self, piece: usize, _scratch: &mut (), context: &Context<'_>) -> Result<Vec<Score>, FitError> {
        context.check()?;
        let presorted = self.presorted.get_or_init(|| presort(self.data));
        let (fold, group) = (piece / self.groups.len(), &self.groups[piece % self.groups.len()]);
        let candidates: Vec<&TreeParams> = group.iter().map(|&index| &self.candidates[index]).collect();
        let right = score_group(&candidates, self.data, presorted, &self.folds.folds()[fold], context)?;
        context.progress.advance(right.len() as u64);
        Ok(right.into_iter().map(|right| Score { right, converged: true }).collect())
    }
}

/// Indices of candidates that can share a growth.
fn group(candidates: &[TreeParams]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, candidate) in candidates.iter().enumerate() {
        let same = |group: &&mut Vec<usize>| {
            let first = &candidates[group[0]];
            (first.criterion, first.min_samples_leaf) == (candidate.criterion, candidate.min_samples_leaf)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    groups
}

/// Held-out rows that each candidate of a (non-empty) group predicts correctly on one fold.
fn score_group(
    candidates: &[&TreeParams],
    data: Dataset<'_>,
    presorted: &Presorted,
    fold: &Fold,
    context: &Context<'_>,
) -> Result<Vec<u64>, FitError> {
    let mut included = vec![false; data.rows()];
    fold.train.iter().for_each(|&row| included[row as usize] = true);
    let mut widest = Limits::from(candidates[0]);
    for limits in candidates.iter().map(|&candidate| Limits::from(candidate)) {
        widest.max_depth = widest.max_depth.max(limits.max_depth);
        widest.min_samples_split = widest.min_samples_split.min(limits.min_samples_split);
    }
    let nodes = grow(presorted, included, candidates[0].criterion, widest, context)?;
    let passing = count_passing(&nodes, data, &fold.test);
    Ok(candidates.iter().map(|&candidate| correct(&nodes, &passing, Limits::from(candidate))).collect())
}

/// Per node the rows of each class among `rows` that come by.
fn count_passing(nodes: &[Node], data: Dataset<'_>, rows: &[u32]) -> Vec<[u32; 2]> {
    let mut passing = vec![[0; 2]; nodes.len()];
    for &row in rows {
        let (values, class) = (data.row(row as usize), usize::from(data.classes()[row as usize]));
        let mut index = 0;
        passing[index][class] += 1;
        while let Some(split) = &nodes[index].split {
            index = if values[split.feature as usize] <= split.threshold { index + 1 } else { split.right as usize };
            passing[index][class] += 1;
        }
    }
    passing
}

/// Rows predicted correctly by the tree that `limits` cut out of `nodes`.
fn correct(nodes: &[Node], passing: &[[u32; 2]], limits: Limits) -> u64 {
    let mut correct = 0;
    let mut stack = vec![(0, 0)];
    while let Some((index, depth)) = stack.pop() {
        let node: &Node = &nodes[index];
        match &node.split {
            Some(split) if depth < limits.max_depth && node.rows() >= limits.min_samples_split => {
                stack.push((split.right as usize, depth + 1));
                stack.push((index + 1, depth + 1));
            }
            _ => correct += u64::from(passing[index][usize::from(node.class())]),
        }
    }
    correct
}
