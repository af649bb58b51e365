//! From neighbours to the share of class 1.

use super::distance::Metric;
use super::nearest::Neighbour;
use super::params::{KnnParams, Weights};

/// Weighted share of class 1 among `neighbours`: the k nearest, nearest first; weights are added in that order.
///
/// As in scikit-learn, neighbours at distance 0, or so near that the inverse is not finite, leave the others without
/// weight and count equally; where no neighbour has any weight (all at infinite distance) the share is 0.
pub(super) fn share(params: &KnnParams, neighbours: &[Neighbour], class_of: impl Fn(u32) -> u8) -> f64 {
    match params.weights {
        Weights::Uniform => {
            let malicious = neighbours.iter().filter(|neighbour| class_of(neighbour.row) == 1).count();
            malicious as f64 / neighbours.len() as f64
        }
        Weights::Distance => {
            let nearest = neighbours.first().map_or(0.0, |neighbour| weight(params.metric, neighbour));
            let mut sums = [0.0; 2];
            for neighbour in neighbours {
                let weight = weight(params.metric, neighbour);
                let weight = if nearest.is_finite() { weight } else { f64::from(u8::from(weight.is_infinite())) };
                sums[usize::from(class_of(neighbour.row))] += weight;
            }
            let all = sums[0] + sums[1];
            if all == 0.0 { 0.0 } else { sums[1] / all }
        }
    }
}

fn weight(metric: Metric, neighbour: &Neighbour) -> f64 {
    1.0 / metric.distance(neighbour.reduced)
}

/// Class 1 needs more than half; a tied vote goes to class 0.
pub(super) fn class(share: f64) -> u8 {
    u8::from(share > 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share_of(weights: Weights, metric: Metric, neighbours: &[(f64, u8)]) -> f64 {
        let params = KnnParams { n_neighbors: neighbours.len(), weights, metric };
        let found: Vec<Neighbour> =
            neighbours.iter().enumerate().map(|(row, &(reduced, _))| Neighbour { reduced, row: row as u32 }).collect();
        share(&params, &found, |row| neighbours[row as usize].1)
    }

    #[test]
    fn neighbours_count_by_the_inverse_of_their_distance() {
        let neighbours = [(1.0, 0), (4.0, 1), (16.0, 1)];
        let [one, two, four] = [1.0, 1.0 / 2.0, 1.0 / 4.0];
        let euclidean = share_of(Weights::Distance, Metric::Euclidean, &neighbours);
        assert_eq!(euclidean, (two + four) / (one + two + four));
        assert_eq!(share_of(Weights::Uniform, Metric::Euclidean, &neighbours), 2.0 / 3.0);
    }

    #[test]
    fn only_neighbours_at_distance_zero_count_if_there_are_any() {
        let neighbours = [(0.0, 1), (0.0, 0), (0.0, 1), (1e-9, 0), (1e-9, 0)];
        assert_eq!(share_of(Weights::Distance, Metric::Manhattan, &neighbours), 2.0 / 3.0);
        // The inverse of the smallest f64 is not finite.
        assert_eq!(share_of(Weights::Distance, Metric::Manhattan, &[(5e-324, 1), (1.0, 0)]), 1.0);
    }

    #[test]
    fn a_tied_vote_goes_to_class_zero() {
        let tied = share_of(Weights::Uniform, Metric::Euclidean, &[(1.0, 1), (2.0, 0)]);
        assert_eq!((tied, class(tied)), (0.5, 0));
    }

    #[test]
    fn without_any_weight_the_share_is_zero() {
        assert_eq!(share_of(Weights::Distance, Metric::Manhattan, &[(f64::INFINITY, 1)]), 0.0);
    }
}
