//! A feature set with what it learned from train.

use serde::{Deserialize, Serialize};
use weir_contract::{Classify, Digest, ExitCode, FlowBatch, json};

use crate::feature_set::FeatureSet;
use crate::flow_id::{FlowIds, TooManyIds};

/// Version of `transform.json` written by this build.
pub const FORMAT: u32 = 1;

/// A fitted feature set: flows in, features out.
#[derive(Debug, Clone, PartialEq)]
pub struct Transform {
    set: FeatureSet,
    ids: FlowIds,
}

/// The features of a batch.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Features {
    /// One column per feature with one value per row of the batch; all finite but in refused rows.
    pub columns: Vec<Vec<f64>>,
    /// Rows without features, ascending by row, one entry per row (its first failing feature).
    pub refused: Vec<Refused>,
}

/// A row whose features could not be computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The row of the batch.
    pub row: usize,
    /// Name of the feature.
    pub feature: String,
    /// What is wrong with its value.
    pub reason: &'static str,
}

/// Why a transform could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum TransformError {
    /// The set uses flow ids and train has too many.
    #[error("feature set {set:?}: {source}")]
    TooManyIds {
        /// Name of the set.
        set: String,
        /// How many.
        source: TooManyIds,
    },
    /// The text is no transform.
    #[error("no transform: {0}")]
    Corrupt(String),
    /// A file of a later build.
    #[error("the transform has format {found}, this build reads {FORMAT}")]
    Version {
        /// The format found.
        found: u32,
    },
}

impl Classify for TransformError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::TooManyIds { .. } => ExitCode::Usage,
            Self::Corrupt(_) | Self::Version { .. } => ExitCode::Input,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::TooManyIds { .. } => {
                "use the feature set `default`, which does not take the flow id for a feature".to_owned()
            }
            Self::Corrupt(_) => "make the artifact again".to_owned(),
            Self::Version { .. } => "use the version of weir that wrote it, or a later one".to_owned(),
        })
    }
}

/// `transform.json`.
#[derive(Serialize, Deserialize)]
struct File {
    format: u32,
    feature_set: FeatureSet,
    flow_ids: Vec<String>,
}

