//! Parameters of logistic regression.

use weir_contract::{ParamMap, ParamValue};

use crate::params::{ParamError, ParamReader};

use super::newton::Stop;
use super::objective::Penalty;

/// Parameters of logistic regression, by scikit-learn's names.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticParams {
    /// Weight of the loss against the penalty (scikit-learn's C), above 0.
    pub c: f64,
    /// The solver, which decides whether the intercept is penalised.
    pub solver: Solver,
    /// Tolerance, above 0; the module says of what.
    pub tol: f64,
    /// Most Newton steps.
    pub max_iter: usize,
}

/// scikit-learn's solvers. The first two have one optimum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Solver {
    /// The intercept is not penalised.
    NewtonCg,
    /// The intercept is not penalised.
    Lbfgs,
    /// The intercept is penalised like a weight.
    Liblinear,
}

const SOLVERS: [(&str, Solver); 3] =
    [("newton-cg", Solver::NewtonCg), ("lbfgs", Solver::Lbfgs), ("liblinear", Solver::Liblinear)];

/// Beyond this C the inverse, which weighs the penalty, is no longer a normal number, and below its inverse C is not.
const MAX_C: f64 = 1e300;

impl Default for LogisticParams {
    /// scikit-learn's: C 1, lbfgs, tol 1e-4, 100 iterations.
    fn default() -> Self {
        Self { c: 1.0, solver: Solver::Lbfgs, tol: 1e-4, max_iter: 100 }
    }
}

impl LogisticParams {
    /// Checks the parameters given in `map`; the others take their defaults.
    ///
    /// # Errors
    /// [`ParamError`] for an unknown parameter or a value outside its range.
    pub fn from_map(map: &ParamMap) -> Result<Self, ParamError> {
        let default = Self::default();
        let mut reader = ParamReader::new("logistic regression", map);
        let params = Self {
            c: reader.float("C", default.c, "a number from 1e-300 to 1e300", |c| (1.0 / MAX_C..=MAX_C).contains(&c))?,
            solver: reader.choice("solver", default.solver, &SOLVERS)?,
            tol: reader.float("tol", default.tol, "a number above 0", |tol| tol > 0.0)?,
            max_iter: reader.int("max_iter", default.max_iter, 1..=u32::MAX as usize)?,
        };
        reader.finish()?;
        Ok(params)
    }

    /// All parameters, defaults included.
    #[must_use]
    pub fn to_map(&self) -> ParamMap {
        ParamMap::from([
            ("C".to_owned(), number(self.c)),
            ("solver".to_owned(), ParamValue::Text(self.solver.name().to_owned())),
            ("tol".to_owned(), number(self.tol)),
            ("max_iter".to_owned(), ParamValue::Int(i64::try_from(self.max_iter).unwrap_or(i64::MAX))),
        ])
    }

    pub(super) fn penalty(&self) -> Penalty {
        Penalty { strength: 1.0 / self.c, intercept: self.solver == Solver::Liblinear }
    }

    pub(super) fn stop(&self) -> Stop {
        Stop { tolerance: self.tol, max_steps: self.max_iter }
    }
}

impl Solver {
    /// The name scikit-learn gives it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NewtonCg => "newton-cg",
            Self::Lbfgs => "lbfgs",
            Self::Liblinear => "liblinear",
        }
    }
}

/// Whole numbers stay whole.
fn number(value: f64) -> ParamValue {
    const EXACT: f64 = (1_u64 << 53) as f64;
    if value.fract() == 0.0 && value.abs() <= EXACT { ParamValue::Int(value as i64) } else { ParamValue::Float(value) }
}
