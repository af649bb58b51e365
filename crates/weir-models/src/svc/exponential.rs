//! Exponential and hyperbolic tangent from additions, multiplications and one division, so that loops over them
//! vectorise and every instruction set gives the same bits.

/// 2^x within 1e-12 relative; x is kept within [-1021, 1023], where f64 is normal.
#[inline(always)]
pub(super) fn exp2(x: f64) -> f64 {
    /// 1.5 x 2^52: adding it leaves the nearest whole number in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    /// (2^r - 1) / r, highest power first: interpolated at the Chebyshev nodes of [-1/2, 1/2], which leaves a relative
    /// error of 1e-13 in 2^r.
    const COEFFICIENTS: [f64; 9] = [
        1.020_312_117_214_010_4e-7,
        1.325_522_487_405_185_6e-6,
        1.525_268_684_575_157_3e-5,
        0.000_154_034_558_524_734_14,
        0.001_333_355_817_904_386_2,
        0.009_618_129_159_402_536,
        0.055_504_108_664_760_424,
        0.240_226_506_958_129_9,
        std::f64::consts::LN_2,
    ];
    let x = if x > -1021.0 { x } else { -1021.0 };
    let x = if x < 1023.0 { x } else { 1023.0 };
    let shifted = x + ROUND;
    let r = x - (shifted - ROUND);
    let mut sum = COEFFICIENTS[0];
    for coefficient in &COEFFICIENTS[1..] {
        sum = sum * r + coefficient;
    }
    (sum * r + 1.0) * f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52)
}

/// tanh x within 1e-12 relative.
#[inline(always)]
pub(super) fn tanh(x: f64) -> f64 {
    // Near 0 the quotient cancels: the odd series, whose rest is below 1e-15 there.
    let square = x * x;
    let series = (((-17.0 / 315.0 * square + 2.0 / 15.0) * square - 1.0 / 3.0) * square) * x + x;
    let power = exp2(x * (2.0 * std::f64::consts::LOG2_E));
    let quotient = 1.0 - 2.0 / (power + 1.0);
    if square < 4e-4 { series } else { quotient }
}

/// Whole and fractional part of x in [-125, 125], as 2^whole and the fraction in [-1/2, 1/2], with
/// (2^fraction - 1) / fraction: interpolated at the Chebyshev nodes, which leaves a relative error of 5e-9 in 2^fraction.
#[inline(always)]
fn parts_f32(x: f32) -> (f32, f32, f32) {
    /// 1.5 x 2^23, as in [`exp2`].
    const ROUND: f32 = 12_582_912.0;
    const COEFFICIENTS: [f32; 6] =
        [1.545_316_3e-4, 1.339_086_3e-3, 9.618_082e-3, 5.550_357e-2, 0.240_226_5, std::f32::consts::LN_2];
    let shifted = x + ROUND;
    let fraction = x - (shifted - ROUND);
    let mut sum = COEFFICIENTS[0];
    for coefficient in &COEFFICIENTS[1..] {
        sum = sum * fraction + coefficient;
    }
    (f32::from_bits(shifted.to_bits().wrapping_add(127) << 23), fraction, sum)
}

#[inline(always)]
fn keep_f32(x: f32, within: f32) -> f32 {
    let x = if x > -within { x } else { -within };
    if x < within { x } else { within }
}

/// 2^x within 2e-7 relative; x is kept within [-125, 125], where f32 is normal.
#[inline(always)]
pub(super) fn exp2_f32(x: f32) -> f32 {
    let (power, fraction, sum) = parts_f32(keep_f32(x, 125.0));
    (sum * fraction + 1.0) * power
}

/// tanh x within 5e-7 relative, as (e^2x - 1) / (e^2x + 1) with a numerator that does not cancel near 0. Newton's
/// iteration for the reciprocal costs a third of a division in wide registers.
#[inline(always)]
pub(super) fn tanh_f32(x: f32) -> f32 {
    /// Less the bits of a number above 0, the bits of its reciprocal within 13 %.
    const RECIPROCAL: u32 = 0x7ef3_11c7;
    let (power, fraction, sum) = parts_f32(keep_f32(x * (2.0 * std::f32::consts::LOG2_E), 40.0));
    let numerator = sum * fraction * power + (power - 1.0);
    let denominator = numerator + 2.0;
    let mut reciprocal = f32::from_bits(RECIPROCAL.wrapping_sub(denominator.to_bits()));
    for _ in 0..3 {
        reciprocal *= 2.0 - denominator * reciprocal;
    }
    numerator * reciprocal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(from: f64, to: f64) -> impl Iterator<Item = f64> {
        (0..=200_000).map(move |step| from + (to - from) * f64::from(step) / 200_000.0)
    }

    #[test]
    fn exp2_is_within_1e_12_of_libm() {
        for x in grid(-1021.0, 1023.0).chain(grid(-1.0, 1.0)) {
            let exact = libm::exp2(x);
            assert!(((exp2(x) - exact) / exact).abs() < 1e-12, "exp2({x})");
        }
        assert_eq!(exp2(0.0), 1.0);
        assert_eq!(exp2(-1e9) as f32, 0.0);
    }

    #[test]
    fn tanh_is_within_1e_12_of_libm() {
        for x in grid(-30.0, 30.0).chain(grid(-0.05, 0.05)).filter(|&x| x != 0.0) {
            let exact = libm::tanh(x);
            assert!(((tanh(x) - exact) / exact).abs() < 1e-12, "tanh({x})");
        }
        assert_eq!(tanh(0.0), 0.0);
        assert_eq!([tanh(1e9), tanh(-1e9)], [1.0, -1.0]);
    }

    #[test]
    fn in_f32_exp2_and_tanh_are_within_a_few_roundings_of_libm() {
        for x in grid(-125.0, 125.0).chain(grid(-1.0, 1.0)) {
            let x = x as f32;
            let exact = libm::exp2(f64::from(x));
            assert!(((f64::from(exp2_f32(x)) - exact) / exact).abs() < 2e-7, "exp2({x}) {}", exp2_f32(x));
        }
        for x in grid(-30.0, 30.0).chain(grid(-0.05, 0.05)).filter(|&x| x != 0.0) {
            let x = x as f32;
            let exact = libm::tanh(f64::from(x));
            assert!(((f64::from(tanh_f32(x)) - exact) / exact).abs() < 5e-7, "tanh({x}) {}", tanh_f32(x));
        }
        assert_eq!([exp2_f32(0.0), tanh_f32(0.0)], [1.0, 0.0]);
        assert!([tanh_f32(1e9), -tanh_f32(-1e9)].iter().all(|&one| (1.0 - one).abs() < 1e-7));
        assert!(exp2_f32(-1e9) < 1e-37);
    }

    #[test]
    fn rounded_to_f32_exp2_is_nearly_always_that_of_libm() {
        let other = grid(-20.0, 0.0).filter(|&x| exp2(x) as f32 != libm::exp2(x) as f32).count();
        assert!(other <= 2, "{other} of 200001 differ");
    }
}
