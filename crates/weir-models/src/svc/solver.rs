//! The dual problem, block by block.
//!
//! With y = ±1 the class, β = y α and G the gradient of the dual, F = -y G = y - Σ β K. A variable may rise or fall as
//! its bounds allow; the largest F of those that may rise less the smallest of those that may fall is the violation of
//! the optimality conditions, and libsvm's stopping rule bounds it by the tolerance.
//!
//! Each turn optimises a working set of a few hundred variables on its own and then takes its changes from F of all
//! rows. Kernel values are computed where they are used and kept nowhere: in f32 a value costs less than fetching it
//! from memory, and most variables move once, from 0 to their bound.

use rayon::prelude::*;

use crate::context::{Context, FitError, Simd};
use crate::simd::dispatch;
use crate::svc::block::{Block, Optimise, directions};
use crate::svc::kernel::Kernel;
use crate::svc::params::SvcParams;
use crate::svc::points::{LANES, Points};
use crate::svc::real::Real;
use crate::svc::sums::{Matrix, Subtract, Weighted};
use crate::svc::working_set::Chooser;

/// Fewest and most variables of a working set. The next is four times what the last one changed. Sets of 128 to 512 take
/// about the same time on the report's grid.
const WORKING_SET: [usize; 2] = [64, 256];
/// The same for sigmoid, which may have several solutions: pair by pair, as libsvm goes, or nearly so, mostly libsvm's
/// is found, and with the many variables that move there the time is the same.
const WORKING_SET_OF_SIGMOID: [usize; 2] = [16, 16];
/// Problems of up to so many rows are one working set: pair by pair over all variables, as libsvm goes.
const WHOLE: usize = 1024;
/// Share of a working set that free variables of the last one may take.
const KEPT: usize = 4;
/// Share of the violation that a working set is optimised to, and the most steps per variable of it.
const INNER_GOAL: f64 = 0.1;
const INNER_STEPS: u64 = 100;
/// Tiles that a thread takes at a time, and the kernel values below which sharing them is not worth it.
const TILES: usize = 64;
const PARALLEL_VALUES: usize = 1 << 17;

/// When to stop, and the bound of the variables.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limits {
    pub(super) c: f64,
    pub(super) tol: f64,
    pub(super) max_iter: u64,
}

impl Limits {
    /// Those of `params` for this many training rows.
    pub(super) fn new(params: &SvcParams, rows: usize) -> Self {
        let max_iter = params.max_iter.unwrap_or((100 * rows as u64).max(10_000_000));
        Self { c: params.c, tol: params.tol, max_iter }
    }
}

/// The rows to separate, class 0 before class 1 and each in file order, as libsvm arranges them.
pub(super) struct Problem<R> {
    pub(super) kernel: Kernel,
    pub(super) points: Points<R>,
    /// Rows to evaluate the solution on.
    pub(super) held_out: Points<R>,
    /// +1 for class 0 and -1 for class 1, `[rows]`: scikit-learn gives the first class the positive sign too.
    pub(super) signs: Vec<f64>,
    pub(super) simd: Simd,
}

/// A point on the way to the solution, or the solution.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    /// Bound of the variables.
    c: f64,
    /// Dual variables, `[rows]`.
    pub(super) alpha: Vec<f64>,
    /// F, `[rows, filled up]`.
    values: Vec<f64>,
    /// -Σ β K of the rows held out, `[rows, filled up]`.
    held_out: Vec<f64>,
    /// f(x) = Σ β K(row, x) - rho is positive for class 0.
    pub(super) rho: f64,
    /// Whether the stopping rule was met within the iteration limit.
    pub(super) converged: bool,
}

impl State {
    /// Decision values of the rows held out, positive for class 1.
    pub(super) fn decisions(&self) -> impl Iterator<Item = f64> {
        self.held_out.iter().map(|value| value + self.rho)
    }

    /// Whether every number came out; off the diagonal a kernel that is no inner product may overflow too.
    pub(super) fn is_finite(&self) -> bool {
        let values = self.values[..self.alpha.len()].iter();
        self.rho.is_finite() && self.alpha.iter().chain(values).chain(&self.held_out).all(|value| value.is_finite())
    }
}

