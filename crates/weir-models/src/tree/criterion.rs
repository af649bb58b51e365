//! Which of two splits of a node is better.
//!
//! Both measures come from the class counts of the two children alone, so they are the same whatever the order of
//! rows. Classes are counted as `[benign, malicious]`.

use std::cmp::Ordering;

/// A measure of splits within one node.
pub(super) trait Measure: Sync {
    /// The value of one split.
    type Quality: Copy + Send;

    /// Measures the split of `total` into `left` and the rest, both children non-empty.
    fn quality(&self, left: [u32; 2], total: [u32; 2]) -> Self::Quality;

    /// Whether `a` is strictly better than `b`.
    fn better(a: Self::Quality, b: Self::Quality) -> bool;
}

/// Gini decrease. For two classes it is, up to a factor of the node,
/// `(l1 r0 - l0 r1)^2 / (nl nr)` with `l`, `r` the class counts and `nl`, `nr` the sizes of the children:
/// a fraction of integers, compared exactly.
pub(super) struct Gini;

/// Entropy decrease: the lower `E(l) + E(r)` the better, with `E(c) = n log n - c0 log c0 - c1 log c1` in nats.
/// Evaluated in f64 from a table, with the same operations in the same order for mirrored children and swapped classes,
/// so that those ties are exact.
pub(super) struct Entropy {
    /// `k log k` for each count k.
    k_log_k: Vec<f64>,
}

#[derive(Clone, Copy)]
pub(super) struct GiniQuality {
    /// `|l1 r0 - l0 r1|`, at most 2^60.
    determinant: u64,
    /// `nl nr`, at most 2^60.
    product: u64,
    /// The same two, the first squared, rounded: they decide all but near ties.
    squared: f64,
    divisor: f64,
}

impl Measure for Gini {
    type Quality = GiniQuality;

    #[inline(always)]
    fn quality(&self, left: [u32; 2], total: [u32; 2]) -> GiniQuality {
        let [l0, l1] = left.map(i64::from);
        let [r0, r1] = [i64::from(total[0]) - l0, i64::from(total[1]) - l1];
        let determinant = l1 * r0 - l0 * r1;
        let product = (l0 + l1) * (r0 + r1);
        let rounded = determinant as f64;
        GiniQuality {
            determinant: determinant.unsigned_abs(),
            product: product.unsigned_abs(),
            squared: rounded * rounded,
            divisor: product as f64,
        }
    }

    #[inline(always)]
    fn better(a: GiniQuality, b: GiniQuality) -> bool {
        // Either side carries at most six roundings of 2^-53.
        const MARGIN: f64 = 4e-15;
        let (left, right) = (a.squared * b.divisor, b.squared * a.divisor);
        if left < right * (1.0 - MARGIN) {
            false
        } else if left > right * (1.0 + MARGIN) {
            true
        } else {
            compare_products(square(a.determinant), b.product, square(b.determinant), a.product) == Ordering::Greater
        }
    }
}

impl Entropy {
    /// For nodes of at most `rows` rows.
    pub(super) fn new(rows: usize) -> Self {
        let k_log_k = (0..=rows).map(|k| if k == 0 { 0.0 } else { k as f64 * libm::log(k as f64) }).collect();
        Self { k_log_k }
    }

    #[inline(always)]
    fn child(&self, counts: [u32; 2]) -> f64 {
        let of = |count: u32| self.k_log_k[count as usize];
        of(counts[0] + counts[1]) - (of(counts[0]) + of(counts[1]))
    }
}

impl Measure for Entropy {
    type Quality = f64;

    #[inline(always)]
    fn quality(&self, left: [u32; 2], total: [u32; 2]) -> f64 {
        self.child(left) + self.child([total[0] - left[0], total[1] - left[1]])
    }

    #[inline(always)]
    fn better(a: f64, b: f64) -> bool {
        a < b
    }
}

fn square(number: u64) -> u128 {
    u128::from(number) * u128::from(number)
}

/// Compares `a * b` with `c * d` without overflow.
#[cold]
fn compare_products(a: u128, b: u64, c: u128, d: u64) -> Ordering {
    wide_product(a, b).cmp(&wide_product(c, d))
}

/// `a * b` as (high 128 bits, low 64 bits).
fn wide_product(a: u128, b: u64) -> (u128, u64) {
    let low = (a & u128::from(u64::MAX)) * u128::from(b);
    let high = (a >> 64) * u128::from(b) + (low >> 64);
    (high, low as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 10 of 20 and 20 of 40 rows wrong: the same share, from different counts.
    #[test]
    fn equal_fractions_of_different_counts_are_a_tie() {
        let gini = |determinant: u64, product: u64| GiniQuality {
            determinant,
            product,
            squared: (determinant as f64).powi(2),
            divisor: product as f64,
        };
        // 3^2/9 = 7^2/49, and one part in 2^59 more is better.
        assert!(!Gini::better(gini(3, 9), gini(7, 49)) && !Gini::better(gini(7, 49), gini(3, 9)));
        let large = 1 << 59;
        assert!(Gini::better(gini(large, large), gini(large, large + 1)));
        assert!(!Gini::better(gini(large, large + 1), gini(large, large)));
    }

    /// Node of 6 + 6: cutting off 3 benign decreases the weighted gini impurity from 12 * 1/2 = 6 to 9 * 4/9 = 4,
    /// cutting off 2 of one class and 4 of the other to 6 * 4/9 * 2 = 16/3.
    #[test]
    fn the_larger_decrease_is_better() {
        let (pure, mixed) = ([3, 0], [2, 4]);
        assert!(Gini::better(Gini.quality(pure, [6, 6]), Gini.quality(mixed, [6, 6])));
        let entropy = Entropy::new(12);
        assert!(Entropy::better(entropy.quality(pure, [6, 6]), entropy.quality(mixed, [6, 6])));
    }

    #[test]
    fn mirrored_children_and_swapped_classes_tie() {
        let entropy = Entropy::new(40);
        for (left, mirrored) in [([3, 11], [14, 12]), ([5, 0], [12, 23])] {
            let total = [left[0] + mirrored[0], left[1] + mirrored[1]];
            let swapped = |[a, b]: [u32; 2]| [b, a];
            assert_eq!(entropy.quality(left, total), entropy.quality(mirrored, total));
            assert_eq!(entropy.quality(left, total), entropy.quality(swapped(left), swapped(total)));
            assert!(!Gini::better(Gini.quality(left, total), Gini.quality(mirrored, total)));
        }
    }
}
