//! `features.json`: what the columns of a feature table are, in their order.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::flow::Flow;

/// Version of `features.json` written by this build.
pub const FORMAT: u32 = 1;

/// The ordered schema of a feature table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureSchema {
    /// Version of this file.
    pub format: u32,
    /// Name of the feature set.
    pub feature_set: String,
    /// The scaling that models of this set are trained behind (trees see unscaled values).
    pub scaler: ScalerKind,
    /// The features, in column order.
    pub features: Vec<Feature>,
    /// Digest of the fitted transform.
    pub transform: Digest,
    /// Rows of train, over which the statistics run.
    pub rows: u64,
}

impl FeatureSchema {
    /// The names, in column order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.features.iter().map(|feature| feature.name.as_str()).collect()
    }
}

/// How the model's side scales features; the statistics come from train only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScalerKind {
    /// To `[0, 1]` by minimum and maximum of train.
    MinMax,
    /// To mean 0 and variance 1 of train (population variance, as scikit-learn's StandardScaler).
    Standard,
    /// As they are.
    None,
    /// To median 0 and interquartile range 1 of train (as scikit-learn's RobustScaler): outliers do not move it.
    Robust,
}

/// One feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// Column name.
    pub name: String,
    /// The expression over the canonical flow, as in the feature set.
    pub expression: String,
    /// Unit of the values, `1` where there is none.
    pub unit: String,
    /// One line for people.
    pub description: String,
    /// What the feature identifies, if it identifies something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifies: Option<Identifies>,
    /// The value that stands for a null input; without one a null row is quarantined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<f64>,
    /// Statistics over train.
    pub statistics: FeatureStatistics,
}

/// What a feature gives away beyond behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Identifies {
    /// A host: a model may learn who instead of what.
    Host,
    /// A moment: a model may learn when.
    Moment,
    /// A record: a model may learn the table it was trained on.
    Record,
}

impl Identifies {
    /// The word used in files and text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Moment => "moment",
            Self::Record => "record",
        }
    }
}

/// Moments and quantiles of one feature over train. Moments are exact and summed in a fixed order, so that they do not
/// depend on threads; quantiles and the number of different values are exact while no more than 100,000 rows are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureStatistics {
    /// Smallest value.
    pub minimum: f64,
    /// Largest value.
    pub maximum: f64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation, divided by the number of rows.
    pub standard_deviation: f64,
    /// Quantiles .01, .05, .25, .5, .75, .95, .99 (nearest rank); of large tables those of a uniform sample of `n` rows,
    /// with a standard error of `sqrt(p (1 - p) / n)` in rank.
    pub quantiles: [f64; 7],
    /// Number of different values; of large tables an estimate (HyperLogLog, standard error 1.6 %).
    pub distinct: u64,
}

/// `examples.json`: a few flows of the test split with their features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Examples {
    /// Version of this file.
    pub format: u32,
    /// Feature names, in column order.
    pub names: Vec<String>,
    /// The examples.
    pub examples: Vec<Example>,
}

/// A flow with its unscaled features in column order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// The canonical flow.
    pub flow: Flow,
    /// Its features.
    pub features: Vec<f64>,
}
