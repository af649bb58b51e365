//! Scores over predictions. Class 1 (malicious) is the positive class.

/// Share of rows predicted as they are; both `[n]` of 0 and 1. 0 without rows.
///
/// # Panics
/// When the lengths differ.
#[must_use]
pub fn accuracy(actual: &[u8], predicted: &[u8]) -> f64 {
    assert_eq!(actual.len(), predicted.len(), "one prediction per row");
    let right = actual.iter().zip(predicted).filter(|(actual, predicted)| actual == predicted).count();
    if actual.is_empty() { 0.0 } else { right as f64 / actual.len() as f64 }
}

/// Whether each row is predicted as it is.
///
/// # Panics
/// When the lengths differ.
#[must_use]
pub fn correct(actual: &[u8], predicted: &[u8]) -> Vec<bool> {
    assert_eq!(actual.len(), predicted.len(), "one prediction per row");
    actual.iter().zip(predicted).map(|(actual, predicted)| actual == predicted).collect()
}

/// Area under the ROC curve: the share of (malicious, benign) pairs of rows in which the malicious one has the higher
/// score, pairs of equal scores counted half (Mann-Whitney U over the number of pairs). The pairs are counted in whole
/// numbers, so the result does not depend on the order of the rows. `None` unless both classes occur.
///
/// # Panics
/// When the lengths differ.
#[must_use]
pub fn roc_auc(actual: &[u8], scores: &[f64]) -> Option<f64> {
    assert_eq!(actual.len(), scores.len(), "one score per row");
    let mut rows: Vec<(f64, u8)> = scores.iter().copied().zip(actual.iter().copied()).collect();
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut benign, mut malicious, mut half_pairs) = (0u128, 0u128, 0u128);
    for tied in rows.chunk_by(|a, b| a.0 == b.0) {
        let tied_malicious = tied.iter().filter(|row| row.1 == 1).count() as u128;
        let tied_benign = tied.len() as u128 - tied_malicious;
        half_pairs += tied_malicious * (2 * benign + tied_benign);
        benign += tied_benign;
        malicious += tied_malicious;
    }
    let pairs = benign * malicious;
    (pairs > 0).then(|| half_pairs as f64 / (2 * pairs) as f64)
}

/// Mean and standard deviation (divided by the number of values, as numpy's `std`) of the scores of the folds, added
/// in order.
///
/// # Panics
/// Without values.
#[must_use]
pub fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    assert!(!values.is_empty(), "at least one value");
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (mean, (squares / count).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracy_is_the_share_of_right_rows() {
        let (actual, predicted) = ([0, 1, 1, 0], [0, 1, 0, 0]);
        assert_eq!(accuracy(&actual, &predicted), 3.0 / 4.0);
        assert_eq!(correct(&actual, &predicted), [true, true, false, true]);
        assert_eq!(accuracy(&[], &[]), 0.0);
    }

    #[test]
    fn area_counts_ordered_pairs_and_half_of_the_tied() {
        // Malicious .35 and .8 against benign .1 and .4: three of four pairs are in order.
        assert_eq!(roc_auc(&[0, 0, 1, 1], &[0.1, 0.4, 0.35, 0.8]), Some(3.0 / 4.0));
        // Malicious .9 and .5 against benign .5: one in order, one tied.
        assert_eq!(roc_auc(&[0, 1, 1], &[0.5, 0.9, 0.5]), Some(1.5 / 2.0));
        assert_eq!(roc_auc(&[1, 0, 1, 0], &[0.0, -0.0, 0.0, 0.0]), Some(0.5));
        assert_eq!(roc_auc(&[1, 1], &[0.1, 0.2]), None);
    }

    #[test]
    fn deviation_divides_by_the_number_of_values() {
        assert_eq!(mean_and_deviation(&[1.0, 3.0]), (2.0, 1.0));
        assert_eq!(mean_and_deviation(&[0.5]), (0.5, 0.0));
    }
}
