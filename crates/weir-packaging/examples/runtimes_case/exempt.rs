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

/// Whether the k-th and the next distance, or two of the k below [`CLOSE`], nearly tie. An exact tie is none: it is one
/// for all who add the same numbers in the same order, and then the row number decides.
fn near_ties(model: &Knn, x: ArrayView2<'_, f64>) -> Vec<bool> {
    let close = |a: f64, b: f64| a != b && (a - b).abs() < CLOSE;
    let (k, rows) = (model.params().n_neighbors, model.classes().len());
    let one_more = KnnParams { n_neighbors: (k + 1).min(rows), ..model.params().clone() };
    let points = ArrayView2::from_shape((rows, model.features()), model.values()).expect("a row per class");
    let fit = one_more.fit(Dataset::new(points, model.classes()), &Context::default());
    let neighbours = fit.expect("rows that were fitted before").model.neighbours(x);
    let near_tie = |found: &Vec<(usize, f64)>| {
        let tiny = found.windows(2).take(k - 1).any(|pair| pair[1].1 < CLOSE && close(pair[0].1, pair[1].1));
        tiny || (found.len() > k && close(found[k - 1].1, found[k].1))
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
