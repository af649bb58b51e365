//! Sequential minimal optimisation of the dual problem.

use crate::context::{Context, FitError};
use crate::svc::cache::RowCache;
use crate::svc::kernel::{Kernel, Point, diagonal};
use crate::svc::params::SvcParams;
use crate::svc::passes::{self, Change, Extremes, curvature};
use crate::svc::points::Points;
use crate::svc::shrinking::{Active, Frozen, gather};
use crate::svc::simd::Level;

/// The rows to separate, class 0 before class 1 and each in file order, as libsvm arranges them.
pub(super) struct Problem {
    pub(super) kernel: Kernel,
    pub(super) points: Points,
    /// +1 for class 0 and -1 for class 1, `[rows]`: scikit-learn gives the first class the positive sign too.
    pub(super) signs: Vec<f64>,
    /// Kernel of each row with itself, filled up with 0 as [`Points`] are.
    pub(super) diagonal: Vec<f64>,
    pub(super) level: Level,
}

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

/// Dual variables and offset: f(x) = Σ sign α K(row, x) - rho is positive for class 0.
pub(super) struct Solution {
    pub(super) alpha: Vec<f64>,
    pub(super) rho: f64,
    pub(super) converged: bool,
}

impl Solution {
    /// Whether every number came out; off the diagonal a kernel that is no inner product may overflow too.
    pub(super) fn is_finite(&self) -> bool {
        self.rho.is_finite() && self.alpha.iter().all(|alpha| alpha.is_finite())
    }
}

/// Memory for kernel rows, kept from one problem to the next.
pub(crate) struct Workspace {
    pub(super) bytes: usize,
    /// Rows over all rows of the problem.
    pub(super) whole: RowCache,
    /// Rows over the active ones, once some were left out.
    pub(super) active: RowCache,
}

impl Workspace {
    /// A workspace whose rows take at most `bytes` (or four rows, if those take more).
    pub(super) fn new(bytes: usize) -> Self {
        Self { bytes, whole: RowCache::default(), active: RowCache::default() }
    }

    /// Forgets the rows of the problem before.
    pub(super) fn start(&mut self, problem: &Problem) {
        let rows = problem.points.len();
        self.whole.reset(rows, problem.points.padded(), self.bytes / 2);
    }
}

impl Problem {
    pub(super) fn new(kernel: Kernel, points: Points, signs: Vec<f64>, level: Level) -> Self {
        let mut diagonals = vec![0.0; points.padded()];
        for (position, value) in diagonals[..points.len()].iter_mut().enumerate() {
            *value = diagonal(kernel, points.square(position));
        }
        Self { kernel, points, signs, diagonal: diagonals, level }
    }

    /// Whether a row is too long, or its kernel with itself too large for the f32 of the rows.
    pub(super) fn overflows(&self) -> bool {
        let fits = |row: usize| self.points.square(row).is_finite() && (self.diagonal[row] as f32).is_finite();
        !(0..self.points.len()).all(fits)
    }

    /// Solves the problem that `workspace` was started with.
    pub(super) fn solve(
        &self,
        limits: Limits,
        workspace: &mut Workspace,
        context: &Context<'_>,
    ) -> Result<Solution, FitError> {
        let mut solver = Solver::new(self, limits, workspace);
        let converged = solver.run(context)?;
        solver.restore();
        Ok(Solution { rho: solver.rho(), alpha: solver.alpha, converged })
    }
}

/// The state of a solver run.
pub(super) struct Solver<'a> {
    pub(super) problem: &'a Problem,
    pub(super) limits: Limits,
    pub(super) workspace: &'a mut Workspace,
    /// In the order of the problem.
    pub(super) alpha: Vec<f64>,
    /// See [`passes`]; over the active rows.
    pub(super) up: Vec<f64>,
    pub(super) low: Vec<f64>,
    pub(super) extremes: Vec<Extremes>,
    /// The rows not left out, unless that is all.
    pub(super) active: Option<Active>,
    pub(super) frozen: Vec<Frozen>,
    /// Whether the rows left out were taken back near the end, which happens once.
    pub(super) taken_back: bool,
    pub(super) features: Vec<f64>,
}

