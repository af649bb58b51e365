//! Logistic regression with L2 penalty, as scikit-learn's `LogisticRegression`: with y in {-1, 1} and z = w.x + b,
//! minimise `1/2 w.w + C sum log(1 + exp(-y z))`. The intercept is not penalised, except that `liblinear` adds
//! `1/2 b^2` (its `intercept_scaling` of 1).
//!
//! The problem is smooth and strictly convex in w, and has few features: Newton's method with the exact Hessian finds
//! the optimum in a handful of passes over the data, whichever solver is named. scikit-learn's solvers are several
//! roads to that optimum: `newton-cg` and `lbfgs` have the same one, and are computed once.
//!
//! What `tol` and `max_iter` mean here: scikit-learn stops a solver when its gradient falls below `tol` (1e-4), which
//! leaves each solver with its own third or fourth digit. Newton's error squares with every step, so the optimum costs
//! one step more: iteration ends when the Newton decrement, an estimate of how far the objective is above its minimum
//! whatever the units of the features, is at most `(1e-6 tol)^2` per row, or as small as rounding lets it be.
//! `max_iter` bounds the Newton steps. Results are compared with scikit-learn's at a `tol` of 1e-10.
//!
//! Features are expected on comparable scales (see [`crate::Scaler`]), as the penalty treats their weights alike.

mod model;
mod newton;
mod objective;
mod params;
mod search;
#[cfg(test)]
mod tests;

pub use model::{Logistic, MalformedLogistic};
pub use params::{LogisticParams, Solver};
pub(crate) use search::Search;

use crate::classifier::Fit;
use crate::context::{Context, FitError};
use crate::data::Dataset;

use newton::minimise;
use objective::Objective;

impl LogisticParams {
    /// Fits on all rows of `data`. Without features only the intercept is fitted: the log-odds of class 1.
    ///
    /// # Errors
    /// [`FitError::OneClass`]; [`FitError::Cancelled`].
    pub fn fit(&self, data: Dataset<'_>, context: &Context<'_>) -> Result<Fit<Logistic>, FitError> {
        refuse_one_class(data)?;
        let objective = Objective::new(data, self.penalty());
        let start = vec![0.0; data.features() + 1];
        let minimum = minimise(&objective, start, self.stop(), context)?;
        Ok(Fit { model: Logistic::from_coefficients(minimum.coefficients), converged: minimum.converged })
    }
}

fn refuse_one_class(data: Dataset<'_>) -> Result<(), FitError> {
    let malicious = data.classes().iter().filter(|&&class| class == 1).count();
    let benign = data.rows() - malicious;
    if benign == 0 || malicious == 0 {
        return Err(FitError::OneClass { model: "logistic regression", benign, malicious });
    }
    Ok(())
}
