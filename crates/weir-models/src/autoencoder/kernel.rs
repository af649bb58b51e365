//! Arithmetic on blocks of rows, laid out as columns so that neighbouring rows sit in neighbouring lanes.
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

/// Lanes in which the sum over a batch is kept for each weight.
pub(super) const LANES: usize = 8;

/// A sum over rows, kept as the partial sums of the rows that fall in each lane.
pub(super) type LaneSum = [f64; LANES];

/// `output[j] = start(j) + sum over i of weight(i, j) * input[i]`, i ascending.
#[inline(always)]
pub(super) fn linear(
    weight: impl Fn(usize, usize) -> f64,
    start: impl Fn(usize) -> f64,
    input: &[Column],
    output: &mut [Column],
) {
    for (j, output) in output.iter_mut().enumerate() {
        let mut sums = [start(j); ROWS];
        for (i, Column(input)) in input.iter().enumerate() {
            let weight = weight(i, j);
            for (sum, input) in sums.iter_mut().zip(input) {
                *sum += weight * input;
            }
        }
        *output = Column(sums);
    }
}

/// Adds to `sums[i]` the products of `inputs[i]` and `delta` over the rows, and to the last of `sums` the sum of
/// `delta`: the gradient of one unit's weights and of its bias.
#[inline(always)]
pub(super) fn add_products(inputs: &[Column], delta: &Column, sums: &mut [LaneSum]) {
    let (products, bias) = sums.split_at_mut(inputs.len());
    for (input, sum) in inputs.iter().zip(products) {
        // Else the compiler puts neighbouring inputs into lanes, gathers, and takes twice as long.
        let input = std::hint::black_box(input);
        let mut partial = *sum;
        for (input, delta) in input.0.chunks_exact(LANES).zip(delta.0.chunks_exact(LANES)) {
            for lane in 0..LANES {
                partial[lane] += input[lane] * delta[lane];
            }
        }
        *sum = partial;
    }
    for delta in delta.0.chunks_exact(LANES) {
        for (sum, delta) in bias[0].iter_mut().zip(delta) {
            *sum += delta;
        }
    }
}

/// Replaces each value z by swish(z) = z / (1 + e^-z) (Ramachandran, Zoph, Le 2017) and returns the derivatives.
#[inline(always)]
pub(super) fn swish(column: &mut Column) -> Column {
    let mut derivatives = Column::ZERO;
    for (value, derivative) in column.0.iter_mut().zip(&mut derivatives.0) {
        let z = *value;
        let sigmoid = 1.0 / (1.0 + exp(-z));
        *value = z * sigmoid;
        *derivative = sigmoid + *value * (1.0 - sigmoid);
    }
    derivatives
}

/// Replaces each value z by max(z, 0), keeping what is not a number, and returns the derivatives, 0 at 0.
#[inline(always)]
pub(super) fn relu(column: &mut Column) -> Column {
    let mut derivatives = Column::ZERO;
    for (value, derivative) in column.0.iter_mut().zip(&mut derivatives.0) {
        *derivative = if *value > 0.0 { 1.0 } else { 0.0 };
        *value = if *value <= 0.0 { 0.0 } else { *value };
    }
    derivatives
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_have_the_values_and_slopes_of_their_definitions() {
        let mut column = Column::ZERO;
        column.0[0] = 1.0;
        column.0[1] = -1.0;
        let (mut swished, mut rectified) = (column, column);
        let (swish_slope, relu_slope) = (swish(&mut swished), relu(&mut rectified));
        // swish(1) = sigmoid(1) = 0.731058578630004879, swish'(0) = 1/2.
        assert!((swished.0[0] - 0.731_058_578_630_004_9).abs() < 1e-15);
        assert!((swished.0[0] - swished.0[1] - 1.0).abs() < 1e-15, "swish(z) - swish(-z) = z");
        assert_eq!(swish_slope.0[2], 0.5);
        assert_eq!((rectified.0[0], rectified.0[1], rectified.0[2]), (1.0, 0.0, 0.0));
        let mut overflowed = Column([f64::NAN; ROWS]);
        relu(&mut overflowed);
        assert!(overflowed.0[0].is_nan(), "what is not a number does not become 0");
        assert_eq!((relu_slope.0[0], relu_slope.0[1], relu_slope.0[2]), (1.0, 0.0, 0.0));
    }
}
