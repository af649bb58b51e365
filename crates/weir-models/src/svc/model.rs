//! The fitted model.

use ndarray::ArrayView2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::classifier::{Classifier, Fit, ScoreKind, Scores};
use crate::context::{Context, FitError, Simd};
use crate::data::Dataset;
use crate::svc::fold::Rows;
use crate::svc::kernel::{Kernel, Point};
use crate::svc::params::SvcParams;
use crate::svc::points::Points;
use crate::svc::simd::Level;
use crate::svc::solver::{Limits, Problem, Solution, Workspace};

/// Rows predicted as one piece of parallel work.
const PREDICT_BLOCK: usize = 64;

/// A fitted support vector classifier: f(x) = Σ coefficients\[s\] kernel(support\[s\], x) + intercept, class 1 above 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Svc {
    kernel: Kernel,
    features: usize,
    /// `[vectors, features]`, row-major: class 0 before class 1, each in the order of the training rows.
    support: Vec<f64>,
    /// `[vectors]`, α of a row of class 1 and -α of one of class 0.
    coefficients: Vec<f64>,
    intercept: f64,
}

impl SvcParams {
    /// Fits a classifier on all rows of `data`, on the calling thread. Kernel rows take at most `context.memory` bytes
    /// (at least four rows). The model does not depend on `context.memory` or `context.simd`.
    ///
    /// # Errors
    /// [`FitError::OneClass`], [`FitError::Cancelled`].
    pub fn fit(&self, data: Dataset<'_>, context: &Context<'_>) -> Result<Fit<Svc>, FitError> {
        let all: Vec<u32> = (0..data.rows() as u32).collect();
        let rows = Rows::of(data, &all)?;
        let kernel = self.kernel_for(data.features(), rows.features(data));
        let problem = rows.problem(data, kernel, Level::detect(context.simd));
        let mut workspace = Workspace::new(context.memory);
        workspace.start(&problem);
        let solution = problem.solve(Limits::new(self, data.rows()), &mut workspace, context)?;
        Ok(Fit { model: Svc::new(&problem, &solution), converged: solution.converged })
    }
}

impl Svc {
    pub(super) fn new(problem: &Problem, solution: &Solution) -> Self {
        let mut support = Vec::new();
        let mut coefficients = Vec::new();
        let mut features = Vec::new();
        for (row, (&alpha, &sign)) in solution.alpha.iter().zip(&problem.signs).enumerate() {
            if alpha > 0.0 {
                problem.points.read(row, &mut features);
                support.extend_from_slice(&features);
                coefficients.push(-sign * alpha);
            }
        }
        let features = problem.points.features();
        Self { kernel: problem.kernel, features, support, coefficients, intercept: solution.rho }
    }

    /// The kernel, with its parameters resolved.
    #[must_use]
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Number of support vectors.
    #[must_use]
    pub fn vectors(&self) -> usize {
        self.coefficients.len()
    }

    /// The model laid out for evaluation.
    pub(super) fn evaluator(&self, level: Level) -> Evaluator {
        let vector = |vector: usize| &self.support[vector * self.features..(vector + 1) * self.features];
        let points = Points::new(self.features, (0..self.vectors()).map(vector));
        let mut coefficients = self.coefficients.clone();
        coefficients.resize(points.padded(), 0.0);
        Evaluator { kernel: self.kernel, points, coefficients, intercept: self.intercept, level }
    }
}

/// A model laid out for evaluation.
pub(super) struct Evaluator {
    kernel: Kernel,
    points: Points,
    coefficients: Vec<f64>,
    intercept: f64,
    level: Level,
}

impl Evaluator {
    /// f(x)
    pub(super) fn decision(&self, x: &[f64]) -> f64 {
        self.level.weighted_sum(self.kernel, &self.points, &self.coefficients, Point::new(x)) + self.intercept
    }
}

impl Classifier for Svc {
    fn features(&self) -> usize {
        self.features
    }

    fn score_kind(&self) -> ScoreKind {
        ScoreKind::Decision
    }

    fn predict(&self, x: ArrayView2<'_, f64>) -> Scores {
        assert_eq!(x.ncols(), self.features, "one column per feature");
        let evaluator = self.evaluator(Level::detect(Simd::Auto));
        let mut scores = vec![0.0; x.nrows()];
        scores.par_chunks_mut(PREDICT_BLOCK).enumerate().for_each(|(block, scores)| {
            let mut features = Vec::with_capacity(self.features);
            for (within, score) in scores.iter_mut().enumerate() {
                features.clear();
                features.extend(x.row(block * PREDICT_BLOCK + within));
                *score = evaluator.decision(&features);
            }
        });
        Scores { classes: scores.iter().map(|&score| u8::from(score > 0.0)).collect(), scores }
    }

    fn operations(&self) -> u64 {
        // Per vector: a multiplication and an addition per feature, about 30 operations of an exponential, and the sum.
        let transform = match self.kernel {
            Kernel::Linear => 0,
            Kernel::Poly { degree, .. } => 2 + 2 * u64::from(degree.checked_ilog2().unwrap_or(0) + 1),
            Kernel::Rbf { .. } | Kernel::Sigmoid { .. } => 30,
        };
        self.vectors() as u64 * (2 * self.features as u64 + transform + 2)
    }
}
