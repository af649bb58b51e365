//! Initial weights and row order, drawn from ChaCha8 so that a seed means the same everywhere.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use weir_contract::Seed;

/// What a generator is for; each purpose has its own stream, so that drawing more for one leaves the other alone.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// Initial weights.
    Weights = 0,
    /// Order of the rows in each epoch.
    Order = 1,
}

/// Random numbers for one purpose.
pub(super) struct Random(ChaCha8Rng);

impl Random {
    /// Starts the stream of `purpose` under `seed`.
    pub(super) fn new(seed: Seed, purpose: Purpose) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.0.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(purpose as u64);
        Self(generator)
    }

    /// Uniform in `[0, 1)`, a multiple of 2^-53.
    fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in `0..bound`, `bound` above 0. Values that would favour small numbers are drawn again.
    fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        loop {
            let value = self.0.next_u64();
            // The first condition nearly always holds and is the cheaper one.
            if value <= u64::MAX - bound || value < u64::MAX - u64::MAX % bound {
                return (value % bound) as usize;
            }
        }
    }

    /// Standard normal cut off at two standard deviations, by rejection under the density.
    fn truncated_normal(&mut self) -> f64 {
        loop {
            let z = 4.0 * self.unit() - 2.0;
            if self.unit() < libm::exp(-0.5 * z * z) {
                return z;
            }
        }
    }

    /// `inputs * outputs` weights as Keras' `GlorotNormal` draws them: normal, cut off at two standard deviations,
    /// with variance 2 / (inputs + outputs) after the cut (Glorot, Bengio 2010; `VarianceScaling` in
    /// `keras/src/initializers/random_initializers.py`).
    pub(super) fn glorot_normal(&mut self, inputs: usize, outputs: usize) -> Vec<f64> {
        /// Standard deviation of the standard normal cut off at -2 and 2.
        const TRUNCATED: f64 = 0.879_625_661_034_239_8;
        let deviation = (2.0 / (inputs + outputs) as f64).sqrt() / TRUNCATED;
        (0..inputs * outputs).map(|_| deviation * self.truncated_normal()).collect()
    }

    /// Puts `items` in random order (Fisher, Yates; Durstenfeld 1964).
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glorot_weights_have_their_variance_and_stay_within_two_deviations() {
        let weights = Random::new(Seed(7), Purpose::Weights).glorot_normal(200, 300);
        let variance = weights.iter().map(|weight| weight * weight).sum::<f64>() / weights.len() as f64;
        assert!((variance / (2.0 / 500.0) - 1.0).abs() < 0.02, "{variance}");
        let bound = 2.0 * (2.0f64 / 500.0).sqrt() / 0.8796;
        assert!(weights.iter().all(|weight| weight.abs() <= bound));
    }

    #[test]
    fn a_shuffle_keeps_every_item_and_favours_no_place() {
        let mut random = Random::new(Seed(42), Purpose::Order);
        let mut first_places = [0; 6];
        for _ in 0..6000 {
            let mut items = [0, 1, 2, 3, 4, 5];
            random.shuffle(&mut items);
            first_places[items[0]] += 1;
            items.sort_unstable();
            assert_eq!(items, [0, 1, 2, 3, 4, 5]);
        }
        assert!(first_places.iter().all(|&count| (850..1150).contains(&count)), "{first_places:?}");
    }

    #[test]
    fn weights_and_order_are_drawn_from_separate_streams() {
        let first = |purpose| Random::new(Seed(42), purpose).0.next_u64();
        assert_ne!(first(Purpose::Weights), first(Purpose::Order));
    }
}
