//! What in the features lets a model learn who, when or which record instead of what.

use weir_contract::Seed;
use weir_contract::audit::{self, Audit, AuditWarning};
use weir_contract::feature::Identifies;
use weir_stage::{Failure, Stage};

use crate::describe::Summary;
use crate::params::FeaturesParams;

/// Audits the features.
pub(crate) fn audit(summary: &Summary, params: &FeaturesParams, seed: Seed, stage: &Stage) -> Result<Audit, Failure> {
    let _ = (params, seed, stage);
    let warnings = summary.schema.features.iter().filter_map(|feature| {
        let identifies = feature.identifies?;
        let consequence = match identifies {
            Identifies::Host => "a model may learn who attacked here instead of what an attack looks like",
            Identifies::Moment => "a model may learn when the attacks here took place; the future has other times",
            Identifies::Record => "a model may learn the table by heart; a new flow has a number it never saw",
        };
        Some(AuditWarning { feature: feature.name.clone(), identifies, consequence: consequence.to_owned() })
    });
    Ok(Audit { format: audit::FORMAT, warnings: warnings.collect() })
}
