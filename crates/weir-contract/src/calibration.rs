//! From a decision value to a probability.

use serde::{Deserialize, Serialize};

/// Platt's sigmoid: the probability of class 1 for a decision value `f` is `1 / (1 + exp(a f + b))`.
///
/// Platt, "Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods" (1999).
/// The class follows the decision value; where `a` is negative the probability grows with it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Slope.
    pub a: f64,
    /// Offset.
    pub b: f64,
}

impl Calibration {
    /// The probability of class 1, in `[0, 1]`; the same on every machine.
    #[must_use]
    pub fn probability(&self, decision: f64) -> f64 {
        let z = self.a * decision + self.b;
        // The exponent is never positive, so that nothing overflows.
        if z >= 0.0 {
            let e = libm::exp(-z);
            e / (1.0 + e)
        } else {
            1.0 / (1.0 + libm::exp(z))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sigmoid_stays_within_its_range_however_large_the_decision() {
        let calibration = Calibration { a: -2.0, b: 0.5 };
        assert!((calibration.probability(0.25) - 0.5).abs() < 1e-15);
        assert_eq!(calibration.probability(1e300), 1.0);
        assert_eq!(calibration.probability(-1e300), 0.0);
        assert!(calibration.probability(1.0) > calibration.probability(0.9));
    }
}
