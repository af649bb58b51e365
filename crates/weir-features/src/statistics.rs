//! Statistics of features and splits. Sums run in row order, so that no number depends on threads.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use rayon::prelude::*;
use weir_contract::feature::FeatureStatistics;
use weir_contract::statistics::{Distribution, SplitStatistics};
use weir_contract::{FlowBatch, Label};
use weir_transform::address;

/// Bins of a distribution.
const BINS: usize = 24;

const QUANTILES: [f64; 7] = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

/// Moments, nearest-rank quantiles and distinct values of a column; all zero for an empty one.
#[must_use]
pub fn feature(values: &[f64]) -> FeatureStatistics {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    let rank = |share: f64| ((share * sorted.len() as f64).ceil() as usize).saturating_sub(1);
    let quantile = |share: f64| sorted.get(rank(share)).copied().unwrap_or(0.0);
    FeatureStatistics {
        minimum: sorted.first().copied().unwrap_or(0.0),
        maximum: sorted.last().copied().unwrap_or(0.0),
        mean,
        standard_deviation: variance.sqrt(),
        quantiles: QUANTILES.map(quantile),
        distinct: sorted.chunk_by(|a, b| a == b).count() as u64,
    }
}

/// Histogram by class in equal bins from minimum to maximum.
#[must_use]
pub fn distribution(feature: &str, values: &[f64], label: &[u8], statistics: &FeatureStatistics) -> Distribution {
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
#[must_use]
pub fn correlation(columns: &[Vec<f64>], statistics: &[FeatureStatistics]) -> Vec<Vec<f64>> {
    let one = |a: usize, b: usize| {
        let scale = statistics[a].standard_deviation * statistics[b].standard_deviation;
        let (mean_a, mean_b) = (statistics[a].mean, statistics[b].mean);
        let products = columns[a].iter().zip(&columns[b]).map(|(x, y)| (x - mean_a) * (y - mean_b)).sum::<f64>();
        if scale == 0.0 { 0.0 } else { (products / columns[a].len() as f64 / scale).clamp(-1.0, 1.0) }
    };
    let lower: Vec<Vec<f64>> =
        (0..columns.len()).into_par_iter().map(|a| (0..=a).map(|b| one(a, b)).collect()).collect();
    (0..columns.len()).map(|a| (0..columns.len()).map(|b| lower[a.max(b)][a.min(b)]).collect()).collect()
}

/// Classes and attacks of a split.
#[must_use]
pub fn split(name: &str, flows: &FlowBatch) -> SplitStatistics {
    let mut attacks = BTreeMap::new();
    let (mut benign, mut malicious) = (0, 0);
    for row in 0..flows.len() {
        if flows.label.get(row) == Some(Label::Malicious.class()) {
            malicious += 1;
            *attacks.entry(flows.attack.get(row).unwrap_or("unnamed").to_owned()).or_default() += 1;
        } else {
            benign += 1;
        }
    }
    SplitStatistics { split: name.to_owned(), benign, malicious, attacks }
}

/// How many different addresses share their integer with an earlier one.
#[must_use]
pub fn address_collisions(flows: &FlowBatch, rows: &[usize]) -> u64 {
    let addresses: HashSet<IpAddr> =
        rows.iter().flat_map(|&row| [flows.source_ip[row], flows.destination_ip[row]]).collect();
    let integers: HashSet<u64> = addresses.iter().map(|&address| address::to_integer(address)).collect();
    (addresses.len() - integers.len()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_quantiles_are_those_of_the_counts() {
        let statistics = feature(&[4.0, 1.0, 1.0, 2.0]);
        assert_eq!((statistics.minimum, statistics.maximum, statistics.mean), (1.0, 4.0, 8.0 / 4.0));
        assert_eq!(statistics.standard_deviation, (6.0f64 / 4.0).sqrt());
        assert_eq!(statistics.quantiles, [1.0, 1.0, 1.0, 1.0, 2.0, 4.0, 4.0]);
        assert_eq!(statistics.distinct, 3);
        assert_eq!(feature(&[]).distinct, 0);
    }

    #[test]
    fn bins_hold_every_row_once() {
        let values = [0.0, 0.5, 1.0, 1.0];
        let bins = distribution("f", &values, &[0, 1, 0, 1], &feature(&values));
        assert_eq!((bins.benign[0], bins.benign[BINS - 1]), (1, 1));
        assert_eq!((bins.malicious[BINS / 2], bins.malicious[BINS - 1]), (1, 1));
        let constant = distribution("f", &[3.0, 3.0], &[0, 0], &feature(&[3.0, 3.0]));
        assert_eq!(constant.benign[0], 2);
    }

    #[test]
    fn correlation_of_opposites_is_minus_one_and_of_a_constant_zero() {
        let columns = [vec![1.0, 2.0, 3.0], vec![3.0, 2.0, 1.0], vec![5.0, 5.0, 5.0]];
        let matrix = correlation(&columns, &columns.each_ref().map(|column| feature(column)));
        assert!((matrix[0][1] + 1.0).abs() < 1e-12 && (matrix[1][1] - 1.0).abs() < 1e-12);
        assert_eq!((matrix[2][0], matrix[2][2]), (0.0, 0.0));
    }
}
