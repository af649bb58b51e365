//! Kernel functions of a point with many.

use serde::{Deserialize, Serialize};

use crate::svc::exponential::{exp2, tanh};
use crate::svc::points::{LANES, Lanes, Points, dot};

/// A kernel with its parameters resolved.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Kernel {
    /// x·z
    Linear,
    /// (gamma x·z + coef0)^degree
    Poly {
        /// Coefficient.
        gamma: f64,
        /// Constant term.
        coef0: f64,
        /// Power.
        degree: u32,
    },
    /// exp(-gamma |x - z|²)
    Rbf {
        /// Coefficient.
        gamma: f64,
    },
    /// tanh(gamma x·z + coef0)
    Sigmoid {
        /// Coefficient.
        gamma: f64,
        /// Constant term.
        coef0: f64,
    },
}

/// A point to pair with others: features and squared length.
#[derive(Clone, Copy)]
pub(super) struct Point<'a> {
    pub(super) features: &'a [f64],
    pub(super) square: f64,
}

impl<'a> Point<'a> {
    /// A point that is in no [`Points`]; features are squared and added in the same order as there.
    pub(super) fn new(features: &'a [f64]) -> Self {
        Self { features, square: features.iter().fold(0.0, |sum, value| sum + value * value) }
    }
}

/// Writes the kernel of `z` with each of `points` to `row`: `[points.padded()]` f32.
#[inline(always)]
pub(super) fn row(kernel: Kernel, points: &Points, z: Point<'_>, row: &mut [f32]) {
    for (tile, to) in row.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let values = kernel.values(dot(points.tile(tile), z.features), points.squares(tile), z.square);
        for lane in 0..LANES {
            to[lane] = values[lane] as f32;
        }
    }
}

/// Σ coefficients[p] kernel(points[p], z), `coefficients`: `[points.padded()]`, 0 where filled up.
#[inline(always)]
pub(super) fn weighted_sum(kernel: Kernel, points: &Points, coefficients: &[f64], z: Point<'_>) -> f64 {
    let mut sums = [0.0; LANES];
    for (tile, coefficients) in coefficients.as_chunks::<LANES>().0.iter().enumerate() {
        let values = kernel.values(dot(points.tile(tile), z.features), points.squares(tile), z.square);
        for lane in 0..LANES {
            sums[lane] += coefficients[lane] * values[lane];
        }
    }
    sums.iter().sum()
}

/// The kernel of a point with itself.
pub(super) fn diagonal(kernel: Kernel, square: f64) -> f64 {
    kernel.values([square; LANES], &[square; LANES], square)[0]
}

impl Kernel {
    /// From dot products with z, squared lengths, and the squared length of z.
    #[inline(always)]
    fn values(self, mut values: Lanes, squares: &Lanes, z_square: f64) -> Lanes {
        match self {
            Self::Linear => {}
            Self::Poly { gamma, coef0, degree } => {
                for value in &mut values {
                    *value = *value * gamma + coef0;
                }
                values = power(values, degree);
            }
            Self::Rbf { gamma } => {
                let factor = -gamma * std::f64::consts::LOG2_E;
                for lane in 0..LANES {
                    values[lane] = exp2(factor * (squares[lane] + z_square - 2.0 * values[lane]));
                }
            }
            Self::Sigmoid { gamma, coef0 } => {
                for value in &mut values {
                    *value = tanh(*value * gamma + coef0);
                }
            }
        }
        values
    }
}

/// By repeated squaring, as libsvm.
#[inline(always)]
fn power(mut bases: Lanes, mut exponent: u32) -> Lanes {
    let mut powers = [1.0; LANES];
    while exponent > 0 {
        if exponent % 2 == 1 {
            for lane in 0..LANES {
                powers[lane] *= bases[lane];
            }
        }
        for base in &mut bases {
            *base *= *base;
        }
        exponent /= 2;
    }
    powers
}
