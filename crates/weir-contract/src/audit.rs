//! `audit.json`: what in the features lets a model learn who, when or which record instead of what, and how much of a
//! good score would be left on flows of another time.

use serde::{Deserialize, Serialize};

use crate::feature::Identifies;

/// Version of `audit.json` written by this build.
pub const FORMAT: u32 = 2;

/// The audit of a feature table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// Version of this file.
    pub format: u32,
    /// Features that are declared to identify something, then what the measurements found; each in column order.
    pub warnings: Vec<AuditWarning>,
    /// What was measured; `None` when only the declarations were looked at.
    pub measured: Option<Measured>,
}

/// Something about a feature that makes scores mean less than they seem.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditWarning {
    /// Name of the feature.
    pub feature: String,
    /// What was found, with its numbers.
    #[serde(flatten)]
    pub finding: Finding,
    /// What goes wrong in production, in a sentence without a full stop.
    pub consequence: String,
    /// What to do about it, in a sentence without a full stop.
    pub remedy: String,
}

/// A kind of warning with what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Finding {
    /// The feature set says that the feature identifies something.
    Declared {
        /// What it identifies.
        identifies: Identifies,
    },
    /// Alone it tells the classes apart on the split, but not on later flows.
    FallsInTime {
        /// Balanced accuracy on the split.
        split: f64,
        /// Balanced accuracy in time order.
        time: f64,
    },
    /// It grows, or falls, with time.
    FollowsTime {
        /// Spearman's rank correlation with the event time, in `[-1, 1]`.
        rank_correlation: f64,
    },
    /// Nearly every row has a value of its own.
    RecordLike {
        /// Number of different values.
        distinct: u64,
        /// Rows they were counted over.
        rows: u64,
        /// Balanced accuracy of the feature alone on the split.
        split: Option<f64>,
    },
    /// Every row has the same value.
    Constant {
        /// The value.
        value: f64,
    },
}

/// What was measured, over a sample of the rows of all splits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// By which rules.
    pub method: Method,
    /// Rows of the sample.
    pub rows: u64,
    /// Rows it was drawn from.
    pub rows_total: u64,
    /// Rows of the sample without an event time, left out of the time order.
    pub rows_without_time: u64,
    /// The split as given: fitted on train, scored on test.
    pub split: Parts,
    /// The time order: fitted on the earlier rows of all splits, scored on the later ones.
    pub time: Parts,
    /// Each feature alone, in column order.
    pub features: Vec<FeatureAudit>,
    /// All features together.
    pub together: Scores,
    /// All features but those declared to identify something; `None` where that is all of them or none.
    pub without_identity: Option<Scores>,
    /// Rows that equal a row of train in all features.
    pub duplicates: Vec<Duplicates>,
    /// Rows that equal a row of train in all features but those declared to identify something; empty where that is all
    /// of them or none.
    pub duplicates_without_identity: Vec<Duplicates>,
}

/// The rules of the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Method {
    /// Depth of the decision trees (gini, leaves of at least one row).
    pub depth: usize,
    /// Share of the rows that come first in the time order, on which the trees are fitted.
    pub earlier: f64,
    /// A feature tells the classes apart alone from this balanced accuracy on.
    pub separates: f64,
    /// A balanced accuracy in time order that is lower by more than this has fallen.
    pub fall: f64,
    /// A feature follows time from this size of the rank correlation on.
    pub follows_time: f64,
    /// Nearly every row has a value of its own from this share of different values on.
    pub record_like: f64,
    /// With fewer rows than this no feature is warned of for its numbers.
    pub fewest_rows: u64,
}

impl Default for Method {
    fn default() -> Self {
        Self {
            depth: 5,
            earlier: 0.7,
            separates: 0.95,
            fall: 0.1,
            follows_time: 0.99,
            record_like: 0.95,
            fewest_rows: 100,
        }
    }
}

/// Rows of each class in a part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classes {
    /// Benign rows.
    pub benign: u64,
    /// Malicious rows.
    pub malicious: u64,
}

/// The rows that trees are fitted and scored on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// Rows fitted on.
    pub train: Classes,
    /// Rows scored on.
    pub test: Classes,
    /// Why there are no scores: which class is absent where.
    pub undefined: Option<String>,
}

