//! Who wins, and by which rule.

use weir_contract::selection::{Selection, Verdict};
use weir_contract::trial::{Bits, Trial};
use weir_contract::{Classify, Digest, ExitCode, Metric};
use weir_selection::{SelectionError, SelectionParams, select};

use crate::{digest, file, files, trial};

fn choose(trials: impl IntoIterator<Item = Trial>) -> Selection {
    select(&files(trials), None, &SelectionParams::default()).unwrap()
}

fn by(metric: Metric, trials: impl IntoIterator<Item = Trial>) -> Selection {
    select(&files(trials), None, &SelectionParams { metric, ..SelectionParams::default() }).unwrap()
}

fn refusal(trials: impl IntoIterator<Item = Trial>) -> SelectionError {
    let error = select(&files(trials), None, &SelectionParams::default()).unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::Input);
    assert!(error.hint().is_some());
    error
}

#[test]
fn highest_accuracy_wins_and_without_a_champion_is_promoted() {
    let worse = trial("baseline-svc-default", [50, 10, 5, 35]);
    let better = trial("baseline-knn-best", [52, 8, 5, 35]);
    let selection = choose([worse, better.clone()]);
    assert_eq!(selection.winner, better.id);
    assert_eq!(selection.artifact, digest(&better));
    assert_eq!(selection.verdict, Verdict::Promote);
    assert_eq!(selection.champion, None);
    let values: Vec<f64> = selection.ranking.iter().map(|ranked| ranked.value).collect();
    assert_eq!(values, [87.0 / 100.0, 85.0 / 100.0]);
    assert_eq!(
        selection.reason,
        "baseline-knn-best has the highest accuracy on test, 0.870000 (87 of 100 test rows); \
         next is baseline-svc-default with 0.850000 (85)"
    );
    assert_eq!(selection.warnings, Vec::<String>::new());
}

#[test]
fn equal_accuracy_goes_to_fewer_false_negatives() {
    let misses = trial("baseline-knn-best", [55, 5, 10, 30]);
    let alarms = trial("baseline-svc-best", [51, 9, 6, 34]);
    let selection = choose([misses, alarms.clone()]);
    assert_eq!(selection.winner, alarms.id);
    assert_eq!(
        selection.reason,
        "2 trials share the highest accuracy on test, 0.850000 (85 of 100 test rows); \
         baseline-svc-best has fewer false negatives than baseline-knn-best, 6 against 10"
    );
}

#[test]
fn equal_metric_and_false_negatives_go_to_fewer_false_positives() {
    // With equal rows of each class, two trials equal in accuracy and false negatives are equal in false positives,
    // so the rule speaks under another metric only: without a true positive, F1 is 0 whatever the false alarms.
    let noisy = trial("baseline-knn-best", [50, 10, 40, 0]);
    let calm = trial("baseline-svc-best", [58, 2, 40, 0]);
    let selection = by(Metric::F1, [noisy, calm.clone()]);
    assert_eq!(selection.winner, calm.id);
    let decided = "baseline-svc-best has fewer false positives than baseline-knn-best, 2 against 10";
    assert!(selection.reason.ends_with(decided), "{}", selection.reason);
}

#[test]
fn equal_errors_go_to_fewer_nominal_operations() {
    let large = Trial { operations: 40_000, ..trial("baseline-knn-best", [55, 5, 5, 35]) };
    let small = Trial { operations: 12, ..trial("baseline-svc-best", [55, 5, 5, 35]) };
    let selection = choose([large, small.clone()]);
    assert_eq!(selection.winner, small.id);
    let decided = "fewer nominal operations per prediction than baseline-knn-best, 12 against 40000";
    assert!(selection.reason.ends_with(decided), "{}", selection.reason);
}

#[test]
fn equal_errors_and_operations_go_to_the_first_name() {
    let counts = [55, 5, 5, 35];
    let selection = choose(
        ["baseline-svc-best", "baseline-knn-best", "autoencoder-svc-best", "baseline-knn-default"]
            .map(|name| trial(name, counts)),
    );
    let names: Vec<String> = selection.ranking.iter().map(|ranked| ranked.id.to_string()).collect();
    assert_eq!(names, ["autoencoder-svc-best", "baseline-knn-best", "baseline-knn-default", "baseline-svc-best"]);
    assert!(selection.reason.starts_with("4 trials share the highest accuracy"), "{}", selection.reason);
    assert!(selection.reason.contains("autoencoder-svc-best comes before baseline-knn-best by name"));
}

#[test]
fn the_order_of_inputs_does_not_matter() {
    let trials = [
        trial("baseline-svc-best", [55, 5, 10, 30]),
        trial("baseline-knn-best", [51, 9, 6, 34]),
        trial("autoencoder-svc-best", [55, 5, 10, 30]),
        trial("autoencoder-decision-tree-default", [59, 1, 1, 39]),
        trial("baseline-logistic-regression-best", [59, 1, 1, 39]),
    ];
    let expected = choose(trials.clone());
    let mut order: Vec<usize> = (0..trials.len()).collect();
    for turn in 0..trials.len() {
        order.rotate_left(1);
        order.swap(0, turn);
        assert_eq!(choose(order.iter().map(|&i| trials[i].clone())), expected, "{order:?}");
    }
}