impl<R: Real> Problem<R> {
    /// Whether a row is too long, or its kernel with itself too large for f32.
    pub(super) fn overflows(&self) -> bool {
        let fits = |row: usize| {
            let square = self.points.square(row);
            square.wide().is_finite() && self.kernel.diagonal(square).narrow().is_finite()
        };
        !(0..self.points.len()).all(fits)
    }

    /// All variables 0.
    pub(super) fn start(&self) -> State {
        let mut values = self.signs.clone();
        values.resize(self.points.padded(), 0.0);
        State {
            c: 0.0,
            alpha: vec![0.0; self.points.len()],
            values,
            held_out: vec![0.0; self.held_out.padded()],
            rho: 0.0,
            converged: false,
        }
    }

    /// Solves the problem from `state`: of [`Problem::start`], or the solution under another bound, which is scaled to
    /// the new one. Coming from a larger bound nearly all variables at the old one stay at the new one.
    ///
    /// # Errors
    /// [`FitError::Cancelled`], [`FitError::OutOfTime`].
    pub(super) fn solve(&self, mut state: State, limits: Limits, context: &Context<'_>) -> Result<State, FitError> {
        self.scale(&mut state, limits.c);
        let (mut up, mut low) = self.directions(&state);
        let mut chooser = Chooser::default();
        let mut kept: Vec<u32> = Vec::new();
        let [fewest, most] = match self.kernel {
            // Half of it is for either direction, and all rows may be in one.
            _ if self.points.len() <= WHOLE => [2 * WHOLE; 2],
            Kernel::Sigmoid { .. } => WORKING_SET_OF_SIGMOID,
            _ => WORKING_SET,
        };
        let mut size = most;
        let mut steps = limits.max_iter;
        let violation = loop {
            context.check()?;
            let bounds = bounds(&state.values, &up, &low);
            let violation = bounds.0 - bounds.1;
            state.converged = violation < limits.tol;
            if state.converged || violation.is_nan() || steps == 0 {
                break bounds;
            }
            let working = chooser.choose(size, &kept, &state.values, &up, &low);
            let mut block = self.block(&working, &state, &up, &low);
            let goal = (violation * INNER_GOAL).max(limits.tol / 2.0);
            let most_steps = steps.min(INNER_STEPS * working.len() as u64);
            steps -= dispatch(self.simd, Optimise { block: &mut block, goal, steps: most_steps });
            let changed = self.apply(&working, &block, &mut state, &mut up, &mut low);
            if changed == 0 {
                // Rounding is all that is left.
                break bounds;
            }
            size = (4 * changed).next_power_of_two().clamp(fewest, most);
            let is_free = |&row: &u32| state.alpha[row as usize] > 0.0 && state.alpha[row as usize] < limits.c;
            kept = working.into_iter().filter(is_free).take(size / KEPT).collect();
        };
        state.rho = rho(&state, violation);
        Ok(state)
    }

    fn scale(&self, state: &mut State, c: f64) {
        if state.c > 0.0 && state.c != c {
            let by = c / state.c;
            for alpha in &mut state.alpha {
                *alpha = if *alpha >= state.c { c } else { (*alpha * by).min(c) };
            }
            for (value, sign) in state.values.iter_mut().zip(&self.signs) {
                *value = sign - (sign - *value) * by;
            }
            state.held_out.iter_mut().for_each(|value| *value *= by);
        }
        state.c = c;
    }

    /// [`directions`] of every row, filled up with rows that may not move.
    fn directions(&self, state: &State) -> (Vec<f64>, Vec<f64>) {
        let mut up = vec![f64::NEG_INFINITY; self.points.padded()];
        let mut low = vec![f64::INFINITY; self.points.padded()];
        for (row, (&alpha, &sign)) in state.alpha.iter().zip(&self.signs).enumerate() {
            (up[row], low[row]) = directions(alpha, sign, state.c);
        }
        (up, low)
    }

