//! What the features give away, and how much of a score is left in time order.

use std::cmp::Ordering;

use minijinja::Value;
use serde::Serialize;
use weir_contract::audit::{Duplicates, FeatureAudit, Finding, Measured, Parts, Scores};

use crate::chart::{self, Pair};
use crate::text::{self, Figure};

#[derive(Debug, Serialize)]
pub(crate) struct Audit {
    warnings: Vec<Warning>,
    measured: Option<View>,
}

/// Warnings that say the same of one or more features.
#[derive(Debug, Serialize)]
struct Warning {
    level: &'static str,
    text: String,
    consequence: String,
    remedy: String,
}

#[derive(Debug, Serialize)]
struct View {
    rows: String,
    rows_total: String,
    sample: bool,
    without_time: Option<String>,
    depth: usize,
    split: Side,
    time: Side,
    chart: Value,
    together: Vec<Together>,
    duplicates: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Side {
    train: String,
    test: String,
    undefined: Option<String>,
}

#[derive(Debug, Serialize)]
struct Together {
    features: String,
    split: Figure,
    time: Figure,
    fall: Figure,
}

#[derive(Debug, Serialize)]
struct Row {
    split: String,
    rows: String,
    equal_in: &'static str,
    same: String,
    share: String,
    other: String,
}

pub(crate) fn view(audit: &weir_contract::audit::Audit) -> Audit {
    Audit { warnings: warnings(audit), measured: audit.measured.as_ref().map(measured) }
}

/// Declarations of one kind are one warning; what was measured stays apart, with its numbers.
fn warnings(audit: &weir_contract::audit::Audit) -> Vec<Warning> {
    let of = &audit.warnings;
    let mut warnings = Vec::new();
    for (i, warning) in of.iter().enumerate() {
        let declared = warning.finding.identifies().is_some();
        let same = |other: &&weir_contract::audit::AuditWarning| {
            declared && (other.finding, &other.consequence) == (warning.finding, &warning.consequence)
        };
        if of[..i].iter().any(|earlier| same(&earlier)) {
            continue;
        }
        let later = of[i + 1..].iter().filter(same);
        let features: Vec<String> = [warning].into_iter().chain(later).map(|w| w.feature.clone()).collect();
        let finding = match warning.finding {
            Finding::Declared { identifies } if features.len() > 1 => format!("identify a {}", identifies.name()),
            finding => finding.in_words(),
        };
        warnings.push(Warning {
            level: level(audit, &warning.finding),
            text: format!("{} {finding}.", text::list(&features, 12)),
            consequence: text::stopped(&text::capitalised(&warning.consequence)),
            remedy: text::stopped(&text::capitalised(&warning.remedy)),
        });
    }
    warnings
}

/// What separates the classes for a wrong reason is a warning; what could, or cannot, is a note.
pub(super) fn level(audit: &weir_contract::audit::Audit, finding: &Finding) -> &'static str {
    let separates = audit.measured.as_ref().map_or(1.0, |measured| measured.method.separates);
    match finding {
        Finding::RecordLike { split: Some(split), .. } if *split >= separates => "warning",
        Finding::Declared { .. } | Finding::FallsInTime { .. } | Finding::FollowsTime { .. } => "warning",
        Finding::RecordLike { .. } | Finding::Constant { .. } => "note",
    }
}

fn measured(measured: &Measured) -> View {
    let Measured { rows, rows_total, rows_without_time, without_identity, .. } = measured;
    let nothing = without_identity.map(|scores| (format!("{} that identify nothing", scores.features), scores));
    let together = [(format!("all {}", measured.together.features), measured.together)];
    let all = measured.duplicates.iter().map(|counts| duplicates(counts, "all features"));
    let nameless = measured.duplicates_without_identity.iter();
    let nameless = nameless.map(|counts| duplicates(counts, "those that identify nothing"));
    View {
        rows: text::count(*rows),
        rows_total: text::count(*rows_total),
        sample: measured.is_sample(),
        without_time: (*rows_without_time > 0).then(|| text::counted(*rows_without_time, "row")),
        depth: measured.method.depth,
        split: side(&measured.split),
        time: side(&measured.time),
        chart: chart(&measured.features),
        together: together.into_iter().chain(nothing).map(|(features, scores)| row(features, &scores)).collect(),
        duplicates: all.chain(nameless).collect(),
    }
}

fn side(parts: &Parts) -> Side {
    Side {
        train: text::count(parts.train.rows()),
        test: text::count(parts.test.rows()),
        undefined: parts.undefined.clone(),
    }
}

fn row(features: String, scores: &Scores) -> Together {
    Together { features, split: figure(scores.split), time: figure(scores.time), fall: figure(scores.fall()) }
}

fn figure(score: Option<f64>) -> Figure {
    text::score(score.unwrap_or(f64::NAN))
}

fn duplicates(counts: &Duplicates, equal_in: &'static str) -> Row {
    Row {
        split: counts.split.clone(),
        rows: text::counted(counts.rows, "row"),
        equal_in,
        same: text::count(counts.same_label),
        share: text::percent(counts.same_label, counts.rows),
        other: text::count(counts.other_label),
    }
}

/// Best on the split first; equal ones in column order.
fn chart(features: &[FeatureAudit]) -> Value {
    let mut features: Vec<&FeatureAudit> = features.iter().collect();
    features.sort_by(|a, b| b.split.partial_cmp(&a.split).unwrap_or(Ordering::Equal));
    let pairs: Vec<Pair> = features
        .iter()
        .map(|feature| {
            let identifies =
                feature.identifies.map_or_else(String::new, |what| format!(", identifies a {}", what.name()));
            Pair {
                name: feature.feature.clone(),
                values: [feature.split, feature.time],
                tip: format!(
                    "{}{identifies}: {} on the split, {} in time order",
                    feature.feature,
                    figure(feature.split).text,
                    figure(feature.time).text
                ),
            }
        })
        .collect();
    let description = "One row per feature, the best on the split first: balanced accuracy on the split as a filled dot, \
                       in time order as a ring.";
    chart::pairs("Each feature alone", description, ["split", "time"], 0.5, &pairs)
}