#[test]
fn another_metric_can_choose_another_winner() {
    let silent = trial("baseline-svc-best", [90, 0, 10, 0]);
    let alert = trial("baseline-knn-best", [80, 10, 1, 9]);
    assert_eq!(choose([silent.clone(), alert.clone()]).winner, silent.id);
    for metric in [Metric::BalancedAccuracy, Metric::F1, Metric::Mcc] {
        let selection = by(metric, [silent.clone(), alert.clone()]);
        assert_eq!((selection.metric, selection.winner), (metric, alert.id));
    }
    let value = by(Metric::BalancedAccuracy, [silent, alert]).ranking[0].value;
    assert_eq!(value, (80.0 / 90.0 + 9.0 / 10.0) / 2.0);
}

#[test]
fn accuracy_over_a_class_of_more_than_90_percent_is_warned_of() {
    let warnings = |counts, metric| by(metric, [trial("baseline-knn-best", counts)]).warnings;
    assert_eq!(warnings([85, 5, 5, 5], Metric::Accuracy), Vec::<String>::new(), "90 % is not over 90 %");
    let warned = warnings([86, 5, 4, 5], Metric::Accuracy);
    assert_eq!(warned.len(), 1);
    assert!(warned[0].starts_with("91.00 % of the test rows are benign, "), "{warned:?}");
    assert!(warned[0].contains("balanced-accuracy, f1 or mcc"), "{warned:?}");
    assert!(warnings([4, 0, 46, 50], Metric::Accuracy)[0].contains("96.00 % of the test rows are malicious"));
    assert_eq!(warnings([86, 5, 4, 5], Metric::Mcc), Vec::<String>::new());
}

#[test]
fn warnings_of_the_winner_are_carried_and_those_of_others_are_not() {
    let warn = |trial: Trial, text: &str| Trial { warnings: vec![text.to_owned()], ..trial };
    let winner = warn(trial("baseline-svc-best", [60, 0, 0, 40]), "iteration limit reached");
    let other = warn(trial("baseline-knn-best", [59, 1, 0, 40]), "not of interest");
    assert_eq!(choose([other, winner]).warnings, ["baseline-svc-best: iteration limit reached"]);
}

#[test]
fn a_single_trial_wins_for_being_the_only_one() {
    let selection = choose([trial("baseline-knn-best", [1, 0, 1, 0])]);
    assert_eq!(selection.reason, "baseline-knn-best is the only trial");
}

#[test]
fn default_and_best_of_one_file_are_both_ranked() {
    let both = file(vec![trial("baseline-knn-default", [50, 10, 5, 35]), trial("baseline-knn-best", [55, 5, 5, 35])]);
    let artifact = Digest::of(b"knn");
    let selection = select(&[(artifact, both)], None, &SelectionParams::default()).unwrap();
    assert_eq!(selection.ranking.len(), 2);
    assert_eq!((selection.winner.to_string().as_str(), selection.artifact), ("baseline-knn-best", artifact));
}

#[test]
fn trials_over_different_rows_or_classes_are_refused_by_name() {
    let first = trial("baseline-knn-best", [50, 10, 5, 35]);
    let fewer = trial("baseline-svc-best", [50, 10, 5, 34]);
    assert_eq!(
        refusal([first.clone(), fewer]).to_string(),
        "baseline-knn-best was scored on 100 test rows (60 benign, 40 malicious), \
         baseline-svc-best on 99 test rows (60 benign, 39 malicious)"
    );
    let other_classes = trial("baseline-svc-best", [50, 11, 5, 34]);
    assert!(refusal([first, other_classes]).to_string().ends_with("100 test rows (61 benign, 39 malicious)"));
}

#[test]
fn trials_that_cannot_be_what_they_claim_are_refused() {
    assert_eq!(refusal([]), SelectionError::NoTrials);
    let good = trial("baseline-knn-best", [50, 10, 5, 35]);
    assert_eq!(refusal([good.clone(), good.clone()]), SelectionError::Twice(good.id));
    assert_eq!(
        refusal([trial("baseline-knn-best", [0; 4])]).to_string(),
        "baseline-knn-best was scored on no test rows"
    );

    let broken = |correct: Bits| refusal([Trial { correct, ..good.clone() }]).to_string();
    assert!(broken(Bits { length: 100, hex: "zz".to_owned() }).contains("are not 100 bits in hex"));
    assert!(broken(Bits::pack(&[true; 99])).ends_with("it has 99 right/wrong bits for 100 test rows"));
    assert!(broken(Bits::pack(&[true; 100])).ends_with("100 of its bits say right, its confusion matrix 85"));

    let mut misplaced = file(vec![good]);
    misplaced.family = weir_contract::Family::Svc;
    let error = select(&[(Digest::of(b""), misplaced)], None, &SelectionParams::default()).unwrap_err();
    assert_eq!(error.to_string(), "baseline-knn-best is in the file of baseline-svc");
}
