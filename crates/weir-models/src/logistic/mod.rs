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
//! little more: the squared Newton decrement says how far the objective is above its minimum, whatever the units of the
//! features, and the step from where it is at most `tol^2` of the objective is the last, or the one that rounding
//! leaves nothing to. `max_iter` bounds the Newton steps on all rows. Results are compared with scikit-learn's at a
//! `tol` of 1e-10.
//!
//! Features are expected on comparable scales (see [`crate::Scaler`]), as the penalty treats their weights alike.

mod model;
mod newton;
mod objective;
mod params;
mod pass;
mod search;
mod start;
#[cfg(test)]
mod tests;
mod tiles;

pub use model::{Logistic, MalformedLogistic};
pub use params::{LogisticParams, Solver};
pub(crate) use search::Search;

use crate::classifier::Fit;
use crate::context::{Context, FitError};
use crate::data::Dataset;

use newton::minimise;
use objective::Objective;
use tiles::Tiles;

impl LogisticParams {
    /// Fits on all rows of `data`. Without features only the intercept is fitted: the log-odds of class 1.
    ///
    /// # Errors
    /// [`FitError::OneClass`]; [`FitError::Cancelled`].
    pub fn fit(&self, data: Dataset<'_>, context: &Context<'_>) -> Result<Fit<Logistic>, FitError> {
        let tiles = Tiles::whole(data);
        let rows = tiles.all_but(None);
        refuse_one_class(rows.classes())?;
        let objective = Objective { rows: &rows, penalty: self.penalty(), simd: context.simd };
        let minimum = minimise(&objective, start::near(&objective, context)?, self.stop(), context)?;
        Ok(Fit { model: Logistic::from_coefficients(minimum.coefficients), converged: minimum.converged })
    }
}

fn refuse_one_class((benign, malicious): (usize, usize)) -> Result<(), FitError> {
    if benign == 0 || malicious == 0 {
        return Err(FitError::OneClass { model: "logistic regression", benign, malicious });
    }
    Ok(())
}
