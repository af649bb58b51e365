//! Leakage audit: what in a feature table lets a model learn who, when or which record instead of what.
//!
//! [`audit`] fits a shallow decision tree on each feature alone, on all of them and on all that identify nothing, once
//! on the split as given and once in time order, counts rows that train shares with the other splits, and turns what
//! it finds into warnings with consequence and remedy. A tree of depth 5 on one column is a threshold question asked
//! five times: a feature that answers it nearly without error either decides the matter or leaks the answer. A single
//! stump would miss values that lie in several ranges, such as addresses; a deeper tree learns any column of different
//! values by heart.
//!
//! Nothing here is random, and every tree is independent of row order: the same rows give the same audit for any number
//! of threads. Validation rows take part in the time order and in the count of duplicates, never in the choice of a
//! model.
//!
//! This crate does not know polars, files or command lines.

mod duplicates;
mod findings;
mod parts;
mod ranks;
mod sample;
mod score;
mod text;

use rayon::prelude::*;
use weir_contract::audit::{Audit, FORMAT, FeatureAudit, Measured, Method, Scores};
use weir_contract::{Classify, ExitCode};
use weir_models::FitError;

pub use findings::declared;
pub use sample::Sample;
pub use text::text;

use parts::Rows;
use ranks::TimeRanks;

/// A sample that could not be audited.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The caller said so.
    #[error("cancelled")]
    Cancelled,
    /// A feature that is no number.
    #[error("feature {feature:?} is {value} in row {row} of the audited sample")]
    NotFinite {
        /// Name of the feature.
        feature: String,
        /// Row of the sample, counted from 0.
        row: usize,
        /// The value.
        value: f64,
    },
    /// A tree that could not be grown.
    #[error(transparent)]
    Fit(#[from] FitError),
}

impl Classify for AuditError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Cancelled | Self::Fit(FitError::Cancelled) => ExitCode::Interrupted,
            Self::NotFinite { .. } | Self::Fit(_) => ExitCode::Input,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotFinite { .. } => Some("write the features again with --force".to_owned()),
            Self::Cancelled | Self::Fit(_) => None,
        }
    }
}

/// Audits `sample` by the rules of `method` ([`Method::default`]), in parallel on rayon's current thread pool.
/// `cancelled` is asked before each of about `2 * (features + 2)` trees. A sample without rows, or without a class in a
/// part, has no scores there and says so.
///
/// # Errors
/// [`AuditError::NotFinite`]; [`AuditError::Cancelled`].
///
/// # Panics
/// When the columns of the sample differ in length, a label is above 1 or a split above 2: all come from one feature
/// table, so a mismatch is a bug in the caller.
pub fn audit(sample: &Sample<'_>, method: &Method, cancelled: &(dyn Fn() -> bool + Sync)) -> Result<Audit, AuditError> {
    sample.check()?;
    let check = || if cancelled() { Err(AuditError::Cancelled) } else { Ok(()) };
    let split = Rows::of_split(sample);
    let time = Rows::in_time_order(sample, method.earlier);

    let all: Vec<usize> = (0..sample.names.len()).collect();
    let nameless = sample.without_identity();
    let times = TimeRanks::new(sample.event_time);
    // The large trees first, so that no thread is left with one at the end.
    let mut sets = vec![all.clone()];
    sets.extend(nameless.clone());
    sets.extend(all.iter().map(|&feature| vec![feature]));
    let scores = sets.par_iter().map(|features| {
        let score = |rows: &Rows| {
            check()?;
            score::balanced_accuracy(sample, features, rows, method.depth)
        };
        let (split, time) = rayon::join(|| score(&split), || score(&time));
        Ok(Scores { features: features.len(), split: split?, time: time? })
    });
    let scores = scores.collect::<Result<Vec<Scores>, AuditError>>()?;
    let (sets_scores, single) = scores.split_at(scores.len() - all.len());

    let features = all.par_iter().map(|&feature| {
        check()?;
        let (distinct, time_correlation) = times.compare(&sample.columns[feature]);
        Ok(FeatureAudit {
            feature: sample.names[feature].clone(),
            identifies: sample.identifies[feature],
            split: single[feature].split,
            time: single[feature].time,
            distinct,
            time_correlation,
        })
    });
    let features = features.collect::<Result<Vec<_>, AuditError>>()?;
    check()?;
    let measured = Measured {
        method: *method,
        rows: sample.label.len() as u64,
        rows_total: sample.rows_total,
        rows_without_time: times.rows_without(),
        split: split.parts(sample, "train", "test"),
        time: time.parts(sample, "the earlier rows", "the later rows"),
        features,
        together: sets_scores[0],
        without_identity: sets_scores.get(1).copied(),
        duplicates: duplicates::in_all_features(sample),
        duplicates_without_identity: nameless.map_or_else(Vec::new, |features| duplicates::within(sample, &features)),
    };
    let mut warnings = declared(sample.names, sample.identifies).warnings;
    warnings.extend(findings::measured(&measured, sample));
    Ok(Audit { format: FORMAT, warnings, measured: Some(measured) })
}
