//! What in the features lets a model learn who, when or which record instead of what.

use weir_audit::{Method, declared};
use weir_contract::audit::Audit;
use weir_contract::feature::Identifies;
use weir_contract::flow::Column;
use weir_stage::{Failure, Stage};
use xxhash_rust::xxh3::xxh3_128;

use crate::describe::{Sample, Summary};

/// Audits the features; without `measure` only what the feature set itself declares.
pub(crate) fn audit(summary: &Summary, measure: bool, stage: &Stage) -> Result<Audit, Failure> {
    let features = &summary.schema.features;
    let names: Vec<String> = features.iter().map(|feature| feature.name.clone()).collect();
    let identifies: Vec<Option<Identifies>> = features.iter().map(|feature| feature.identifies).collect();
    if !measure {
        return Ok(declared(&names, &identifies));
    }
    let sample = &summary.sample;
    let event_time: Column<i64> = sample.event_time.iter().copied().collect();
    let rows = weir_audit::Sample {
        names: &names,
        identifies: &identifies,
        columns: &sample.features,
        label: &sample.label,
        split: &sample.split,
        event_time: &event_time,
        content: &contents(sample),
        rows_total: sample.of,
    };
    Ok(weir_audit::audit(&rows, &Method::default(), &|| stage.is_cancelled())?)
}

/// A digest of the features of each row; 0.0 and -0.0 are one.
fn contents(sample: &Sample) -> Vec<u128> {
    let mut bytes = Vec::new();
    let rows = (0..sample.label.len()).map(|row| {
        bytes.clear();
        for column in &sample.features {
            bytes.extend_from_slice(&(column[row] + 0.0).to_bits().to_le_bytes());
        }
        xxh3_128(&bytes)
    });
    rows.collect()
}
