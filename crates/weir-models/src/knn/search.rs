//! A search over candidates: per fold one index, per metric one neighbour search for the largest k, from which every
//! (k, weights) is read.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::distance::Metric;
use super::index::Index;
use super::params::KnnParams;
use super::{QUERIES, check, vote};
use crate::context::{CandidateScores, Context, FitError};
use crate::data::Dataset;
use crate::folds::{Fold, Folds};

/// Accuracy of every candidate on every fold, in the order of `candidates`.
///
/// `context.progress` advances by the number of candidates of a metric when that metric is done on a fold. As many
/// folds are scored at once as have room in `context.memory` for their rows and index (at least one); beside those,
/// memory is that of a few neighbour lists per thread.
///
/// # Errors
/// [`FitError::OneClass`] when a fold leaves rows of one class only, [`FitError::Parameter`] when an `n_neighbors` is
/// above the rows that a fold is fitted on, [`FitError::Cancelled`].
pub fn search(
    candidates: &[KnnParams],
    data: Dataset<'_>,
    folds: &Folds,
    context: &Context<'_>,
) -> Result<Vec<CandidateScores>, FitError> {
    // The rows once as they are gathered and once in the index.
    let fold_bytes = 2 * data.rows() * data.features() * size_of::<f64>();
    let at_once = (context.memory / fold_bytes.max(1)).clamp(1, folds.len().max(1));
    let mut accuracies: Vec<Vec<f64>> = Vec::with_capacity(folds.len());
    for folds in folds.folds().chunks(at_once) {
        let scored: Result<Vec<_>, FitError> =
            folds.par_iter().map(|fold| score_fold(candidates, data, fold, context)).collect();
        accuracies.extend(scored?);
    }
    Ok((0..candidates.len())
        .map(|candidate| CandidateScores {
            accuracy: accuracies.iter().map(|fold| fold[candidate]).collect(),
            unconverged: 0,
        })
        .collect())
}

/// Accuracy of every candidate on the rows that `fold` holds out.
fn score_fold(
    candidates: &[KnnParams],
    data: Dataset<'_>,
    fold: &Fold,
    context: &Context<'_>,
) -> Result<Vec<f64>, FitError> {
    context.check()?;
    let classes: Vec<u8> = fold.train.iter().map(|&row| data.classes()[row as usize]).collect();
    for params in candidates {
        check(params, &classes, classes.len())?;
    }
    let index = Index::new(&gather(data, &fold.train), data.features(), classes.len());
    let mut accuracies = vec![0.0; candidates.len()];
    for metric in [Metric::Euclidean, Metric::Manhattan] {
        let chosen: Vec<usize> = (0..candidates.len()).filter(|&number| candidates[number].metric == metric).collect();
        let Some(k) = chosen.iter().map(|&number| candidates[number].n_neighbors).max() else {
            continue;
        };
        let correct: Vec<AtomicU64> = chosen.iter().map(|_| AtomicU64::new(0)).collect();
        fold.test.par_chunks(QUERIES).try_for_each(|test| {
            context.check()?;
            let mut hits = vec![0; chosen.len()];
            index.search(metric, &gather(data, test), test.len(), k, |query, found| {
                let actual = data.classes()[test[query] as usize];
                for (hits, &number) in hits.iter_mut().zip(&chosen) {
                    let params = &candidates[number];
                    let share = vote::share(params, &found[..params.n_neighbors], |row| classes[row as usize]);
                    *hits += u64::from(vote::class(share) == actual);
                }
            });
            // Counts of rows: their sum does not depend on the order.
            for (correct, hits) in correct.iter().zip(hits) {
                correct.fetch_add(hits, Ordering::Relaxed);
            }
            Ok(())
        })?;
        for (&number, correct) in chosen.iter().zip(correct) {
            accuracies[number] = correct.into_inner() as f64 / fold.test.len() as f64;
        }
        context.progress.advance(chosen.len() as u64);
    }
    Ok(accuracies)
}

/// The values of `rows`, one after the other.
fn gather(data: Dataset<'_>, rows: &[u32]) -> Vec<f64> {
    rows.iter().flat_map(|&row| data.row(row as usize)).copied().collect()
}
