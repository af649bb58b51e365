//! The ranking of trials, its winner, and why.

use weir_contract::selection::{FORMAT, Ranked, Selection, Verdict};
use weir_contract::trial::{Trial, Trials};
use weir_contract::{ConfusionMatrix, Digest, Metric};

use crate::champion;
use crate::check::{SelectionError, check};
use crate::params::SelectionParams;
use crate::rule::Rule;

/// Ranks all trials by the metric on test and names the winner; `trials` and `champion` are the trials of training
/// artifacts with the artifacts' digests.
///
/// Ties go to fewer false negatives, then fewer false positives, then fewer nominal operations, then the name, so
/// the order of `trials` does not matter. Without a champion the verdict is to promote. With one, the winner is
/// promoted if it is right on more test rows and McNemar's exact test gives less than `params.significance`, or,
/// where `params.margin` is set, if its accuracy is at least the champion's plus the margin.
///
/// # Errors
/// Every [`SelectionError`]: no trials, trials over different or no test rows, a trial that is there twice, that
/// is of another family than its file, or whose right/wrong bits contradict its confusion matrix.
pub fn select(
    trials: &[(Digest, Trials)],
    champion: Option<&(Digest, Trials)>,
    params: &SelectionParams,
) -> Result<Selection, SelectionError> {
    let metric = params.metric;
    let scored = check(trials.iter().map(|(_, file)| file))?;
    let mut ranking: Vec<Ranked> = scored.iter().map(|scored| ranked(metric, scored.trial)).collect();
    ranking.sort_by(|a, b| Rule::decide(metric, a, b).1);
    let winner = ranking.first().ok_or(SelectionError::NoTrials)?.id;
    let scored = scored.iter().find(|scored| scored.trial.id == winner).ok_or(SelectionError::NoTrials)?;
    let artifact = trials.iter().find(|(_, file)| file.trials.iter().any(|trial| trial.id == winner));
    let artifact = artifact.ok_or(SelectionError::NoTrials)?.0;

    let (champion, verdict) = match champion {
        None => (None, Verdict::Promote),
        Some((digest, file)) => {
            let (comparison, verdict) = champion::compare(scored, (*digest, file), params)?;
            (Some(comparison), verdict)
        }
    };
    let mut warnings = Vec::new();
    warnings.extend(imbalance(metric, &scored.trial.confusion));
    warnings.extend(scored.trial.warnings.iter().map(|warning| format!("{winner}: {warning}")));
    let reason = reason(metric, &ranking);
    Ok(Selection { format: FORMAT, metric, ranking, winner, artifact, reason, verdict, champion, warnings })
}

/// A trial as the ranking shows it.
pub(crate) fn ranked(metric: Metric, trial: &Trial) -> Ranked {
    Ranked {
        id: trial.id,
        value: metric.of(&trial.confusion),
        confusion: trial.confusion,
        operations: trial.operations,
        parameters: trial.parameters.clone(),
    }
}

/// Why the first of the ranking is ahead of the second, in a sentence.
fn reason(metric: Metric, ranking: &[Ranked]) -> String {
    let [first, rest @ ..] = ranking else { return String::new() };
    let Some(second) = rest.first() else { return format!("{} is the only trial", first.id) };
    let (rule, _) = Rule::decide(metric, first, second);
    let value = match metric {
        Metric::Accuracy => {
            format!("{:.6} ({} of {} test rows)", first.value, first.confusion.correct(), first.confusion.rows())
        }
        _ => format!("{:.6}", first.value),
    };
    if rule == Rule::Metric {
        let runner_up = match metric {
            Metric::Accuracy => format!("{:.6} ({})", second.value, second.confusion.correct()),
            _ => format!("{:.6}", second.value),
        };
        return format!(
            "{} has the highest {metric} on test, {value}; next is {} with {runner_up}",
            first.id, second.id
        );
    }
    let equals = ranking.iter().filter(|other| other.value == first.value).count();
    let (a, b) = (first.id, second.id);
    let fewer = |what: &str, of_a: u64, of_b: u64| format!("{a} has fewer {what} than {b}, {of_a} against {of_b}");
    let (wrong, wrong_of_b) = (first.confusion, second.confusion);
    let decided = match rule {
        Rule::FalseNegatives => fewer("false negatives", wrong.false_negatives, wrong_of_b.false_negatives),
        Rule::FalsePositives => fewer("false positives", wrong.false_positives, wrong_of_b.false_positives),
        Rule::Operations => fewer("nominal operations per prediction", first.operations, second.operations),
        Rule::Metric | Rule::Name => format!("{a} comes before {b} by name, being equal in errors and operations"),
    };
    format!("{equals} trials share the highest {metric} on test, {value}; {decided}")
}

/// A warning when accuracy says little because one class holds over 90 % of the rows.
fn imbalance(metric: Metric, matrix: &ConfusionMatrix) -> Option<String> {
    let (benign, malicious) = (matrix.benign().support, matrix.malicious().support);
    let (class, larger) = if benign >= malicious { ("benign", benign) } else { ("malicious", malicious) };
    let rows = benign + malicious;
    (metric == Metric::Accuracy && 10 * larger > 9 * rows).then(|| {
        format!(
            "{:.2} % of the test rows are {class}, so calling every flow {class} would have that accuracy; \
             rank by balanced-accuracy, f1 or mcc instead (selection.metric)",
            100.0 * larger as f64 / rows as f64
        )
    })
}
