//! Growth of trees, depth first, for many candidates at once.
//!
//! What bounds a tree from above only cuts it short: a node's split depends on its own rows, not on `max_depth` or
//! `min_samples_split`, so the tree of a smaller depth is the top of a deeper one. `min_samples_leaf` changes which
//! cuts are allowed, but seldom which is the best; candidates stay together until they differ in that.

use rayon::prelude::*;

use crate::context::{Context, FitError};

use super::criterion::Measure;
use super::params::TreeParams;

/// Nodes of fewer values than this are not worth handing to other threads.
pub(super) const PARALLEL_VALUES: usize = 1 << 15;

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
        counts.contains(&0)
            || depth >= self.max_depth
            || size(counts) < self.min_samples_split
            || size(counts) < self.min_samples_leaf.saturating_mul(2)
    }
}

/// A cut of a node's rows in two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cut {
    pub(super) feature: usize,
    /// Class counts of the left child.
    pub(super) left: [u32; 2],
    /// What lies next to the cut on either side, in the splitter's terms.
    pub(super) sides: [u32; 2],
}

/// The best cut so far.
pub(super) struct Best<M: Measure> {
    pub(super) quality: M::Quality,
    pub(super) cut: Cut,
}

impl<M: Measure> Clone for Best<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M: Measure> Copy for Best<M> {}

/// `next` if it is strictly better than `best`.
pub(super) fn better_of<M: Measure>(best: Option<Best<M>>, next: Option<Best<M>>) -> Option<Best<M>> {
    match (best, next) {
        (Some(old), Some(new)) => Some(if M::better(new.quality, old.quality) { new } else { old }),
        (best, next) => best.or(next),
    }
}

/// The best cuts over all `features` of a node, one for each leaf size, and leaves only those that have any. `scan`
/// replaces the best cuts so far where a feature has strictly better ones and returns whether it has any at all.
pub(super) fn best_of_features<M: Measure>(
    features: &mut Vec<usize>,
    rows: usize,
    leaf_sizes: usize,
    scan: impl Fn(usize, &mut [Option<Best<M>>]) -> bool + Sync,
) -> Vec<Option<Cut>> {
    let mut best = vec![None; leaf_sizes];
    // In feature order, and only a strictly better cut replaces an earlier one: ties go to the lowest feature. What has
    // no cut here for the smallest leaf has none further down either.
    if rows * features.len() < PARALLEL_VALUES {
        features.retain(|&feature| scan(feature, &mut best));
    } else {
        let alone = |&feature: &usize| {
            let mut best = vec![None; leaf_sizes];
            scan(feature, &mut best).then_some((feature, best))
        };
        let alone: Vec<_> = features.par_iter().map(alone).collect();
        features.clear();
        for (feature, next) in alone.into_iter().flatten() {
            features.push(feature);
            best.iter_mut().zip(next).for_each(|(best, next)| *best = better_of(*best, next));
        }
    }
    best.into_iter().map(|best| best.map(|best| best.cut)).collect()
}

/// Finds and makes the cuts of the rows that a tree is grown on.
pub(super) trait Splitter {
    /// Where a node's rows are. Those of a child are good until another child of the same node, or a place that was
    /// kept of it, is looked at.
    type Place;

    /// All rows, and how many of each class.
    fn root(&mut self) -> (Self::Place, [u32; 2]);

    /// The best cut for each of `leaf_sizes`, the fewest rows of a child: ascending, at least one, none of them more
    /// than half of the node's rows. Ties go to the lowest feature, then to the lowest threshold.
    fn best_cuts<M: Measure>(
        &mut self,
        place: &mut Self::Place,
        counts: [u32; 2],
        leaf_sizes: &[usize],
        measure: &M,
    ) -> Vec<Option<Cut>>;

    /// The threshold of a cut.
    fn threshold(&self, cut: &Cut) -> f64;

    /// A second place of the same rows, to be looked at when the first one and all below it are done with.
    fn keep(&self, place: &Self::Place, counts: [u32; 2]) -> Self::Place;

    /// Cuts the rows in left and right ones. A child that is not wanted is not looked at any more.
    fn divide(&mut self, place: Self::Place, counts: [u32; 2], cut: &Cut, wanted: [bool; 2]) -> [Self::Place; 2];
}

