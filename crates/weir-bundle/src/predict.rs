//! From flows, or from vectors of features, to labels and scores.

use std::fmt;

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};
use weir_contract::{Classify, ExitCode, FlowBatch};
use weir_models::{Classifier, Scores};

use crate::bundle::Bundle;

/// Predictions for the flows of a batch, one per row: a row without a prediction is among the refused.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Predictions {
    /// Class per row: 0 benign, 1 malicious.
    pub labels: Vec<Option<u8>>,
    /// Score per row, of the kind that the bundle names.
    pub scores: Vec<Option<f64>>,
    /// Probability of malicious per row, where the bundle gives one.
    pub probabilities: Vec<Option<f64>>,
    /// Rows without a prediction, ascending, one entry per row.
    pub refused: Vec<Refused>,
}

/// A row without a prediction, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The row of the batch.
    pub row: usize,
    /// The feature that cannot be computed; none where a rule of the feature set leaves the flow out, or where the
    /// features are too far out to be scored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// What is wrong with it, or the rule.
    pub reason: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.feature {
            Some(feature) => write!(f, "row {}: feature {feature}: {}", self.row, self.reason),
            None => write!(f, "row {}: {}", self.row, self.reason),
        }
    }
}

/// Vectors that the detector cannot take.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum VectorError {
    /// A wrong number of features.
    #[error("expected vectors of {expected} features in the order of features.json, received {received}")]
    Width {
        /// Features of the bundle.
        expected: usize,
        /// Columns received.
        received: usize,
    },
    /// A value that is no number to compute with.
    #[error("row {row}: feature {feature} has to be finite, received {received}")]
    NotFinite {
        /// The row, from 0.
        row: usize,
        /// Name of the feature.
        feature: String,
        /// The value.
        received: f64,
    },
    /// Values so large that the score cannot be computed.
    #[error("row {row}: {TOO_FAR}")]
    TooFar {
        /// The row, from 0.
        row: usize,
    },
}

/// Why a row has no finite score.
const TOO_FAR: &str = "the values are too far outside the range of train";

impl Classify for VectorError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Input
    }
}

impl Bundle {
    /// Predicts the flows of a batch. The prediction of a flow does not depend on the other flows of the batch.
    ///
    /// A flow that a rule of the feature set leaves out, whose features cannot be computed, or whose score overflows,
    /// has no prediction and a reason. An empty batch gives empty predictions.
    #[must_use]
    pub fn predict(&self, batch: &FlowBatch) -> Predictions {
        let features = self.transform.apply(batch);
        let rules = self.transform.set().rows();
        let mut failed = features.refused.into_iter().peekable();
        let mut refused = Vec::new();
        let mut kept = Vec::with_capacity(batch.len());
        for row in 0..batch.len() {
            let failed = failed.next_if(|failed| failed.row == row);
            if let Some(rule) = rules.excludes(batch, row) {
                refused.push(Refused { row, feature: None, reason: rule.to_owned() });
            } else if let Some(failed) = failed {
                refused.push(Refused { row, feature: Some(failed.feature), reason: failed.reason.to_owned() });
            } else {
                kept.push(row);
            }
        }
        let columns = &features.columns;
        let x = Array2::from_shape_fn((kept.len(), columns.len()), |(i, column)| columns[column][kept[i]]);
        let found = self.detector.predict(x.view());
        let rows = batch.len();
        let mut predictions = Predictions {
            labels: vec![None; rows],
            scores: vec![None; rows],
            probabilities: vec![None; rows],
            refused,
        };
        for (i, row) in kept.into_iter().enumerate() {
            if found.scores[i].is_finite() {
                predictions.labels[row] = Some(found.classes[i]);
                predictions.scores[row] = Some(found.scores[i]);
                predictions.probabilities[row] = self.info.probability(found.scores[i]);
            } else {
                predictions.refused.push(Refused { row, feature: None, reason: TOO_FAR.to_owned() });
            }
        }
        predictions.refused.sort_by_key(|refused| refused.row);
        predictions
    }

    /// Predicts vectors of unscaled features, `x`: `[n, features]` in the order of `features.json`.
    ///
    /// # Errors
    /// [`VectorError::Width`] for another number of columns, [`VectorError::NotFinite`] for the first value that is
    /// not finite, [`VectorError::TooFar`] for the first row whose score is not.
    pub fn predict_features(&self, x: ArrayView2<'_, f64>) -> Result<Scores, VectorError> {
        let expected = self.schema.features.len();
        if x.ncols() != expected {
            return Err(VectorError::Width { expected, received: x.ncols() });
        }
        if let Some(((row, column), &received)) = x.indexed_iter().find(|(_, value)| !value.is_finite()) {
            let feature = self.schema.features[column].name.clone();
            return Err(VectorError::NotFinite { row, feature, received });
        }
        let scores = self.detector.predict(x);
        match scores.scores.iter().position(|score| !score.is_finite()) {
            None => Ok(scores),
            Some(row) => Err(VectorError::TooFar { row }),
        }
    }
}