impl Transform {
    /// Fits a set on the flow ids of train; they are read only if a feature uses them.
    ///
    /// # Errors
    /// [`TransformError::TooManyIds`].
    pub fn fit<'a>(set: FeatureSet, train_ids: impl Iterator<Item = &'a str>) -> Result<Self, TransformError> {
        let ids = if set.uses_flow_id() { FlowIds::collect(train_ids) } else { Ok(FlowIds::default()) };
        let ids = ids.map_err(|source| TransformError::TooManyIds { set: set.name().to_owned(), source })?;
        Ok(Self { set, ids })
    }

    /// The feature set.
    #[must_use]
    pub fn set(&self) -> &FeatureSet {
        &self.set
    }

    /// Computes the features of all rows.
    #[must_use]
    pub fn apply(&self, batch: &FlowBatch) -> Features {
        let mut features = Features::default();
        for (spec, expression) in self.set.features().iter().zip(self.set.expressions()) {
            let mut column = expression.evaluate(batch, &self.ids);
            let mut refuse = |row: usize, reason| {
                features.refused.push(Refused { row, feature: spec.name.clone(), reason });
            };
            for &row in &column.null {
                match spec.missing {
                    Some(missing) => column.values[row] = missing,
                    None => refuse(row, "an input is null and the feature names no missing value"),
                }
            }
            for (row, value) in column.values.iter().enumerate() {
                if !value.is_finite() {
                    refuse(row, "the value is not finite");
                }
            }
            features.columns.push(column.values);
        }
        // Stable, so that the first failing feature of a row stays first.
        features.refused.sort_by_key(|refused| refused.row);
        features.refused.dedup_by_key(|refused| refused.row);
        features
    }

    /// The canonical JSON form.
    ///
    /// # Panics
    /// Never: every part has a JSON form.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let file = File { format: FORMAT, feature_set: self.set.clone(), flow_ids: self.ids.ids().to_vec() };
        json::to_canonical(&file).expect("a transform has a JSON form")
    }

    /// Digest of the canonical JSON form.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_json())
    }

    /// Reads the JSON form.
    ///
    /// # Errors
    /// [`TransformError::Corrupt`] and [`TransformError::Version`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, TransformError> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let corrupt = |error: serde_json::Error| TransformError::Corrupt(error.to_string());
        let Version { format: found } = serde_json::from_slice(bytes).map_err(corrupt)?;
        if found != FORMAT {
            return Err(TransformError::Version { found });
        }
        let file: File = serde_json::from_slice(bytes).map_err(corrupt)?;
        let ids = FlowIds::from_sorted(file.flow_ids)
            .ok_or_else(|| TransformError::Corrupt("flow_ids are not sorted and distinct".to_owned()))?;
        Ok(Self { set: file.feature_set, ids })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_contract::{Flow, Transport};

    const SET: &str = r#"
        name = "s"
        description = ""
        scaler = "none"
        [[feature]]
        name = "number"
        expression = "flow_number(flow_id)"
        unit = "1"
        description = ""
        missing = -1
        [[feature]]
        name = "rate"
        expression = "bytes / duration_ns"
        unit = "bytes/ns"
        description = ""
    "#;

    fn flow(id: Option<&str>, bytes: Option<u64>, duration_ns: u64) -> Flow {
        Flow {
            flow_id: id.map(str::to_owned),
            event_time: None,
            source_ip: "10.0.0.1".parse().unwrap(),
            destination_ip: "10.0.0.2".parse().unwrap(),
            source_port: None,
            destination_port: None,
            transport: Transport::Tcp,
            bytes,
            packets: None,
            duration_ns: Some(duration_ns),
            last: None,
            label: None,
            attack: None,
        }
    }

    fn transform() -> Transform {
        Transform::fit(FeatureSet::parse(SET, "s").unwrap(), ["b", "a"].into_iter()).unwrap()
    }

    #[test]
    fn missing_stands_for_null_and_other_rows_are_refused_once() {
        let batch = [flow(Some("b"), Some(6), 2), flow(None, None, 1), flow(Some("a"), Some(1), 0)];
        let features = transform().apply(&batch.into_iter().collect());
        assert_eq!(features.columns[0], [1.0, -1.0, 0.0]);
        assert_eq!(features.columns[1][0], 3.0);
        let refused: Vec<_> = features.refused.iter().map(|refused| (refused.row, refused.reason)).collect();
        assert_eq!(
            refused,
            [(1, "an input is null and the feature names no missing value"), (2, "the value is not finite")]
        );
    }

    #[test]
    fn a_row_alone_has_the_features_it_has_in_a_batch() {
        let flows = [flow(Some("b"), Some(6), 2), flow(Some("zz"), Some(7), 3)];
        let whole = transform().apply(&flows.iter().cloned().collect());
        for (row, flow) in flows.into_iter().enumerate() {
            let alone = transform().apply(&[flow].into_iter().collect());
            assert_eq!(alone.columns[0][0].to_bits(), whole.columns[0][row].to_bits());
            assert_eq!(alone.columns[1][0].to_bits(), whole.columns[1][row].to_bits());
        }
    }

    #[test]
    fn json_round_trips_and_refuses_other_versions() {
        let json = transform().to_json();
        assert_eq!(Transform::from_json(&json).unwrap(), transform());
        let later = String::from_utf8(json).unwrap().replace("\"format\": 1", "\"format\": 2");
        assert!(matches!(Transform::from_json(later.as_bytes()), Err(TransformError::Version { found: 2 })));
        assert!(matches!(Transform::from_json(b"{}"), Err(TransformError::Corrupt(_))));
    }
}
