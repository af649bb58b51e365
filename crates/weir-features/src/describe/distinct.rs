//! How many different values there are, in a fixed amount of memory.

use serde::{Deserialize, Serialize};

const BITS: u32 = 12;

/// A HyperLogLog counter (Flajolet, Fusy, Gandouet, Meunier 2007) with 4,096 registers: standard error 1.6 %.
///
/// Merging takes the greater register, so that neither order nor cutting matters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Distinct {
    registers: Vec<u8>,
}

impl Default for Distinct {
    fn default() -> Self {
        Self { registers: vec![0; 1 << BITS] }
    }
}

impl Distinct {
    /// Counts a value; 0.0 and -0.0 are one.
    pub(crate) fn add(&mut self, value: f64) {
        let hash = mix((value + 0.0).to_bits());
        let register = &mut self.registers[(hash >> (64 - BITS)) as usize];
        let zeros = (hash << BITS | 1 << (BITS - 1)).leading_zeros() as u8 + 1;
        *register = zeros.max(*register);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (register, &other) in self.registers.iter_mut().zip(&other.registers) {
            *register = other.max(*register);
        }
    }

    /// The estimate; for few values by linear counting, as the authors say.
    pub(crate) fn estimate(&self) -> u64 {
        let registers = self.registers.len() as f64;
        let harmonic: f64 = self.registers.iter().map(|&zeros| 2f64.powi(-i32::from(zeros))).sum();
        let raw = 0.7213 / (1.0 + 1.079 / registers) * registers * registers / harmonic;
        let empty = self.registers.iter().filter(|&&zeros| zeros == 0).count();
        if raw <= 2.5 * registers && empty > 0 {
            // libm's own, so that the estimate is the same on every machine.
            return (registers * libm::log(registers / empty as f64)).round() as u64;
        }
        raw.round() as u64
    }
}

/// A bijection that spreads bits: the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_are_within_four_standard_errors() {
        for count in [1u32, 10, 1_000, 50_000, 2_000_000] {
            let mut distinct = Distinct::default();
            (0..count).for_each(|value| distinct.add(f64::from(value) * 0.25));
            (0..count.min(100)).for_each(|value| distinct.add(f64::from(value) * 0.25));
            let error = (distinct.estimate() as f64 - f64::from(count)).abs() / f64::from(count);
            assert!(error < 4.0 * 0.0163, "{count}: {}", distinct.estimate());
        }
        assert_eq!(Distinct::default().estimate(), 0);
    }

    #[test]
    fn merging_is_the_same_as_counting_all() {
        let count = |values: std::ops::Range<u32>| {
            let mut distinct = Distinct::default();
            values.for_each(|value| distinct.add(f64::from(value)));
            distinct
        };
        let mut merged = count(0..700);
        merged.merge(&count(300..1_000));
        assert_eq!(merged, count(0..1_000));
    }
}