impl<'a> Solver<'a> {
    fn new(problem: &'a Problem, limits: Limits, workspace: &'a mut Workspace) -> Self {
        let mut solver = Self {
            problem,
            limits,
            workspace,
            alpha: vec![0.0; problem.points.len()],
            up: Vec::new(),
            low: Vec::new(),
            extremes: Vec::new(),
            active: None,
            frozen: Vec::new(),
            taken_back: false,
            features: Vec::new(),
        };
        // With α = 0 the gradient is -1, so F is the sign.
        solver.set_values(&problem.signs);
        solver
    }

    /// Whether the stopping rule was met before the iteration limit.
    fn run(&mut self, context: &Context<'_>) -> Result<bool, FitError> {
        let period = self.problem.points.len().min(1000);
        let mut countdown = period + 1;
        for _ in 0..self.limits.max_iter {
            countdown -= 1;
            if countdown == 0 {
                countdown = period;
                context.check()?;
                self.shrink();
            }
            let pair = match self.working_pair() {
                Some(pair) => pair,
                None => {
                    self.restore();
                    match self.working_pair() {
                        Some(pair) => {
                            countdown = 1;
                            pair
                        }
                        None => return Ok(true),
                    }
                }
            };
            self.step(pair);
        }
        Ok(false)
    }

    /// Positions of the next two variables with their rows, or nothing when the stopping rule is met.
    fn working_pair(&mut self) -> Option<[(usize, u32); 2]> {
        let (largest, smallest) = self.bounds();
        if largest - smallest < self.limits.tol {
            return None;
        }
        let i = passes::first(&self.up, &self.extremes)?;
        let slot_i = self.fetch(i);
        let diagonal = self.diagonal();
        let j = self.problem.level.second(
            &self.low,
            diagonal,
            self.rows().row(slot_i),
            diagonal[i],
            largest,
            &self.extremes,
        )?;
        let slot_j = self.fetch(j);
        Some([(i, slot_i), (j, slot_j)])
    }

    /// Largest F of those that may move up, smallest of those that may move down.
    pub(super) fn bounds(&self) -> (f64, f64) {
        let up = self.extremes.iter().map(|block| block.up).fold(f64::NEG_INFINITY, f64::max);
        let low = self.extremes.iter().map(|block| block.low).fold(f64::INFINITY, f64::min);
        (up, low)
    }

    /// Moves a pair to the optimum of its line within the box, as libsvm does, and everything that follows from it.
    fn step(&mut self, [(i, slot_i), (j, slot_j)]: [(usize, u32); 2]) {
        let c = self.limits.c;
        let (row_i, row_j) = (self.row_of(i), self.row_of(j));
        let (sign_i, sign_j) = (self.problem.signs[row_i], self.problem.signs[row_j]);
        let (value_i, value_j) = (self.value(i), self.value(j));
        let (gradient_i, gradient_j) = (-sign_i * value_i, -sign_j * value_j);
        let diagonal = self.diagonal();
        let curvature = curvature(diagonal[i], diagonal[j], self.rows().row(slot_i)[j]);
        let (old_i, old_j) = (self.alpha[row_i], self.alpha[row_j]);
        let (new_i, new_j) = if sign_i != sign_j {
            opposite((old_i, old_j), (-gradient_i - gradient_j) / curvature, c)
        } else {
            alike((old_i, old_j), (gradient_i - gradient_j) / curvature, c)
        };
        (self.alpha[row_i], self.alpha[row_j]) = (new_i, new_j);
        for (position, row, value) in [(i, row_i, value_i), (j, row_j, value_j)] {
            (self.up[position], self.low[position]) = self.directions(row, value);
        }
        let rows = if self.active.is_some() { &self.workspace.active } else { &self.workspace.whole };
        self.problem.level.update(
            &mut self.up,
            &mut self.low,
            Change { row: rows.row(slot_i), by: sign_i * (new_i - old_i) },
            Change { row: rows.row(slot_j), by: sign_j * (new_j - old_j) },
            &mut self.extremes,
        );
    }

