//! Where to start: near the optimum of a sample of the rows, whose passes cost little.

use crate::context::{Context, FitError};

use super::newton::{Stop, minimise};
use super::objective::{Objective, Penalty, Point};

/// Blocks of rows below which passes cost nothing that matters.
const FEW: usize = 4;
/// A sample is off by more than this.
const STOP: Stop = Stop { tolerance: 0.1, max_steps: 10 };

/// A point near the optimum of `objective`, or 0. It depends on rows and penalty alone.
///
/// # Errors
/// [`FitError::Cancelled`].
pub(super) fn near(objective: &Objective<'_>, context: &Context<'_>) -> Result<Point, FitError> {
    let zero = vec![0.0; objective.rows.features() + 1];
    if objective.rows.blocks() < FEW {
        return Ok(objective.at(zero));
    }
    let sample = objective.rows.sample();
    let (benign, malicious) = sample.classes();
    if benign == 0 || malicious == 0 {
        return Ok(objective.at(zero));
    }
    // The penalty of each row's share.
    let share = sample.len() as f64 / objective.rows.len() as f64;
    let penalty = Penalty { strength: objective.penalty.strength * share, ..objective.penalty };
    let sampled = Objective { rows: &sample, penalty, simd: objective.simd };
    let optimum = minimise(&sampled, near(&sampled, context)?, STOP, context)?;
    let point = objective.at(optimum.coefficients);
    // A sample of another kind than the rest may mislead. At 0 each row loses log 2.
    let at_zero = objective.rows.len() as f64 * std::f64::consts::LN_2;
    if objective.penalised(&point).value < at_zero { Ok(point) } else { Ok(objective.at(zero)) }
}
