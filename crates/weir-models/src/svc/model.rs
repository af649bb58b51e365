//! The fitted model.

use std::sync::{Arc, OnceLock};

use ndarray::ArrayView2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::classifier::{Classifier, Fit, ScoreKind, Scores};
use crate::context::{Context, FitError, Simd};
use crate::data::Dataset;
use crate::simd::dispatch;
use crate::svc::kernel::Kernel;
use crate::svc::params::SvcParams;
use crate::svc::points::Points;
use crate::svc::real::Real;
use crate::svc::search::{Rows, WithProblem};
use crate::svc::solver::{Limits, Problem, State};
use crate::svc::sums::WeightedSum;

/// Rows predicted as one piece of parallel work.
const PREDICT_BLOCK: usize = 64;

/// A fitted support vector classifier: f(x) = Σ coefficients\[s\] kernel(support\[s\], x) + intercept, class 1 above 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Svc {
    kernel: Kernel,
    features: usize,
    /// `[vectors, features]`, row-major: class 0 before class 1, each in the order of the training rows.
    support: Vec<f64>,
    /// `[vectors]`, α of a row of class 1 and -α of one of class 0.
    coefficients: Vec<f64>,
    intercept: f64,
    #[serde(skip)]
    evaluator: LaidOut,
}

/// The model laid out for evaluation by whoever predicts first. It says nothing that the model does not say.
#[derive(Debug, Clone, Default)]
struct LaidOut(OnceLock<Arc<Evaluator>>);

impl LaidOut {
    fn get_or_init(&self, lay_out: impl FnOnce() -> Arc<Evaluator>) -> &Evaluator {
        self.0.get_or_init(lay_out)
    }
}

impl PartialEq for LaidOut {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Bytes that are not a support vector classifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("corrupt SVC model: {0}")]
pub struct MalformedSvc(&'static str);

#[derive(Deserialize)]
struct Unchecked {
    kernel: Kernel,
    features: usize,
    support: Vec<f64>,
    coefficients: Vec<f64>,
    intercept: f64,
}

impl SvcParams {
    /// Fits a classifier on all rows of `data`. The model does not depend on the number of threads, `context.memory` or
    /// `context.simd`; memory is that of the data, in the solver's layout, and a few numbers per row.
    ///
    /// # Errors
    /// [`FitError::OneClass`]; [`FitError::Parameter`] when kernel values overflow; [`FitError::Cancelled`].
    pub fn fit(&self, data: Dataset<'_>, context: &Context<'_>) -> Result<Fit<Svc>, FitError> {
        let all: Vec<u32> = (0..data.rows() as u32).collect();
        let rows = Rows::of(data, &all)?;
        let kernel = self.kernel_for(data.features(), rows.features(data));
        let limits = Limits::new(self, data.rows());
        let simd = context.simd;
        let state = rows.with_problem(data, kernel, &[], simd, Fitting { limits, context })?;
        let Some(state) = state.filter(State::is_finite) else { return Err(self.overflow()) };
        Ok(Fit { model: Svc::new(kernel, data, rows.rows(), &state), converged: state.converged })
    }
}

/// Solves a problem unless it overflows.
pub(super) struct Fitting<'a> {
    pub(super) limits: Limits,
    pub(super) context: &'a Context<'a>,
}

impl WithProblem for Fitting<'_> {
    type Output = Result<Option<State>, FitError>;

    fn run<R: Real>(self, problem: &Problem<R>) -> Self::Output {
        if problem.overflows() {
            return Ok(None);
        }
        problem.solve(problem.start(), self.limits, self.context).map(Some)
    }
}

