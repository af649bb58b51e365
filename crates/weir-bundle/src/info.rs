//! `bundle.json` and `signature.json`.

use serde::{Deserialize, Serialize};
use weir_contract::{Calibration, Digest, Family, Label, ParamMap, Representation, TrialId};
use weir_models::ScoreKind;

use crate::name::BundleName;

/// Version of `bundle.json`, and so of the bundle, written by this build. All versions from 1 on can be read.
///
/// Format 2 added `calibration`, the output `probability`, `revision` and files for other programs.
pub const FORMAT: u32 = 2;

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
    /// From decision values to probabilities, where the score is a decision value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
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

impl BundleInfo {
    /// Whether every prediction has a probability.
    #[must_use]
    pub fn has_probability(&self) -> bool {
        self.score == ScoreKind::Probability || self.calibration.is_some()
    }

    /// The probability of malicious for a score of the detector, if the bundle can tell.
    #[must_use]
    pub fn probability(&self, score: f64) -> Option<f64> {
        match self.score {
            ScoreKind::Probability => Some(score),
            ScoreKind::Decision => self.calibration.map(|calibration| calibration.probability(score)),
        }
    }
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
    /// Build id of the stage that packaged it: a digest over the sources it was built from.
    pub build: String,
    /// Revision of whatever the run was made for, as its owner names it, such as a commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
}

/// What goes in and what comes out, by name and type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Version of this file.
    pub format: u32,
    /// One input per feature, unscaled, in the order of `features.json`.
    pub inputs: Vec<Field>,
    /// `label`, `score`, and `probability` of malicious unless the bundle has none.
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
    pub fn of(names: &[&str], probability: bool) -> Self {
        let field = |name: &str, kind| Field { name: name.to_owned(), kind };
        let mut outputs = vec![field("label", ValueType::U8), field("score", ValueType::F64)];
        if probability {
            outputs.push(field("probability", ValueType::F64));
        }
        let inputs = names.iter().map(|name| field(name, ValueType::F64)).collect();
        Self { format: FORMAT, inputs, outputs }
    }
}