    fn block(&self, working: &[u32], state: &State, up: &[f64], low: &[f64]) -> Block {
        let weighted = Weighted::pick(&self.points, working, &vec![0.0; working.len()]);
        let points = self.points.pick(working);
        let stride = points.padded();
        let mut kernels = vec![0.0; weighted.len() * stride];
        let matrix = Matrix { kernel: self.kernel, points: &points, weighted: &weighted, matrix: &mut kernels };
        dispatch(self.simd, matrix);
        let gather = |from: &[f64], fill: f64| {
            let mut values: Vec<f64> = working.iter().map(|&row| from[row as usize]).collect();
            values.resize(stride, fill);
            values
        };
        let mut diagonal: Vec<f64> =
            (0..working.len()).map(|place| self.kernel.diagonal(points.square(place)).wide()).collect();
        diagonal.resize(stride, 0.0);
        Block {
            stride,
            kernels,
            diagonal,
            signs: gather(&self.signs, 1.0),
            alpha: gather(&state.alpha, 0.0),
            values: gather(&state.values, 0.0),
            up: gather(up, f64::NEG_INFINITY),
            low: gather(low, f64::INFINITY),
            c: state.c,
            gains: vec![0.0; stride],
        }
    }

    /// Takes over what the block changed; returns how many variables that are.
    fn apply(&self, working: &[u32], block: &Block, state: &mut State, up: &mut [f64], low: &mut [f64]) -> usize {
        let (mut rows, mut changes) = (Vec::new(), Vec::new());
        for (place, &row) in working.iter().enumerate() {
            let (at, new) = (row as usize, block.alpha[place]);
            if new != state.alpha[at] {
                rows.push(row);
                changes.push(self.signs[at] * (new - state.alpha[at]));
                state.alpha[at] = new;
                (up[at], low[at]) = (block.up[place], block.low[place]);
            }
        }
        let weighted = Weighted::pick(&self.points, &rows, &changes);
        self.subtract(&self.points, &weighted, &mut state.values);
        self.subtract(&self.held_out, &weighted, &mut state.held_out);
        rows.len()
    }

    fn subtract(&self, points: &Points<R>, weighted: &Weighted<R>, values: &mut [f64]) {
        let subtract = |first, values: &mut [f64]| {
            dispatch(self.simd, Subtract { kernel: self.kernel, points, first, weighted, values });
        };
        if weighted.len() * values.len() < PARALLEL_VALUES {
            return subtract(0, values);
        }
        let chunks = values.par_chunks_mut(TILES * LANES).enumerate();
        chunks.for_each(|(chunk, values)| subtract(chunk * TILES, values));
    }
}

/// Largest F of those that may rise, smallest of those that may fall.
fn bounds(values: &[f64], up: &[f64], low: &[f64]) -> (f64, f64) {
    let (mut largest, mut smallest) = ([f64::NEG_INFINITY; LANES], [f64::INFINITY; LANES]);
    let tiles = values.as_chunks::<LANES>().0.iter().zip(up.as_chunks::<LANES>().0).zip(low.as_chunks::<LANES>().0);
    for ((values, up), low) in tiles {
        for lane in 0..LANES {
            largest[lane] = (values[lane] + up[lane]).max(largest[lane]);
            smallest[lane] = (values[lane] + low[lane]).min(smallest[lane]);
        }
    }
    let largest = largest.into_iter().fold(f64::NEG_INFINITY, f64::max);
    (largest, smallest.into_iter().fold(f64::INFINITY, f64::min))
}

/// libsvm's: the mean over free variables of y G = -F, or the middle of what the bounded ones allow.
fn rho(state: &State, (largest, smallest): (f64, f64)) -> f64 {
    let (mut free, mut sum) = (0usize, 0.0);
    for (&alpha, value) in state.alpha.iter().zip(&state.values) {
        if alpha > 0.0 && alpha < state.c {
            free += 1;
            sum -= value;
        }
    }
    if free > 0 { sum / free as f64 } else { (-largest - smallest) / 2.0 }
}
