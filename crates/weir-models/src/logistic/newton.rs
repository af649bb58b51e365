//! Newton's method with a backtracking line search (Boyd and Vandenberghe, Convex Optimization, section 9.5).

use crate::context::{Context, FitError};

use super::objective::{Derivatives, Objective, Point};

/// Share of the decrease promised by the gradient that a step must bring.
const ARMIJO: f64 = 1e-4;
/// Halvings of a step before rounding is taken to be all that is left.
const MAX_HALVINGS: usize = 40;
/// Relative distance from the minimum within which rounding may end the iteration.
const ROUNDED: f64 = 1e-9;

/// Largest tolerance that counts: from further away a step might lead anywhere.
const NEAR: f64 = 0.1;

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stop {
    /// A step is the last when the squared Newton decrement before it is at most `tolerance^2` of the objective.
    pub(super) tolerance: f64,
    pub(super) max_steps: usize,
}

/// Where a minimisation ended.
pub(super) struct Minimum {
    pub(super) coefficients: Vec<f64>,
    /// False when `max_steps` came first.
    pub(super) converged: bool,
    /// The last point that was looked at: the minimum is at most one step from it.
    pub(super) last: Point,
}

/// Minimises `objective` from `start`.
///
/// # Errors
/// [`FitError::Cancelled`].
pub(super) fn minimise(
    objective: &Objective<'_>,
    start: Point,
    stop: Stop,
    context: &Context<'_>,
) -> Result<Minimum, FitError> {
    let mut point = start;
    let mut here = objective.penalised(&point);
    let ends = |converged, point: Point| Minimum { coefficients: point.coefficients.clone(), converged, last: point };
    for _ in 0..stop.max_steps {
        context.check()?;
        if !here.finite() {
            return Ok(ends(false, point));
        }
        let step = newton_step(&here);
        // The squared decrement, g' H^-1 g, is minus the slope along the step.
        let slope = dot(&here.gradient, &step);
        if -slope <= stop.small(here.value) {
            // This near the error squares with a step, so that nobody has to look where it leads.
            return Ok(Minimum { coefficients: moved(&point.coefficients, &step, 1.0), converged: true, last: point });
        }
        let Some((next, there)) = line_search(objective, &point.coefficients, &here, &step, slope, context)? else {
            // Rounding stops here, or should it be something else, that is said.
            return Ok(ends(-slope <= ROUNDED * here.value + objective.rounding(here.value), point));
        };
        (point, here) = (next, there);
    }
    let converged = here.finite() && -dot(&here.gradient, &newton_step(&here)) <= stop.small(here.value);
    Ok(ends(converged, point))
}

impl Stop {
    fn small(self, value: f64) -> f64 {
        self.tolerance.min(NEAR).powi(2) * value
    }
}

/// The longest of the steps 1, 1/2, 1/4, ... that brings enough; `None` when no step is seen to bring anything.
fn line_search(
    objective: &Objective<'_>,
    from: &[f64],
    here: &Derivatives,
    step: &[f64],
    slope: f64,
    context: &Context<'_>,
) -> Result<Option<(Point, Derivatives)>, FitError> {
    // A decrease below the rounding of the objective cannot be measured: there the gradient decides.
    let rounding = objective.rounding(here.value);
    let mut length = 1.0;
    for _ in 0..MAX_HALVINGS {
        context.check()?;
        let next = moved(from, step, length);
        if next == from {
            return Ok(None);
        }
        let next = objective.at(next);
        let there = objective.penalised(&next);
        let enough = if -slope > 4.0 * rounding {
            there.value <= here.value + ARMIJO * length * slope + rounding
        } else {
            norm(&there.gradient) < norm(&here.gradient)
        };
        if enough {
            return Ok(Some((next, there)));
        }
        if -slope <= 4.0 * rounding {
            return Ok(None);
        }
        length /= 2.0;
    }
    Ok(None)
}

/// Solves `H step = -g`.
///
/// The Hessian is positive definite but for an unpenalised intercept whose rows are all certain; and rounding can take
/// the rest away from nearly dependent features. Then the diagonal is raised until it is, which shortens the step.
fn newton_step(at: &Derivatives) -> Vec<f64> {
    let k = at.gradient.len();
    // Unit diagonal: pivots become comparable whatever the units of the features.
    let scale: Vec<f64> = (0..k)
        .map(|j| {
            let diagonal = at.hessian[j * k + j];
            if diagonal > 0.0 { 1.0 / diagonal.sqrt() } else { 1.0 }
        })
        .collect();
    let right: Vec<f64> = at.gradient.iter().zip(&scale).map(|(gradient, scale)| -gradient * scale).collect();
    let mut raise = 0.0;
    loop {
        let mut matrix = at.hessian.clone();
        for row in 0..k {
            for column in 0..=row {
                matrix[row * k + column] *= scale[row] * scale[column];
            }
            matrix[row * k + row] += raise;
        }
        // With a raise above the unit diagonal only the gradient is left.
        let factored = cholesky(&mut matrix, k);
        if factored || raise > 1.0 {
            let solution = if factored { solve(&matrix, &right) } else { right };
            return solution.iter().zip(&scale).map(|(solution, scale)| solution * scale).collect();
        }
        raise = if raise == 0.0 { 1e-14 } else { raise * 10.0 };
    }
}

/// Replaces the lower triangle of `matrix`: `[k, k]` by its Cholesky factor; false when a pivot is not safely positive.
fn cholesky(matrix: &mut [f64], k: usize) -> bool {
    // Pivots of a matrix with unit diagonal below its rounding mean nothing.
    let least = k as f64 * f64::EPSILON;
    for row in 0..k {
        for column in 0..=row {
            let mut value = matrix[row * k + column];
            for j in 0..column {
                value -= matrix[row * k + j] * matrix[column * k + j];
            }
            if row != column {
                matrix[row * k + column] = value / matrix[column * k + column];
            } else if value > least {
                matrix[row * k + row] = value.sqrt();
            } else {
                return false;
            }
        }
    }
    true
}

/// Solves `L L' x = right` for the lower triangle `factor`: `[k, k]`.
fn solve(factor: &[f64], right: &[f64]) -> Vec<f64> {
    let k = right.len();
    let mut x = right.to_vec();
    for row in 0..k {
        for j in 0..row {
            x[row] -= factor[row * k + j] * x[j];
        }
        x[row] /= factor[row * k + row];
    }
    for row in (0..k).rev() {
        for j in row + 1..k {
            x[row] -= factor[j * k + row] * x[j];
        }
        x[row] /= factor[row * k + row];
    }
    x
}

fn moved(from: &[f64], step: &[f64], length: f64) -> Vec<f64> {
    from.iter().zip(step).map(|(from, step)| from + length * step).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|value| value * value).sum::<f64>().sqrt()
}
