//! Whether trials can be compared at all.

use std::collections::BTreeSet;

use weir_contract::trial::{Trial, Trials};
use weir_contract::{Classify, ConfusionMatrix, ExitCode, TrialId};

/// Trials that cannot be compared. A trial is named as in its file, the champion's as `champion <trial>`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectionError {
    /// There is nothing to choose from.
    #[error("there are no trials to choose from")]
    NoTrials,
    /// The champion's file holds no trial.
    #[error("the champion's file holds no trial")]
    NoChampion,
    /// A trial over an empty test split.
    #[error("{0} was scored on no test rows")]
    NoRows(String),
    /// Two trials have the same name.
    #[error("{0} is there twice")]
    Twice(TrialId),
    /// A trial is not of the family and representation of its file.
    #[error("{trial} is in the file of {file}")]
    Misplaced {
        /// The trial.
        trial: TrialId,
        /// `<representation>-<family>` of the file.
        file: String,
    },
    /// The right/wrong bits and the confusion matrix of a trial contradict each other.
    #[error("{trial} contradicts itself: {reason}")]
    Contradiction {
        /// The trial.
        trial: String,
        /// What does not fit.
        reason: String,
    },
    /// Two trials were scored on different rows.
    #[error("{first} was scored on {first_rows}, {other} on {other_rows}")]
    DifferentRows {
        /// One trial.
        first: String,
        /// Its rows by class.
        first_rows: String,
        /// The other trial.
        other: String,
        /// Its rows by class.
        other_rows: String,
    },
}

impl Classify for SelectionError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Input
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoTrials => "give the directories of the training stage with --trials",
            Self::NoChampion | Self::Misplaced { .. } | Self::Contradiction { .. } => {
                "run the training stage that wrote it again with --force"
            }
            Self::NoRows(_) => "use data with rows in every split",
            Self::Twice(_) => "give the trials of one run, each directory once",
            Self::DifferentRows { .. } => "score both on the test split of the same features",
        };
        Some(hint.to_owned())
    }
}

/// A trial that agrees with itself.
pub(crate) struct Scored<'a> {
    pub(crate) trial: &'a Trial,
    /// One flag per test row, true where the prediction was right.
    pub(crate) right: Vec<bool>,
    name: String,
}

impl<'a> Scored<'a> {
    /// Checks a trial by itself; `name` is what errors call it.
    pub(crate) fn new(name: String, trial: &'a Trial) -> Result<Self, SelectionError> {
        let rows = trial.confusion.rows();
        if rows == 0 {
            return Err(SelectionError::NoRows(name));
        }
        let contradiction = |reason| Err(SelectionError::Contradiction { trial: name.clone(), reason });
        let Some(right) = trial.correct.unpack() else {
            return contradiction(format!("its right/wrong bits are not {} bits in hex", trial.correct.length));
        };
        if right.len() as u64 != rows {
            return contradiction(format!("it has {} right/wrong bits for {rows} test rows", right.len()));
        }
        let (bits, correct) = (right.iter().filter(|&&right| right).count(), trial.confusion.correct());
        if bits as u64 != correct {
            return contradiction(format!("{bits} of its bits say right, its confusion matrix {correct}"));
        }
        Ok(Self { trial, right, name })
    }

    /// Refuses `other` when it was scored on other rows, by their number and classes.
    pub(crate) fn same_rows(&self, other: &Self) -> Result<(), SelectionError> {
        let (first, second) = (&self.trial.confusion, &other.trial.confusion);
        if classes(first) == classes(second) {
            return Ok(());
        }
        Err(SelectionError::DifferentRows {
            first: self.name.clone(),
            first_rows: describe(first),
            other: other.name.clone(),
            other_rows: describe(second),
        })
    }
}

/// The trials of all files, each checked by itself and all scored on the same rows.
pub(crate) fn check<'a>(files: impl IntoIterator<Item = &'a Trials>) -> Result<Vec<Scored<'a>>, SelectionError> {
    let mut scored: Vec<Scored<'a>> = Vec::new();
    let mut seen = BTreeSet::new();
    for file in files {
        for trial in &file.trials {
            if (trial.id.family, trial.id.representation) != (file.family, file.representation) {
                let file = format!("{}-{}", file.representation, file.family);
                return Err(SelectionError::Misplaced { trial: trial.id, file });
            }
            if !seen.insert(trial.id) {
                return Err(SelectionError::Twice(trial.id));
            }
            let next = Scored::new(trial.id.to_string(), trial)?;
            if let Some(first) = scored.first() {
                first.same_rows(&next)?;
            }
            scored.push(next);
        }
    }
    Ok(scored)
}

/// Benign and malicious rows.
fn classes(matrix: &ConfusionMatrix) -> (u64, u64) {
    (matrix.benign().support, matrix.malicious().support)
}

fn describe(matrix: &ConfusionMatrix) -> String {
    let (benign, malicious) = classes(matrix);
    format!("{} test rows ({benign} benign, {malicious} malicious)", matrix.rows())
}
