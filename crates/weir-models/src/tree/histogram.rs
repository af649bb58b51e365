//! Cuts between bins: a node counts its rows per bin instead of keeping its columns sorted.
//!
//! Counts are whole numbers, so those of the larger child are what the smaller leaves of its parent's, exactly. A cut
//! lies between two bins that have rows in the node, at the midpoint of the values next to it; where every value has a
//! bin of its own, the tree is the exact one.
//!
//! Memory: one or two bytes per value, 8 per row, and 8 per bin for each node that waits with its counts. Nodes of few
//! rows have none: they sort their bins.

use rayon::prelude::*;

use super::bins::{Binned, Codes};
use super::criterion::Measure;
use super::grow::{Best, Cut, PARALLEL_VALUES, Splitter, best_of_features, better_of, midpoint, size};

/// Binned columns and the rows that a tree is grown on.
pub(super) struct Histograms<'a> {
    columns: Vec<&'a Binned>,
    /// The rows, twice their number plus their class; a node owns a range.
    rows: Vec<u32>,
    /// Holds the right part during a partition.
    scratch: Vec<u32>,
    /// Where the bins of each feature begin in a histogram, and where they end.
    offsets: Vec<usize>,
}

/// Where a node's rows are.
pub(super) struct Place {
    start: usize,
    /// Features not yet known to be without a cut here. The others' counts are stale.
    features: Vec<usize>,
    /// Rows of each bin of each feature: all times 2^32 plus malicious ones. Where it is missing, the rows have not been
    /// counted, or are too few to be worth it.
    histogram: Option<Vec<u64>>,
}

impl<'a> Histograms<'a> {
    /// The rows `chosen` of the data with these columns and classes.
    pub(super) fn new(columns: Vec<&'a Binned>, classes: &[u8], chosen: impl Iterator<Item = u32>) -> Self {
        let rows: Vec<u32> = chosen.map(|row| row << 1 | u32::from(classes[row as usize])).collect();
        let mut offsets = vec![0];
        offsets.extend(columns.iter().scan(0, |end, column| {
            *end += column.ends.len();
            Some(*end)
        }));
        Self { columns, scratch: vec![0; rows.len()], rows, offsets }
    }

    /// Whether a node of so many rows has more values than there are bins.
    fn counts_pay(&self, rows: usize) -> bool {
        rows * self.columns.len() >= self.offsets[self.columns.len()]
    }

    fn count(&self, rows: std::ops::Range<usize>, features: &[usize]) -> Vec<u64> {
        let mut histogram = vec![0; self.offsets[self.columns.len()]];
        let rows = &self.rows[rows];
        let mut slots = Vec::with_capacity(features.len());
        let (mut rest, mut begin) = (&mut histogram[..], 0);
        for &feature in features {
            let (before, after) = rest.split_at_mut(self.offsets[feature + 1] - begin);
            slots.push((feature, &mut before[self.offsets[feature] - begin..]));
            (rest, begin) = (after, self.offsets[feature + 1]);
        }
        let count = |(feature, slots): (usize, &mut [u64])| match &self.columns[feature].codes {
            Codes::Byte(codes) => count_column(rows, codes, slots),
            Codes::Word(codes) => count_column(rows, codes, slots),
        };
        if rows.len() * features.len() < PARALLEL_VALUES {
            slots.into_iter().for_each(count);
        } else {
            slots.into_par_iter().for_each(count);
        }
        histogram
    }
}

/// Bytes of a growth beside the binned columns.
pub(super) fn working_bytes(rows: usize, features: usize, max_bins: usize) -> usize {
    2 * rows * size_of::<u32>() + 32 * max_bins.min(rows) * features * size_of::<u64>()
}

