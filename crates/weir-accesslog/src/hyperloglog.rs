//! How many different texts there were, in a fixed space: HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007) with
//! linear counting for few (Whang, Vander-Zanden, Taylor 1990).

/// Registers; the standard error is 1.04 / sqrt(1,024) = 3.3 %.
const REGISTERS: usize = 1 << BITS;
const BITS: u32 = 10;

/// A set that only knows its size. Sets merge to the set of both, in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HyperLogLog(Box<[u8; REGISTERS]>);

impl HyperLogLog {
    pub(crate) fn new() -> Self {
        Self(Box::new([0; REGISTERS]))
    }

    /// Adds a text by its 64-bit hash.
    pub(crate) fn add(&mut self, hash: u64) {
        let register = &mut self.0[(hash >> (64 - BITS)) as usize];
        // The set bit keeps the rank at 64 - BITS + 1 at most.
        let rank = ((hash << BITS) | (1 << (BITS - 1))).leading_zeros() as u8 + 1;
        *register = (*register).max(rank);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (register, other) in self.0.iter_mut().zip(other.0.iter()) {
            *register = (*register).max(*other);
        }
    }

    pub(crate) fn estimate(&self) -> u64 {
        let registers = REGISTERS as f64;
        // Powers of two add up exactly, in any order.
        let sum: f64 = self.0.iter().map(|rank| 1.0 / (1_u64 << rank) as f64).sum();
        let raw = 0.7213 / (1.0 + 1.079 / registers) * registers * registers / sum;
        let empty = self.0.iter().filter(|rank| **rank == 0).count();
        let estimate =
            if raw <= 2.5 * registers && empty > 0 { registers * libm::log(registers / empty as f64) } else { raw };
        estimate.round() as u64
    }
}

#[cfg(test)]
mod tests {
    use xxhash_rust::xxh3::xxh3_64;

    use super::*;

    fn of(numbers: std::ops::Range<u64>) -> HyperLogLog {
        let mut set = HyperLogLog::new();
        for number in numbers {
            set.add(xxh3_64(&number.to_le_bytes()));
        }
        set
    }

    #[test]
    fn estimates_are_within_four_standard_errors() {
        for count in [33, 100, 1_000, 2_500, 10_000, 1_000_000] {
            let estimate = of(0..count).estimate();
            assert!(estimate.abs_diff(count) as f64 <= 4.0 * 0.0325 * count as f64, "{estimate} of {count}");
        }
    }

    #[test]
    fn merged_sets_are_the_set_of_both() {
        let mut merged = of(500..2_000);
        merged.merge(&of(0..1_000));
        assert_eq!(merged, of(0..2_000));
    }
}
