//! Exact cuts: columns sorted once, which a node hands down to its children by stable partition.
//!
//! A node owns the same range of every column; within it rows are sorted by value. A level of the tree costs one pass
//! over the columns to find cuts and one to divide them.

use rayon::prelude::*;

use crate::data::Dataset;

use super::criterion::Measure;
use super::grow::{Best, Cut, PARALLEL_VALUES, Splitter, best_of_features, better_of, midpoint, size};
use super::presort::{Entry, sort_column};

/// Cuts that are looked at, or passed over, together.
const BLOCK: usize = 16;

/// Two tables `[features][rows]`: a node lies in one of them, its children in the other.
#[derive(Default)]
pub(crate) struct Buffers([Vec<Entry>; 2]);

/// The sorted columns of the rows that a tree is grown on.
pub(super) struct Columns<'a> {
    data: Dataset<'a>,
    buffers: Buffers,
    counts: [u32; 2],
    goes_left: Rows,
}

/// Where a node's rows are.
pub(super) struct Place {
    start: usize,
    buffer: usize,
    /// Features not yet known to be without a cut here. The others' ranges are stale.
    features: Vec<usize>,
    /// The ranges of those features, one after the other, where they have to be restored first.
    kept: Option<Vec<Entry>>,
}

impl<'a> Columns<'a> {
    /// All rows of `data`.
    pub(super) fn all(data: Dataset<'a>) -> Self {
        let rows = data.rows();
        let mut sorted = vec![Entry::default(); rows * data.features()];
        let columns = sorted.par_chunks_mut(rows).enumerate();
        columns.for_each(|(feature, column)| sort_column(data, feature, column));
        let other = vec![Entry::default(); sorted.len()];
        let counts = count(data, 0..rows);
        Self { data, buffers: Buffers([sorted, other]), counts, goes_left: Rows::none(rows) }
    }

    /// The rows `chosen`, at least one, out of all that `sorted` has per feature. The buffers may hold anything.
    pub(super) fn some(data: Dataset<'a>, sorted: &[&Vec<Entry>], chosen: &[u32], mut buffers: Buffers) -> Self {
        let rows = data.rows();
        buffers.0.iter_mut().for_each(|buffer| buffer.resize(rows * sorted.len(), Entry::default()));
        let mut included = Rows::none(rows);
        chosen.iter().for_each(|&row| included.set(row as usize, true));
        let columns = buffers.0[0].par_chunks_mut(rows).zip(sorted);
        columns.for_each(|(column, sorted)| distribute(sorted, &included, chosen.len(), column));
        let counts = count(data, chosen.iter().map(|&row| row as usize));
        Self { data, buffers, counts, goes_left: included }
    }

    /// The buffers, for another growth.
    pub(super) fn into_buffers(self) -> Buffers {
        self.buffers
    }

    fn range(&self, place: &Place, rows: usize, feature: usize) -> &[Entry] {
        let start = feature * self.data.rows() + place.start;
        &self.buffers.0[place.buffer][start..start + rows]
    }

    fn range_mut(&mut self, place: &Place, rows: usize, feature: usize) -> &mut [Entry] {
        let start = feature * self.data.rows() + place.start;
        &mut self.buffers.0[place.buffer][start..start + rows]
    }
}

/// Bytes of working memory of a growth for so many leaf sizes: two tables, and a part of one where they fork.
pub(super) fn working_bytes(rows: usize, features: usize, leaf_sizes: usize) -> usize {
    (1 + leaf_sizes) * rows * features * size_of::<Entry>() + rows
}