impl Splitter for Histograms<'_> {
    type Place = Place;

    fn root(&mut self) -> (Place, [u32; 2]) {
        let malicious = self.rows.iter().map(|row| row & 1).sum();
        let place = Place { start: 0, features: (0..self.columns.len()).collect(), histogram: None };
        (place, [self.rows.len() as u32 - malicious, malicious])
    }

    fn best_cuts<M: Measure>(
        &mut self,
        place: &mut Place,
        counts: [u32; 2],
        leaf_sizes: &[usize],
        measure: &M,
    ) -> Vec<Option<Cut>> {
        let range = place.start..place.start + size(counts);
        if place.histogram.is_none() && self.counts_pay(range.len()) {
            place.histogram = Some(self.count(range.clone(), &place.features));
        }
        let rows = &self.rows[range];
        let histogram = place.histogram.as_deref();
        best_of_features(&mut place.features, rows.len(), leaf_sizes.len(), |feature, best| {
            let scan = Scan { feature, counts, leaf_sizes, measure };
            match (histogram, &self.columns[feature].codes) {
                (Some(histogram), _) => {
                    let slots = &histogram[self.offsets[feature]..self.offsets[feature + 1]];
                    scan.run(
                        slots.iter().enumerate().filter(|(_, slot)| **slot != 0).map(|(bin, &slot)| (bin, slot)),
                        best,
                    )
                }
                (None, Codes::Byte(codes)) => scan.run(sorted_bins(rows, codes).into_iter(), best),
                (None, Codes::Word(codes)) => scan.run(sorted_bins(rows, codes).into_iter(), best),
            }
        })
    }

    fn threshold(&self, cut: &Cut) -> f64 {
        let ends = &self.columns[cut.feature].ends;
        midpoint(ends[cut.sides[0] as usize][1], ends[cut.sides[1] as usize][0])
    }

    fn keep(&self, place: &Place, _counts: [u32; 2]) -> Place {
        Place { start: place.start, features: place.features.clone(), histogram: place.histogram.clone() }
    }

    fn divide(&mut self, place: Place, counts: [u32; 2], cut: &Cut, wanted: [bool; 2]) -> [Place; 2] {
        let Place { start, features, histogram } = place;
        let (middle, end) = (start + size(cut.left), start + size(counts));
        if wanted != [false, false] {
            let (rows, scratch) = (&mut self.rows[start..end], &mut self.scratch[..]);
            match &self.columns[cut.feature].codes {
                Codes::Byte(codes) => partition(rows, scratch, |row| u32::from(codes[row]) <= cut.sides[0]),
                Codes::Word(codes) => partition(rows, scratch, |row| u32::from(codes[row]) <= cut.sides[0]),
            }
        }
        let mut children = [start..middle, middle..end].map(|range| (range, None));
        let larger = usize::from(children[1].0.len() > children[0].0.len());
        if let Some(mut histogram) = histogram
            && wanted[larger]
            && self.counts_pay(children[larger].0.len())
        {
            let smaller = self.count(children[1 - larger].0.clone(), &features);
            for &feature in &features {
                let bins = self.offsets[feature]..self.offsets[feature + 1];
                histogram[bins.clone()].iter_mut().zip(&smaller[bins]).for_each(|(all, smaller)| *all -= smaller);
            }
            if wanted[1 - larger] && self.counts_pay(children[1 - larger].0.len()) {
                children[1 - larger].1 = Some(smaller);
            }
            children[larger].1 = Some(histogram);
        }
        children.map(|(range, histogram)| Place { start: range.start, features: features.clone(), histogram })
    }
}

fn count_column<C: Copy + Into<usize>>(rows: &[u32], codes: &[C], slots: &mut [u64]) {
    for &row in rows {
        slots[codes[(row >> 1) as usize].into()] += 1 << 32 | u64::from(row & 1);
    }
}

/// The bins of `rows` in order, with their counts as in a histogram.
fn sorted_bins<C: Copy + Into<usize>>(rows: &[u32], codes: &[C]) -> Vec<(usize, u64)> {
    let one = |&row: &u32| (codes[(row >> 1) as usize].into(), 1 << 32 | u64::from(row & 1));
    let mut bins: Vec<(usize, u64)> = rows.iter().map(one).collect();
    bins.sort_unstable();
    bins.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        kept.1 += if same { next.1 } else { 0 };
        same
    });
    bins
}

/// The search for a node's best cut in one feature.
struct Scan<'a, M> {
    feature: usize,
    counts: [u32; 2],
    leaf_sizes: &'a [usize],
    measure: &'a M,
}

impl<M: Measure> Scan<'_, M> {
    /// Goes through the bins that have rows, in order, with their counts as in a histogram. Replaces the best cut of
    /// each leaf size where there is a strictly better one. Returns whether there is any cut that the smallest leaf
    /// allows.
    fn run(&self, bins: impl Iterator<Item = (usize, u64)>, best: &mut [Option<Best<M>>]) -> bool {
        let rows = size(self.counts);
        let mut cuttable = false;
        let mut left = [0, 0];
        let mut lower = 0;
        for (upper, slot) in bins {
            let smaller = size(left).min(rows - size(left));
            if smaller >= self.leaf_sizes[0] {
                cuttable = true;
                let cut = Cut { feature: self.feature, left, sides: [lower, upper as u32] };
                let next = Some(Best { quality: self.measure.quality(left, self.counts), cut });
                for (best, _) in best.iter_mut().zip(self.leaf_sizes.iter().take_while(|&&size| size <= smaller)) {
                    *best = better_of(*best, next);
                }
            }
            let (all, malicious) = ((slot >> 32) as u32, slot as u32);
            left = [left[0] + all - malicious, left[1] + malicious];
            lower = upper as u32;
        }
        cuttable
    }
}

/// Puts the rows that go left first and leaves them in order otherwise.
fn partition(rows: &mut [u32], scratch: &mut [u32], goes_left: impl Fn(usize) -> bool) {
    let (mut left, mut right) = (0, 0);
    // Both places are written, one of them counts: no branch to mispredict.
    for position in 0..rows.len() {
        let row = rows[position];
        rows[left] = row;
        scratch[right] = row;
        let goes_left = goes_left((row >> 1) as usize);
        left += usize::from(goes_left);
        right += usize::from(!goes_left);
    }
    rows[left..].copy_from_slice(&scratch[..right]);
}
