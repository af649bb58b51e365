//! `audit.json`: what in the features lets a model learn who, when or which record instead of what.

use serde::{Deserialize, Serialize};

use crate::feature::Identifies;

/// Version of `audit.json` written by this build.
pub const FORMAT: u32 = 1;

/// The audit of a feature table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// Version of this file.
    pub format: u32,
    /// One warning per feature that is declared to identify something, in column order.
    pub warnings: Vec<AuditWarning>,
}

/// A feature that identifies something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditWarning {
    /// Name of the feature.
    pub feature: String,
    /// What it identifies.
    pub identifies: Identifies,
    /// What that means for the model, in a sentence.
    pub consequence: String,
}
