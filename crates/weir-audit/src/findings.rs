//! From declarations and numbers to warnings.

use weir_contract::audit::{Audit, AuditWarning, FORMAT, FeatureAudit, Finding, Measured};
use weir_contract::feature::Identifies;

use crate::Sample;

/// The audit of declarations alone, without measurements. `names` and `identifies`: `[features]`.
#[must_use]
pub fn declared(names: &[String], identifies: &[Option<Identifies>]) -> Audit {
    let warnings = names.iter().zip(identifies).filter_map(|(name, identifies)| {
        let finding = Finding::Declared { identifies: (*identifies)? };
        Some(warning(name, finding))
    });
    Audit { format: FORMAT, warnings: warnings.collect(), measured: None }
}

/// What the numbers say about features that are declared to identify nothing, and about constant ones; at most one
/// warning per feature.
pub(crate) fn measured(measured: &Measured, sample: &Sample<'_>) -> Vec<AuditWarning> {
    let columns = measured.features.iter().zip(sample.columns);
    let findings = columns.filter_map(|(feature, column)| Some((feature, of_feature(measured, feature, column)?)));
    findings.map(|(feature, finding)| warning(&feature.feature, finding)).collect()
}

/// The first finding that holds, since each explains those after it: what follows time falls in time, and is often
/// different in every row.
fn of_feature(measured: &Measured, feature: &FeatureAudit, column: &[f64]) -> Option<Finding> {
    let Measured { method, rows, .. } = measured;
    let FeatureAudit { identifies, split, time, distinct, time_correlation, .. } = *feature;
    // In a handful of rows anything may follow time, be all different or all the same.
    if *rows < method.fewest_rows {
        return None;
    }
    if distinct == 1 {
        return Some(Finding::Constant { value: column[0] });
    }
    if identifies.is_some() {
        return None;
    }
    if let Some(rank_correlation) = time_correlation
        && rank_correlation.abs() >= method.follows_time
    {
        return Some(Finding::FollowsTime { rank_correlation });
    }
    if let (Some(split), Some(time)) = (split, time)
        && split >= method.separates
        && split - time > method.fall
    {
        return Some(Finding::FallsInTime { split, time });
    }
    let record_like = distinct as f64 >= method.record_like * *rows as f64;
    record_like.then_some(Finding::RecordLike { distinct, rows: *rows, split })
}

fn warning(feature: &str, finding: Finding) -> AuditWarning {
    let (consequence, remedy) = match finding {
        Finding::Declared { identifies: Identifies::Host } => (
            "a model may learn who attacked here instead of what an attack looks like",
            "compare with the feature set no-identity to see how much is learned beyond who",
        ),
        Finding::Declared { identifies: Identifies::Moment } => (
            "a model may learn when the attacks here took place; the future has other times",
            "leave it out, as the feature sets default and no-identity do, or compare with a split by time (features.split = \"time\")",
        ),
        Finding::Declared { identifies: Identifies::Record } => (
            "a model may learn the table by heart; a new flow has a number it never saw",
            "leave it out, as the feature sets default and no-identity do",
        ),
        Finding::FallsInTime { .. } => (
            "what it says about the classes holds for its own time only, and a model that leans on it is wrong more \
             often on later flows than on test",
            "leave it out of the feature set, or split by time (features.split = \"time\") so that test shows the loss",
        ),
        Finding::FollowsTime { .. } => (
            "a model may learn when the attacks here took place; the future has other values",
            "leave it out of the feature set, or declare that it identifies a moment",
        ),
        Finding::RecordLike { .. } => (
            "a model may learn the rows by heart; a new flow has a value it never saw",
            "leave it out of the feature set if it numbers the records; a measured quantity may stay",
        ),
        Finding::Constant { .. } => (
            "nothing can be learned from it, and a model first meets another value in production",
            "leave it out of the feature set, or train on flows in which it varies",
        ),
    };
    AuditWarning {
        feature: feature.to_owned(),
        finding,
        consequence: consequence.to_owned(),
        remedy: remedy.to_owned(),
    }
}