    /// libsvm's: the mean over free variables of y G = -F, or the middle of what the bounded ones allow.
    fn rho(&self) -> f64 {
        let (mut free, mut sum) = (0usize, 0.0);
        for position in 0..self.alpha.len() {
            if self.up[position].is_finite() && self.low[position].is_finite() {
                free += 1;
                sum -= self.up[position];
            }
        }
        if free > 0 {
            return sum / free as f64;
        }
        let (largest, smallest) = self.bounds();
        (-largest - smallest) / 2.0
    }

    /// Fills `up`, `low` and `extremes` from F of the active rows.
    pub(super) fn set_values(&mut self, values: &[f64]) {
        let padded = self.active.as_ref().map_or(&self.problem.points, |active| &active.points).padded();
        let mut up = vec![f64::NEG_INFINITY; padded];
        let mut low = vec![f64::INFINITY; padded];
        for (position, &value) in values.iter().enumerate() {
            (up[position], low[position]) = self.directions(self.row_of(position), value);
        }
        (self.up, self.low) = (up, low);
        passes::scan(&self.up, &self.low, &mut self.extremes);
    }

    /// `up` and `low` of a row with this F.
    fn directions(&self, row: usize, value: f64) -> (f64, f64) {
        let grows = self.alpha[row] < self.limits.c;
        let shrinks = self.alpha[row] > 0.0;
        let (up, down) = if self.problem.signs[row] > 0.0 { (grows, shrinks) } else { (shrinks, grows) };
        (if up { value } else { f64::NEG_INFINITY }, if down { value } else { f64::INFINITY })
    }

    /// F of an active row: every variable may move one way at least.
    pub(super) fn value(&self, position: usize) -> f64 {
        if self.up[position] == f64::NEG_INFINITY { self.low[position] } else { self.up[position] }
    }

    pub(super) fn row_of(&self, position: usize) -> usize {
        self.active.as_ref().map_or(position, |active| active.rows[position] as usize)
    }

    fn diagonal(&self) -> &[f64] {
        self.active.as_ref().map_or(&self.problem.diagonal, |active| &active.diagonal)
    }

    fn rows(&self) -> &RowCache {
        if self.active.is_some() { &self.workspace.active } else { &self.workspace.whole }
    }

    /// The slot of the kernel row of an active row over the active rows.
    fn fetch(&mut self, position: usize) -> u32 {
        let problem = self.problem;
        let row = self.row_of(position);
        let features = &mut self.features;
        let mut compute = |points: &Points, to: &mut [f32]| {
            problem.points.read(row, features);
            let point = Point { features, square: problem.points.square(row) };
            problem.level.row(problem.kernel, points, point, to);
        };
        match &self.active {
            None => self.workspace.whole.slot(row, |to| compute(&problem.points, to)),
            Some(active) => {
                let whole = self.workspace.whole.peek(row);
                self.workspace.active.slot(position, |to| match whole {
                    Some(whole) => gather(whole, &active.rows, to),
                    None => compute(&active.points, to),
                })
            }
        }
    }
}

/// The pair moved by `delta` where the signs differ, which keeps its difference, clipped to [0, c] as libsvm does.
fn opposite((old_i, old_j): (f64, f64), delta: f64, c: f64) -> (f64, f64) {
    let difference = old_i - old_j;
    let (mut i, mut j) = (old_i + delta, old_j + delta);
    if difference > 0.0 {
        if j < 0.0 {
            (i, j) = (difference, 0.0);
        }
        if i > c {
            (i, j) = (c, c - difference);
        }
    } else {
        if i < 0.0 {
            (i, j) = (0.0, -difference);
        }
        if j > c {
            (i, j) = (c + difference, c);
        }
    }
    (i, j)
}

/// The pair moved by `delta` where the signs are alike, which keeps its sum, clipped to [0, c] as libsvm does.
fn alike((old_i, old_j): (f64, f64), delta: f64, c: f64) -> (f64, f64) {
    let sum = old_i + old_j;
    let (mut i, mut j) = (old_i - delta, old_j + delta);
    if sum > c {
        if i > c {
            (i, j) = (c, sum - c);
        }
        if j > c {
            (i, j) = (sum - c, c);
        }
    } else {
        if j < 0.0 {
            (i, j) = (sum, 0.0);
        }
        if i < 0.0 {
            (i, j) = (0.0, sum);
        }
    }
    (i, j)
}
