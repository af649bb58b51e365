//! Numbers with a name and a range.

use serde::{Deserialize, Serialize};

/// Seed of everything that is random in a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Default for Seed {
    fn default() -> Self {
        Self(42)
    }
}

impl std::fmt::Display for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A share of a whole: finite and in `[0, 1]`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Share(f64);

/// A number outside `[0, 1]` where a share was wanted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("expected a share between 0 and 1, received {0}")]
pub struct ShareError(pub f64);

impl Share {
    /// The share as a number in `[0, 1]`.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Share {
    type Error = ShareError;

    fn try_from(value: f64) -> Result<Self, ShareError> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(ShareError(value)) }
    }
}

impl From<Share> for f64 {
    fn from(share: Share) -> Self {
        share.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_stays_between_zero_and_one() {
        assert_eq!(Share::try_from(0.5).map(Share::get), Ok(0.5));
        assert_eq!(Share::try_from(-0.1), Err(ShareError(-0.1)));
        assert!(Share::try_from(f64::NAN).is_err());
    }
}
