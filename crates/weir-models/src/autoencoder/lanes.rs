//! Arithmetic of training on blocks of rows in f32, laid out as columns so that neighbouring rows sit in neighbouring
//! lanes. Every sum has one order, and multiplications and additions are separate, as in [`super::kernel`].

use std::hint::black_box;

use crate::exponential::exp_f32;

/// Rows computed together.
pub(super) const ROWS: usize = 32;
/// Lanes in which the sum over a batch is kept for each parameter.
pub(super) const LANES: usize = 16;

/// One unit's values for the rows of a block.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Column(pub(super) [f32; ROWS]);

impl Column {
    /// A block of zeros.
    pub(super) const ZERO: Self = Self([0.0; ROWS]);
}

/// A sum over rows, kept as the partial sums of the rows that fall in each lane.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct LaneSum(pub(super) [f32; LANES]);

/// `output[j] = sum over i of weight(i, j) * input[i]`, i ascending.
#[inline(always)]
pub(super) fn linear(weight: impl Fn(usize, usize) -> f32, input: &[Column], output: &mut [Column]) {
    for (j, output) in output.iter_mut().enumerate() {
        let mut sums = [0.0; ROWS];
        for (i, Column(input)) in input.iter().enumerate() {
            let weight = weight(i, j);
            for (sum, input) in sums.iter_mut().zip(input) {
                *sum += weight * input;
            }
        }
        *output = Column(sums);
    }
}

/// Adds to `sums[j]` the products of `input` and `deltas[j]` over the rows.
#[inline(always)]
pub(super) fn add_products(input: &Column, deltas: &[Column], sums: &mut [LaneSum]) {
    for (delta, LaneSum(sum)) in deltas.iter().zip(sums) {
        // Else the compiler puts neighbouring units into lanes, gathers, and takes twice as long.
        let delta = black_box(delta);
        let mut partial = *sum;
        for (input, delta) in input.0.chunks_exact(LANES).zip(delta.0.chunks_exact(LANES)) {
            for lane in 0..LANES {
                partial[lane] += input[lane] * delta[lane];
            }
        }
        *sum = partial;
    }
}

/// Multiplies each of `values` by its factor.
#[inline(always)]
pub(super) fn multiply(values: &mut Column, factors: &Column) {
    // As in `add_products`.
    let factors = black_box(factors);
    let mut products = values.0;
    for (products, factors) in products.chunks_exact_mut(LANES).zip(factors.0.chunks_exact(LANES)) {
        for lane in 0..LANES {
            products[lane] *= factors[lane];
        }
    }
    values.0 = products;
}

/// Replaces each value z by swish(z) = z / (1 + e^-z) (Ramachandran, Zoph, Le 2017), and `slopes` by its derivatives.
#[inline(always)]
pub(super) fn swish(values: &mut Column, slopes: &mut Column) {
    for (value, slope) in values.0.iter_mut().zip(&mut slopes.0) {
        let z = *value;
        let sigmoid = 1.0 / (1.0 + exp_f32(-z));
        *value = z * sigmoid;
        *slope = sigmoid + *value * (1.0 - sigmoid);
    }
}

/// Replaces each value z by max(z, 0), keeping what is not a number, and `slopes` by its derivatives, 0 at 0.
#[inline(always)]
pub(super) fn relu(values: &mut Column, slopes: &mut Column) {
    for (value, slope) in values.0.iter_mut().zip(&mut slopes.0) {
        *slope = if *value > 0.0 { 1.0 } else { 0.0 };
        *value = if *value <= 0.0 { 0.0 } else { *value };
    }
}

/// The lanes of a sum, halves added up.
#[inline(always)]
pub(super) fn total(sum: &LaneSum) -> f64 {
    let LaneSum(sum) = black_box(sum);
    let eight: [f32; 8] = std::array::from_fn(|lane| sum[lane] + sum[lane + 8]);
    let four: [f32; 4] = std::array::from_fn(|lane| eight[lane] + eight[lane + 4]);
    f64::from((four[0] + four[2]) + (four[1] + four[3]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_have_the_values_and_slopes_of_their_definitions() {
        let mut column = Column::ZERO;
        (column.0[0], column.0[1]) = (1.0, -1.0);
        let (mut swished, mut rectified, mut slopes) = (column, column, Column::ZERO);
        swish(&mut swished, &mut slopes);
        // swish(1) = sigmoid(1) = 0.731058578630004879, swish'(0) = 1/2.
        assert!((swished.0[0] - 0.731_058_6).abs() < 1e-7);
        assert!((swished.0[0] - swished.0[1] - 1.0).abs() < 1e-6, "swish(z) - swish(-z) = z");
        assert_eq!(slopes.0[2], 0.5);
        relu(&mut rectified, &mut slopes);
        assert_eq!(rectified.0[..3], [1.0, 0.0, 0.0]);
        assert_eq!(slopes.0[..3], [1.0, 0.0, 0.0]);
        let mut overflowed = Column([f32::NAN; ROWS]);
        relu(&mut overflowed, &mut slopes);
        assert!(overflowed.0[0].is_nan(), "what is not a number does not become 0");
    }
}
