//! Many candidates on many folds from few growths.
//!
//! One presort serves everything. What bounds a tree from above only cuts it short: a node's split depends on its own
//! rows, not on `max_depth` or `min_samples_split`, so the tree of a smaller depth is the top of a deeper one.
//! Candidates that differ in nothing else are therefore read from one growth, which counts once, at every node, the
//! held-out rows that come by. `min_samples_leaf` changes which cuts are allowed and needs a growth of its own.

use rayon::prelude::*;

use crate::context::{CandidateScores, Context, FitError};
use crate::data::Dataset;
use crate::folds::{Fold, Folds};

use super::grow::{Limits, grow, working_bytes};
use super::model::Node;
use super::params::TreeParams;
use super::presort::{Presorted, presort};

/// Scores every candidate on every fold; the result has one entry per candidate, in their order, with the accuracies
/// that fitting each on the fold's train rows and predicting its test rows would give.
///
/// # Errors
/// [`FitError::OneClass`] when there are no rows; [`FitError::Cancelled`].
pub fn search(
    candidates: &[TreeParams],
    data: Dataset<'_>,
    folds: &Folds,
    context: &Context<'_>,
) -> Result<Vec<CandidateScores>, FitError> {
    super::refuse_no_rows(data)?;
    context.check()?;
    let presorted = presort(data);
    let groups = group(candidates);
    let pieces: Vec<(usize, usize)> =
        (0..groups.len()).flat_map(|group| (0..folds.len()).map(move |fold| (group, fold))).collect();

    let mut scores = vec![CandidateScores { accuracy: vec![0.0; folds.len()], unconverged: 0 }; candidates.len()];
    let at_once = (context.memory / working_bytes(data.rows(), data.features())).max(1);
    for pieces in pieces.chunks(at_once) {
        let done: Vec<Vec<f64>> = pieces
            .par_iter()
            .map(|&(group, fold)| {
                let candidates: Vec<&TreeParams> = groups[group].iter().map(|&index| &candidates[index]).collect();
                let accuracies = score_group(&candidates, data, &presorted, &folds.folds()[fold], context)?;
                context.progress.advance(candidates.len() as u64);
                Ok(accuracies)
            })
            .collect::<Result<_, FitError>>()?;
        for (&(group, fold), accuracies) in pieces.iter().zip(done) {
            for (&candidate, accuracy) in groups[group].iter().zip(accuracies) {
                scores[candidate].accuracy[fold] = accuracy;
            }
        }
    }
    Ok(scores)
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

/// Accuracy of each candidate of a (non-empty) group on one fold.
fn score_group(
    candidates: &[&TreeParams],
    data: Dataset<'_>,
    presorted: &Presorted,
    fold: &Fold,
    context: &Context<'_>,
) -> Result<Vec<f64>, FitError> {
    let mut included = vec![false; data.rows()];
    fold.train.iter().for_each(|&row| included[row as usize] = true);
    let mut widest = Limits::from(candidates[0]);
    for limits in candidates.iter().map(|&candidate| Limits::from(candidate)) {
        widest.max_depth = widest.max_depth.max(limits.max_depth);
        widest.min_samples_split = widest.min_samples_split.min(limits.min_samples_split);
    }
    let nodes = grow(presorted, included, candidates[0].criterion, widest, context)?;
    let passing = count_passing(&nodes, data, &fold.test);
    Ok(candidates
        .iter()
        .map(|&candidate| correct(&nodes, &passing, Limits::from(candidate)) as f64 / fold.test.len() as f64)
        .collect())
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
