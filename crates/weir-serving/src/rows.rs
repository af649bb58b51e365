//! Rows to predict, and what is predicted for them.

use ndarray::ArrayView2;
use weir_bundle::Refused;
use weir_contract::FlowBatch;

use crate::model::Model;
use crate::refusal::Refusal;

/// What the rows of a request are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rows {
    /// Unscaled features in the order of `features.json`: `[rows, features]`, row-major.
    Vectors { values: Vec<f64>, rows: usize },
    /// Flows.
    Flows(Box<FlowBatch>),
}

/// One class and score per row; those of a refused row mean nothing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answers {
    pub(crate) classes: Vec<u8>,
    pub(crate) scores: Vec<f64>,
    /// Rows without a prediction, ascending.
    pub(crate) refused: Vec<Refused>,
}

/// What bounds a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Features of a row.
    pub(crate) width: usize,
    /// Most rows.
    pub(crate) rows: usize,
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Vectors { rows, .. } => *rows,
            Self::Flows(flows) => flows.len(),
        }
    }

    /// Predicts all rows.
    pub(crate) fn predict(&self, model: &Model) -> Result<Answers, Refusal> {
        match self {
            Self::Vectors { values, rows } => {
                let x = ArrayView2::from_shape((*rows, model.width()), values)
                    .map_err(|error| Refusal::Input(error.to_string()))?;
                let found =
                    model.bundle.predict_features(x).map_err(|error| Refusal::Input(format!("instance {error}")))?;
                Ok(Answers { classes: found.classes, scores: found.scores, refused: Vec::new() })
            }
            Self::Flows(flows) => {
                let found = model.bundle.predict(flows);
                Ok(Answers {
                    classes: found.labels.into_iter().map(Option::unwrap_or_default).collect(),
                    scores: found.scores.into_iter().map(|score| score.unwrap_or(f64::NAN)).collect(),
                    refused: found.refused,
                })
            }
        }
    }
}

impl Answers {
    /// Refuses all rows for the sake of the first that has no prediction.
    pub(crate) fn all_or_nothing(&self) -> Result<(), Refusal> {
        match self.refused.first() {
            None => Ok(()),
            Some(refused) => Err(Refusal::Input(format!("no prediction for {refused}"))),
        }
    }
}
