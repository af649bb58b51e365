//! A detector: scaler, encoder and model as one function from unscaled features to classes and scores.
//!
//! Training scores trials with it and the bundle predicts with it, so that what was measured is what is served.

use ndarray::{ArrayView2, CowArray, Ix2};
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
            ScalerKind::MinMax | ScalerKind::Standard | ScalerKind::Robust => CowArray::from(self.scaler.transform(x)),
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

    /// Predicts unscaled features. A row whose scaled or latent features overflow has no score, even where the model
    /// would make something of them.
    fn predict(&self, x: ArrayView2<'_, f64>) -> Scores {
        let seen = self.represent(x);
        let mut predicted = self.model.predict(seen.view());
        for (row, values) in seen.rows().into_iter().enumerate() {
            if !values.iter().all(|value| value.is_finite()) {
                (predicted.classes[row], predicted.scores[row]) = (0, f64::NAN);
            }
        }
        predicted
    }

    fn operations(&self) -> u64 {
        let scaling = if self.scaler.kind() == ScalerKind::None { 0 } else { 2 * self.scaler.features() as u64 };
        scaling + self.encoder.as_ref().map_or(0, Encoder::operations) + self.model.operations()
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};
    use weir_contract::{ParamMap, ParamValue};

    use super::*;
    use crate::autoencoder::AutoencoderParams;
    use crate::{Context, Dataset, ModelParams, fit};

    fn table() -> (Array2<f64>, Vec<u8>) {
        let x = Array2::from_shape_fn((24, 2), |(row, column)| ((row * 7 + column * 3) % 11) as f64);
        (x, (0..24).map(|row| u8::from(row * 7 % 11 > 5)).collect())
    }

    /// A detector of every family, with and without an encoder.
    fn detectors() -> Vec<Detector> {
        let (x, y) = table();
        let context = Context::default();
        let mut detectors = Vec::new();
        for representation in [Representation::Baseline, Representation::Autoencoder] {
            for &family in weir_contract::Family::ALL {
                let scaler = Scaler::fit(ScalerKind::MinMax, x.view());
                let scaled = scaler.transform(x.view());
                let small = [("hidden_1", 2), ("hidden_2", 2), ("latent", 2), ("epochs", 2)];
                let small: ParamMap =
                    small.into_iter().map(|(name, value)| (name.to_owned(), ParamValue::Int(value))).collect();
                let encoder = (representation == Representation::Autoencoder).then(|| {
                    let params = AutoencoderParams::from_map(&small).unwrap();
                    params.fit(scaled.view(), &context, &mut |_, _| ()).unwrap().encoder
                });
                let seen = encoder.as_ref().map_or(scaled.clone(), |encoder| encoder.encode(scaled.view()));
                let params = ModelParams::from_map(family, &ParamMap::new()).unwrap();
                let model = fit(&params, Dataset::new(seen.view(), &y), &context).unwrap().model;
                detectors.push(Detector::new(scaler, encoder, model));
            }
        }
        detectors
    }

    #[test]
    fn damaged_bytes_are_refused_or_give_a_detector_that_predicts() {
        let mut read = 0;
        for detector in detectors() {
            let bytes = detector.to_bytes();
            assert_eq!(Detector::from_bytes(&bytes), Ok(detector));
            for place in 0..bytes.len() {
                assert!(Detector::from_bytes(&bytes[..place]).is_err(), "cut after {place} bytes");
                for flip in [0x01, 0x10, 0x40, 0x80, 0xff] {
                    let mut damaged = bytes.clone();
                    damaged[place] ^= flip;
                    if let Ok(detector) = Detector::from_bytes(&damaged) {
                        let x = Array2::from_shape_fn((3, detector.features()), |(row, column)| (row + column) as f64);
                        assert_eq!(detector.predict(x.view()).classes.len(), 3);
                        detector.operations();
                        read += 1;
                    }
                }
            }
        }
        assert!(read > 0, "a flipped bit of a mantissa is still a detector");
    }

    #[test]
    fn a_row_that_overflows_has_no_score_in_any_family() {
        for detector in detectors() {
            // Scaled by 1 / 10, the last row is still finite; squares and products of it are not.
            let x = array![[3.0, 4.0], [1.7e308, -1.7e308]];
            let predicted = detector.predict(x.view());
            let family = detector.model().family();
            assert!(predicted.scores[0].is_finite(), "{family}");
            let compares = family == weir_contract::Family::DecisionTree;
            let saturates = family == weir_contract::Family::LogisticRegression;
            assert!(compares || saturates || predicted.scores[1].is_nan(), "{family}: {:?}", predicted.scores);
        }
    }

    #[test]
    fn features_that_overflow_when_scaled_have_no_score_in_any_family() {
        let (x, _) = table();
        for detector in detectors() {
            let scaler = Scaler::fit(ScalerKind::MinMax, (&x * 0.001).view());
            let detector = Detector { scaler, ..detector };
            let predicted = detector.predict(array![[0.003, 0.004], [1e308, 0.004]].view());
            assert!(predicted.scores[0].is_finite() && predicted.scores[1].is_nan(), "{:?}", predicted.scores);
        }
    }
}
