//! Random numbers whose every bit is fixed by the seed.
//!
//! The mappings from bits to numbers are ours, because those of the `rand` crate may change between its
//! versions; nothing here calls the platform's mathematics.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use weir_contract::Seed;

/// A stream of random numbers.
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub(crate) fn new(seed: Seed) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed.0))
    }

    /// A whole number in `0..n`; `n` of at most 2^20 keeps the bias below 1 in 4,000.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(n)) >> 32) as u32
    }

    /// A whole number in `low..=high`.
    pub(crate) fn within(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// One of `items`, which is not empty.
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u32) as usize]
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// True with the given probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A number in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        f64::from(self.0.next_u32()) * (1.0 / 4_294_967_296.0)
    }

    /// An index of `weights`, each with its share of their sum.
    pub(crate) fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return index;
            }
            left -= weight;
        }
        weights.len() - 1
    }

    /// A positive number with the given median whose logarithm is close to normal.
    ///
    /// The logarithm is the sum of four uniform numbers, scaled to deviation `sigma`; it stays within
    /// `±3.5 sigma`, which keeps durations and volumes bounded.
    pub(crate) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        let bits = self.0.next_u64();
        let sum: u64 = (0..4).map(|part| bits >> (16 * part) & 0xffff).sum();
        // Variance of one uniform 16-bit number is (2^32 - 1) / 12; of four, a third of 2^32.
        let normal = (sum as f64 - 131_070.0) * (1.0 / 37_837.227);
        median * libm::exp(sigma * normal)
    }

    /// A waiting time in nanoseconds, at least 1.
    pub(crate) fn exponential_ns(&mut self, mean_ns: f64) -> u64 {
        1 + (-mean_ns * libm::log(1.0 - self.unit())) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_normal_has_its_median_and_deviation() {
        let mut random = Random::new(Seed(1));
        let logs: Vec<f64> = (0..20_000).map(|_| libm::log(random.log_normal(100.0, 0.5))).collect();
        let mean = logs.iter().sum::<f64>() / 20_000.0;
        let variance = logs.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 20_000.0;
        assert!((mean - libm::log(100.0)).abs() < 0.02, "{mean}");
        assert!((variance - 0.25).abs() < 0.01, "{variance}");
    }

    #[test]
    fn weighted_choice_never_takes_a_weight_of_zero() {
        let mut random = Random::new(Seed(2));
        assert!((0..1_000).all(|_| random.weighted(&[0.0, 1.0, 0.0]) == 1));
    }
}
