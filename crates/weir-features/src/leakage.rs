//! What in the features lets a model learn who, when or which record instead of what.

use weir_artifact::Artifact;
use weir_audit::declared;
use weir_contract::audit::{Audit, Method};
use weir_contract::feature::{self, FeatureSchema, Identifies};
use weir_contract::files;
use weir_contract::flow::{Column, flow_hash};
use weir_stage::{Failure, Stage};
use weir_tables::FeatureReader;
use xxhash_rust::xxh3::xxh3_128;

use crate::describe::{Rows, Sample, Summary};

/// Rows read at a time.
const ROWS: usize = 1 << 16;

/// Audits the features; without `measure` only what the feature set itself declares.
pub(crate) fn audit(summary: &Summary, measure: bool, stage: &Stage) -> Result<Audit, Failure> {
    let (names, identifies) = declarations(&summary.schema);
    if measure { of_sample(&names, &identifies, &summary.sample, stage) } else { Ok(declared(&names, &identifies)) }
}

/// Audits the tables of an artifact of this stage, as the stage itself does.
///
/// # Errors
/// [`Failure`] of input when the artifact is damaged or not of this stage; Ctrl-C.
pub fn audit_tables(artifact: &Artifact, stage: &Stage) -> Result<Audit, Failure> {
    let schema: FeatureSchema = artifact.read_versioned(files::FEATURES, feature::FORMAT)?;
    let seed = artifact.manifest().seed.unwrap_or_default();
    let (names, identifies) = declarations(&schema);
    let mut sample = Sample::default();
    for (part, name) in (0..).zip([files::TRAIN, files::TEST, files::VALIDATION]) {
        let mut reader = FeatureReader::open(&artifact.path(name)?, &names)?;
        while let Some(table) = reader.next(ROWS)? {
            stage.check()?;
            let ids = table.flow_id.iter().map(Option::unwrap_or_default);
            sample.observe(&Rows {
                places: &ids.map(|id| flow_hash(seed, id)).collect::<Vec<_>>(),
                features: &table.columns,
                label: &table.label,
                split: &vec![part; table.rows()],
                event_time: &table.event_time,
            });
        }
    }
    of_sample(&names, &identifies, &sample.finish(), stage)
}

fn declarations(schema: &FeatureSchema) -> (Vec<String>, Vec<Option<Identifies>>) {
    schema.features.iter().map(|feature| (feature.name.clone(), feature.identifies)).unzip()
}

fn of_sample(
    names: &[String],
    identifies: &[Option<Identifies>],
    sample: &Sample,
    stage: &Stage,
) -> Result<Audit, Failure> {
    let event_time: Column<i64> = sample.event_time.iter().copied().collect();
    let rows = weir_audit::Sample {
        names,
        identifies,
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
