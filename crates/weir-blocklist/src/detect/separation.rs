//! Whether two groups are two.
//!
//! K-Means always finds as many clusters as it is told to. Two tests on the logarithm of the rate at peak, each request
//! counting once, say whether the two are worth the name:
//!
//! - *rate ratio*: by which factor the geometric means of the groups differ;
//! - *Ashman's D* = √2 · |μ₁ − μ₂| / √(σ₁² + σ₂²): how far apart two normal distributions are for their widths; above 2
//!   they are cleanly separated (Ashman, Bird and Zepf 1994, Astronomical Journal 108, 2348).
//!
//! A bimodality that is real (people and crawlers, say) passes the second and not the first; a long tail that K-Means cuts
//! in two may pass the first and not the second.

use weir_contract::blocklist::SeparationTest;

use crate::BlocklistParams;

/// The smallest standard deviation of a group: that of one whose members are all alike would make D infinite.
const LEAST_SPREAD: f64 = 1e-3;

/// Mean and variance, weighted.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Moments {
    pub(super) mean: f64,
    pub(super) variance: f64,
}

impl Moments {
    /// Of (value, weight); 0 without weight.
    pub(super) fn of(values: impl Iterator<Item = (f64, f64)> + Clone) -> Self {
        let weight: f64 = values.clone().map(|(_, weight)| weight).sum();
        if weight <= 0.0 {
            return Self::default();
        }
        let mean = values.clone().map(|(value, weight)| value * weight).sum::<f64>() / weight;
        let squares: f64 = values.map(|(value, weight)| (value - mean) * (value - mean) * weight).sum();
        Self { mean, variance: squares / weight }
    }
}

/// The tests of two groups by the logarithms of their rates.
pub(super) fn tests(high: Moments, low: Moments, params: &BlocklistParams) -> Vec<SeparationTest> {
    let ratio = libm::exp(high.mean - low.mean);
    let spread = (high.variance + low.variance).sqrt().max(LEAST_SPREAD);
    let ashman = std::f64::consts::SQRT_2 * (high.mean - low.mean).abs() / spread;
    let test = |name: &str, value: f64, threshold: f64| SeparationTest {
        name: name.to_owned(),
        value,
        threshold,
        passed: value >= threshold,
    };
    vec![test("rate ratio", ratio, params.ratio), test("Ashman's D", ashman, params.ashman)]
}

#[cfg(test)]
mod unit {
    use super::*;

    fn moments(values: &[(f64, f64)]) -> Moments {
        Moments::of(values.iter().copied())
    }

    #[test]
    fn moments_weigh_every_request() {
        // 1 once and 4 twice: mean 9/3, variance (4 + 1 + 1)/3.
        assert_eq!(moments(&[(1.0, 1.0), (4.0, 2.0)]), Moments { mean: 3.0, variance: 2.0 });
        assert_eq!(moments(&[]), Moments::default());
    }

    #[test]
    fn ashman_s_d_is_the_distance_in_units_of_the_common_width() {
        let (high, low) = (Moments { mean: 5.0, variance: 1.0 }, Moments { mean: 3.0, variance: 1.0 });
        let [ratio, ashman] = tests(high, low, &BlocklistParams::default()).try_into().unwrap();
        // √2 · 2 / √2
        assert!((ashman.value - 2.0).abs() < 1e-12 && ashman.passed == (ashman.value >= 2.0));
        assert!((ratio.value - 1.0f64.exp().powi(2)).abs() < 1e-12 && ratio.passed);
    }

    #[test]
    fn groups_without_width_are_finitely_far_apart() {
        let point = |mean: f64| Moments { mean, variance: 0.0 };
        let far = &tests(point(6.0), point(0.0), &BlocklistParams::default())[1];
        assert!(far.value.is_finite() && far.passed);
        assert!(!tests(point(1.0), point(1.0), &BlocklistParams::default())[1].passed);
    }
}
