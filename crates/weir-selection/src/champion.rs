//! The winner against the champion, on the same rows.

use weir_contract::Digest;
use weir_contract::selection::{ChampionComparison, PromotionRule, Verdict};
use weir_contract::trial::Trials;

use crate::check::{Scored, SelectionError};
use crate::rule::Rule;
use crate::select::ranked;
use crate::{SelectionParams, mcnemar};

/// Compares `winner` with the champion of the training artifact `artifact`: the best by `params.metric` where its
/// file holds several.
///
/// The verdict is about right and wrong answers, whatever metric the ranking used.
pub(crate) fn compare(
    winner: &Scored<'_>,
    (artifact, file): (Digest, &Trials),
    params: &SelectionParams,
) -> Result<(ChampionComparison, Verdict), SelectionError> {
    let metric = params.metric;
    let trials = file.trials.iter();
    let best = trials.min_by(|a, b| Rule::decide(metric, &ranked(metric, a), &ranked(metric, b)).1);
    let champion = best.ok_or(SelectionError::NoChampion)?;
    let champion = Scored::new(format!("champion {}", champion.id), champion)?;
    winner.same_rows(&champion)?;

    let only = |a: &[bool], b: &[bool]| a.iter().zip(b).filter(|&(&a, &b)| a && !b).count() as u64;
    let only_winner = only(&winner.right, &champion.right);
    let only_champion = only(&champion.right, &winner.right);
    let p_value = mcnemar(only_winner, only_champion);

    let rows = winner.right.len();
    let (rule, promote, reason) = match params.margin {
        Some(margin) => {
            let (promote, reason) = by_margin(margin, only_winner, only_champion, rows);
            (PromotionRule::Margin(margin), promote, reason)
        }
        None => {
            let (promote, reason) = by_significance(params.significance, only_winner, only_champion, p_value);
            (PromotionRule::Significance(params.significance), promote, reason)
        }
    };
    let verdict = if promote { Verdict::Promote } else { Verdict::Keep };
    let (id, confusion) = (champion.trial.id, champion.trial.confusion);
    Ok((ChampionComparison { id, artifact, confusion, only_winner, only_champion, p_value, rule, reason }, verdict))
}

/// Whether the winner's accuracy reaches the champion's plus `margin`.
fn by_margin(margin: f64, only_winner: u64, only_champion: u64, rows: usize) -> (bool, String) {
    // The quotient of whole numbers is rounded once, as the margin was when it was read: a gain of 7 rows in 100
    // reaches a margin of 0.07.
    let gain = (only_winner as f64 - only_champion as f64) / rows as f64;
    let promote = gain >= margin;
    let reaches = if promote { "reaches" } else { "does not reach" };
    (promote, format!("the winner's accuracy differs from the champion's by {gain:+.6}, which {reaches} {margin}"))
}

/// Whether the winner is right on more rows, and by more than chance.
fn by_significance(significance: f64, only_winner: u64, only_champion: u64, p_value: f64) -> (bool, String) {
    let rows =
        format!("{only_winner} test rows are right with the winner only, {only_champion} with the champion only");
    if only_winner <= only_champion {
        return (false, format!("the winner is not better: {rows}"));
    }
    if p_value < significance {
        return (true, format!("the winner is better: {rows} (p = {p_value:.2e}, below {significance})"));
    }
    (false, format!("the winner's lead may be chance: {rows} (p = {p_value:.4}, not below {significance})"))
}
