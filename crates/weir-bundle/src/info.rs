//! `bundle.json` and `signature.json`.

use serde::{Deserialize, Serialize};
use weir_contract::{Digest, Family, Label, ParamMap, Representation, TrialId};
use weir_models::ScoreKind;

use crate::name::BundleName;

/// Version of `bundle.json`, and so of the bundle, written by this build. All versions from 1 on can be read.
pub const FORMAT: u32 = 1;

/// What a bundle is and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BundleInfo {
    /// Version of the bundle.
    pub format: u32,
    /// Its name.
    pub name: BundleName,
    /// The trial that was packaged.
    pub trial: TrialId,
    /// Family of the model.
    pub family: Family,
    /// What the model sees.
    pub representation: Representation,
    /// All parameters of the model, defaults included.
    pub parameters: ParamMap,
    /// What a score means.
    pub score: ScoreKind,
    /// Names of class 0 and class 1.
    pub classes: [Label; 2],
    /// The class that a high score speaks for.
    pub positive_class: Label,
    /// Name of the feature set.
    pub feature_set: String,
    /// Digest of `transform.json`.
    pub transform: Digest,
    /// Digest of `detector.weir`.
    pub detector: Digest,
    /// What the bundle was made from.
    pub provenance: Provenance,
}

/// What a bundle was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Digest of the features artifact.
    pub features: Digest,
    /// Digest of the training artifact that holds the trial.
    pub training: Digest,
    /// Digest of the selection artifact.
    pub selection: Digest,
    /// Build id of the stage that packaged it.
    pub build: String,
}

/// What goes in and what comes out, by name and type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Version of this file.
    pub format: u32,
    /// One input per feature, unscaled, in the order of `features.json`.
    pub inputs: Vec<Field>,
    /// `label`, then `score`.
    pub outputs: Vec<Field>,
}

/// An input or an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: ValueType,
}

/// Type of an input or an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ValueType {
    /// 64-bit floating point.
    F64,
    /// Class 0 or 1.
    U8,
}

impl Signature {
    /// The signature of a detector that takes features of these names.
    #[must_use]
    pub fn of(names: &[&str]) -> Self {
        let field = |name: &str, kind| Field { name: name.to_owned(), kind };
        Self {
            format: FORMAT,
            inputs: names.iter().map(|name| field(name, ValueType::F64)).collect(),
            outputs: vec![field("label", ValueType::U8), field("score", ValueType::F64)],
        }
    }
}
