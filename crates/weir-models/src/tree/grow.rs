//! Growth of one tree, depth first, over presorted columns.

use rayon::prelude::*;

use crate::context::{Context, FitError};

use super::criterion::{Entropy, Gini, Measure};
use super::model::{Node, Split};
use super::params::{Criterion, TreeParams};
use super::presort::{Column, Entry, Presorted};

/// Nodes of fewer values than this are not worth handing to other threads.
const PARALLEL_VALUES: usize = 1 << 15;

/// Where growth stops.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) max_depth: usize,
    pub(super) min_samples_split: usize,
    pub(super) min_samples_leaf: usize,
}

impl From<&TreeParams> for Limits {
    fn from(params: &TreeParams) -> Self {
        Self {
            max_depth: params.max_depth.unwrap_or(usize::MAX),
            min_samples_split: params.min_samples_split,
            min_samples_leaf: params.min_samples_leaf,
        }
    }
}

impl Limits {
    /// Whether a node of these counts at this depth stays a leaf, whatever its values.
    fn stop(&self, counts: [u32; 2], depth: usize) -> bool {
        let rows = counts[0] as usize + counts[1] as usize;
        counts.contains(&0)
            || depth >= self.max_depth
            || rows < self.min_samples_split
            || rows < self.min_samples_leaf.saturating_mul(2)
    }
}

/// Bytes of working memory that a growth takes.
pub(super) fn working_bytes(rows: usize, features: usize) -> usize {
    2 * rows * features * size_of::<Entry>() + rows
}

/// Grows a tree on the rows that `included` marks (one flag per row of the data) and returns its nodes in preorder: a
/// left child directly follows its parent. There is at least one node.
///
/// # Errors
/// [`FitError::Cancelled`].
pub(super) fn grow(
    data: &Presorted,
    included: Vec<bool>,
    criterion: Criterion,
    limits: Limits,
    context: &Context<'_>,
) -> Result<Vec<Node>, FitError> {
    match criterion {
        Criterion::Gini => Growth::new(data, included, Gini, limits).run(context),
        Criterion::Entropy => {
            let rows = included.iter().filter(|&&included| included).count();
            Growth::new(data, included, Entropy::new(rows), limits).run(context)
        }
    }
}

struct Growth<'a, M> {
    sorted: &'a [Column],
    columns: Vec<Working>,
    counts: [u32; 2],
    /// Per row of the data: whether the split at hand sends it left.
    goes_left: Vec<bool>,
    measure: M,
    limits: Limits,
}

/// One column's rows. A node owns the same range of every column; within it rows are sorted by value.
struct Working {
    entries: Vec<Entry>,
    /// Holds the right part during a partition.
    scratch: Vec<Entry>,
}

/// A node whose split is still to be found.
struct Pending {
    start: usize,
    counts: [u32; 2],
    depth: usize,
    /// The node that needs this one's index as its right child.
    right_of: Option<usize>,
    /// Features not yet known to be constant here. The others' ranges are stale.
    features: Vec<usize>,
}

/// The best cut of a node.
#[derive(Clone, Copy)]
struct Cut<Q> {
    feature: usize,
    /// Class counts of the left child.
    left: [u32; 2],
    quality: Q,
}

impl<'a, M: Measure> Growth<'a, M> {
    fn new(data: &'a Presorted, included: Vec<bool>, measure: M, limits: Limits) -> Self {
        let mut counts = [0; 2];
        for (&included, &class) in included.iter().zip(data.classes()) {
            counts[usize::from(class)] += u32::from(included);
        }
        let columns = data
            .columns
            .par_iter()
            .map(|column| {
                let entries: Vec<Entry> =
                    column.entries.iter().copied().filter(|entry| included[entry.row()]).collect();
                Working { scratch: entries.clone(), entries }
            })
            .collect();
        Self { sorted: &data.columns, columns, counts, goes_left: included, measure, limits }
    }

    fn run(mut self, context: &Context<'_>) -> Result<Vec<Node>, FitError> {
        let mut nodes: Vec<Node> = Vec::new();
        let features = (0..self.columns.len()).collect();
        let mut stack = vec![Pending { start: 0, counts: self.counts, depth: 0, right_of: None, features }];
        while let Some(mut node) = stack.pop() {
            context.check()?;
            let index = nodes.len();
            if let Some(parent) = node.right_of
                && let Some(split) = &mut nodes[parent].split
            {
                split.right = index as u32;
            }
            let cut = if self.limits.stop(node.counts, node.depth) { None } else { self.best_cut(&mut node) };
            let Some(cut) = cut else {
                nodes.push(Node { counts: node.counts, split: None });
                continue;
            };
            let threshold = self.threshold(&node, &cut);
            // The right child's index is filled in when it comes off the stack.
            let split = Split { feature: cut.feature as u32, threshold, right: 0 };
            nodes.push(Node { counts: node.counts, split: Some(split) });
            let (left, right) = self.divide(node, &cut, index);
            stack.push(right);
            stack.push(left);
        }
        Ok(nodes)
    }

