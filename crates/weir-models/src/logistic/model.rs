//! The fitted model.

use ndarray::ArrayView2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::classifier::{Classifier, ScoreKind, Scores};

/// Rows handed to a thread at a time.
const ROWS_PER_PIECE: usize = 4096;

/// A fitted logistic regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Logistic {
    weights: Vec<f64>,
    intercept: f64,
}

/// Bytes that are not a logistic regression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the weights and the intercept of a logistic regression must be finite")]
pub struct MalformedLogistic;

#[derive(Deserialize)]
struct Unchecked {
    weights: Vec<f64>,
    intercept: f64,
}

impl Logistic {
    /// `coefficients`: weights, then the intercept.
    pub(super) fn from_coefficients(mut coefficients: Vec<f64>) -> Self {
        let intercept = coefficients.pop().unwrap_or(0.0);
        Self { weights: coefficients, intercept }
    }

    /// Weight of each feature: `[features]`.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The intercept.
    #[must_use]
    pub fn intercept(&self) -> f64 {
        self.intercept
    }

    /// `w.x + b` of `row`: `[features]`; class 1 above 0.
    pub(super) fn decision(&self, row: &[f64]) -> f64 {
        self.weights.iter().zip(row).map(|(weight, value)| weight * value).sum::<f64>() + self.intercept
    }
}

impl Classifier for Logistic {
    fn features(&self) -> usize {
        self.weights.len()
    }

    fn score_kind(&self) -> ScoreKind {
        ScoreKind::Probability
    }

    fn predict(&self, x: ArrayView2<'_, f64>) -> Scores {
        assert_eq!(x.ncols(), self.features(), "one column per feature");
        let x = x.as_standard_layout();
        let values = x.as_slice().expect("standard layout");
        let features = self.features();
        let predict = |row: usize| {
            let z = self.decision(&values[row * features..(row + 1) * features]);
            (u8::from(z > 0.0), sigmoid(z))
        };
        let rows = 0..x.nrows();
        // A few rows should not wait for the thread pool.
        let (classes, scores) = if rows.len() <= ROWS_PER_PIECE {
            rows.map(predict).unzip()
        } else {
            rows.into_par_iter().with_min_len(ROWS_PER_PIECE).map(predict).unzip()
        };
        Scores { classes, scores }
    }

    /// A multiplication and an addition per feature.
    fn operations(&self) -> u64 {
        2 * self.weights.len() as u64
    }
}

/// `1 / (1 + exp(-z))`, without overflow.
fn sigmoid(z: f64) -> f64 {
    let e = libm::exp(-z.abs());
    if z > 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

impl TryFrom<Unchecked> for Logistic {
    type Error = MalformedLogistic;

    fn try_from(Unchecked { weights, intercept }: Unchecked) -> Result<Self, MalformedLogistic> {
        let finite = weights.iter().all(|weight| weight.is_finite()) && intercept.is_finite();
        if finite { Ok(Self { weights, intercept }) } else { Err(MalformedLogistic) }
    }
}
