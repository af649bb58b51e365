//! Many candidates on many folds from few growths: one per criterion and fold, from which all depths and leaf sizes are
//! read. The columns are sorted once for all of them.

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::context::{Context, FitError};
use crate::data::Dataset;
use crate::folds::{Fold, Folds};
use crate::search::{Cell, Estimate, FamilySearch, Piece, Score};

use super::columns::{Buffers, Columns, working_bytes};
use super::criterion::{Entropy, Gini, Measure};
use super::grow::{Harvest, Limits, grow};
use super::model::majority;
use super::params::{Criterion, TreeParams};
use super::presort::{Entry, sort_column};

/// A search over trees: a piece is a growth on a fold.
pub(crate) struct Search<'a> {
    candidates: Vec<TreeParams>,
    groups: Vec<Vec<usize>>,
    data: Dataset<'a>,
    folds: &'a Folds,
    sorted: Sorted,
    entropy: OnceLock<Entropy>,
}

impl<'a> Search<'a> {
    /// # Errors
    /// [`FitError::OneClass`] when there are no rows.
    pub(crate) fn new(candidates: Vec<TreeParams>, data: Dataset<'a>, folds: &'a Folds) -> Result<Self, FitError> {
        super::refuse(data)?;
        let (groups, sorted) = (group(&candidates), Sorted::new(data.features()));
        Ok(Self { candidates, groups, data, folds, sorted, entropy: OnceLock::new() })
    }

    fn score_by<M: Measure>(
        &self,
        group: &[usize],
        fold: &Fold,
        measure: &M,
        buffers: &mut Buffers,
        context: &Context<'_>,
    ) -> Result<Vec<u64>, FitError> {
        let limits: Vec<Limits> = group.iter().map(|&candidate| Limits::from(&self.candidates[candidate])).collect();
        let mut scorer = Scorer { data: self.data, held_out: fold.test.clone(), right: vec![0; group.len()] };
        let mut columns =
            Columns::some(self.data, &self.sorted.columns(self.data), &fold.train, std::mem::take(buffers));
        let all = 0..scorer.held_out.len();
        let grown = grow(&mut columns, measure, &limits, &mut scorer, all, context);
        *buffers = columns.into_buffers();
        grown.map(|()| scorer.right)
    }
}

impl FamilySearch for Search<'_> {
    type Scratch = Buffers;

    fn pieces(&self) -> Vec<Piece> {
        let piece = |group: &Vec<usize>, fold: usize| {
            let first = &self.candidates[group[0]];
            Piece {
                name: format!("{} fold={}", first.criterion.name(), fold + 1),
                cells: group.iter().map(|&candidate| Cell { candidate, fold }).collect(),
                estimate: Estimate { seconds: 0.0, bytes: working_bytes(self.data.rows(), self.data.features(), 1) },
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
        let right = match self.candidates[group[0]].criterion {
            Criterion::Gini => self.score_by(group, fold, &Gini, buffers, context),
            Criterion::Entropy => {
                let entropy = self.entropy.get_or_init(|| Entropy::new(self.data.rows()));
                self.score_by(group, fold, entropy, buffers, context)
            }
        }?;
        context.progress.advance(right.len() as u64);
        Ok(right.into_iter().map(|right| Score { right, converged: true }).collect())
    }
}

/// Indices of candidates that can share a growth.
fn group(candidates: &[TreeParams]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, candidate) in candidates.iter().enumerate() {
        match groups.iter_mut().find(|group| candidates[group[0]].criterion == candidate.criterion) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    groups
}

/// The sorted columns. The workers that need them first sort them together.
struct Sorted {
    columns: Vec<OnceLock<Vec<Entry>>>,
    next: AtomicUsize,
}

impl Sorted {
    fn new(features: usize) -> Self {
        Self { columns: (0..features).map(|_| OnceLock::new()).collect(), next: AtomicUsize::new(0) }
    }

    /// All columns. Sorting hands nothing to other threads, so whoever waits here waits for a thread at work.
    fn columns(&self, data: Dataset<'_>) -> Vec<&[Entry]> {
        loop {
            let feature = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(column) = self.columns.get(feature) else { break };
            column.get_or_init(|| {
                let mut sorted = vec![Entry::default(); data.rows()];
                sort_column(data, feature, &mut sorted);
                sorted
            });
        }
        self.columns.iter().map(|column| &column.wait()[..]).collect()
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
