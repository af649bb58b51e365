//! `selection.json`: which trial was chosen, and why.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::metrics::{ConfusionMatrix, Metric};
use crate::parameter::{ParamMap, TrialId};

/// Version of `selection.json` written by this build.
pub const FORMAT: u32 = 1;

/// The choice among trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// Version of this file.
    pub format: u32,
    /// What trials were ranked by.
    pub metric: Metric,
    /// All trials, best first.
    pub ranking: Vec<Ranked>,
    /// The first of the ranking.
    pub winner: TrialId,
    /// Digest of the training artifact that holds the winner.
    pub artifact: Digest,
    /// Why it won, in a sentence.
    pub reason: String,
    /// Whether it should be deployed.
    pub verdict: Verdict,
    /// How the winner compares with what is deployed, where a champion was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub champion: Option<ChampionComparison>,
    /// What a reader of the ranking should know.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// Whether the winner should be deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Deploy the winner.
    Promote,
    /// Keep what is deployed.
    Keep,
}

impl Verdict {
    /// The word in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Promote => "promote",
            Self::Keep => "keep",
        }
    }
}

/// The winner against the champion, row by row on the same test rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChampionComparison {
    /// The champion's trial.
    pub id: TrialId,
    /// Digest of the training artifact that holds it.
    pub artifact: Digest,
    /// The champion's predictions against actual classes on test.
    pub confusion: ConfusionMatrix,
    /// Rows that only the winner gets right.
    pub only_winner: u64,
    /// Rows that only the champion gets right.
    pub only_champion: u64,
    /// Two-sided exact p-value of McNemar's test on these two counts.
    pub p_value: f64,
    /// What the verdict was read from.
    pub rule: PromotionRule,
    /// Why it is promoted or not, in a sentence.
    pub reason: String,
}

/// When a winner replaces the champion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PromotionRule {
    /// It is right on more rows, with a p-value below this.
    Significance(f64),
    /// Its accuracy is at least the champion's plus this.
    Margin(f64),
}

/// A trial in the ranking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ranked {
    /// Which trial.
    pub id: TrialId,
    /// The metric's value on test.
    pub value: f64,
    /// Predicted against actual on test.
    pub confusion: ConfusionMatrix,
    /// Nominal operations per prediction.
    pub operations: u64,
    /// All parameters.
    pub parameters: ParamMap,
}