/// Takes in the nodes of a growth, in preorder.
pub(super) trait Harvest {
    /// What is noted of a node until its turn comes.
    type Note: Clone;

    /// A node that is a leaf in the trees of some candidates.
    fn leaf(&mut self, note: &Self::Note, counts: [u32; 2], candidates: &[usize]);

    /// A node that is split, with the notes of its children. It may come again with another split, for other
    /// candidates.
    fn split(&mut self, note: Self::Note, counts: [u32; 2], feature: usize, threshold: f64) -> [Self::Note; 2];
}

/// A node to be looked at.
struct Task<P, N> {
    place: P,
    note: N,
    counts: [u32; 2],
    depth: usize,
    /// Those in whose trees it is, ascending.
    candidates: Vec<usize>,
}

/// Grows the trees of all `candidates`, at least one.
///
/// # Errors
/// What [`Context::check`] says.
pub(super) fn grow<S: Splitter, M: Measure, H: Harvest>(
    splitter: &mut S,
    measure: &M,
    candidates: &[Limits],
    harvest: &mut H,
    root: H::Note,
    context: &Context<'_>,
) -> Result<(), FitError> {
    let (place, counts) = splitter.root();
    let mut tasks = vec![Task { place, note: root, counts, depth: 0, candidates: (0..candidates.len()).collect() }];
    while let Some(Task { mut place, note, counts, depth, candidates: here }) = tasks.pop() {
        context.check()?;
        let (mut leaves, going): (Vec<usize>, Vec<usize>) =
            here.into_iter().partition(|&candidate| candidates[candidate].stop(counts, depth));
        let groups = if going.is_empty() {
            Vec::new()
        } else {
            let leaf_size = |&candidate: &usize| candidates[candidate].min_samples_leaf;
            let mut leaf_sizes: Vec<usize> = going.iter().map(leaf_size).collect();
            leaf_sizes.sort_unstable();
            leaf_sizes.dedup();
            let cuts = splitter.best_cuts(&mut place, counts, &leaf_sizes, measure);
            group(going, &mut leaves, |candidate| {
                cuts[leaf_sizes.partition_point(|&size| size < leaf_size(&candidate))]
            })
        };
        if !leaves.is_empty() {
            harvest.leaf(&note, counts, &leaves);
        }
        let mut groups = groups.into_iter();
        let Some((cut, together)) = groups.next() else { continue };
        for (_, others) in groups {
            let place = splitter.keep(&place, counts);
            tasks.push(Task { place, note: note.clone(), counts, depth, candidates: others });
        }
        let right = [counts[0] - cut.left[0], counts[1] - cut.left[1]];
        let threshold = splitter.threshold(&cut);
        let [left_note, right_note] = harvest.split(note, counts, cut.feature, threshold);
        let wanted = [cut.left, right]
            .map(|counts| together.iter().any(|&candidate| !candidates[candidate].stop(counts, depth + 1)));
        let [left_place, right_place] = splitter.divide(place, counts, &cut, wanted);
        let depth = depth + 1;
        tasks.push(Task { place: right_place, note: right_note, counts: right, depth, candidates: together.clone() });
        tasks.push(Task { place: left_place, note: left_note, counts: cut.left, depth, candidates: together });
    }
    Ok(())
}

/// Candidates that share a cut. Those without one are added to `leaves`.
fn group(
    candidates: Vec<usize>,
    leaves: &mut Vec<usize>,
    cut_of: impl Fn(usize) -> Option<Cut>,
) -> Vec<(Cut, Vec<usize>)> {
    let mut groups: Vec<(Cut, Vec<usize>)> = Vec::new();
    for candidate in candidates {
        match cut_of(candidate) {
            None => leaves.push(candidate),
            Some(cut) => match groups.iter_mut().find(|(other, _)| *other == cut) {
                Some((_, group)) => group.push(candidate),
                None => groups.push((cut, vec![candidate])),
            },
        }
    }
    groups
}

/// Halfway between the values on both sides of a cut, or the lower one where rounding gives the upper.
pub(super) fn midpoint(lower: f64, upper: f64) -> f64 {
    let middle = lower / 2.0 + upper / 2.0;
    if lower <= middle && middle < upper { middle } else { lower }
}

/// Rows of a node.
pub(super) fn size(counts: [u32; 2]) -> usize {
    counts[0] as usize + counts[1] as usize
}
