//! Exact sums of whole numbers, so that mean and standard deviation do not depend on where the data was cut.

use serde::{Deserialize, Serialize};

/// Count, sum and sum of squares of whole numbers in `[-2^63, 2^64)`, exact for up to 2^62 of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moments {
    pub(crate) count: u64,
    /// The sum in two's complement: high half, low half.
    sum: (i64, u64),
    /// The sum of squares, lowest limb first.
    squares: [u64; 3],
}

impl Moments {
    /// Takes the numbers of a run of rows. A loop over wide integers would be slow; so it works in `i128` and `u128`
    /// and carries out once.
    pub(crate) fn observe(&mut self, numbers: impl Iterator<Item = i128>) {
        let mut sum = self.sum();
        let [mut squares, mut carried] = [u128::from(self.squares[1]) << 64 | u128::from(self.squares[0]), 0];
        for number in numbers {
            self.count += 1;
            sum += number;
            // Below 2^128 for every number of the range.
            let magnitude = number.unsigned_abs();
            let (next, carry) = squares.overflowing_add(magnitude * magnitude);
            squares = next;
            carried += u128::from(carry);
        }
        self.set_sum(sum);
        self.squares = [squares as u64, (squares >> 64) as u64, self.squares[2] + carried as u64];
    }

    pub(crate) fn merge(&mut self, later: &Self) {
        self.count += later.count;
        self.set_sum(self.sum() + later.sum());
        let mut carry = 0;
        for (own, other) in self.squares.iter_mut().zip(later.squares) {
            let total = u128::from(*own) + u128::from(other) + carry;
            *own = total as u64;
            carry = total >> 64;
        }
    }

    pub(crate) fn sum(&self) -> i128 {
        i128::from(self.sum.0) << 64 | i128::from(self.sum.1)
    }

    fn set_sum(&mut self, sum: i128) {
        self.sum = ((sum >> 64) as i64, sum as u64);
    }

    /// The mean, correctly rounded; `None` without numbers.
    pub(crate) fn mean(&self) -> Option<f64> {
        let sum = self.sum();
        let magnitude = sum.unsigned_abs();
        let limbs = [magnitude as u64, (magnitude >> 64) as u64, 0, 0];
        let mean = (self.count > 0).then(|| ratio(limbs, u128::from(self.count)))?;
        Some(if sum < 0 { -mean } else { mean })
    }

    /// The standard deviation of a sample (divisor n - 1): the root of the correctly rounded variance
    /// (n Σx² - (Σx)²) / (n (n - 1)); `None` below two numbers.
    pub(crate) fn deviation(&self) -> Option<f64> {
        let count = u128::from(self.count);
        if count < 2 {
            return None;
        }
        let [low, middle, high] = self.squares;
        let scaled = multiply([low, middle, high, 0], self.count);
        let magnitude = self.sum().unsigned_abs();
        let once = multiply([magnitude as u64, (magnitude >> 64) as u64, 0, 0], magnitude as u64);
        let twice = multiply([0, magnitude as u64, (magnitude >> 64) as u64, 0], (magnitude >> 64) as u64);
        let numerator = subtract(subtract(scaled, once), twice);
        Some(ratio(numerator, count * (count - 1)).sqrt())
    }
}

type Wide = [u64; 4];

fn multiply(wide: Wide, factor: u64) -> Wide {
    let mut carry = 0;
    wide.map(|limb| {
        let product = u128::from(limb) * u128::from(factor) + carry;
        carry = product >> 64;
        product as u64
    })
}

fn subtract(minuend: Wide, subtrahend: Wide) -> Wide {
    let mut borrow = false;
    let mut difference = [0; 4];
    for (limb, result) in difference.iter_mut().enumerate() {
        let (first, under) = minuend[limb].overflowing_sub(subtrahend[limb]);
        let (second, again) = first.overflowing_sub(u64::from(borrow));
        borrow = under || again;
        *result = second;
    }
    difference
}

/// `numerator / denominator` rounded to the nearest double (`0 < denominator < 2^127`): long division to 64 significant
/// bits, of which the last is set where a remainder is left.
fn ratio(numerator: Wide, denominator: u128) -> f64 {
    if numerator == [0; 4] {
        return 0.0;
    }
    let bit = |place: i32| if place < 0 { 0 } else { numerator[place as usize / 64] >> (place % 64) & 1 };
    let (mut quotient, mut remainder, mut place) = (0u64, 0u128, 255);
    loop {
        remainder = remainder << 1 | u128::from(bit(place));
        quotient <<= 1;
        if remainder >= denominator {
            remainder -= denominator;
            quotient |= 1;
        }
        if quotient >> 63 == 1 {
            break;
        }
        place -= 1;
    }
    let rest = remainder != 0 || (0..place).any(|lower| bit(lower) == 1);
    let power = f64::from_bits(((place + 1023) as u64) << 52);
    (quotient | u64::from(rest)) as f64 * power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(numbers: &[i128]) -> Moments {
        let mut moments = Moments::default();
        moments.observe(numbers.iter().copied());
        moments
    }

    #[test]
    fn mean_and_deviation_of_small_numbers() {
        let small = moments(&[1, 2, 3, 4]);
        assert_eq!((small.sum(), small.mean()), (10, Some(2.5)));
        assert_eq!(small.deviation(), Some((5.0f64 / 3.0).sqrt()));
        assert_eq!(moments(&[-3, 0, 0]).mean(), Some(-1.0));
        assert_eq!(moments(&[1, 0, 0]).mean(), Some(1.0 / 3.0));
        assert_eq!((moments(&[]).mean(), moments(&[7]).deviation()), (None, None));
    }

    #[test]
    fn the_largest_numbers_stay_exact() {
        let large = i128::from(u64::MAX);
        let same = moments(&[large; 1000]);
        assert_eq!((same.mean(), same.deviation()), (Some(u64::MAX as f64), Some(0.0)));
        // Two neighbours at the end of the range: (0.5)² + (0.5)² over 1.
        assert_eq!(moments(&[large, large - 1]).deviation(), Some(0.5f64.sqrt()));
        // 0 and m: m²/2 over 1.
        assert_eq!(moments(&[0, large]).deviation(), Some((2f64.powi(127)).sqrt()));
    }

    #[test]
    fn merged_moments_are_the_moments_of_all() {
        let numbers: Vec<i128> =
            (0..100).map(|n| i128::from(u64::MAX) - n * n * n).chain([i128::from(i64::MIN)]).collect();
        for cut in [0, 1, 50, 101] {
            let mut left = moments(&numbers[..cut]);
            left.merge(&moments(&numbers[cut..]));
            assert_eq!(left, moments(&numbers));
        }
    }
}
