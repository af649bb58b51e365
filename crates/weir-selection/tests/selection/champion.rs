//! Promote or keep.

use weir_contract::Digest;
use weir_contract::selection::{ChampionComparison, PromotionRule, Selection, Verdict};
use weir_contract::trial::{Trial, Trials};
use weir_selection::{SelectionError, SelectionParams, select};

use crate::{file, files, trial, with_bits};

/// 100 rows, 60 of them benign: both right on `both`, then rows right with one only, then rows wrong with both.
fn pair(only_winner: usize, only_champion: usize) -> (Trial, Trial) {
    let both = 40;
    let right = |first: bool| -> Vec<bool> {
        let of_row = |row: usize| match row {
            row if row < both => true,
            row if row < both + only_winner => first,
            row if row < both + only_winner + only_champion => !first,
            _ => false,
        };
        (0..100).map(of_row).collect()
    };
    (with_bits("baseline-knn-best", 60, &right(true)), with_bits("baseline-svc-best", 60, &right(false)))
}

fn compare(only_winner: usize, only_champion: usize, params: &SelectionParams) -> (ChampionComparison, Verdict) {
    let (winner, champion) = pair(only_winner, only_champion);
    let champion = (Digest::of(b"champion"), file(vec![champion]));
    let selection = select(&files([winner]), Some(&champion), params).unwrap();
    (selection.champion.unwrap(), selection.verdict)
}

fn margin(margin: f64) -> SelectionParams {
    SelectionParams { margin: Some(margin), ..SelectionParams::default() }
}

#[test]
fn a_winner_that_is_better_by_more_than_chance_is_promoted() {
    let (comparison, verdict) = compare(10, 2, &SelectionParams::default());
    assert_eq!(verdict, Verdict::Promote);
    assert_eq!((comparison.only_winner, comparison.only_champion), (10, 2));
    // 2 (1 + 12 + 66) / 2^12
    assert_eq!(comparison.p_value, 0.03857421875);
    assert_eq!(comparison.rule, PromotionRule::Significance(0.05));
    assert_eq!(comparison.id.to_string(), "baseline-svc-best");
    assert_eq!(comparison.artifact, Digest::of(b"champion"));
    assert_eq!(comparison.confusion.correct(), 42);
    assert_eq!(
        comparison.reason,
        "the winner is better: 10 test rows are right with the winner only, 2 with the champion only \
         (p = 3.86e-2, below 0.05)"
    );
}

#[test]
fn a_lead_that_may_be_chance_keeps_the_champion() {
    // 2 (1 + 12 + 66 + 220) / 2^12
    let (comparison, verdict) = compare(9, 3, &SelectionParams::default());
    assert_eq!((comparison.p_value, verdict), (598.0 / 4096.0, Verdict::Keep));
    assert!(comparison.reason.starts_with("the winner's lead may be chance"), "{}", comparison.reason);
    let strict = SelectionParams { significance: 0.01, ..SelectionParams::default() };
    assert_eq!(compare(10, 2, &strict).1, Verdict::Keep);
}

#[test]
fn a_winner_that_is_significantly_worse_or_the_same_keeps_the_champion() {
    let (comparison, verdict) = compare(2, 10, &SelectionParams::default());
    assert_eq!((comparison.p_value, verdict), (0.03857421875, Verdict::Keep));
    assert!(comparison.reason.starts_with("the winner is not better"), "{}", comparison.reason);
    assert_eq!(compare(0, 0, &SelectionParams::default()).1, Verdict::Keep);
}

#[test]
fn a_margin_decides_instead_of_the_test_and_is_reached_exactly() {
    // 0.07 * 100 is more than 7 in f64; 7 / 100 is 0.07.
    let (comparison, verdict) = compare(20, 13, &margin(0.07));
    assert_eq!((comparison.rule, verdict), (PromotionRule::Margin(0.07), Verdict::Promote));
    assert!(comparison.p_value > 0.05);
    assert_eq!(comparison.reason, "the winner's accuracy differs from the champion's by +0.070000, which reaches 0.07");
    assert_eq!(compare(20, 14, &margin(0.07)).1, Verdict::Keep);
    assert_eq!(compare(5, 5, &margin(0.0)).1, Verdict::Promote);
    assert_eq!(compare(5, 6, &margin(0.0)).1, Verdict::Keep);
}

#[test]
fn the_champion_does_not_enter_the_ranking() {
    let (winner, champion) = pair(2, 10);
    let with = |champion: Option<&(Digest, Trials)>| -> Selection {
        select(&files([winner.clone()]), champion, &SelectionParams::default()).unwrap()
    };
    let compared = with(Some(&(Digest::of(b"champion"), file(vec![champion]))));
    assert_eq!(compared.ranking, with(None).ranking);
    assert_eq!(compared.winner, winner.id);
}

#[test]
fn of_several_trials_in_the_champions_file_the_best_stands_for_it() {
    let default = trial("baseline-svc-default", [50, 10, 5, 35]);
    let best = trial("baseline-svc-best", [55, 5, 5, 35]);
    let champion = (Digest::of(b"champion"), file(vec![default, best.clone()]));
    let winner = files([trial("baseline-knn-best", [60, 0, 0, 40])]);
    let selection = select(&winner, Some(&champion), &SelectionParams::default()).unwrap();
    assert_eq!(selection.champion.unwrap().id, best.id);
}

#[test]
fn a_champion_over_other_rows_is_refused_by_name() {
    let champion = (Digest::of(b"champion"), file(vec![trial("baseline-svc-best", [50, 10, 5, 34])]));
    let winner = files([trial("baseline-knn-best", [60, 0, 0, 40])]);
    let error = select(&winner, Some(&champion), &SelectionParams::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "baseline-knn-best was scored on 100 test rows (60 benign, 40 malicious), \
         champion baseline-svc-best on 99 test rows (60 benign, 39 malicious)"
    );
    let empty = (Digest::of(b"champion"), Trials { trials: Vec::new(), ..champion.1 });
    assert_eq!(select(&winner, Some(&empty), &SelectionParams::default()), Err(SelectionError::NoChampion));
}
