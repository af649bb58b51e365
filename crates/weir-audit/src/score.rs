//! How well a shallow tree tells the classes apart.

use ndarray::Array2;
use weir_contract::ConfusionMatrix;
use weir_models::tree::TreeParams;
use weir_models::{Classifier, Context, Dataset};

use crate::parts::Rows;
use crate::{AuditError, Sample};

/// Balanced accuracy on `rows.test` of a tree of `depth` (gini, leaves of at least one row, as scikit-learn's
/// `DecisionTreeClassifier(max_depth=depth)`) fitted on `rows.train`, both in `features` only. `None` where a class is
/// absent on either side.
pub(crate) fn balanced_accuracy(
    sample: &Sample<'_>,
    features: &[usize],
    rows: &Rows,
    depth: usize,
) -> Result<Option<f64>, AuditError> {
    if !rows.both_classes(sample) {
        return Ok(None);
    }
    let (x, y) = table(sample, features, &rows.train);
    let params = TreeParams { max_depth: Some(depth), ..TreeParams::default() };
    let tree = params.fit(Dataset::new(x.view(), &y), &Context::default())?.model;
    let (x, y) = table(sample, features, &rows.test);
    Ok(Some(ConfusionMatrix::count(&y, &tree.predict(x.view()).classes).balanced_accuracy()))
}

fn table(sample: &Sample<'_>, features: &[usize], rows: &[usize]) -> (Array2<f64>, Vec<u8>) {
    let x = Array2::from_shape_fn((rows.len(), features.len()), |(row, column)| {
        sample.columns[features[column]][rows[row]]
    });
    (x, rows.iter().map(|&row| sample.label[row]).collect())
}
