//! Rows of which a runtime that adds in another order may rightly say something else.

use ndarray::ArrayView2;
use weir_models::knn::{Knn, KnnParams};
use weir_models::tree::Tree;
use weir_models::{Classifier, Context, Dataset, Detector, FittedModel};

/// Differences below this may come from the order of additions.
const CLOSE: f64 = 1e-9;

/// Decision values, or log odds, below this may change their sign with it.
const UNDECIDED: f64 = 1e-6;

/// One flag per row of `x`, from what the detector itself computes; `scores` are its scores.
pub(crate) fn exempt(detector: &Detector, x: ArrayView2<'_, f64>, scores: &[f64]) -> Vec<bool> {
    match detector.model() {
        FittedModel::Svc(_) => scores.iter().map(|score| score.abs() < UNDECIDED).collect(),
        FittedModel::Logistic(_) => scores.iter().map(|score| (score / (1.0 - score)).ln().abs() < UNDECIDED).collect(),
        FittedModel::Knn(model) => near_ties(model, detector.represent(x).view()),
        FittedModel::Tree(model) if detector.encoder().is_some() => {
            detector.represent(x).rows().into_iter().map(|row| meets_threshold(model, &row.to_vec())).collect()
        }
        // Features that are compared as they are.
        FittedModel::Tree(_) => vec![false; x.nrows()],
    }
}

/// Whether two of the k distances below [`CLOSE`] nearly tie, or the k-th and the next do and not all that are as far are
/// of one class. An exact tie is none: it is one for all who add the same numbers in the same order, and then the row
/// number decides.
fn near_ties(model: &Knn, x: ArrayView2<'_, f64>) -> Vec<bool> {
    let close = |a: f64, b: f64| (a - b).abs() < CLOSE;
    let (k, rows) = (model.params().n_neighbors, model.classes().len());
    let one_more = KnnParams { n_neighbors: (k + 1).min(rows), ..model.params().clone() };
    let points = ArrayView2::from_shape((rows, model.features()), model.values()).expect("a row per class");
    let fit = one_more.fit(Dataset::new(points, model.classes()), &Context::default());
    let neighbours = fit.expect("rows that were fitted before").model.neighbours(x);
    let near_tie = |found: &Vec<(usize, f64)>| {
        let mut tiny = found[..k].windows(2).filter(|pair| pair[1].1 < CLOSE);
        if tiny.any(|pair| pair[0].1 != pair[1].1) {
            return true;
        }
        let (_, last) = found[k - 1];
        let next = found.get(k).filter(|&&(_, next)| next != last && close(next, last));
        next.is_some_and(|&(next, _)| {
            let mut as_far = found.iter().filter(|&&(_, distance)| close(distance, last));
            as_far.any(|&(row, _)| model.classes()[row] != model.classes()[next])
        })
    };
    neighbours.iter().map(near_tie).collect()
}

/// Whether a value that is tested on the way of `row` through the tree is within [`CLOSE`] of the threshold, relative.
fn meets_threshold(model: &Tree, row: &[f64]) -> bool {
    let mut index = 0;
    while let Some(split) = &model.nodes()[index].split {
        let value = row[split.feature as usize];
        if (value - split.threshold).abs() < CLOSE * value.abs().max(split.threshold.abs()) {
            return true;
        }
        index = if value <= split.threshold { index + 1 } else { split.right as usize };
    }
    false
}
