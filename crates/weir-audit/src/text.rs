//! The audit as text for a terminal.

use std::cmp::Ordering;
use std::fmt::Write as _;

use weir_contract::audit::{Audit, Duplicates, FeatureAudit, Measured, Parts, Scores};

/// The audit as lines: a table of the features, best on the split first, then duplicates and warnings.
#[must_use]
pub fn text(audit: &Audit) -> String {
    let mut text = String::new();
    match &audit.measured {
        Some(measured) => write_measured(&mut text, measured),
        None => text.push_str("Nothing was measured; what follows are declarations of the feature set.\n"),
    }
    if audit.warnings.is_empty() {
        text.push_str("\nNo warnings.\n");
    } else {
        text.push_str("\nWarnings\n");
    }
    for warning in &audit.warnings {
        let _ = writeln!(text, "  {} {}", warning.feature, warning.finding.in_words());
        let _ = writeln!(text, "    {}", warning.consequence);
        let _ = writeln!(text, "    remedy: {}", warning.remedy);
    }
    text
}

fn write_measured(text: &mut String, measured: &Measured) {
    let Measured { method, rows, rows_total, rows_without_time, split, time, .. } = measured;
    let _ = writeln!(
        text,
        "Balanced accuracy of a decision tree of depth {}, over {rows} of {rows_total} rows",
        method.depth
    );
    let _ = writeln!(text, "  split: fitted on {}, scored on {}{}", split.train.rows(), split.test.rows(), why(split));
    let _ = writeln!(
        text,
        "  time:  fitted on the {} earlier rows, scored on the {} later ones{}",
        time.train.rows(),
        time.test.rows(),
        why(time)
    );
    if *rows_without_time > 0 {
        let _ = writeln!(text, "         {rows_without_time} rows without an event time are left out");
    }

    let names = measured.features.iter().map(|feature| feature.feature.chars().count());
    let width = names.chain([LONGEST.len()]).max().unwrap_or(0);
    let _ = writeln!(text, "\n{:width$}  identifies   split    time    fall  different values", "feature");
    for feature in best_first(&measured.features) {
        let scores = Scores { features: 1, split: feature.split, time: feature.time };
        let identifies = feature.identifies.map_or("", |identifies| identifies.name());
        let _ = write!(text, "{:width$}  {identifies:10}", feature.feature);
        let _ = writeln!(text, "{}  {:16}", columns(&scores), feature.distinct);
    }
    let _ = writeln!(
        text,
        "{:width$}  {:10}{}",
        format!("all {} together", measured.together.features),
        "",
        columns(&measured.together)
    );
    if let Some(scores) = &measured.without_identity {
        let _ = writeln!(text, "{:width$}  {:10}{}", format!("{} {WITHOUT}", scores.features), "", columns(scores));
    }
    let kinds = [
        ("all features", &measured.duplicates),
        ("all features that identify nothing", &measured.duplicates_without_identity),
    ];
    for (which, counts) in kinds.into_iter().filter(|(_, counts)| !counts.is_empty()) {
        let least = if measured.is_sample() { " (on a sample: at least)" } else { "" };
        let _ = writeln!(text, "\nRows that equal a row of train in {which}{least}");
        counts.iter().for_each(|counts| write_duplicates(text, counts));
    }
}

const WITHOUT: &str = "that identify nothing";
const LONGEST: &str = "000 that identify nothing";

/// By balanced accuracy on the split, highest first; equal ones and those without in column order.
fn best_first(features: &[FeatureAudit]) -> Vec<&FeatureAudit> {
    let mut features: Vec<&FeatureAudit> = features.iter().collect();
    features.sort_by(|a, b| b.split.partial_cmp(&a.split).unwrap_or(Ordering::Equal));
    features
}

fn columns(scores: &Scores) -> String {
    // A fall that rounds to nothing has no sign.
    let rounded = |score: f64| (score * 1e3).round() / 1e3 + 0.0;
    let column =
        |score: Option<f64>| score.map_or_else(|| format!("{:>8}", "-"), |score| format!("{:8.3}", rounded(score)));
    [scores.split, scores.time, scores.fall()].map(column).concat()
}

fn why(parts: &Parts) -> String {
    parts.undefined.as_ref().map_or_else(String::new, |why| format!("; no scores: {why}"))
}

fn write_duplicates(text: &mut String, counts: &Duplicates) {
    let Duplicates { split, rows, same_label, other_label } = counts;
    let share = if *rows == 0 { 0.0 } else { 100.0 * *same_label as f64 / *rows as f64 };
    let _ = writeln!(
        text,
        "  {split:10} {same_label} of {rows} ({share:.2} %) with the same label, {other_label} with the other"
    );
}