/// Balanced accuracies on the two test parts, `None` where a class is absent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Number of features of the tree.
    pub features: usize,
    /// On the split as given.
    pub split: Option<f64>,
    /// In time order.
    pub time: Option<f64>,
}

/// One feature alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureAudit {
    /// Its name.
    pub feature: String,
    /// What it is declared to identify.
    pub identifies: Option<Identifies>,
    /// Balanced accuracy on the split as given.
    pub split: Option<f64>,
    /// Balanced accuracy in time order.
    pub time: Option<f64>,
    /// Number of different values in the sample.
    pub distinct: u64,
    /// Spearman's rank correlation with the event time; `None` where either has one value only.
    pub time_correlation: Option<f64>,
}

/// Rows of a split that equal a row of train. On a sample of the rows these are lower bounds: what equals a row outside
/// the sample goes unseen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicates {
    /// `test` or `validation`.
    pub split: String,
    /// Its rows in the sample.
    pub rows: u64,
    /// Those that equal a row of train with the same label.
    pub same_label: u64,
    /// Those that equal a row of train with the other label; a row may be counted in both.
    pub other_label: u64,
}

impl Classes {
    /// Rows of both classes.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.benign + self.malicious
    }
}

impl Scores {
    /// How much lower the score in time order is; negative where it is higher.
    #[must_use]
    pub fn fall(&self) -> Option<f64> {
        Some(self.split? - self.time?)
    }
}

impl Measured {
    /// Whether the rows are a sample of more.
    #[must_use]
    pub fn is_sample(&self) -> bool {
        self.rows < self.rows_total
    }
}

impl Finding {
    /// What it is declared to identify, where the finding is a declaration.
    #[must_use]
    pub const fn identifies(&self) -> Option<Identifies> {
        match self {
            Self::Declared { identifies } => Some(*identifies),
            _ => None,
        }
    }

    /// The finding as what follows the name of the feature: `identifies a host`.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::Declared { identifies } => format!("identifies a {}", identifies.name()),
            Self::FallsInTime { split, time } => {
                format!("alone has a balanced accuracy of {split:.3} on the split and {time:.3} in time order")
            }
            Self::FollowsTime { rank_correlation } => {
                format!("follows the event time with a rank correlation of {rank_correlation:.3}")
            }
            Self::RecordLike { distinct, rows, split } => {
                let alone = match split {
                    Some(split) => format!(" and alone a balanced accuracy of {split:.3}"),
                    None => String::new(),
                };
                format!("has {distinct} different values in {rows} rows{alone}")
            }
            Self::Constant { value } => format!("has the value {value} in every row"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_keeps_the_keys_it_had_and_adds_its_own() {
        let warning = AuditWarning {
            feature: "source_ip".into(),
            finding: Finding::Declared { identifies: Identifies::Host },
            consequence: "c".into(),
            remedy: "r".into(),
        };
        let value = serde_json::to_value(&warning).unwrap();
        let expected = serde_json::json!({
            "feature": "source_ip", "kind": "declared", "identifies": "host", "consequence": "c", "remedy": "r"
        });
        assert_eq!(value, expected);
        assert_eq!(serde_json::from_value::<AuditWarning>(value).unwrap(), warning);
    }

    #[test]
    fn the_numbers_of_a_finding_come_back_to_the_last_bit() {
        let findings = [
            Finding::FallsInTime { split: 0.1 + 0.2, time: 1.0 / 3.0 },
            Finding::FollowsTime { rank_correlation: -0.999_999_999_999_999_9 },
            Finding::RecordLike { distinct: 99_999, rows: 100_000, split: None },
            Finding::Constant { value: 1e300 },
        ];
        for finding in findings {
            let warning =
                AuditWarning { feature: "f".into(), finding, consequence: String::new(), remedy: String::new() };
            let text = serde_json::to_string(&warning).unwrap();
            assert_eq!(serde_json::from_str::<AuditWarning>(&text).unwrap(), warning, "{text}");
        }
    }

    #[test]
    fn a_fall_needs_both_scores() {
        let scores = Scores { features: 2, split: Some(0.75), time: Some(0.5) };
        assert_eq!(scores.fall(), Some(0.25));
        assert_eq!(Scores { time: None, ..scores }.fall(), None);
    }
}
