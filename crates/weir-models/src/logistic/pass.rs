//! One pass over a block of tiles: the loss of its rows with gradient and Hessian, or how many rows a model gets right.
//!
//! Sums are kept per lane until the end of the block, so that the loops over a tile have no remainder and no reduction.

use crate::exponential::exp;
use crate::simd::Kernel;

use super::tiles::{Column, TILE, Tile};

/// Lanes in which a sum is kept.
const LANES: usize = 8;
/// The rows of a tile whose number has the same rest by [`LANES`], added up.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct LaneSum([f64; LANES]);

/// Sums over the rows of `tiles` at `coefficients`, into `sums`: value, gradient `[k]`, lower triangle of the Hessian
/// row by row.
pub(super) struct Derive<'a, T> {
    pub(super) tiles: T,
    pub(super) coefficients: &'a [f64],
    pub(super) sums: &'a mut [f64],
}

/// Counts the rows of `tiles` that `coefficients` classify as they are.
pub(super) struct CountRight<'a, T> {
    pub(super) tiles: T,
    pub(super) coefficients: &'a [f64],
}

impl<'a, T: Iterator<Item = Tile<'a>>> Kernel for Derive<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let mut lanes = vec![LaneSum([0.0; LANES]); self.sums.len() - 1];
        let (mut linear, mut product) = (LaneSum([0.0; LANES]), LaneSum([1.0; LANES]));
        let mut value = 0.0;
        for tile in self.tiles {
            let loss = Loss::at(&decision(&tile, self.coefficients), &tile);
            for lane in 0..LANES {
                for row in (lane..TILE).step_by(LANES) {
                    linear.0[lane] += loss.linear.0[row];
                    product.0[lane] *= loss.factor.0[row];
                }
            }
            // Of numbers between 1 and 2, a block could multiply more than f64 has room for.
            if product.0.iter().any(|&product| product > 1e200) {
                value += logarithm(&product);
                product = LaneSum([1.0; LANES]);
            }
            let (gradient, mut hessian) = lanes.split_at_mut(self.coefficients.len());
            add_products(tile.columns, &loss.slope, gradient);
            for (j, column) in tile.columns.iter().enumerate() {
                let (row, rest) = hessian.split_at_mut(j + 1);
                hessian = rest;
                let mut weighted = Column::ZERO;
                for lane in 0..TILE {
                    weighted.0[lane] = loss.curvature.0[lane] * column.0[lane];
                }
                for (column, sum) in tile.columns.iter().zip(row) {
                    add_product(column, &weighted, sum);
                }
            }
            add_products(tile.columns, &loss.curvature, hessian);
        }
        self.sums[0] = value + logarithm(&product) + total(&linear);
        self.sums[1..].iter_mut().zip(&lanes).for_each(|(sum, lanes)| *sum = total(lanes));
    }
}

impl<'a, T: Iterator<Item = Tile<'a>>> Kernel for CountRight<'_, T> {
    type Output = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        let mut right = 0;
        for tile in self.tiles {
            let z = decision(&tile, self.coefficients);
            let is_right = |row: &usize| (z.0[*row] > 0.0) == (tile.signs.0[*row] < 0.0);
            right += (0..tile.rows).filter(is_right).count() as u64;
        }
        right
    }
}

/// `w.x + b` of each row, features added in their order as in [`super::Logistic`].
#[inline(always)]
fn decision(tile: &Tile<'_>, coefficients: &[f64]) -> Column {
    let (weights, intercept) = coefficients.split_at(coefficients.len() - 1);
    let mut z = Column::ZERO;
    for (column, weight) in tile.columns.iter().zip(weights) {
        for (z, value) in z.0.iter_mut().zip(&column.0) {
            *z += weight * value;
        }
    }
    z.0.iter_mut().for_each(|z| *z += intercept[0]);
    z
}

/// Logistic loss of each row, `log(factor) + linear`, and its derivatives in z; of a row that the tile lacks, nothing.
struct Loss {
    /// Between 1 and 2.
    factor: Column,
    linear: Column,
    slope: Column,
    curvature: Column,
}

impl Loss {
    /// Every term is computed from `exp(-|z|)`, which neither overflows nor cancels.
    #[inline(always)]
    fn at(z: &Column, tile: &Tile<'_>) -> Self {
        let mut loss =
            Self { factor: Column([1.0; TILE]), linear: Column::ZERO, slope: Column::ZERO, curvature: Column::ZERO };
        for row in 0..TILE {
            let sign = tile.signs.0[row];
            // Positive where the row is on the wrong side.
            let distance = sign * z.0[row];
            let e = exp(-distance.abs());
            let likelier = 1.0 / (1.0 + e);
            let unlikelier = e * likelier;
            loss.factor.0[row] = 1.0 + e;
            loss.linear.0[row] = if distance < 0.0 { 0.0 } else { distance };
            loss.slope.0[row] = sign * if distance < 0.0 { unlikelier } else { likelier };
            loss.curvature.0[row] = likelier * unlikelier;
        }
        for row in tile.rows..TILE {
            (loss.factor.0[row], loss.linear.0[row], loss.slope.0[row], loss.curvature.0[row]) = (1.0, 0.0, 0.0, 0.0);
        }
        loss
    }
}

/// Adds to `sums` the products of `weights` with each column, and with 1.
#[inline(always)]
fn add_products(columns: &[Column], weights: &Column, sums: &mut [LaneSum]) {
    for (column, sum) in columns.iter().zip(&mut *sums) {
        add_product(column, weights, sum);
    }
    for row in weights.0.chunks_exact(LANES) {
        for (sum, weight) in sums[columns.len()].0.iter_mut().zip(row) {
            *sum += weight;
        }
    }
}

#[inline(always)]
fn add_product(column: &Column, weights: &Column, sum: &mut LaneSum) {
    // Else the compiler puts neighbouring columns into lanes and gathers.
    let column = std::hint::black_box(column);
    let mut partial = *sum;
    for (column, weights) in column.0.chunks_exact(LANES).zip(weights.0.chunks_exact(LANES)) {
        for lane in 0..LANES {
            partial.0[lane] += weights[lane] * column[lane];
        }
    }
    *sum = partial;
}

/// The logarithm of the product of all lanes.
fn logarithm(product: &LaneSum) -> f64 {
    product.0.iter().map(|&product| libm::log(product)).sum()
}

/// The lanes of a sum, added in pairs.
fn total(LaneSum(sum): &LaneSum) -> f64 {
    ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]))
}
