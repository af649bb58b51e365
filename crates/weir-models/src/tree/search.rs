//! Many candidates on many folds from few growths: one per criterion and fold, from which all depths and leaf sizes are
//! read. The columns are sorted once for all of them.

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::context::{Context, FitError};
use crate::data::Dataset;
use crate::folds::{Fold, Folds};
use crate::search::{Cell, Estimate, FamilySearch, Piece, Score};

use super::bins::{Binned, bin_column};
use super::columns::{self, Buffers, Columns};
use super::criterion::{Entropy, Gini};
use super::grow::{Harvest, Limits, Splitter, grow};
use super::histogram::{self, Histograms};
use super::model::majority;
use super::params::{Criterion, TreeParams};
use super::presort::{Entry, sort_column};

/// Seconds per value and level of a growth, see [`Search::estimate`].
const EXACT_SECONDS: f64 = 3e-9;
const HISTOGRAM_SECONDS: f64 = 1e-9;
const MOST_LEVELS: usize = 20;

/// A search over trees: a piece is a growth on a fold.
pub(crate) struct Search<'a> {
    candidates: Vec<TreeParams>,
    groups: Vec<Vec<usize>>,
    data: Dataset<'a>,
    folds: &'a Folds,
    sorted: PerColumn<Vec<Entry>>,
    /// By `max_bins`. Bins come from the values of all folds; classes have no part in them.
    binned: Vec<(usize, PerColumn<Binned>)>,
    entropy: OnceLock<Entropy>,
}

impl<'a> Search<'a> {
    /// # Errors
    /// [`FitError::OneClass`] when there are no rows, [`FitError::Data`] when there are too many.
    pub(crate) fn new(candidates: Vec<TreeParams>, data: Dataset<'a>, folds: &'a Folds) -> Result<Self, FitError> {
        super::refuse(data)?;
        let mut binned: Vec<(usize, PerColumn<Binned>)> = Vec::new();
        for max_bins in candidates.iter().filter_map(|candidate| candidate.max_bins) {
            if binned.iter().all(|(other, _)| *other != max_bins) {
                binned.push((max_bins, PerColumn::new(data.features())));
            }
        }
        let (groups, sorted) = (group(&candidates), PerColumn::new(data.features()));
        Ok(Self { candidates, groups, data, folds, sorted, binned, entropy: OnceLock::new() })
    }

    /// Seconds are in proportion to values and to levels, of which 20 count at most: further down, nodes are small.
    ///
    /// Measured on 10 features of flows, all depths and leaf sizes of the report's grid together, in ns per value: exact,
    /// 24 on 22,000 rows that a few cuts separate, and 140 to 180 on 22,000 to 667,000 of which one in a hundred has the
    /// wrong label; with 255 bins, 30 to 34 on the latter. What is taken here lies between.
    fn estimate(&self, group: &[usize]) -> Estimate {
        let (rows, features) = (self.data.rows(), self.data.features());
        let candidates = || group.iter().map(|&index| &self.candidates[index]);
        let levels =
            candidates().map(|params| params.max_depth.unwrap_or(usize::MAX)).max().unwrap_or(1).min(MOST_LEVELS);
        let (per_level, bytes) = match self.candidates[group[0]].max_bins {
            None => {
                let mut leaf_sizes: Vec<usize> = candidates().map(|params| params.min_samples_leaf).collect();
                leaf_sizes.sort_unstable();
                leaf_sizes.dedup();
                (EXACT_SECONDS, columns::working_bytes(rows, features, leaf_sizes.len()))
            }
            Some(max_bins) => (HISTOGRAM_SECONDS, histogram::working_bytes(rows, features, max_bins)),
        };
        Estimate { seconds: per_level * (rows * features * levels) as f64, bytes }
    }

    /// Held-out rows that each candidate of a group predicts correctly on one fold.
    fn score_group(
        &self,
        group: &[usize],
        fold: &Fold,
        buffers: &mut Buffers,
        context: &Context<'_>,
    ) -> Result<Vec<u64>, FitError> {
        let data = self.data;
        let Some(max_bins) = self.candidates[group[0]].max_bins else {
            let sorted = self.sorted.all(|feature| {
                let mut sorted = vec![Entry::default(); data.rows()];
                sort_column(data, feature, &mut sorted);
                sorted
            });
            let mut columns = Columns::some(data, &sorted, &fold.train, std::mem::take(buffers));
            let right = self.score_by(&mut columns, group, fold, context);
            *buffers = columns.into_buffers();
            return right;
        };
        let (_, binned) = self.binned.iter().find(|(bins, _)| *bins == max_bins).expect("made for all candidates");
        let columns = binned.all(|feature| bin_column(data, feature, max_bins));
        let mut histograms = Histograms::new(columns, data.classes(), fold.train.iter().copied());
        self.score_by(&mut histograms, group, fold, context)
    }

