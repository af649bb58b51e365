//! Confusion matrix and the scores read from it. The positive class is malicious.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::parameter::UnknownName;

/// Counts of predicted against actual classes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfusionMatrix {
    /// Benign, predicted benign.
    pub true_negatives: u64,
    /// Benign, predicted malicious.
    pub false_positives: u64,
    /// Malicious, predicted benign.
    pub false_negatives: u64,
    /// Malicious, predicted malicious.
    pub true_positives: u64,
}

/// Precision, recall and F1 of one class with its number of rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClassScores {
    /// Correct among those predicted to be of the class.
    pub precision: f64,
    /// Correct among those of the class.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Rows of the class.
    pub support: u64,
}

/// A share, 0 where there is nothing to divide by (scikit-learn's `zero_division=0`).
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl ConfusionMatrix {
    /// Counts `predicted` against `actual`, both 0 or 1 per row.
    ///
    /// # Panics
    /// When the lengths differ.
    #[must_use]
    pub fn count(actual: &[u8], predicted: &[u8]) -> Self {
        assert_eq!(actual.len(), predicted.len(), "one prediction per row");
        let mut matrix = Self::default();
        for (&actual, &predicted) in actual.iter().zip(predicted) {
            match (actual, predicted) {
                (0, 0) => matrix.true_negatives += 1,
                (0, _) => matrix.false_positives += 1,
                (_, 0) => matrix.false_negatives += 1,
                _ => matrix.true_positives += 1,
            }
        }
        matrix
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.true_negatives + self.false_positives + self.false_negatives + self.true_positives
    }

    /// Rows predicted as they are.
    #[must_use]
    pub fn correct(&self) -> u64 {
        self.true_negatives + self.true_positives
    }

    /// (TP + TN) / rows.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        ratio(self.correct(), self.rows())
    }

    /// Mean of the recalls of the classes that occur.
    #[must_use]
    pub fn balanced_accuracy(&self) -> f64 {
        let classes = [self.benign(), self.malicious()];
        let present: Vec<f64> = classes.iter().filter(|class| class.support > 0).map(|class| class.recall).collect();
        if present.is_empty() { 0.0 } else { present.iter().sum::<f64>() / present.len() as f64 }
    }

    /// Matthews correlation coefficient, 0 where a row or column of the matrix is empty.
    #[must_use]
    pub fn mcc(&self) -> f64 {
        let [tn, fp, fneg, tp] =
            [self.true_negatives, self.false_positives, self.false_negatives, self.true_positives].map(|n| n as f64);
        let denominator = ((tp + fp) * (tp + fneg) * (tn + fp) * (tn + fneg)).sqrt();
        if denominator == 0.0 { 0.0 } else { (tp * tn - fp * fneg) / denominator }
    }

    /// Scores of the benign class.
    #[must_use]
    pub fn benign(&self) -> ClassScores {
        class_scores(self.true_negatives, self.false_negatives, self.false_positives)
    }

    /// Scores of the malicious class.
    #[must_use]
    pub fn malicious(&self) -> ClassScores {
        class_scores(self.true_positives, self.false_positives, self.false_negatives)
    }
}

/// `hits`: of the class and predicted so; `intruders`: predicted so but not; `missed`: of the class but not predicted so.
fn class_scores(hits: u64, intruders: u64, missed: u64) -> ClassScores {
    ClassScores {
        precision: ratio(hits, hits + intruders),
        recall: ratio(hits, hits + missed),
        f1: ratio(2 * hits, 2 * hits + intruders + missed),
        support: hits + missed,
    }
}

/// What trials are ranked by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Share of rows predicted as they are.
    #[default]
    Accuracy,
    /// Mean of the recalls of both classes.
    BalancedAccuracy,
    /// F1 of the malicious class.
    F1,
    /// Matthews correlation coefficient.
    Mcc,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Accuracy, Self::BalancedAccuracy, Self::F1, Self::Mcc];

    /// The name in files and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::BalancedAccuracy => "balanced-accuracy",
            Self::F1 => "f1",
            Self::Mcc => "mcc",
        }
    }

    /// The metric's value for a matrix; larger is better.
    #[must_use]
    pub fn of(self, matrix: &ConfusionMatrix) -> f64 {
        match self {
            Self::Accuracy => matrix.accuracy(),
            Self::BalancedAccuracy => matrix.balanced_accuracy(),
            Self::F1 => matrix.malicious().f1,
            Self::Mcc => matrix.mcc(),
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Metric {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL.into_iter().find(|known| known.name() == text).ok_or_else(|| UnknownName {
            what: "metric",
            received: text.to_owned(),
            known: Self::ALL.map(Self::name).join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MATRIX: ConfusionMatrix =
        ConfusionMatrix { true_negatives: 50, false_positives: 10, false_negatives: 5, true_positives: 35 };

    #[test]
    fn scores_are_the_fractions_of_their_counts() {
        assert_eq!(MATRIX.accuracy(), 85.0 / 100.0);
        assert_eq!(MATRIX.balanced_accuracy(), (50.0 / 60.0 + 35.0 / 40.0) / 2.0);
        assert_eq!(MATRIX.malicious().precision, 35.0 / 45.0);
        assert_eq!(MATRIX.malicious().f1, 70.0 / 85.0);
        assert_eq!(MATRIX.benign().recall, 50.0 / 60.0);
        let denominator = (45.0f64 * 40.0 * 60.0 * 55.0).sqrt();
        assert_eq!(MATRIX.mcc(), (35.0 * 50.0 - 10.0 * 5.0) / denominator);
    }

    #[test]
    fn a_class_that_does_not_occur_scores_zero_and_does_not_count() {
        let matrix = ConfusionMatrix::count(&[0, 0], &[0, 1]);
        assert_eq!(matrix.malicious().recall, 0.0);
        assert_eq!(matrix.balanced_accuracy(), 0.5);
        assert_eq!(matrix.mcc(), 0.0);
        assert_eq!(ConfusionMatrix::default().accuracy(), 0.0);
    }
}
