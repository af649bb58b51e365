//! Where runs start: k-means++.

use ndarray::{Array2, ArrayView2, Axis};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use weir_contract::Seed;

use super::squared_distance;

/// Draws starts for one set of points.
pub(super) struct Starts<'a> {
    random: ChaCha8Rng,
    points: ArrayView2<'a, f64>,
    clusters: usize,
}

impl<'a> Starts<'a> {
    /// Starts of `clusters` centres for `points`: `[n, d]`, at least one.
    pub(super) fn new(seed: Seed, points: ArrayView2<'a, f64>, clusters: usize) -> Self {
        Self { random: ChaCha8Rng::seed_from_u64(seed.0), points, clusters }
    }

    /// The next start: `[k, d]`, different points. The first is any, each other is drawn with the squares of the distances
    /// to those there are. It ends early when every point is one of them.
    pub(super) fn draw(&mut self) -> Array2<f64> {
        let rows = self.points.nrows();
        let mut chosen = vec![((self.unit() * rows as f64) as usize).min(rows - 1)];
        let mut distances = vec![f64::INFINITY; rows];
        loop {
            let newest = self.points.row(chosen[chosen.len() - 1]);
            for (distance, point) in distances.iter_mut().zip(self.points.rows()) {
                *distance = distance.min(squared_distance(newest, point));
            }
            if chosen.len() == self.clusters {
                break;
            }
            let total: f64 = distances.iter().sum();
            let Some(next) = place(&distances, self.unit() * total) else { break };
            chosen.push(next);
        }
        self.points.select(Axis(0), &chosen)
    }

    /// Uniform in `[0, 1)`, a multiple of 2^-53.
    fn unit(&mut self) -> f64 {
        (self.random.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Where the running sum of `weights` passes `target`, among those above 0; the last of these where rounding hides it, none
/// where there is none.
fn place(weights: &[f64], target: f64) -> Option<usize> {
    let mut sum = 0.0;
    let passes = |&(_, &weight): &(usize, &f64)| {
        sum += weight;
        weight > 0.0 && sum > target
    };
    let passed = weights.iter().enumerate().find(passes).map(|(at, _)| at);
    passed.or_else(|| weights.iter().rposition(|&weight| weight > 0.0))
}