impl Svc {
    /// From the solution for the rows of `data` numbered `rows`, those of class 0 first.
    fn new(kernel: Kernel, data: Dataset<'_>, rows: &[u32], state: &State) -> Self {
        let mut support = Vec::new();
        let mut coefficients = Vec::new();
        for (&row, &alpha) in rows.iter().zip(&state.alpha) {
            if alpha > 0.0 {
                let row = row as usize;
                support.extend_from_slice(data.row(row));
                coefficients.push(if data.classes()[row] == 1 { alpha } else { -alpha });
            }
        }
        Self {
            kernel,
            features: data.features(),
            support,
            coefficients,
            intercept: state.rho,
            evaluator: LaidOut::default(),
        }
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

    /// The support vectors: `[vectors, features]`, row-major.
    #[must_use]
    pub fn support(&self) -> &[f64] {
        &self.support
    }

    /// What each support vector counts: `[vectors]`.
    #[must_use]
    pub fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    /// The intercept.
    #[must_use]
    pub fn intercept(&self) -> f64 {
        self.intercept
    }

    /// The model laid out for evaluation.
    pub(super) fn lay_out(&self, simd: Simd) -> Evaluator {
        let vector = |vector: usize| &self.support[vector * self.features..(vector + 1) * self.features];
        let points = Points::new(&vec![0.0; self.features], (0..self.vectors()).map(vector));
        let mut coefficients = self.coefficients.clone();
        coefficients.resize(points.padded(), 0.0);
        Evaluator { kernel: self.kernel, points, coefficients, intercept: self.intercept, simd }
    }
}

/// A model laid out for evaluation.
#[derive(Debug)]
pub(super) struct Evaluator {
    kernel: Kernel,
    points: Points<f64>,
    coefficients: Vec<f64>,
    intercept: f64,
    simd: Simd,
}

impl Evaluator {
    /// f(x); not a number where x is so long that distances and products overflow.
    pub(super) fn decision(&self, x: &[f64]) -> f64 {
        let square = x.iter().fold(0.0, |sum, value| sum + value * value);
        if !square.is_finite() {
            return f64::NAN;
        }
        let (kernel, points, coefficients) = (self.kernel, &self.points, &self.coefficients[..]);
        dispatch(self.simd, WeightedSum { kernel, points, coefficients, z: x, z_square: square }) + self.intercept
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
        let evaluator = self.evaluator.get_or_init(|| Arc::new(self.lay_out(Simd::Auto)));
        let mut scores = vec![0.0; x.nrows()];
        let decide = |(block, scores): (usize, &mut [f64])| {
            let mut features = Vec::with_capacity(self.features);
            for (within, score) in scores.iter_mut().enumerate() {
                features.clear();
                features.extend(x.row(block * PREDICT_BLOCK + within));
                *score = evaluator.decision(&features);
            }
        };
        // A few rows should not wait for the thread pool.
        if x.nrows() <= PREDICT_BLOCK {
            decide((0, &mut scores));
        } else {
            scores.par_chunks_mut(PREDICT_BLOCK).enumerate().for_each(decide);
        }
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

impl TryFrom<Unchecked> for Svc {
    type Error = MalformedSvc;

    fn try_from(
        Unchecked { kernel, features, support, coefficients, intercept }: Unchecked,
    ) -> Result<Self, MalformedSvc> {
        if coefficients.len().checked_mul(features) != Some(support.len()) {
            return Err(MalformedSvc("vectors, features and coefficients do not belong together"));
        }
        if !support.iter().chain(&coefficients).chain([&intercept]).all(|value| value.is_finite()) {
            return Err(MalformedSvc("a value is not finite"));
        }
        let sound_gamma = |gamma: f64| gamma.is_finite() && gamma >= 0.0;
        let sound = match kernel {
            Kernel::Linear => true,
            Kernel::Poly { gamma, coef0, degree } => {
                sound_gamma(gamma) && coef0.is_finite() && degree <= SvcParams::MAX_DEGREE
            }
            Kernel::Rbf { gamma } => sound_gamma(gamma),
            Kernel::Sigmoid { gamma, coef0 } => sound_gamma(gamma) && coef0.is_finite(),
        };
        if !sound {
            return Err(MalformedSvc("a kernel parameter is outside its range"));
        }
        Ok(Self { kernel, features, support, coefficients, intercept, evaluator: LaidOut::default() })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;
    use crate::folds::Folds;
    use crate::search;
    use crate::svc::params::{Gamma, KernelName};

    fn example() -> (Array2<f64>, Vec<u8>) {
        let x = Array2::from_shape_fn((30, 2), |(row, column)| ((row * 7 + column * 3) % 11) as f64 * 0.1);
        (x, (0..30).map(|row| u8::from(row * 7 % 11 > 5)).collect())
    }

    fn fitted(params: &SvcParams) -> Result<Svc, FitError> {
        let (x, y) = example();
        params.fit(Dataset::new(x.view(), &y), &Context::default()).map(|fit| fit.model)
    }

    /// Kernel values beyond f32: (1e30 x.x + 1)^3.
    fn overflowing() -> SvcParams {
        SvcParams { kernel: KernelName::Poly, gamma: Gamma::Value(1e30), coef0: 1.0, ..SvcParams::default() }
    }

    #[test]
    fn a_model_read_back_is_the_same_and_a_damaged_one_is_refused() {
        let poly = SvcParams { kernel: KernelName::Poly, gamma: Gamma::Value(2.0), ..SvcParams::default() };
        let model = fitted(&poly).unwrap();
        let bytes = postcard::to_allocvec(&model).unwrap();
        assert_eq!(postcard::from_bytes::<Svc>(&bytes).unwrap(), model);
        let kernel = |gamma, coef0, degree| move |model: &mut Svc| model.kernel = Kernel::Poly { gamma, coef0, degree };
        for (spoil, fact) in [
            (Box::new(|model: &mut Svc| model.features = 3) as Box<dyn Fn(&mut Svc)>, "support vectors cut short"),
            (Box::new(|model| model.features = usize::MAX), "more features than memory"),
            (Box::new(|model| model.coefficients.clear()), "vectors without coefficients"),
            (Box::new(|model| model.support[1] = f64::NAN), "a value that is no number"),
            (Box::new(|model| model.coefficients[0] = f64::INFINITY), "an infinite coefficient"),
            (Box::new(|model| model.intercept = f64::NAN), "no intercept"),
            (Box::new(kernel(-1.0, 0.0, 3)), "a gamma below 0"),
            (Box::new(kernel(1.0, f64::INFINITY, 3)), "an infinite coef0"),
            (Box::new(kernel(1.0, 0.0, 101)), "a degree above 100"),
        ] {
            let mut spoilt = model.clone();
            spoil(&mut spoilt);
            assert!(postcard::from_bytes::<Svc>(&postcard::to_allocvec(&spoilt).unwrap()).is_err(), "{fact}");
        }
    }

    #[test]
    fn a_fit_whose_kernel_values_overflow_is_refused() {
        assert_eq!(
            fitted(&overflowing()).unwrap_err().to_string(),
            "gamma = 1e30 does not fit the data: kernel values overflow; scale the features or lower gamma, coef0 or \
             degree"
        );
    }

    #[test]
    fn a_candidate_whose_kernel_values_overflow_is_unconverged_and_the_others_are_scored() {
        let (x, y) = example();
        let folds = Folds::stratified(&y, 3).unwrap();
        let data = Dataset::new(x.view(), &y);
        let scores = search(&[overflowing(), SvcParams::default()], data, &folds, &Context::default()).unwrap();
        assert_eq!(scores[0], crate::CandidateScores { accuracy: vec![0.0; 3], unconverged: 3 });
        assert_eq!(scores[1], search(&[SvcParams::default()], data, &folds, &Context::default()).unwrap()[0]);
        assert_eq!(scores[1].unconverged, 0);
    }

    #[test]
    fn a_row_too_long_to_compute_with_has_no_score() {
        for kernel in [KernelName::Linear, KernelName::Poly, KernelName::Rbf, KernelName::Sigmoid] {
            let model = fitted(&SvcParams { kernel, ..SvcParams::default() }).unwrap();
            let scores = model.predict(array![[1e200, -1e200], [0.5, 0.5]].view()).scores;
            assert!(scores[0].is_nan() && scores[1].is_finite(), "{kernel:?}: {scores:?}");
        }
    }
}
