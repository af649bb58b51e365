//! The run at a glance: who won, how sure that is, what happened to the rows, what to look at.

use serde::Serialize;
use weir_contract::TrialId;
use weir_contract::selection::{ChampionComparison, PromotionRule, Verdict};

use super::data::{self, Part};
use super::notices::{self, Notice};
use super::results::{Entry, accuracy, title};
use super::trials::{self, Card};
use crate::RunReport;
use crate::text::{self, Figure};
use crate::wilson::wilson_interval;

#[derive(Debug, Serialize)]
pub(crate) struct Glance {
    winner: String,
    winner_id: String,
    card: Card,
    parameters: String,
    accuracy: Figure,
    correct: String,
    rows: String,
    interval: [Figure; 2],
    false_negatives: String,
    false_negatives_of: String,
    false_positives: String,
    false_positives_of: String,
    promote: bool,
    verdict: &'static str,
    reason: String,
    metric: Option<(String, Figure)>,
    champion: Option<Champion>,
    runner_up: Option<RunnerUp>,
    input: String,
    parts: Vec<Part>,
    balances: bool,
    feature_set: String,
    features: usize,
    trials: usize,
    candidates: String,
    seconds: Option<String>,
    notices: Vec<Notice>,
}

/// The winner against what is deployed.
#[derive(Debug, Serialize)]
struct Champion {
    title: String,
    accuracy: Figure,
    false_negatives: String,
    false_positives: String,
    only_winner: String,
    only_champion: String,
    p_value: Figure,
    rule: String,
    reason: String,
}

/// Winner and runner-up on the rows on which only one of them is right.
#[derive(Debug, Serialize)]
struct RunnerUp {
    title: String,
    accuracy: Figure,
    disagreements: Option<[String; 3]>,
}

pub(crate) fn view(report: &RunReport<'_>, entries: &[Entry<'_>], winner: &Entry<'_>) -> Glance {
    let matrix = &winner.confusion;
    let (low, high) = wilson_interval(matrix.correct(), matrix.rows());
    let long = |value: f64| Figure { text: text::decimals(value, 4), title: text::full(value) };
    let metric = report.selection.metric;
    let account = &report.statistics.rows;
    let candidates: usize = report.searches.iter().map(|search| search.candidates.len()).sum();
    let seconds: f64 = report.timings.iter().map(|timing| timing.info.seconds).filter(|s| s.is_finite()).sum();
    Glance {
        winner: title(winner.id),
        winner_id: winner.id.to_string(),
        card: trials::card(winner, true),
        parameters: text::parameters(winner.parameters),
        accuracy: accuracy(matrix, 3),
        correct: text::count(matrix.correct()),
        rows: text::count(matrix.rows()),
        interval: [long(low), long(high)],
        false_negatives: text::count(matrix.false_negatives),
        false_negatives_of: text::counted(matrix.malicious().support, "malicious flow"),
        false_positives: text::count(matrix.false_positives),
        false_positives_of: text::counted(matrix.benign().support, "benign flow"),
        promote: report.selection.verdict == Verdict::Promote,
        verdict: report.selection.verdict.name(),
        reason: text::stopped(&report.selection.reason),
        metric: (metric != weir_contract::Metric::Accuracy)
            .then(|| (metric.name().replace('-', " "), text::exact_score(metric.of(matrix), 3))),
        champion: report.selection.champion.as_ref().map(champion),
        runner_up: runner_up(entries, winner.id),
        input: text::count(account.input),
        parts: data::parts(account),
        balances: account.balances(),
        feature_set: report.features.feature_set.clone(),
        features: report.features.features.len(),
        trials: entries.len(),
        candidates: text::counted(candidates as u64, "candidate"),
        seconds: (!report.timings.is_empty()).then(|| text::seconds(seconds)),
        notices: notices::notices(report, entries, winner),
    }
}

fn champion(comparison: &ChampionComparison) -> Champion {
    let matrix = &comparison.confusion;
    Champion {
        title: title(comparison.id),
        accuracy: accuracy(matrix, 3),
        false_negatives: text::count(matrix.false_negatives),
        false_positives: text::count(matrix.false_positives),
        only_winner: text::count(comparison.only_winner),
        only_champion: text::count(comparison.only_champion),
        p_value: text::figure(comparison.p_value),
        rule: match comparison.rule {
            PromotionRule::Significance(level) => {
                format!("promote when it is right on more rows and p is below {}", text::short(level))
            }
            PromotionRule::Margin(margin) => {
                format!("promote when its accuracy is higher by at least {}", text::short(margin))
            }
        },
        reason: text::stopped(&comparison.reason),
    }
}

/// The best ranked trial beside the winner, and how the two differ row by row where both have their bits.
fn runner_up(entries: &[Entry<'_>], winner: TrialId) -> Option<RunnerUp> {
    let other = entries.iter().find(|entry| entry.rank.is_some() && entry.id != winner)?;
    let bits = |id: TrialId| {
        let entry = entries.iter().find(|entry| entry.id == id)?;
        entry.trial?.correct.unpack()
    };
    let disagreements = match (bits(winner), bits(other.id)) {
        (Some(own), Some(others)) if own.len() == others.len() && !own.is_empty() => {
            let only = |right: &[bool], wrong: &[bool]| {
                right.iter().zip(wrong).filter(|&(&right, &wrong)| right && !wrong).count() as u64
            };
            let (won, lost) = (only(&own, &others), only(&others, &own));
            Some([won + lost, won, lost].map(text::count))
        }
        _ => None,
    };
    Some(RunnerUp { title: title(other.id), accuracy: accuracy(&other.confusion, 3), disagreements })
}