    fn score_by(
        &self,
        splitter: &mut impl Splitter,
        group: &[usize],
        fold: &Fold,
        context: &Context<'_>,
    ) -> Result<Vec<u64>, FitError> {
        let limits: Vec<Limits> = group.iter().map(|&candidate| Limits::from(&self.candidates[candidate])).collect();
        let mut scorer = Scorer { data: self.data, held_out: fold.test.clone(), right: vec![0; group.len()] };
        let all = 0..scorer.held_out.len();
        match self.candidates[group[0]].criterion {
            Criterion::Gini => grow(splitter, &Gini, &limits, &mut scorer, all, context),
            Criterion::Entropy => {
                let entropy = self.entropy.get_or_init(|| Entropy::new(self.data.rows()));
                grow(splitter, entropy, &limits, &mut scorer, all, context)
            }
        }?;
        Ok(scorer.right)
    }
}

impl FamilySearch for Search<'_> {
    type Scratch = Buffers;

    fn pieces(&self) -> Vec<Piece> {
        let piece = |group: &Vec<usize>, fold: usize| {
            let first = &self.candidates[group[0]];
            let bins = first.max_bins.map_or_else(String::new, |bins| format!("max_bins={bins} "));
            Piece {
                name: format!("{} {bins}fold={}", first.criterion.name(), fold + 1),
                cells: group.iter().map(|&candidate| Cell { candidate, fold }).collect(),
                estimate: self.estimate(group),
            }
        };
        let folds = 0..self.folds.len();
        folds.flat_map(|fold| self.groups.iter().map(move |group| piece(group, fold))).collect()
    }

    fn scratch(&self, _bytes: usize) -> Buffers {
        Buffers::default()
    }

    fn score(&self, piece: usize, buffers: &mut Buffers, context: &Context<'_>) -> Result<Vec<Score>, FitError> {
        context.check()?;
        let (fold, group) = (&self.folds.folds()[piece / self.groups.len()], &self.groups[piece % self.groups.len()]);
        let right = self.score_group(group, fold, buffers, context)?;
        context.progress.advance(right.len() as u64);
        Ok(right.into_iter().map(|right| Score { right, converged: true }).collect())
    }
}

/// Indices of candidates that can share a growth.
fn group(candidates: &[TreeParams]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let shared = |candidate: &TreeParams| (candidate.criterion, candidate.max_bins);
    for (index, candidate) in candidates.iter().enumerate() {
        match groups.iter_mut().find(|group| shared(&candidates[group[0]]) == shared(candidate)) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    groups
}

/// What is made once of every column. The workers that need it first make it together.
struct PerColumn<T> {
    columns: Vec<OnceLock<T>>,
    next: AtomicUsize,
}

impl<T> PerColumn<T> {
    fn new(features: usize) -> Self {
        Self { columns: (0..features).map(|_| OnceLock::new()).collect(), next: AtomicUsize::new(0) }
    }

    /// All columns. `make` must not hand work to other threads: then whoever waits here waits for a thread at work.
    fn all(&self, make: impl Fn(usize) -> T) -> Vec<&T> {
        loop {
            let feature = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(column) = self.columns.get(feature) else { break };
            column.get_or_init(|| make(feature));
        }
        self.columns.iter().map(OnceLock::wait).collect()
    }
}

/// Counts the held-out rows that each candidate predicts correctly. A note is where those of the node are.
struct Scorer<'a> {
    data: Dataset<'a>,
    held_out: Vec<u32>,
    right: Vec<u64>,
}

impl Harvest for Scorer<'_> {
    type Note = Range<usize>;

    fn leaf(&mut self, note: &Range<usize>, counts: [u32; 2], candidates: &[usize]) {
        let class = majority(counts);
        let rows = self.held_out[note.clone()].iter();
        let right = rows.filter(|&&row| self.data.classes()[row as usize] == class).count() as u64;
        candidates.iter().for_each(|&candidate| self.right[candidate] += right);
    }

    fn split(&mut self, note: Range<usize>, _: [u32; 2], feature: usize, threshold: f64) -> [Range<usize>; 2] {
        let rows = &mut self.held_out[note.clone()];
        let mut left = 0;
        for place in 0..rows.len() {
            let goes_left = self.data.row(rows[place] as usize)[feature] <= threshold;
            rows.swap(left, place);
            left += usize::from(goes_left);
        }
        let middle = note.start + left;
        [note.start..middle, middle..note.end]
    }
}
