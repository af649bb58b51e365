//! Quantiles, histograms and correlation of columns. Sums run in row order, so that no number depends on threads.

use rayon::prelude::*;
use weir_contract::feature::FeatureStatistics;
use weir_contract::statistics::Distribution;

/// Bins of a distribution.
const BINS: usize = 24;

const QUANTILES: [f64; 7] = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

/// Nearest-rank quantiles of ascending values; 0 without values.
pub(crate) fn quantiles(sorted: &[f64]) -> [f64; 7] {
    let rank = |share: f64| ((share * sorted.len() as f64).ceil() as usize).saturating_sub(1);
    QUANTILES.map(|share| sorted.get(rank(share)).copied().unwrap_or(0.0))
}

/// Histogram by class in equal bins from minimum to maximum.
pub(crate) fn distribution(
    feature: &str,
    values: &[f64],
    label: &[u8],
    statistics: &FeatureStatistics,
) -> Distribution {
    let (low, high) = (statistics.minimum, statistics.maximum);
    let mut counts = [[0u64; BINS]; 2];
    for (&value, &class) in values.iter().zip(label) {
        let place = if high > low { (value - low) / (high - low) * BINS as f64 } else { 0.0 };
        counts[usize::from(class)][(place as usize).min(BINS - 1)] += 1;
    }
    let [benign, malicious] = counts.map(|counts| counts.to_vec());
    Distribution { feature: feature.to_owned(), range: (low, high), benign, malicious }
}

/// Pearson correlation `[features][features]`; 0 where one of the two is constant.
pub(crate) fn correlation(columns: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let centred: Vec<(Vec<f64>, f64)> = columns
        .par_iter()
        .map(|column| {
            let mean = column.iter().sum::<f64>() / column.len().max(1) as f64;
            let centred: Vec<f64> = column.iter().map(|value| value - mean).collect();
            let squares = centred.iter().map(|value| value * value).sum();
            (centred, squares)
        })
        .collect();
    let one = |a: usize, b: usize| {
        let ((column_a, squares_a), (column_b, squares_b)) = (&centred[a], &centred[b]);
        let scale = squares_a.sqrt() * squares_b.sqrt();
        let products = column_a.iter().zip(column_b).map(|(x, y)| x * y).sum::<f64>();
        if scale == 0.0 { 0.0 } else { (products / scale).clamp(-1.0, 1.0) }
    };
    let lower: Vec<Vec<f64>> =
        (0..columns.len()).into_par_iter().map(|a| (0..=a).map(|b| one(a, b)).collect()).collect();
    (0..columns.len()).map(|a| (0..columns.len()).map(|b| lower[a.max(b)][a.min(b)]).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_at_their_rank() {
        assert_eq!(quantiles(&[1.0, 1.0, 2.0, 4.0]), [1.0, 1.0, 1.0, 1.0, 2.0, 4.0, 4.0]);
        assert_eq!(quantiles(&[]), [0.0; 7]);
    }

    #[test]
    fn bins_hold_every_row_once() {
        let statistics = |minimum, maximum| FeatureStatistics {
            minimum,
            maximum,
            mean: 0.0,
            standard_deviation: 0.0,
            quantiles: [0.0; 7],
            distinct: 0,
        };
        let bins = distribution("f", &[0.0, 0.5, 1.0, 1.0], &[0, 1, 0, 1], &statistics(0.0, 1.0));
        assert_eq!((bins.benign[0], bins.benign[BINS - 1]), (1, 1));
        assert_eq!((bins.malicious[BINS / 2], bins.malicious[BINS - 1]), (1, 1));
        let constant = distribution("f", &[3.0, 3.0], &[0, 0], &statistics(3.0, 3.0));
        assert_eq!(constant.benign[0], 2);
    }

    #[test]
    fn correlation_of_opposites_is_minus_one_and_of_a_constant_zero() {
        let matrix = correlation(&[vec![1.0, 2.0, 3.0], vec![3.0, 2.0, 1.0], vec![5.0, 5.0, 5.0]]);
        assert!((matrix[0][1] + 1.0).abs() < 1e-12 && (matrix[1][1] - 1.0).abs() < 1e-12);
        assert_eq!((matrix[0][2], matrix[2][2]), (0.0, 0.0));
    }
}
