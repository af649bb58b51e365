//! `search.json`: every candidate and every fold of one family's search on one representation.

use serde::{Deserialize, Serialize};

use crate::parameter::{Family, ParamMap, Representation};

/// Version of `search.json` written by this build.
pub const FORMAT: u32 = 1;

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
    /// Candidates in ParameterGrid order.
    pub candidates: Vec<Candidate>,
    /// Index of the best: highest mean, ties to the first.
    pub best: usize,
}

/// One parameter setting and its score on every fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The parameters that the grid sets.
    pub parameters: ParamMap,
    /// Accuracy on each held-out fold.
    pub scores: Vec<f64>,
    /// Mean of the scores.
    pub mean: f64,
    /// Standard deviation of the scores, divided by the number of folds.
    pub standard_deviation: f64,
    /// Rank by mean, 1 is best, equal means share a rank.
    pub rank: usize,
    /// Index of an earlier candidate that is the same computation, whose scores these are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<usize>,
    /// Folds on which the solver stopped at its iteration limit.
    #[serde(default)]
    pub unconverged: usize,
}