    /// The best cut over all features; drops from `node.features` those that are constant.
    fn best_cut(&self, node: &mut Pending) -> Option<Cut<M::Quality>> {
        let rows = node.rows();
        let range = node.start..node.start + rows;
        node.features.retain(|&feature| {
            let entries = &self.columns[feature].entries;
            entries[range.start].rank() != entries[range.end - 1].rank()
        });
        let scan = |&feature: &usize| self.best_cut_of(feature, &self.columns[feature].entries[range.clone()], node);
        // In feature order, and only a strictly better cut replaces an earlier one: ties go to the lowest feature.
        let pick = |best: Option<Cut<M::Quality>>, next: Option<Cut<M::Quality>>| match (best, next) {
            (Some(best), Some(next)) => Some(if M::better(next.quality, best.quality) { next } else { best }),
            (best, next) => best.or(next),
        };
        if rows * node.features.len() < PARALLEL_VALUES {
            node.features.iter().map(scan).fold(None, pick)
        } else {
            node.features.par_iter().map(scan).collect::<Vec<_>>().into_iter().fold(None, pick)
        }
    }

    /// The best cut of one feature; ties go to the lowest threshold.
    fn best_cut_of(&self, feature: usize, entries: &[Entry], node: &Pending) -> Option<Cut<M::Quality>> {
        let total = node.counts;
        let least = self.limits.min_samples_leaf;
        let mut malicious: u32 = entries[..least - 1].iter().map(|entry| entry.class()).sum();
        let mut best: Option<Cut<M::Quality>> = None;
        // A cut after position p leaves p + 1 rows on the left.
        for position in least - 1..entries.len() - least {
            malicious += entries[position].class();
            if entries[position].rank() == entries[position + 1].rank() {
                continue;
            }
            let left = [position as u32 + 1 - malicious, malicious];
            let quality = self.measure.quality(left, total);
            if best.is_none_or(|best| M::better(quality, best.quality)) {
                best = Some(Cut { feature, left, quality });
            }
        }
        best
    }

    /// Halfway between the values on both sides of the cut, or the lower one where rounding gives the upper.
    fn threshold(&self, node: &Pending, cut: &Cut<M::Quality>) -> f64 {
        let first_right = node.start + size(cut.left);
        let entries = &self.columns[cut.feature].entries;
        let value = |entry: Entry| self.sorted[cut.feature].values[entry.rank() as usize];
        let (lower, upper) = (value(entries[first_right - 1]), value(entries[first_right]));
        let middle = lower / 2.0 + upper / 2.0;
        if lower <= middle && middle < upper { middle } else { lower }
    }

    /// Partitions the node's range of every live column into left and right rows, both still sorted.
    fn divide(&mut self, node: Pending, cut: &Cut<M::Quality>, index: usize) -> (Pending, Pending) {
        let end = node.start + node.rows();
        let middle = node.start + size(cut.left);
        let right_counts = [node.counts[0] - cut.left[0], node.counts[1] - cut.left[1]];
        let depth = node.depth + 1;
        let [keep_left, keep_right] = [cut.left, right_counts].map(|counts| !self.limits.stop(counts, depth));

        if keep_left || keep_right {
            let order = &self.columns[cut.feature].entries;
            order[node.start..middle].iter().for_each(|entry| self.goes_left[entry.row()] = true);
            order[middle..end].iter().for_each(|entry| self.goes_left[entry.row()] = false);
            let goes_left = &self.goes_left;
            let mut live = vec![false; self.columns.len()];
            node.features.iter().for_each(|&feature| live[feature] = feature != cut.feature);
            let partition = |(column, live): (&mut Working, bool)| {
                if live {
                    column.partition(node.start..end, goes_left);
                }
            };
            if node.rows() * node.features.len() < PARALLEL_VALUES {
                self.columns.iter_mut().zip(live).for_each(partition);
            } else {
                self.columns.par_iter_mut().zip(live).for_each(partition);
            }
        }
        let left = Pending {
            start: node.start,
            counts: cut.left,
            depth,
            right_of: None,
            features: if keep_left { node.features.clone() } else { Vec::new() },
        };
        let right = Pending { start: middle, counts: right_counts, depth, right_of: Some(index), ..node };
        (left, right)
    }
}

impl Pending {
    fn rows(&self) -> usize {
        size(self.counts)
    }
}

impl Working {
    fn partition(&mut self, range: std::ops::Range<usize>, goes_left: &[bool]) {
        let entries = &mut self.entries[range];
        let scratch = &mut self.scratch[..entries.len()];
        let (mut left, mut right) = (0, 0);
        // Both places are written, one of them counts: no branch to mispredict.
        for position in 0..entries.len() {
            let entry = entries[position];
            entries[left] = entry;
            scratch[right] = entry;
            let goes_left = goes_left[entry.row()];
            left += usize::from(goes_left);
            right += usize::from(!goes_left);
        }
        entries[left..].copy_from_slice(&scratch[..right]);
    }
}

fn size(counts: [u32; 2]) -> usize {
    counts[0] as usize + counts[1] as usize
}
