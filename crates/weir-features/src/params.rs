//! Parameters of the stage: section `[features]`.

use serde::{Deserialize, Serialize};
use validator::Validate;
use weir_contract::expectation::Policy;

use crate::split::SplitKind;

/// Section `[features]` of a parameter file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
#[validate(schema(function = "splits_fit"))]
pub struct FeaturesParams {
    /// A shipped feature set (`default`, `report`, `no-identity`) or the path of a file.
    pub feature_set: String,
    /// A shipped expectation suite (`flows`) or the path of a file.
    pub expectations: String,
    /// What is done with rows that fail an expectation.
    pub policy: Policy,
    /// Share of the flows in train.
    #[validate(range(min = 0.01, max = 0.98))]
    pub train: f64,
    /// Share of the flows in test; the rest is validation.
    #[validate(range(min = 0.01, max = 0.98))]
    pub test: f64,
    /// How flows are split.
    pub split: SplitKind,
    /// Whether the features are searched for what lets a model learn who, when or which record.
    pub audit: bool,
}

impl Default for FeaturesParams {
    fn default() -> Self {
        Self {
            feature_set: "default".to_owned(),
            expectations: "flows".to_owned(),
            policy: Policy::Quarantine,
            train: 0.7,
            test: 0.2,
            split: SplitKind::Hash,
            audit: true,
        }
    }
}

fn splits_fit(params: &FeaturesParams) -> Result<(), validator::ValidationError> {
    if params.train + params.test < 1.0 {
        return Ok(());
    }
    let message = format!("train + test must leave rows for validation, received {} + {}", params.train, params.test);
    Err(validator::ValidationError::new("splits").with_message(message.into()))
}