impl Splitter for Columns<'_> {
    type Place = Place;

    fn root(&mut self) -> (Place, [u32; 2]) {
        let features = (0..self.data.features()).collect();
        (Place { start: 0, buffer: 0, features, kept: None }, self.counts)
    }

    fn best_cuts<M: Measure>(
        &mut self,
        place: &mut Place,
        counts: [u32; 2],
        leaf_sizes: &[usize],
        measure: &M,
    ) -> Vec<Option<Cut>> {
        let rows = size(counts);
        if let Some(kept) = place.kept.take() {
            for (&feature, kept) in place.features.iter().zip(kept.chunks(rows)) {
                self.range_mut(place, rows, feature).copy_from_slice(kept);
            }
        }
        let mut features = std::mem::take(&mut place.features);
        let cuts = best_of_features(&mut features, rows, leaf_sizes.len(), |feature, best| {
            scan(self.range(place, rows, feature), feature, counts, leaf_sizes, measure, best)
        });
        place.features = features;
        cuts
    }

    fn threshold(&self, cut: &Cut) -> f64 {
        let [lower, upper] = cut.sides.map(|row| self.data.row(row as usize)[cut.feature]);
        midpoint(lower, upper)
    }

    fn keep(&self, place: &Place, counts: [u32; 2]) -> Place {
        let kept = place.features.iter().flat_map(|&feature| self.range(place, size(counts), feature)).copied();
        Place { features: place.features.clone(), kept: Some(kept.collect()), ..*place }
    }

    fn divide(&mut self, place: Place, counts: [u32; 2], cut: &Cut, wanted: [bool; 2]) -> [Place; 2] {
        let (rows, left) = (size(counts), size(cut.left));
        if wanted != [false, false] {
            let start = cut.feature * self.data.rows() + place.start;
            let (lower, upper) = self.buffers.0[place.buffer][start..start + rows].split_at(left);
            lower.iter().for_each(|entry| self.goes_left.set(entry.row(), true));
            upper.iter().for_each(|entry| self.goes_left.set(entry.row(), false));

            let [first, second] = &mut self.buffers.0;
            let (source, target) = if place.buffer == 0 { (&*first, second) } else { (&*second, first) };
            let range = place.start..place.start + rows;
            let goes_left = &self.goes_left;
            let partition = |feature: usize, source: &[Entry], target: &mut [Entry]| {
                if feature == cut.feature {
                    target[range.clone()].copy_from_slice(&source[range.clone()]);
                } else {
                    distribute(&source[range.clone()], goes_left, left, &mut target[range.clone()]);
                }
            };
            let all = self.data.rows();
            if rows * place.features.len() < PARALLEL_VALUES {
                for &feature in &place.features {
                    let column = feature * all..(feature + 1) * all;
                    partition(feature, &source[column.clone()], &mut target[column]);
                }
            } else {
                let columns = target.par_chunks_mut(all).zip(source.par_chunks(all)).enumerate();
                columns
                    .filter(|(feature, _)| place.features.contains(feature))
                    .for_each(|(feature, (target, source))| partition(feature, source, target));
            }
        }
        let child = |start, wanted: bool| Place {
            start,
            buffer: 1 - place.buffer,
            features: if wanted { place.features.clone() } else { Vec::new() },
            kept: None,
        };
        [child(place.start, wanted[0]), child(place.start + left, wanted[1])]
    }
}

/// Replaces the best cut of each leaf size (ascending) where `feature` has a strictly better one; ties go to the lowest
/// threshold. Returns whether there is any cut that the smallest leaf allows.
fn scan<M: Measure>(
    entries: &[Entry],
    feature: usize,
    counts: [u32; 2],
    leaf_sizes: &[usize],
    measure: &M,
    best: &mut [Option<Best<M>>],
) -> bool {
    let rows = entries.len();
    // Stretches of cuts, as numbers of rows on the left, with how many of the leaf sizes allow them.
    let rising = leaf_sizes.windows(2).enumerate().map(|(index, sizes)| (sizes[0]..sizes[1], index + 1));
    let largest = leaf_sizes[leaf_sizes.len() - 1];
    let middle = (largest..rows - largest + 1, leaf_sizes.len());
    let falling = leaf_sizes.windows(2).enumerate().rev();
    let falling = falling.map(|(index, sizes)| (rows - sizes[1] + 1..rows - sizes[0] + 1, index + 1));

    let mut cuttable = false;
    let mut malicious: u32 = entries[..leaf_sizes[0] - 1].iter().map(|entry| entry.class()).sum();
    for (stretch, allowing) in rising.chain([middle]).chain(falling) {
        let inside = stretch.start + 1..stretch.end - 1;
        let mut found: Option<Best<M>> = None;
        for block in stretch.clone().step_by(BLOCK) {
            let block = block..stretch.end.min(block + BLOCK);
            if inside.start <= block.start
                && block.start + BLOCK <= inside.end
                && let Some(passed) = pass_over(&entries[block.start - 1..=block.end])
            {
                malicious += passed;
                continue;
            }
            for cut in block {
                let [lower, upper] = [entries[cut - 1], entries[cut]];
                malicious += lower.class();
                if !upper.is_first() || inside.contains(&cut) && !upper.may_be_cut(lower, entries[cut + 1]) {
                    continue;
                }
                let left = [cut as u32 - malicious, malicious];
                let quality = measure.quality(left, counts);
                if found.as_ref().is_none_or(|found| M::better(quality, found.quality)) {
                    let sides = [lower.row() as u32, upper.row() as u32];
                    found = Some(Best { quality, cut: Cut { feature, left, sides } });
                }
            }
        }
        cuttable |= found.is_some();
        best[..allowing].iter_mut().for_each(|best| *best = better_of(*best, found));
    }
    cuttable
}

