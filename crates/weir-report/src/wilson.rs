//! Interval of a share that was counted.

/// 0.975 quantile of the standard normal distribution: 95 % lie between -Z and Z.
const Z: f64 = 1.959_963_984_540_054;

/// The 95 % Wilson score interval of `part` out of `whole`, within `[0, 1]`; `(0, 1)` for an empty whole.
///
/// Wilson 1927; formula as in Brown, Cai and DasGupta, "Interval Estimation for a Binomial Proportion" (2001), (4).
/// Unlike the normal interval it stays sensible where the share is next to 1.
#[must_use]
pub fn wilson_interval(part: u64, whole: u64) -> (f64, f64) {
    if whole == 0 {
        return (0.0, 1.0);
    }
    let n = whole as f64;
    let share = part as f64 / n;
    let centre = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interval_is_the_published_one() {
        // Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I, method 3.
        for (part, whole, published) in [(81, 263, (0.2553, 0.3662)), (15, 148, (0.0624, 0.1605))] {
            let (low, high) = wilson_interval(part, whole);
            assert!((low - published.0).abs() < 5e-5 && (high - published.1).abs() < 5e-5, "{low} {high}");
        }
    }

    #[test]
    fn a_share_of_one_has_an_interval_below_one() {
        // part = whole gives low = n / (n + z^2).
        let (low, high) = wilson_interval(100, 100);
        assert!((low - 100.0 / (100.0 + Z * Z)).abs() < 1e-12);
        assert_eq!(high, 1.0);
        assert_eq!(wilson_interval(0, 0), (0.0, 1.0));
    }
}
