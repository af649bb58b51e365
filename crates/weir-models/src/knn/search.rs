//! A search over candidates: per fold one index, per metric one neighbour search for the largest k, from which every
//! (k, weights) is read.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::distance::Metric;
use super::index::{Index, seconds_per_query};
use super::params::KnnParams;
use super::{QUERIES, check, vote};
use crate::context::{Context, FitError};
use crate::data::Dataset;
use crate::folds::Folds;
use crate::search::{Cell, Estimate, FamilySearch, Piece, Score};

/// A search over neighbours: a piece is a metric on a fold.
pub(crate) struct Search<'a> {
    candidates: Vec<KnnParams>,
    /// Metrics with their candidates.
    metrics: Vec<(Metric, Vec<usize>)>,
    data: Dataset<'a>,
    folds: &'a Folds,
    fitted: Vec<OnceLock<Fitted>>,
}

/// What the metrics share on a fold.
struct Fitted {
    index: Index,
    classes: Vec<u8>,
    /// The held-out rows, near ones one after the other: they visit the same nodes, which are then in the cache.
    test: Vec<u32>,
}

impl<'a> Search<'a> {
    /// # Errors
    /// [`FitError::OneClass`] when a fold leaves rows of one class only, [`FitError::Parameter`] when an `n_neighbors`
    /// is above the rows that a fold is fitted on.
    pub(crate) fn new(candidates: Vec<KnnParams>, data: Dataset<'a>, folds: &'a Folds) -> Result<Self, FitError> {
        for fold in folds.folds() {
            let classes: Vec<u8> = fold.train.iter().map(|&row| data.classes()[row as usize]).collect();
            for params in &candidates {
                check(params, &classes, classes.len())?;
            }
        }
        let of = |metric: Metric| {
            let chosen = (0..candidates.len()).filter(|&number| candidates[number].metric == metric);
            (metric, chosen.collect::<Vec<_>>())
        };
        let metrics = [Metric::Euclidean, Metric::Manhattan].map(of).into_iter();
        let metrics = metrics.filter(|(_, candidates)| !candidates.is_empty()).collect();
        let fitted = folds.folds().iter().map(|_| OnceLock::new()).collect();
        Ok(Self { candidates, metrics, data, folds, fitted })
    }
}

impl FamilySearch for Search<'_> {
    type Scratch = ();

    fn pieces(&self) -> Vec<Piece> {
        let (rows, features) = (self.data.rows(), self.data.features());
        // The rows once as they are gathered and once in the index, with its boxes.
        let bytes = 2 * rows * features * size_of::<f64>();
        let seconds = seconds_per_query(rows, features) * (rows / self.folds.len()) as f64;
        let piece = |(metric, candidates): &(Metric, Vec<usize>), fold: usize| Piece {
            name: format!("{} fold={}", metric.name(), fold + 1),
            cells: candidates.iter().map(|&candidate| Cell { candidate, fold }).collect(),
            estimate: Estimate { seconds, bytes },
        };
        // Metric by metric, and all as long, so that threads begin with different folds: each needs its index built.
        let folds = 0..self.folds.len();
        self.metrics.iter().flat_map(|metric| folds.clone().map(move |fold| piece(metric, fold))).collect()
    }

    fn scratch(&self, _bytes: usize) {}

    fn score(&self, piece: usize, _scratch: &mut (), context: &Context<'_>) -> Result<Vec<Score>, FitError> {
        context.check()?;
        let number = piece % self.folds.len();
        let fold = &self.folds.folds()[number];
        let (metric, chosen) = &self.metrics[piece / self.folds.len()];
        let Fitted { index, classes, test } = self.fitted[number].get_or_init(|| {
            let classes: Vec<u8> = fold.train.iter().map(|&row| self.data.classes()[row as usize]).collect();
            let index = Index::new(&gather(self.data, &fold.train), self.data.features(), classes.len());
            let order = Index::new(&gather(self.data, &fold.test), self.data.features(), fold.test.len());
            let test = order.rows().iter().map(|&row| fold.test[row as usize]).collect();
            Fitted { index, classes, test }
        });
        let k = chosen.iter().map(|&number| self.candidates[number].n_neighbors).max().expect("at least one");
        let right: Vec<AtomicU64> = chosen.iter().map(|_| AtomicU64::new(0)).collect();
        test.par_chunks(QUERIES).try_for_each(|test| {
            context.check()?;
            let mut hits = vec![0; chosen.len()];
            index.search(*metric, &gather(self.data, test), test.len(), k, |query, found| {
                let actual = self.data.classes()[test[query] as usize];
                for (hits, &number) in hits.iter_mut().zip(chosen) {
                    let params = &self.candidates[number];
                    let share = vote::share(params, &found[..params.n_neighbors], |row| classes[row as usize]);
                    *hits += u64::from(vote::class(share) == actual);
                }
            });
            // Counts of rows: their sum does not depend on the order.
            for (right, hits) in right.iter().zip(hits) {
                right.fetch_add(hits, Ordering::Relaxed);
            }
            Ok::<_, FitError>(())
        })?;
        context.progress.advance(chosen.len() as u64);
        Ok(right.into_iter().map(|right| Score { right: right.into_inner(), converged: true }).collect())
    }
}

/// The values of `rows`, one after the other.
fn gather(data: Dataset<'_>, rows: &[u32]) -> Vec<f64> {
    rows.iter().flat_map(|&row| data.row(row as usize)).copied().collect()
}
