//! Arithmetic of the encoder on blocks of rows in f64, laid out as columns so that neighbouring rows sit in
//! neighbouring lanes.
//!
//! Every sum over features, units or rows runs in one fixed order with a separate multiplication and addition (never
//! fused), so a wider instruction set computes the same bits faster. A matrix-multiplication library was rejected:
//! with ten units per layer its packing costs more than the products, and its order of sums is its own.

use crate::exponential::exp;

/// Rows computed together; also the most that one row pays for, when it comes alone.
pub(super) const ROWS: usize = 16;

/// One unit's values for the rows of a block.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(64))]
pub(super) struct Column(pub(super) [f64; ROWS]);

impl Column {
    /// A block of zeros.
    pub(super) const ZERO: Self = Self([0.0; ROWS]);
}

/// `output[j] = bias[j] + sum over i of weights[i, j] * input[i]`, i ascending.
#[inline(always)]
pub(super) fn linear(weights: &[f64], bias: &[f64], input: &[Column], output: &mut [Column]) {
    let outputs = output.len();
    for (j, output) in output.iter_mut().enumerate() {
        let mut sums = [bias[j]; ROWS];
        for (i, Column(input)) in input.iter().enumerate() {
            let weight = weights[i * outputs + j];
            for (sum, input) in sums.iter_mut().zip(input) {
                *sum += weight * input;
            }
        }
        *output = Column(sums);
    }
}

/// Replaces each value z by swish(z) = z / (1 + e^-z) (Ramachandran, Zoph, Le 2017).
#[inline(always)]
pub(super) fn swish(column: &mut Column) {
    for value in &mut column.0 {
        let z = *value;
        let sigmoid = 1.0 / (1.0 + exp(-z));
        *value = z * sigmoid;
    }
}

/// Replaces each value z by max(z, 0), keeping what is not a number.
#[inline(always)]
pub(super) fn relu(column: &mut Column) {
    for value in &mut column.0 {
        *value = if *value <= 0.0 { 0.0 } else { *value };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_have_the_values_of_their_definitions() {
        let mut column = Column::ZERO;
        column.0[0] = 1.0;
        column.0[1] = -1.0;
        let (mut swished, mut rectified) = (column, column);
        swish(&mut swished);
        relu(&mut rectified);
        // swish(1) = sigmoid(1) = 0.731058578630004879.
        assert!((swished.0[0] - 0.731_058_578_630_004_9).abs() < 1e-15);
        assert!((swished.0[0] - swished.0[1] - 1.0).abs() < 1e-15, "swish(z) - swish(-z) = z");
        assert_eq!((rectified.0[0], rectified.0[1], rectified.0[2]), (1.0, 0.0, 0.0));
        let mut overflowed = Column([f64::NAN; ROWS]);
        relu(&mut overflowed);
        assert!(overflowed.0[0].is_nan(), "what is not a number does not become 0");
    }
}
