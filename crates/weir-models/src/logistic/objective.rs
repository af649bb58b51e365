//! The objective of logistic regression with its gradient and Hessian.
//!
//! Divided by C it reads `f(w, b) = (w.w [+ b^2]) / (2 C) + sum log(1 + exp(-y z))`. With p the probability of class 1
//! and t the class as 0 or 1: `gradient = w / C + sum (p - t) x`, `Hessian = I / C + sum p (1 - p) x x'`, where x ends
//! with a 1 for the intercept.

use rayon::prelude::*;

use crate::context::Simd;
use crate::simd::dispatch;

use super::pass::{CountRight, Derive};
use super::tiles::Rows;

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
    pub(super) rows: &'a Rows<'a>,
    pub(super) penalty: Penalty,
    pub(super) simd: Simd,
}

/// Coefficients and the loss there, which is the objective before its penalty.
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub(super) coefficients: Vec<f64>,
    loss: Derivatives,
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

/// Numbers that a pass adds up for `k` coefficients: the value, the gradient, the lower triangle of the Hessian.
pub(super) fn sums(k: usize) -> usize {
    1 + k + k * (k + 1) / 2
}

impl Objective<'_> {
    /// How far rounding may move the value, where it is `value`.
    pub(super) fn rounding(&self, value: f64) -> f64 {
        f64::EPSILON * (value.abs() + self.rows.len() as f64)
    }

    /// The loss at `coefficients` with its derivatives, in one pass.
    pub(super) fn at(&self, coefficients: Vec<f64>) -> Point {
        let k = coefficients.len();
        let mut partial = vec![0.0; self.rows.blocks() * sums(k)];
        partial.par_chunks_exact_mut(sums(k)).enumerate().for_each(|(block, sums)| {
            dispatch(self.simd, Derive { tiles: self.rows.tiles(block), coefficients: &coefficients, sums });
        });
        let mut total = vec![0.0; sums(k)];
        for block in partial.chunks_exact(sums(k)) {
            total.iter_mut().zip(block).for_each(|(total, sum)| *total += sum);
        }
        Point { coefficients, loss: Derivatives::unpack(&total, k) }
    }

    /// The objective at `point` with its derivatives.
    pub(super) fn penalised(&self, point: &Point) -> Derivatives {
        let k = point.coefficients.len();
        let Penalty { strength, intercept } = self.penalty;
        let mut sum = point.loss.clone();
        let penalised = if intercept { k } else { k - 1 };
        for (j, &coefficient) in point.coefficients[..penalised].iter().enumerate() {
            sum.value += 0.5 * strength * coefficient * coefficient;
            sum.gradient[j] += strength * coefficient;
            sum.hessian[j * k + j] += strength;
        }
        sum
    }
}

/// How many of `rows` are classified as they are.
pub(super) fn right(rows: &Rows<'_>, coefficients: &[f64], simd: Simd) -> u64 {
    let right = |block| dispatch(simd, CountRight { tiles: rows.tiles(block), coefficients });
    (0..rows.blocks()).into_par_iter().map(right).sum()
}

impl Derivatives {
    fn unpack(sums: &[f64], k: usize) -> Self {
        let (gradient, mut triangle) = sums[1..].split_at(k);
        let mut hessian = vec![0.0; k * k];
        for (j, row) in hessian.chunks_exact_mut(k).enumerate() {
            let (filled, rest) = triangle.split_at(j + 1);
            row[..=j].copy_from_slice(filled);
            triangle = rest;
        }
        Self { value: sums[0], gradient: gradient.to_vec(), hessian }
    }

    /// Whether no number overflowed.
    pub(super) fn finite(&self) -> bool {
        self.value.is_finite() && self.gradient.iter().chain(&self.hessian).all(|number| number.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use ndarray::ArrayView2;

    use super::super::tiles::Tiles;
    use super::*;
    use crate::data::Dataset;

    /// 70 rows are two whole tiles and a part of one; the last rows are so far out that their exponential overflows.
    #[test]
    fn derivatives_are_those_of_the_formula() {
        let mut x: Vec<f64> = (0..140).map(|i| libm::sin(f64::from(i) * 1.3)).collect();
        x[136..].copy_from_slice(&[1000.0, 0.0, -900.0, 0.0]);
        let y: Vec<u8> = (0..70).map(|row| u8::from(row % 3 == 0)).collect();
        let tiles = Tiles::whole(Dataset::new(ArrayView2::from_shape((70, 2), &x).unwrap(), &y));
        let penalty = Penalty { strength: 0.5, intercept: true };
        let objective = Objective { rows: &tiles.all_but(None), penalty, simd: Simd::Auto };
        let w = [1.5, -2.0, 0.25];
        let ours = objective.penalised(&objective.at(w.to_vec()));

        let mut value = 0.25 * w.iter().map(|w| w * w).sum::<f64>();
        let mut gradient: Vec<f64> = w.iter().map(|w| 0.5 * w).collect();
        let mut hessian = vec![0.5, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.5];
        for (x, &class) in x.chunks_exact(2).zip(&y) {
            let x = [x[0], x[1], 1.0];
            let z: f64 = x.iter().zip(w).map(|(x, w)| x * w).sum();
            let p = 1.0 / (1.0 + libm::exp(-z));
            let against = if class == 1 { -z } else { z };
            value += against.max(0.0) + libm::log1p(libm::exp(-against.abs()));
            for i in 0..3 {
                gradient[i] += (p - f64::from(class)) * x[i];
                (0..=i).for_each(|j| hessian[3 * i + j] += p * (1.0 - p) * x[i] * x[j]);
            }
        }
        let near = |ours: f64, expected: f64| (ours - expected).abs() <= 1e-12 * expected.abs().max(1.0);
        assert!(near(ours.value, value), "{} for {value}", ours.value);
        assert!(ours.gradient.iter().zip(&gradient).all(|(&a, &b)| near(a, b)), "{:?} for {gradient:?}", ours.gradient);
        assert!(ours.hessian.iter().zip(&hessian).all(|(&a, &b)| near(a, b)), "{:?} for {hessian:?}", ours.hessian);
    }
}
