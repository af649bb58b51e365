//! Kernel functions.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::search::Estimate;
use crate::svc::points::{LANES, Lanes};
use crate::svc::real::Real;

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

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linear => write!(f, "linear"),
            Self::Poly { gamma, coef0, degree } => write!(f, "poly gamma={gamma} coef0={coef0} degree={degree}"),
            Self::Rbf { gamma } => write!(f, "rbf gamma={gamma}"),
            Self::Sigmoid { gamma, coef0 } => write!(f, "sigmoid gamma={gamma} coef0={coef0}"),
        }
    }
}

/// A kernel as a function of what all kernels share.
pub(super) trait Transform<R>: Copy {
    /// Kernel values, from the dot products of a tile of points with z, the squared lengths of both.
    fn values(self, dots: Lanes<R>, squares: &Lanes<R>, z_square: R) -> Lanes<R>;
}

/// Calls `$call` with the kernel's [`Transform`] as `$transform`, so that loops are compiled once per kernel.
macro_rules! with_transform {
    ($kernel:expr, $transform:ident => $call:expr) => {{
        use $crate::svc::kernel::{Cube, Dot, Gaussian, Power, Tangent};
        match $kernel {
            Kernel::Linear => {
                let $transform = Dot;
                $call
            }
            Kernel::Poly { gamma, coef0, degree: 3 } => {
                let $transform = Cube { gamma: Real::of(gamma), coef0: Real::of(coef0) };
                $call
            }
            Kernel::Poly { gamma, coef0, degree } => {
                let $transform = Power { gamma: Real::of(gamma), coef0: Real::of(coef0), degree };
                $call
            }
            Kernel::Rbf { gamma } => {
                let $transform = Gaussian { factor: Real::of(-gamma * std::f64::consts::LOG2_E) };
                $call
            }
            Kernel::Sigmoid { gamma, coef0 } => {
                let $transform = Tangent { gamma: Real::of(gamma), coef0: Real::of(coef0) };
                $call
            }
        }
    }};
}
pub(super) use with_transform;

#[derive(Clone, Copy)]
pub(super) struct Dot;

/// [`Power`] of 3, scikit-learn's default, without a loop.
#[derive(Clone, Copy)]
pub(super) struct Cube<R> {
    pub(super) gamma: R,
    pub(super) coef0: R,
}

#[derive(Clone, Copy)]
pub(super) struct Power<R> {
    pub(super) gamma: R,
    pub(super) coef0: R,
    pub(super) degree: u32,
}

#[derive(Clone, Copy)]
pub(super) struct Gaussian<R> {
    pub(super) factor: R,
}

#[derive(Clone, Copy)]
pub(super) struct Tangent<R> {
    pub(super) gamma: R,
    pub(super) coef0: R,
}

impl<R> Transform<R> for Dot {
    #[inline(always)]
    fn values(self, dots: Lanes<R>, _squares: &Lanes<R>, _z_square: R) -> Lanes<R> {
        dots
    }
}

impl<R: Real> Transform<R> for Cube<R> {
    #[inline(always)]
    fn values(self, mut values: Lanes<R>, _squares: &Lanes<R>, _z_square: R) -> Lanes<R> {
        for value in &mut values {
            let base = *value * self.gamma + self.coef0;
            *value = base * (base * base);
        }
        values
    }
}

impl<R: Real> Transform<R> for Power<R> {
    /// By repeated squaring, as libsvm.
    #[inline(always)]
    fn values(self, dots: Lanes<R>, _squares: &Lanes<R>, _z_square: R) -> Lanes<R> {
        let mut bases = dots;
        for base in &mut bases {
            *base = *base * self.gamma + self.coef0;
        }
        let mut powers = [R::ONE; LANES];
        let mut exponent = self.degree;
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
}

impl<R: Real> Transform<R> for Gaussian<R> {
    #[inline(always)]
    fn values(self, mut values: Lanes<R>, squares: &Lanes<R>, z_square: R) -> Lanes<R> {
        for lane in 0..LANES {
            let twice = values[lane] + values[lane];
            values[lane] = (self.factor * (squares[lane] + z_square - twice)).exp2();
        }
        values
    }
}

impl<R: Real> Transform<R> for Tangent<R> {
    #[inline(always)]
    fn values(self, mut values: Lanes<R>, _squares: &Lanes<R>, _z_square: R) -> Lanes<R> {
        for value in &mut values {
            *value = (*value * self.gamma + self.coef0).tanh();
        }
        values
    }
}

impl Kernel {
    /// The kernel of a point with itself, from its squared length.
    pub(super) fn diagonal<R: Real>(self, square: R) -> R {
        with_transform!(self, transform => transform.values([square; LANES], &[square; LANES], square)[0])
    }

    /// What a path over `jobs` values of C on two thirds of `rows` rows takes.
    pub(super) fn estimate(self, rows: usize, features: usize, jobs: usize) -> Estimate {
        // Measured on the report's data and grid (33,236 rows, 10 features, three values of C, AVX-512, 15 s in all): a
        // path changes as many variables as 0.4 of the rows, and each change costs a kernel value per row.
        let nanoseconds = match self {
            Self::Linear | Self::Poly { .. } => 0.5,
            Self::Rbf { .. } => 0.7,
            Self::Sigmoid { .. } => 0.9,
        };
        let changes = 0.4 * rows as f64 * (0.5 + jobs as f64 / 6.0);
        let seconds = 1e-9 * changes * rows as f64 * (nanoseconds + 0.06 * features as f64);
        Estimate { seconds, bytes: rows * (8 * features + 64) }
    }

    /// Whether f32 is wide enough to compute values in, for points whose largest squared length is `longest` (of rbf
    /// relative to the middle of their range). libsvm rounds values to f32; here their absolute error stays below
    /// about 2e-6, which moves no decision value by more than the tolerance of the solver does.
    pub(super) fn fits_f32(self, longest: f64) -> bool {
        match self {
            Self::Linear => longest <= 4.0,
            Self::Poly { gamma, coef0, degree } => {
                f64::from(degree) * (gamma * longest + coef0.abs()).powi(degree.cast_signed()) <= 4.0
            }
            Self::Rbf { gamma } => gamma * longest <= 4.0,
            Self::Sigmoid { gamma, coef0 } => gamma * longest + coef0.abs() <= 8.0,
        }
    }
}
