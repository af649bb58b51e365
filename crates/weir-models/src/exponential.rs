//! The exponential function from plain operations, so that loops over it vectorise and every instruction set gives the
//! same bits.

/// e^x within 4e-16 of it (relative) for |x| <= 700; beyond, the value at the nearer end. Without branches or tables,
/// so that it runs in lanes.
///
/// Cody and Waite: x = k ln 2 + r with |r| <= ln 2 / 2, ln 2 in two parts of which the first times k is exact, then
/// the Taylor polynomial of e^r (remainder below 4e-18) and k into the exponent.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    /// 1.5 * 2^52: adding it rounds to a whole number, which then sits in the low bits of the mantissa.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const LN_2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
    const LN_2_LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);
    /// 1/13!, 1/12!, .. 1/0!.
    const TAYLOR: [f64; 14] = {
        let mut coefficients = [1.0; 14];
        let mut factorial = 1.0;
        let mut n = 1;
        while n < 14 {
            factorial *= n as f64;
            coefficients[13 - n] = 1.0 / factorial;
            n += 1;
        }
        coefficients
    };
    let x = if x > 700.0 { 700.0 } else { x };
    let x = if x < -700.0 { -700.0 } else { x };
    let shifted = x * std::f64::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    let mut power = TAYLOR[0];
    for coefficient in &TAYLOR[1..] {
        power = power * r + coefficient;
    }
    f64::from_bits(power.to_bits().wrapping_add(shifted.to_bits() << 52))
}

/// e^x within 2e-7 of it (relative) for |x| <= 87; beyond, the value at the nearer end. As [`exp`], with the Taylor
/// polynomial of a remainder below 6e-9.
#[inline(always)]
pub(crate) fn exp_f32(x: f32) -> f32 {
    /// 1.5 * 2^23, as in [`exp`].
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 355.0 / 512.0;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    /// 1/7!, 1/6!, .. 1/0!.
    const TAYLOR: [f32; 8] = [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let x = if x > 87.0 { 87.0 } else { x };
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    let mut power = TAYLOR[0];
    for coefficient in &TAYLOR[1..] {
        power = power * r + coefficient;
    }
    f32::from_bits(power.to_bits().wrapping_add(shifted.to_bits() << 23))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_within_two_units_of_the_last_place() {
        for step in -700_000..=700_000 {
            let x = f64::from(step) * 0.001;
            let expected = libm::exp(x);
            assert!((exp(x) - expected).abs() <= 4.5e-16 * expected, "e^{x}: {} for {expected}", exp(x));
        }
    }

    #[test]
    fn exp_of_f32_is_within_three_units_of_the_last_place() {
        for step in -870_000..=870_000 {
            let x = step as f32 * 0.0001;
            let expected = libm::exp(f64::from(x));
            assert!((f64::from(exp_f32(x)) - expected).abs() <= 2e-7 * expected, "e^{x}: {}", exp_f32(x));
        }
        assert!(exp_f32(-1e30) > 0.0 && exp_f32(1e30).is_finite() && exp_f32(f32::NAN).is_nan());
        assert_eq!(exp_f32(f32::INFINITY), exp_f32(87.0));
    }

    #[test]
    fn exp_stays_finite_and_positive_beyond_its_range() {
        assert_eq!(exp(1e300), exp(700.0));
        assert_eq!(exp(f64::NEG_INFINITY), exp(-700.0));
        assert!(exp(-1e300) > 0.0 && exp(1e300).is_finite());
        assert!(exp(f64::NAN).is_nan());
    }
}
