//! `search.json`: every candidate and every fold of one family's search on one representation.

use serde::{Deserialize, Serialize};

use crate::parameter::{Family, ParamMap, Representation};

/// Version of `search.json` written by this build.
pub const FORMAT: u32 = 2;

/// Oldest version that this build reads. Version 1 has neither rungs nor cuts: all its scores are from all rows.
pub const OLDEST_FORMAT: u32 = 1;

/// The table of a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchResults {
    /// Version of this file.
    pub format: u32,
    /// The model family.
    pub family: Family,
    /// What the models saw.
    pub representation: Representation,
    /// Score of the folds, always `accuracy`.
    pub scoring: String,
    /// Number of stratified folds.
    pub folds: usize,
    /// What the candidates went through: one rung of all rows, or several of growing size (successive halving, or a
    /// budget of time). Empty in version 1.
    #[serde(default)]
    pub rungs: Vec<Rung>,
    /// Candidates in ParameterGrid order, or in the order in which they were drawn.
    pub candidates: Vec<Candidate>,
    /// Index of the best: highest mean among the candidates that were never cut by rank, ties to the one scored on more
    /// rows, then to the first.
    pub best: usize,
}

/// A part of train on which candidates were compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// The first this many rows of train. They are in the order of a hash, so this is a random sample.
    pub rows: u64,
    /// Candidates that came to it.
    pub candidates: usize,
}

/// One parameter setting and its score on every fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The parameters that the grid sets.
    pub parameters: ParamMap,
    /// Accuracy on each held-out fold, of all rows of train or of those that [`Candidate::cut`] tells.
    pub scores: Vec<f64>,
    /// Mean of the scores.
    pub mean: f64,
    /// Standard deviation of the scores, divided by the number of folds.
    pub standard_deviation: f64,
    /// Rank by mean, 1 is best, equal means share a rank. What was cut by rank comes after what was not, the earlier the
    /// further back.
    pub rank: usize,
    /// Index of an earlier candidate that is the same computation, whose scores these are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<usize>,
    /// Folds on which the solver stopped at its iteration limit.
    #[serde(default)]
    pub unconverged: usize,
    /// Why it was not scored on all rows; absent when it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
}

/// Where a candidate was left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Index of the rung that its scores are from: the last on which it was scored.
    pub rung: usize,
    /// Rows of that rung.
    pub rows: u64,
    /// Why it went no further.
    pub reason: CutReason,
}

/// Why a candidate was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CutReason {
    /// Others scored better on the rung.
    Rank,
    /// The time was up before it was scored on the next rung.
    Budget,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As version 1 wrote it.
    const VERSION_1: &str = r#"{
      "best": 1,
      "candidates": [
        {"mean": 0.5, "parameters": {"C": 0.1, "solver": "lbfgs"}, "rank": 2, "scores": [0.25, 0.75],
         "standard_deviation": 0.25, "unconverged": 1},
        {"mean": 0.75, "parameters": {"C": 1, "solver": "lbfgs"}, "rank": 1, "same_as": 0, "scores": [0.75, 0.75],
         "standard_deviation": 0.0, "unconverged": 0}
      ],
      "family": "logistic-regression", "folds": 2, "format": 1, "representation": "baseline", "scoring": "accuracy"
    }"#;

    #[test]
    fn a_search_of_version_1_reads_as_one_without_cuts() {
        let search: SearchResults = serde_json::from_str(VERSION_1).unwrap();
        assert_eq!((search.format, search.best, search.folds), (1, 1, 2));
        assert_eq!(search.rungs, []);
        assert_eq!(search.candidates[0].scores, [0.25, 0.75]);
        assert_eq!(search.candidates[1].same_as, Some(0));
        assert!(search.candidates.iter().all(|candidate| candidate.cut.is_none()));
    }

    #[test]
    fn a_cut_is_written_in_words() {
        let cut = Cut { rung: 0, rows: 3_684, reason: CutReason::Rank };
        assert_eq!(serde_json::to_string(&cut).unwrap(), r#"{"rung":0,"rows":3684,"reason":"rank"}"#);
    }
}
