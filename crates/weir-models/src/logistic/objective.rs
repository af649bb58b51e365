//! The objective of logistic regression with its gradient and Hessian.
//!
//! Divided by C it reads `f(w, b) = (w.w [+ b^2]) / (2 C) + sum log(1 + exp(-y z))`. With p the probability of class 1
//! and t the class as 0 or 1: `gradient = w / C + sum (p - t) x`, `Hessian = I / C + sum p (1 - p) x x'`, where x ends
//! with a 1 for the intercept.

use rayon::prelude::*;

use crate::data::Dataset;

/// Rows summed by one thread at a time. The blocks are added in order, so that bits do not depend on threads. A product
/// of this many factors of at most 2 is a finite f64.
const ROWS_PER_BLOCK: usize = 512;
/// Rows added to the sums at a time, which reads and writes the sums less often.
const TILE: usize = 4;
/// Coefficients are padded to a multiple of this, so that inner loops have no remainder.
const LANES: usize = 4;

/// The L2 penalty.
#[derive(Debug, Clone, Copy)]
pub(super) struct Penalty {
    /// 1 / C.
    pub(super) strength: f64,
    /// Whether the intercept is penalised too.
    pub(super) intercept: bool,
}

/// The objective on some rows. Coefficients are the weights in feature order, then the intercept.
pub(super) struct Objective<'a> {
    data: Dataset<'a>,
    penalty: Penalty,
}

/// Value and derivatives at a point of `k` coefficients.
#[derive(Debug, Clone)]
pub(super) struct Derivatives {
    pub(super) value: f64,
    /// `[k]`.
    pub(super) gradient: Vec<f64>,
    /// `[k, k]`, row-major; only the lower triangle is filled.
    pub(super) hessian: Vec<f64>,
}

impl<'a> Objective<'a> {
    pub(super) fn new(data: Dataset<'a>, penalty: Penalty) -> Self {
        Self { data, penalty }
    }

    /// How far rounding may move the value, where it is `value`.
    pub(super) fn rounding(&self, value: f64) -> f64 {
        f64::EPSILON * (value.abs() + self.rows() as f64)
    }

    pub(super) fn rows(&self) -> usize {
        self.data.rows()
    }

    /// Value, gradient and Hessian at `coefficients`, in one pass.
    pub(super) fn derivatives(&self, coefficients: &[f64]) -> Derivatives {
        let k = coefficients.len();
        let blocks: Vec<Derivatives> = (0..self.rows().div_ceil(ROWS_PER_BLOCK))
            .into_par_iter()
            .map(|block| {
                let first = block * ROWS_PER_BLOCK;
                self.block(first..self.rows().min(first + ROWS_PER_BLOCK), coefficients)
            })
            .collect();
        let mut sum = Derivatives::zero(k);
        for block in &blocks {
            sum.add(block);
        }

        let penalised = if self.penalty.intercept { k } else { k - 1 };
        for (j, &coefficient) in coefficients[..penalised].iter().enumerate() {
            sum.value += 0.5 * self.penalty.strength * coefficient * coefficient;
            sum.gradient[j] += self.penalty.strength * coefficient;
            sum.hessian[j * k + j] += self.penalty.strength;
        }
        sum
    }

    fn block(&self, rows: std::ops::Range<usize>, coefficients: &[f64]) -> Derivatives {
        let k = coefficients.len();
        let stride = k.next_multiple_of(LANES);
        let mut tile = vec![0.0; TILE * stride];
        tile.chunks_exact_mut(stride).for_each(|x| x[k - 1] = 1.0);
        let mut gradient = vec![0.0; stride];
        let mut hessian = vec![0.0; k * stride];
        // The sum of the logarithms is the logarithm of the product.
        let (mut product, mut value) = (1.0, 0.0);
        for first in rows.clone().step_by(TILE) {
            // Rows that the last tile lacks keep a weight of 0.
            let (mut slopes, mut curvatures) = ([0.0; TILE], [0.0; TILE]);
            for (row, x) in (first..rows.end.min(first + TILE)).zip(tile.chunks_exact_mut(stride)) {
                x[..k - 1].copy_from_slice(self.data.row(row));
                let z: f64 = coefficients.iter().zip(&*x).map(|(w, x)| w * x).sum();
                let loss = Loss::at(z, self.data.classes()[row]);
                product *= loss.factor;
                value += loss.linear;
                slopes[row - first] = loss.slope;
                curvatures[row - first] = loss.curvature;
            }
            add_weighted(&mut gradient, &tile, slopes);
            for j in 0..k {
                let weights = std::array::from_fn(|row| curvatures[row] * tile[row * stride + j]);
                let lower = (j + 1).next_multiple_of(LANES);
                add_weighted(&mut hessian[j * stride..j * stride + lower], &tile, weights);
            }
        }
        gradient.truncate(k);
        let hessian = hessian.chunks_exact(stride).flat_map(|row| &row[..k]).copied().collect();
        Derivatives { value: value + libm::log(product), gradient, hessian }
    }
}

/// Adds to `sum` the start of each row of `tile`: `[TILE, stride]`, times its weight.
#[inline(always)]
fn add_weighted(sum: &mut [f64], tile: &[f64], weights: [f64; TILE]) {
    let stride = tile.len() / TILE;
    let [a, b, c, d] = std::array::from_fn(|row| tile[row * stride..row * stride + sum.len()].chunks_exact(LANES));
    for ((((sum, a), b), c), d) in sum.chunks_exact_mut(LANES).zip(a).zip(b).zip(c).zip(d) {
        for lane in 0..LANES {
            let [wa, wb, wc, wd] = weights;
            sum[lane] += (wa * a[lane] + wb * b[lane]) + (wc * c[lane] + wd * d[lane]);
        }
    }
}

impl Derivatives {
    /// Whether no number overflowed.
    pub(super) fn finite(&self) -> bool {
        self.value.is_finite() && self.gradient.iter().chain(&self.hessian).all(|number| number.is_finite())
    }

    fn zero(k: usize) -> Self {
        Self { value: 0.0, gradient: vec![0.0; k], hessian: vec![0.0; k * k] }
    }

    fn add(&mut self, other: &Self) {
        self.value += other.value;
        self.gradient.iter_mut().zip(&other.gradient).for_each(|(sum, term)| *sum += term);
        self.hessian.iter_mut().zip(&other.hessian).for_each(|(sum, term)| *sum += term);
    }
}

/// Logistic loss of one row, `log(factor) + linear`, and its derivatives in z.
struct Loss {
    /// Between 1 and 2.
    factor: f64,
    linear: f64,
    slope: f64,
    curvature: f64,
}

impl Loss {
    /// Every term is computed from `exp(-|z|)`, which neither overflows nor cancels.
    #[inline(always)]
    fn at(z: f64, class: u8) -> Self {
        let e = libm::exp(-z.abs());
        let likelier = 1.0 / (1.0 + e);
        let unlikelier = e * likelier;
        let agrees = (z > 0.0) == (class == 1);
        let distance = if agrees { unlikelier } else { likelier };
        Self {
            factor: 1.0 + e,
            linear: if agrees { 0.0 } else { z.abs() },
            slope: if class == 1 { -distance } else { distance },
            curvature: likelier * unlikelier,
        }
    }
}
