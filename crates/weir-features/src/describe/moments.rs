//! Count, extremes, mean and variance that merge.

use serde::{Deserialize, Serialize};

/// Moments of some values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Moments {
    pub(crate) count: u64,
    pub(crate) minimum: f64,
    pub(crate) maximum: f64,
    pub(crate) mean: f64,
    /// Sum of the squared differences from the mean.
    squares: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Self { count: 0, minimum: f64::INFINITY, maximum: f64::NEG_INFINITY, mean: 0.0, squares: 0.0 }
    }
}

impl Moments {
    /// The moments of finite values, by two passes.
    pub(crate) fn of(values: &[f64]) -> Self {
        if values.is_empty() {
            return Self::default();
        }
        let mean = sum(values, |value| value) / values.len() as f64;
        Self {
            count: values.len() as u64,
            minimum: values.iter().copied().fold(f64::INFINITY, f64::min),
            maximum: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            mean,
            squares: sum(values, |value| (value - mean) * (value - mean)),
        }
    }

    /// Adds the moments of further values. After Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm
    /// for computing sample variances" (1979). The last bits depend on how values were grouped, so merge fixed groups in
    /// a fixed order.
    pub(crate) fn merge(&mut self, other: &Self) {
        if self.count == 0 || other.count == 0 {
            if self.count == 0 {
                *self = *other;
            }
            return;
        }
        let (left, right) = (self.count as f64, other.count as f64);
        let (both, difference) = (left + right, other.mean - self.mean);
        self.mean += difference * (right / both);
        self.squares += other.squares + difference * difference * (left / both * right);
        self.count += other.count;
        self.minimum = self.minimum.min(other.minimum);
        self.maximum = self.maximum.max(other.maximum);
    }

    /// The standard deviation, divided by the count; 0 without values.
    pub(crate) fn standard_deviation(&self) -> f64 {
        if self.count == 0 { 0.0 } else { (self.squares / self.count as f64).sqrt() }
    }
}

/// A sum in eight interleaved lanes, added up in their order.
fn sum(values: &[f64], of: impl Fn(f64) -> f64) -> f64 {
    let mut lanes = [0.0; 8];
    let (chunks, rest) = values.as_chunks::<8>();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += of(value);
        }
    }
    for (lane, &value) in lanes.iter_mut().zip(rest) {
        *lane += of(value);
    }
    lanes.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_moments_are_those_of_all_values() {
        let values: Vec<f64> = (0..1_000).map(|i| 1e9 + f64::from(i * i % 97)).collect();
        let mut merged = Moments::default();
        for part in values.chunks(37) {
            merged.merge(&Moments::of(part));
        }
        merged.merge(&Moments::default());
        let whole = Moments::of(&values);
        assert_eq!((merged.count, merged.minimum, merged.maximum), (1_000, 1e9, whole.maximum));
        assert!((merged.mean - whole.mean).abs() < 1e-6);
        assert!((merged.standard_deviation() - whole.standard_deviation()).abs() < 1e-6);
        // Of 0..3: mean 1.5, variance 1.25.
        assert_eq!(Moments::of(&[0.0, 1.0, 2.0, 3.0]).standard_deviation(), 1.25f64.sqrt());
        assert_eq!(Moments::default().standard_deviation(), 0.0);
    }
}
