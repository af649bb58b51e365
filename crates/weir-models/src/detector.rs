//! A detector: scaler, encoder and model as one function from unscaled features to classes and scores.
//!
//! Training scores trials with it and the bundle predicts with it, so that what was measured is what is served.

use ndarray::{Array2, ArrayView2, CowArray, Ix2};
use serde::{Deserialize, Serialize};
use weir_contract::feature::ScalerKind;
use weir_contract::{Classify, ExitCode, Representation};

use crate::autoencoder::Encoder;
use crate::classifier::{Classifier, FittedModel, ScoreKind, Scores};
use crate::scaler::Scaler;

/// Version of the bytes written by this build.
pub const FORMAT: u32 = 1;

const MAGIC: &[u8; 8] = b"WEIRDET\0";

/// What a model needs in front of it, and the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detector {
    scaler: Scaler,
    encoder: Option<Encoder>,
    model: FittedModel,
}

/// Bytes that are no detector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DetectorError {
    /// The bytes do not start like a detector, break off, or hold parts that do not fit each other.
    #[error("no detector: {0}")]
    Corrupt(String),
    /// Bytes of a later build.
    #[error("the detector has format {found}, this build reads {FORMAT}")]
    Version {
        /// The format found.
        found: u32,
    },
}

impl Classify for DetectorError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Input
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Corrupt(_) => None,
            Self::Version { .. } => Some("use the version of weir that wrote it, or a later one".to_owned()),
        }
    }
}

impl Detector {
    /// Puts the parts together.
    ///
    /// # Panics
    /// When the model does not take what scaler and encoder give.
    #[must_use]
    pub fn new(scaler: Scaler, encoder: Option<Encoder>, model: FittedModel) -> Self {
        let detector = Self { scaler, encoder, model };
        detector.check().expect("parts that fit each other");
        detector
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &FittedModel {
        &self.model
    }

    /// The scaler.
    #[must_use]
    pub fn scaler(&self) -> &Scaler {
        &self.scaler
    }

    /// The encoder, if the model sees latent features.
    #[must_use]
    pub fn encoder(&self) -> Option<&Encoder> {
        self.encoder.as_ref()
    }

    /// What the model sees.
    #[must_use]
    pub fn representation(&self) -> Representation {
        if self.encoder.is_some() { Representation::Autoencoder } else { Representation::Baseline }
    }

    /// The features as the model sees them, from `x`: `[n, features]`, unscaled.
    #[must_use]
    pub fn represent<'a>(&self, x: ArrayView2<'a, f64>) -> CowArray<'a, f64, Ix2> {
        let scaled = match self.scaler.kind() {
            ScalerKind::None => CowArray::from(x),
            ScalerKind::MinMax | ScalerKind::Standard => CowArray::from(self.scaler.transform(x)),
        };
        match &self.encoder {
            None => scaled,
            Some(encoder) => CowArray::from(encoder.encode(scaled.view())),
        }
    }

    /// The detector as bytes: 8 bytes of magic, the format as u32 little-endian, the fields in postcard's encoding.
    ///
    /// # Panics
    /// Never: every part has a postcard form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        postcard::to_extend(self, bytes).expect("a detector has a postcard form")
    }

    /// Reads what [`Detector::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`DetectorError`] for other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DetectorError> {
        let corrupt = |message: &str| DetectorError::Corrupt(message.to_owned());
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| corrupt("the first bytes are not those of a detector"))?;
        let (format, fields) = rest.split_first_chunk().ok_or_else(|| corrupt("it breaks off after 8 bytes"))?;
        let found = u32::from_le_bytes(*format);
        if found != FORMAT {
            return Err(DetectorError::Version { found });
        }
        let (detector, left): (Self, _) =
            postcard::take_from_bytes(fields).map_err(|error| DetectorError::Corrupt(error.to_string()))?;
        if !left.is_empty() {
            return Err(corrupt(&format!("{} bytes follow the detector", left.len())));
        }
        detector.check().map_err(|message| corrupt(&message))?;
        Ok(detector)
    }

    fn check(&self) -> Result<(), String> {
        let mut width = self.scaler.features();
        if let Some(encoder) = &self.encoder {
            if encoder.features() != width {
                return Err(format!("the scaler gives {width} features, the encoder takes {}", encoder.features()));
            }
            width = encoder.latent();
        }
        if self.model.features() != width {
            return Err(format!("the model takes {} features and is given {width}", self.model.features()));
        }
        Ok(())
    }
}

impl Classifier for Detector {
    fn features(&self) -> usize {
        self.scaler.features()
    }

    fn score_kind(&self) -> ScoreKind {
        self.model.score_kind()
    }

    /// Predicts unscaled features.
    fn predict(&self, x: ArrayView2<'_, f64>) -> Scores {
        let seen = self.represent(x);
        match seen.is_standard_layout() {
            true => self.model.predict(seen.view()),
            false => self.model.predict(Array2::from_shape_fn(seen.dim(), |index| seen[index]).view()),
        }
    }

    fn operations(&self) -> u64 {
        let scaling = if self.scaler.kind() == ScalerKind::None { 0 } else { 2 * self.scaler.features() as u64 };
        scaling + self.encoder.as_ref().map_or(0, Encoder::operations) + self.model.operations()
    }
}
