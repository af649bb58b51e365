//! Decision values of rows that the deciding model was not trained on.

use rayon::prelude::*;

use crate::context::{Context, FitError};
use crate::data::Dataset;
use crate::folds::{Fold, Folds};
use crate::svc::model::Fitting;
use crate::svc::params::SvcParams;
use crate::svc::search::Rows;
use crate::svc::solver::{Limits, State};

impl SvcParams {
    /// Decision values, `[rows]`: each row's by the model of the fold that holds it out; not a number where the model of
    /// a fold overflows.
    pub(crate) fn held_out(
        &self,
        data: Dataset<'_>,
        folds: &Folds,
        context: &Context<'_>,
    ) -> Result<Vec<f64>, FitError> {
        let decide = |fold: &Fold| {
            let rows = Rows::of(data, &fold.train)?;
            let kernel = self.kernel_for(data.features(), rows.features(data));
            let limits = Limits::new(self, rows.len());
            let solved = rows.with_problem(data, kernel, &fold.test, context.simd, Fitting { limits, context })?;
            Ok::<_, FitError>(solved.filter(State::is_finite).map(|state| state.decisions().collect::<Vec<f64>>()))
        };
        let solved: Vec<Option<Vec<f64>>> = folds.folds().par_iter().map(decide).collect::<Result<_, _>>()?;
        let mut decisions = vec![f64::NAN; data.rows()];
        for (fold, solved) in folds.folds().iter().zip(solved) {
            for (&row, decision) in fold.test.iter().zip(solved.unwrap_or_default()) {
                decisions[row as usize] = decision;
            }
        }
        Ok(decisions)
    }
}
