//! What a k-nearest-neighbour model can be told, by scikit-learn's names.

use serde::{Deserialize, Serialize};
use weir_contract::{ParamMap, ParamValue};

use super::distance::Metric;
use crate::params::{ParamError, ParamReader};

/// Most neighbours: the list of the nearest is kept sorted by insertion, which takes k^2 moves where it is long.
const MAX_NEIGHBORS: usize = 10_000;

/// How much each of the k neighbours counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weights {
    /// All the same.
    Uniform,
    /// By the inverse of the distance; if any of the k is at distance 0, only those count, equally.
    Distance,
}

impl Weights {
    /// scikit-learn's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Distance => "distance",
        }
    }
}

/// Parameters of scikit-learn's `KNeighborsClassifier`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnnParams {
    /// `n_neighbors`: the k, at least 1 and at most the rows that are fitted on.
    pub n_neighbors: usize,
    /// `weights`: how much each neighbour counts.
    pub weights: Weights,
    /// `metric`: how far two rows are apart.
    pub metric: Metric,
}

impl Default for KnnParams {
    /// scikit-learn's defaults: the 5 nearest, counting the same, by euclidean distance (its `minkowski` with `p=2`).
    fn default() -> Self {
        Self { n_neighbors: 5, weights: Weights::Uniform, metric: Metric::Euclidean }
    }
}

impl KnnParams {
    /// Reads `n_neighbors` (1 to 10,000), `weights` (`uniform`, `distance`) and `metric` (`euclidean`,
    /// `manhattan`); what is not in `map` takes the default.
    ///
    /// # Errors
    /// [`ParamError`] for an unknown parameter or a value outside its range.
    pub fn from_map(map: &ParamMap) -> Result<Self, ParamError> {
        let default = Self::default();
        let mut reader = ParamReader::new("KNN", map);
        let params = Self {
            n_neighbors: reader.int("n_neighbors", default.n_neighbors, 1..=MAX_NEIGHBORS)?,
            weights: reader.choice(
                "weights",
                default.weights,
                &[Weights::Uniform, Weights::Distance].map(|weights| (weights.name(), weights)),
            )?,
            metric: reader.choice(
                "metric",
                default.metric,
                &[Metric::Euclidean, Metric::Manhattan].map(|metric| (metric.name(), metric)),
            )?,
        };
        reader.finish()?;
        Ok(params)
    }

    /// All parameters, defaults included.
    #[must_use]
    pub fn to_map(&self) -> ParamMap {
        ParamMap::from([
            ("metric".to_owned(), ParamValue::Text(self.metric.name().to_owned())),
            ("n_neighbors".to_owned(), ParamValue::Int(self.n_neighbors as i64)),
            ("weights".to_owned(), ParamValue::Text(self.weights.name().to_owned())),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> ParamValue {
        ParamValue::Text(value.to_owned())
    }

    #[test]
    fn nothing_given_is_the_default_and_the_map_round_trips() {
        assert_eq!(KnnParams::from_map(&ParamMap::new()), Ok(KnnParams::default()));
        let params = KnnParams { n_neighbors: 11, weights: Weights::Distance, metric: Metric::Manhattan };
        assert_eq!(KnnParams::from_map(&params.to_map()), Ok(params));
    }

    #[test]
    fn refusals_name_parameter_range_and_value() {
        let refusal = |name: &str, value| {
            KnnParams::from_map(&ParamMap::from([(name.to_owned(), value)])).unwrap_err().to_string()
        };
        assert_eq!(
            refusal("n_neighbors", ParamValue::Int(0)),
            "KNN: n_neighbors must be a whole number from 1 to 10000, received 0"
        );
        assert_eq!(refusal("metric", text("cosine")), "KNN: metric must be euclidean or manhattan, received cosine");
        assert_eq!(refusal("weights", text("rank")), "KNN: weights must be uniform or distance, received rank");
        assert_eq!(
            refusal("leaf_size", ParamValue::Int(30)),
            "KNN has no parameter \"leaf_size\"; it has n_neighbors, weights, metric"
        );
        assert_eq!(
            refusal("n_neighbours", ParamValue::Int(5)),
            "KNN has no parameter \"n_neighbours\", the nearest is n_neighbors; it has n_neighbors, weights, metric"
        );
        assert!(refusal("n_neighbors", ParamValue::Int(10_001)).ends_with("from 1 to 10000, received 10001"));
    }
}