/// Malicious rows among all but the last two of `entries`, unless one of the cuts around which they lie may be the best.
#[inline(always)]
fn pass_over(entries: &[Entry]) -> Option<u32> {
    let (mut any, mut malicious) = (false, 0);
    for ((&lower, &upper), &after) in entries[..BLOCK].iter().zip(&entries[1..=BLOCK]).zip(&entries[2..BLOCK + 2]) {
        any |= upper.may_be_cut(lower, after);
        malicious += lower.class();
    }
    (!any).then_some(malicious)
}

/// Copies sorted entries to `target`: first the `left` ones whose row goes left, then the others, both still sorted.
fn distribute(source: &[Entry], goes_left: &Rows, left: usize, target: &mut [Entry]) {
    if left.min(source.len() - left) < source.len() / 8 {
        distribute_stretches(source, goes_left, left, target);
    } else {
        distribute_entries(source, goes_left, left, target);
    }
}

/// Entry by entry, without a branch: any two rows may go different ways.
fn distribute_entries(source: &[Entry], goes_left: &Rows, left: usize, target: &mut [Entry]) {
    let mut lefts = 0;
    // Whether a value has begun since the last entry of that side.
    let (mut left_begun, mut right_begun) = (false, false);
    for (position, &entry) in source.iter().enumerate() {
        let goes_left = goes_left.has(entry.row());
        left_begun |= entry.is_first();
        right_begun |= entry.is_first();
        let place = select(goes_left, lefts, left + position - lefts);
        target[place] = entry.with_first(goes_left & left_begun | !goes_left & right_begun);
        left_begun &= !goes_left;
        right_begun &= goes_left;
        lefts += usize::from(goes_left);
    }
}

/// Stretch by stretch of entries that go the same way: nearly all do.
fn distribute_stretches(source: &[Entry], goes_left: &Rows, left: usize, target: &mut [Entry]) {
    let mut places = [left, 0];
    let mut begun = [false; 2];
    let mut start = 0;
    while start < source.len() {
        let side = goes_left.has(source[start].row());
        let end = source[start..].iter().position(|entry| goes_left.has(entry.row()) != side);
        let stretch = &source[start..end.map_or(source.len(), |length| start + length)];
        let (side, other) = (usize::from(side), usize::from(!side));
        let place = places[side];
        target[place..place + stretch.len()].copy_from_slice(stretch);
        target[place] = stretch[0].with_first(begun[side] | stretch[0].is_first());
        begun[side] = false;
        begun[other] |= stretch.iter().any(|entry| entry.is_first());
        places[side] += stretch.len();
        start += stretch.len();
    }
}

#[inline(always)]
fn select(condition: bool, yes: usize, no: usize) -> usize {
    no ^ (yes ^ no) & usize::from(condition).wrapping_neg()
}

fn count(data: Dataset<'_>, rows: impl Iterator<Item = usize>) -> [u32; 2] {
    rows.fold([0; 2], |mut counts, row| {
        counts[usize::from(data.classes()[row])] += 1;
        counts
    })
}

/// A set of rows, one byte each: quicker to ask than bits.
struct Rows(Vec<bool>);

impl Rows {
    fn none(rows: usize) -> Self {
        Self(vec![false; rows])
    }

    #[inline(always)]
    fn has(&self, row: usize) -> bool {
        self.0[row]
    }

    #[inline(always)]
    fn set(&mut self, row: usize, included: bool) {
        self.0[row] = included;
    }
}
