//! `trials.json`: the default and the best fit of one family on one representation, scored on test.

use serde::{Deserialize, Serialize};

use crate::calibration::Calibration;
use crate::metrics::ConfusionMatrix;
use crate::parameter::{Family, ParamMap, Representation, TrialId};

/// Version of `trials.json` and `encoder.json` written by this build.
pub const FORMAT: u32 = 1;

/// The trials of one training stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trials {
    /// Version of this file.
    pub format: u32,
    /// The model family.
    pub family: Family,
    /// What the models saw.
    pub representation: Representation,
    /// Default, then best.
    pub trials: Vec<Trial>,
}

/// One fitted model and how it did on test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Which trial this is.
    pub id: TrialId,
    /// All parameters, defaults included.
    pub parameters: ParamMap,
    /// Predicted against actual on test.
    pub confusion: ConfusionMatrix,
    /// One bit per test row in file order, 1 where the prediction was right.
    pub correct: Bits,
    /// Area under the ROC curve on test; null when test holds one class.
    pub roc_auc: Option<f64>,
    /// Nominal arithmetic operations per prediction, from the model's size, never measured.
    pub operations: u64,
    /// The fitted detector's file in the same directory.
    pub model: String,
    /// From the model's decision values to probabilities, where its scores are no probabilities; fitted on held-out rows
    /// of train.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// What a reader of the result should know (an iteration limit reached, dead latent units).
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// Bits packed eight to a byte, first bit lowest, written as lowercase hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bits {
    /// Number of bits.
    pub length: usize,
    /// The bytes as hex.
    pub hex: String,
}

impl Bits {
    /// Packs flags.
    #[must_use]
    pub fn pack(flags: &[bool]) -> Self {
        let byte = |chunk: &[bool]| chunk.iter().enumerate().fold(0u8, |byte, (i, &flag)| byte | u8::from(flag) << i);
        Self { length: flags.len(), hex: flags.chunks(8).map(|chunk| format!("{:02x}", byte(chunk))).collect() }
    }

    /// The flags, or `None` when the hex does not hold exactly `length` bits.
    #[must_use]
    pub fn unpack(&self) -> Option<Vec<bool>> {
        if !self.hex.is_ascii() || self.hex.len() != 2 * self.length.div_ceil(8) {
            return None;
        }
        let mut flags = Vec::with_capacity(self.length);
        for start in (0..self.hex.len()).step_by(2) {
            let byte = u8::from_str_radix(&self.hex[start..start + 2], 16).ok()?;
            flags.extend((0..8).map(|i| byte >> i & 1 == 1));
        }
        flags.truncate(self.length);
        Some(flags)
    }
}

/// `encoder.json`: how the autoencoder of a representation was trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EncoderReport {
    /// Version of this file.
    pub format: u32,
    /// Units per layer from input over latent to output.
    pub layers: Vec<usize>,
    /// Index of the latent layer in `layers`.
    pub latent: usize,
    /// Parameters of the training.
    pub parameters: ParamMap,
    /// Mean squared reconstruction error over rows and features while training each epoch.
    pub loss: Vec<f64>,
    /// The same over train after the last epoch.
    pub final_loss: f64,
    /// Latent units that are 0 on every row of train.
    pub dead_units: Vec<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_round_trip_and_refuse_other_lengths() {
        let flags = [true, false, true, true, false, false, false, false, true];
        let bits = Bits::pack(&flags);
        assert_eq!(bits.hex, "0d01");
        assert_eq!(bits.unpack().as_deref(), Some(&flags[..]));
        assert_eq!(Bits { length: 17, ..bits }.unpack(), None);
    }
}
