//! McNemar's exact test: are two classifiers right equally often, judged by the rows on which they differ?
//!
//! McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
//! Psychometrika 12 (1947). The exact form is a two-sided binomial test of the discordant rows with share 1/2, as
//! `mcnemar(exact=True)` of statsmodels and `binomtest` of scipy compute it. The chi-squared approximation is not
//! used: it is poor for few discordant rows, which is what two good classifiers have.

/// Two-sided p-value for `b` rows that only the first and `c` rows that only the second classifier gets right:
/// `min(1, 2 P(X <= min(b, c)))` with `X ~ Binomial(b + c, 1/2)`; 1 without such rows.
///
/// Takes additions, multiplications and divisions only, so that it is the same number on every machine. Exact while
/// all terms are whole numbers below 2^53 before scaling; the relative error grows by about 2^-52 per row of the
/// smaller count. What is below the smallest f64 is 0.
#[must_use]
pub fn mcnemar(b: u64, c: u64) -> f64 {
    let (rows, fewer) = (b + c, b.min(c));
    let mut term = central_term(rows, fewer);
    let mut tail = 0.0;
    for k in (0..=fewer).rev() {
        tail += term;
        // C(n, k - 1) = C(n, k) k / (n - k + 1)
        term = term * k as f64 / (rows - k + 1) as f64;
    }
    (2.0 * tail).min(1.0)
}

/// `C(n, k) / 2^n` for `k <= n / 2`.
fn central_term(n: u64, k: u64) -> f64 {
    let mut term = 1.0;
    let mut halvings = n;
    for i in 1..=k {
        term = term * (n - k + i) as f64 / i as f64;
        // Halved as it grows, so that it does not overflow.
        while term > 1e100 && halvings > 0 {
            term /= 2.0;
            halvings -= 1;
        }
    }
    while halvings > 0 && term > 0.0 {
        term /= 2.0;
        halvings -= 1;
    }
    term
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_counts_give_the_exact_fraction() {
        assert_eq!(mcnemar(10, 2), 158.0 / 4096.0);
        assert_eq!(mcnemar(10, 2), 0.03857421875);
        assert_eq!(mcnemar(5, 0), 2.0 / 32.0);
        assert_eq!(mcnemar(6, 0), 2.0 / 64.0);
        // 1 + 9 + 36 of 2^9, twice
        assert_eq!(mcnemar(7, 2), 92.0 / 512.0);
    }

    #[test]
    fn it_does_not_matter_which_classifier_is_first() {
        for (b, c) in [(10, 2), (0, 7), (300, 250), (4000, 4100)] {
            assert_eq!(mcnemar(b, c), mcnemar(c, b));
        }
    }

    #[test]
    fn classifiers_that_differ_on_no_row_or_evenly_are_equal() {
        assert_eq!(mcnemar(0, 0), 1.0);
        assert_eq!(mcnemar(1, 0), 1.0);
        assert_eq!(mcnemar(50, 50), 1.0);
    }

    /// Reference values: exact sums of whole binomial coefficients, rounded once at the end.
    #[test]
    fn large_counts_match_sums_of_whole_numbers() {
        for (b, c, expected) in REFERENCE {
            let relative = (mcnemar(b, c) - expected).abs() / expected;
            assert!(relative < 1e-11, "{b} {c}: {} instead of {expected}", mcnemar(b, c));
        }
    }

    #[test]
    fn overwhelming_evidence_is_zero_and_not_a_failure() {
        assert_eq!(mcnemar(100_000, 3), 0.0);
    }

    const REFERENCE: [(u64, u64, f64); 5] = [
        (100, 60, 0.001953728034064342),
        (530, 470, 0.06202319509836318),
        (1200, 900, 6.337277315775436e-11),
        (4100, 4000, 0.2713310871439329),
        (10_200, 9800, 0.004780889455902644),
    ];
}
