//! Sums of kernel values: the loops that nearly all time goes into.

use crate::simd;
use crate::svc::kernel::{Kernel, Transform, with_transform};
use crate::svc::points::{LANES, Lanes, Points};
use crate::svc::real::Real;

/// Points that are paired with a tile at a time, so that a loaded register serves several products.
const GROUP: usize = 4;

/// Points with a coefficient each, laid out in groups of [`GROUP`].
pub(super) struct Weighted<R> {
    /// `[groups][features][GROUP]`.
    features: Vec<[R; GROUP]>,
    squares: Vec<[R; GROUP]>,
    /// 0 where the last group is filled up.
    coefficients: Vec<[f64; GROUP]>,
}

impl<R: Real> Weighted<R> {
    /// The points at `positions` of `points` with `coefficients`, one each.
    pub(super) fn pick(points: &Points<R>, positions: &[u32], coefficients: &[f64]) -> Self {
        let groups = positions.len().div_ceil(GROUP);
        let features = points.features();
        let mut picked = Self {
            features: vec![[R::default(); GROUP]; groups * features],
            squares: vec![[R::default(); GROUP]; groups],
            coefficients: vec![[0.0; GROUP]; groups],
        };
        for (place, (&position, &coefficient)) in positions.iter().zip(coefficients).enumerate() {
            let (group, member) = (place / GROUP, place % GROUP);
            for (feature, value) in points.features_of(position as usize).enumerate() {
                picked.features[group * features + feature][member] = value;
            }
            picked.squares[group][member] = points.square(position as usize);
            picked.coefficients[group][member] = coefficient;
        }
        picked
    }

    /// Number of points, filled up to whole groups.
    pub(super) fn len(&self) -> usize {
        self.coefficients.len() * GROUP
    }
}

/// values[t] -= Σ coefficient kernel(point, points[t]) for the tiles from `first` on, in the order of the points;
/// `values`: whole tiles. Kernel values are rounded to f32, sums are f64.
pub(super) struct Subtract<'a, R> {
    pub(super) kernel: Kernel,
    pub(super) points: &'a Points<R>,
    pub(super) first: usize,
    pub(super) weighted: &'a Weighted<R>,
    pub(super) values: &'a mut [f64],
}

impl<R: Real> simd::Kernel for Subtract<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { kernel, points, first, weighted, values } = self;
        with_transform!(kernel, transform => subtract_with(transform, points, first, weighted, values));
    }
}

/// Kernel values of every weighted point, coefficients aside, with `points`: `[weighted.len(), points.padded()]`.
pub(super) struct Matrix<'a, R> {
    pub(super) kernel: Kernel,
    pub(super) points: &'a Points<R>,
    pub(super) weighted: &'a Weighted<R>,
    pub(super) matrix: &'a mut [f32],
}

impl<R: Real> simd::Kernel for Matrix<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { kernel, points, weighted, matrix } = self;
        with_transform!(kernel, transform => matrix_with(transform, points, weighted, matrix));
    }
}

/// Σ coefficients[p] kernel(points[p], z) in f64, `coefficients`: `[points.padded()]`, 0 where filled up.
pub(super) struct WeightedSum<'a> {
    pub(super) kernel: Kernel,
    pub(super) points: &'a Points<f64>,
    pub(super) coefficients: &'a [f64],
    pub(super) z: &'a [f64],
    pub(super) z_square: f64,
}

impl simd::Kernel for WeightedSum<'_> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let Self { kernel, points, coefficients, z, z_square } = self;
        with_transform!(kernel, transform => weighted_sum_with(transform, points, coefficients, z, z_square))
    }
}

#[inline(always)]
fn subtract_with<R: Real>(
    transform: impl Transform<R>,
    points: &Points<R>,
    first: usize,
    weighted: &Weighted<R>,
    values: &mut [f64],
) {
    for (tile, values) in values.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
        let (tile, squares) = (points.tile(first + tile), points.squares(first + tile));
        let groups =
            weighted.features.chunks_exact(tile.len().max(1)).zip(&weighted.squares).zip(&weighted.coefficients);
        let mut sums = *values;
        for ((features, z_squares), coefficients) in groups {
            let dots = dots(tile, features);
            for member in 0..GROUP {
                let kernels = transform.values(dots[member], squares, z_squares[member]);
                for lane in 0..LANES {
                    sums[lane] -= f64::from(kernels[lane].narrow()) * coefficients[member];
                }
            }
        }
        *values = sums;
    }
}

#[inline(always)]
fn matrix_with<R: Real>(transform: impl Transform<R>, points: &Points<R>, weighted: &Weighted<R>, matrix: &mut [f32]) {
    let groups = weighted.features.chunks_exact(points.features().max(1)).zip(&weighted.squares);
    for ((features, z_squares), rows) in groups.zip(matrix.chunks_exact_mut(GROUP * points.padded())) {
        for tile in 0..points.tiles() {
            let dots = dots(points.tile(tile), features);
            for member in 0..GROUP {
                let kernels = transform.values(dots[member], points.squares(tile), z_squares[member]);
                let start = member * points.padded() + tile * LANES;
                for lane in 0..LANES {
                    rows[start + lane] = kernels[lane].narrow();
                }
            }
        }
    }
}

#[inline(always)]
fn weighted_sum_with(
    transform: impl Transform<f64>,
    points: &Points<f64>,
    coefficients: &[f64],
    z: &[f64],
    z_square: f64,
) -> f64 {
    let mut sums = [0.0; LANES];
    for (tile, coefficients) in coefficients.as_chunks::<LANES>().0.iter().enumerate() {
        let mut dots = [0.0; LANES];
        for (values, &z) in points.tile(tile).iter().zip(z) {
            for lane in 0..LANES {
                dots[lane] += values[lane] * z;
            }
        }
        let kernels = transform.values(dots, points.squares(tile), z_square);
        for lane in 0..LANES {
            sums[lane] += coefficients[lane] * kernels[lane];
        }
    }
    sums.iter().sum()
}

/// Dot products of the points of a tile with those of a group. Features are added in their order, whichever of the two
/// points is in the tile, so the kernel of a pair has one value.
#[inline(always)]
fn dots<R: Real>(tile: &[Lanes<R>], group: &[[R; GROUP]]) -> [Lanes<R>; GROUP] {
    let mut dots = [[R::default(); LANES]; GROUP];
    for (values, group) in tile.iter().zip(group) {
        for (dots, &z) in dots.iter_mut().zip(group) {
            for lane in 0..LANES {
                dots[lane] += values[lane] * z;
            }
        }
    }
    dots
}
