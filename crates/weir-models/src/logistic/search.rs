//! Many candidates on many folds: on each fold the candidates with one optimum are fitted once, and the values of C
//! follow one another upwards, each starting from the optimum of the one before.

use ndarray::ArrayView2;
use rayon::prelude::*;

use crate::context::{CandidateScores, Context, FitError};
use crate::data::Dataset;
use crate::folds::{Fold, Folds};

use super::model::Logistic;
use super::newton::minimise;
use super::objective::Objective;
use super::params::{LogisticParams, Solver};

/// Scores every candidate on every fold; the result has one entry per candidate, in their order. The accuracies are
/// those of fitting each on the fold's train rows and predicting its test rows: where a fit starts does not move the
/// optimum, only which candidates that stop at a low `max_iter` get how far.
///
/// # Errors
/// [`FitError::OneClass`]; [`FitError::Cancelled`].
pub fn search(
    candidates: &[LogisticParams],
    data: Dataset<'_>,
    folds: &Folds,
    context: &Context<'_>,
) -> Result<Vec<CandidateScores>, FitError> {
    super::refuse_one_class(data)?;
    let paths = paths(candidates);
    let mut scores = vec![CandidateScores { accuracy: vec![0.0; folds.len()], unconverged: 0 }; candidates.len()];
    let fold_bytes = data.rows() * data.features() * size_of::<f64>();
    let at_once = (context.memory / fold_bytes.max(1)).clamp(1, folds.len().max(1));
    for (chunk, folds_at_once) in folds.folds().chunks(at_once).enumerate() {
        let done: Vec<Vec<(usize, Scored)>> = folds_at_once
            .par_iter()
            .map(|fold| score_fold(candidates, &paths, data, fold, context))
            .collect::<Result<_, FitError>>()?;
        for (position, scored) in done.into_iter().enumerate() {
            for (candidate, scored) in scored {
                scores[candidate].accuracy[chunk * at_once + position] = scored.accuracy;
                scores[candidate].unconverged += usize::from(!scored.converged);
            }
        }
    }
    Ok(scores)
}

/// Candidates in ascending C that differ in nothing else; those of equal C have one optimum.
struct Path {
    candidates: Vec<usize>,
}

#[derive(Clone, Copy)]
struct Scored {
    accuracy: f64,
    converged: bool,
}

fn paths(candidates: &[LogisticParams]) -> Vec<Path> {
    let penalises_intercept = |index: usize| candidates[index].solver == Solver::Liblinear;
    let mut paths: Vec<Path> = Vec::new();
    for (index, candidate) in candidates.iter().enumerate() {
        let same = |path: &&mut Path| {
            let first = path.candidates[0];
            penalises_intercept(first) == penalises_intercept(index)
                && candidates[first].tol == candidate.tol
                && candidates[first].max_iter == candidate.max_iter
        };
        match paths.iter_mut().find(same) {
            Some(path) => path.candidates.push(index),
            None => paths.push(Path { candidates: vec![index] }),
        }
    }
    for path in &mut paths {
        path.candidates.sort_by(|&a, &b| candidates[a].c.total_cmp(&candidates[b].c));
    }
    paths
}

/// Every candidate, with its score on one fold.
fn score_fold(
    candidates: &[LogisticParams],
    paths: &[Path],
    data: Dataset<'_>,
    fold: &Fold,
    context: &Context<'_>,
) -> Result<Vec<(usize, Scored)>, FitError> {
    let (values, classes) = gather(data, &fold.train);
    let x = ArrayView2::from_shape((classes.len(), data.features()), &values).expect("a row per class");
    let train = Dataset::new(x, &classes);
    super::refuse_one_class(train)?;
    let per_path: Vec<Vec<(usize, Scored)>> = paths
        .par_iter()
        .map(|path| follow(path, candidates, train, data, &fold.test, context))
        .collect::<Result<_, FitError>>()?;
    Ok(per_path.concat())
}

fn follow(
    path: &Path,
    candidates: &[LogisticParams],
    train: Dataset<'_>,
    data: Dataset<'_>,
    test: &[u32],
    context: &Context<'_>,
) -> Result<Vec<(usize, Scored)>, FitError> {
    let mut scored: Vec<(usize, Scored)> = Vec::with_capacity(path.candidates.len());
    let mut coefficients = vec![0.0; train.features() + 1];
    let mut previous: Option<(f64, Scored)> = None;
    for &index in &path.candidates {
        let params = &candidates[index];
        let score = match previous {
            Some((c, score)) if c == params.c => score,
            _ => {
                let objective = Objective::new(train, params.penalty());
                let minimum = minimise(&objective, coefficients, params.stop(), context)?;
                coefficients = minimum.coefficients;
                let model = Logistic::from_coefficients(coefficients.clone());
                Scored { accuracy: accuracy(&model, data, test), converged: minimum.converged }
            }
        };
        previous = Some((params.c, score));
        scored.push((index, score));
        context.progress.advance(1);
    }
    Ok(scored)
}

/// Copies `rows` together: values `[rows, features]` and classes `[rows]`.
fn gather(data: Dataset<'_>, rows: &[u32]) -> (Vec<f64>, Vec<u8>) {
    let values = rows.iter().flat_map(|&row| data.row(row as usize)).copied().collect();
    let classes = rows.iter().map(|&row| data.classes()[row as usize]).collect();
    (values, classes)
}

fn accuracy(model: &Logistic, data: Dataset<'_>, rows: &[u32]) -> f64 {
    let is_right = |&&row: &&u32| (model.decision(data.row(row as usize)) > 0.0) == (data.classes()[row as usize] == 1);
    rows.iter().filter(is_right).count() as f64 / rows.len() as f64
}
