//! The variables of a working set as a problem of their own, small enough for the nearest caches: sequential minimal
//! optimisation with second-order choice of the pair (Fan, Chen and Lin 2005, "Working Set Selection Using Second Order
//! Information for Training SVM") and libsvm's step.

use crate::simd;
use crate::svc::points::{LANES, Lanes};

/// Where curvature is not positive, libsvm's tau stands for it.
const TAU: f64 = 1e-12;

/// Variables with the kernel values among them. Arrays are filled up to whole tiles with variables that may not move.
pub(super) struct Block {
    /// Values of a row of `kernels`, and of every other array.
    pub(super) stride: usize,
    /// `[variables or more][stride]`.
    pub(super) kernels: Vec<f32>,
    pub(super) diagonal: Vec<f64>,
    /// ±1, see [`crate::svc::solver::Problem`].
    pub(super) signs: Vec<f64>,
    pub(super) alpha: Vec<f64>,
    /// F, see [`crate::svc::solver`].
    pub(super) values: Vec<f64>,
    /// 0 where F may rise with a change of the variable, else -∞.
    pub(super) up: Vec<f64>,
    /// 0 where F may fall, else +∞.
    pub(super) low: Vec<f64>,
    /// Upper bound of the variables.
    pub(super) c: f64,
    /// Working memory.
    pub(super) gains: Vec<f64>,
}

/// What a variable may do, as `up` and `low` of [`Block`].
#[inline(always)]
pub(super) fn directions(alpha: f64, sign: f64, c: f64) -> (f64, f64) {
    let (grows, shrinks) = (alpha < c, alpha > 0.0);
    let (up, low) = if sign > 0.0 { (grows, shrinks) } else { (shrinks, grows) };
    (if up { 0.0 } else { f64::NEG_INFINITY }, if low { 0.0 } else { f64::INFINITY })
}

/// Moves pairs until no pair violates the optimality conditions by `goal` or more, for at most `steps` steps. Gives the
/// number of steps.
pub(super) struct Optimise<'a> {
    pub(super) block: &'a mut Block,
    pub(super) goal: f64,
    pub(super) steps: u64,
}

impl simd::Kernel for Optimise<'_> {
    type Output = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        let Self { block, goal, steps } = self;
        for step in 0..steps {
            let (largest, smallest) = bounds(block);
            if largest - smallest < goal {
                return step;
            }
            let sums = block.values.iter().zip(&block.up);
            let first = sums.map(|(value, up)| value + up).position(|value| value == largest);
            let Some((i, j)) = first.and_then(|i| Some((i, second(block, i, largest)?))) else { return step };
            move_pair(block, i, j);
        }
        steps
    }
}

/// Largest F of those that may rise, smallest of those that may fall.
#[inline(always)]
fn bounds(block: &Block) -> (f64, f64) {
    let (mut largest, mut smallest) = ([f64::NEG_INFINITY; LANES], [f64::INFINITY; LANES]);
    let tiles = tiles(&block.values).iter().zip(tiles(&block.up)).zip(tiles(&block.low));
    for ((values, up), low) in tiles {
        for lane in 0..LANES {
            let (high, deep) = (values[lane] + up[lane], values[lane] + low[lane]);
            largest[lane] = if high > largest[lane] { high } else { largest[lane] };
            smallest[lane] = if deep < smallest[lane] { deep } else { smallest[lane] };
        }
    }
    let largest = largest.into_iter().fold(f64::NEG_INFINITY, f64::max);
    (largest, smallest.into_iter().fold(f64::INFINITY, f64::min))
}

/// Of the variables that may fall from below `largest`, the first with the largest (largest - F)² / curvature.
#[inline(always)]
fn second(block: &mut Block, i: usize, largest: f64) -> Option<usize> {
    let own = block.diagonal[i];
    let row = &block.kernels[i * block.stride..(i + 1) * block.stride];
    let arrays = tiles(&block.values).iter().zip(tiles(&block.low)).zip(tiles(&block.diagonal));
    let arrays = arrays.zip(row.as_chunks::<LANES>().0).zip(block.gains.as_chunks_mut::<LANES>().0);
    let mut best = [f64::NEG_INFINITY; LANES];
    for ((((values, low), diagonal), row), gains) in arrays {
        for lane in 0..LANES {
            let violation = largest - (values[lane] + low[lane]);
            let gain = violation * violation / curvature(own, diagonal[lane], row[lane]);
            gains[lane] = if violation > 0.0 { gain } else { f64::NEG_INFINITY };
            best[lane] = if gains[lane] > best[lane] { gains[lane] } else { best[lane] };
        }
    }
    let best = best.into_iter().fold(f64::NEG_INFINITY, f64::max);
    if best > f64::NEG_INFINITY { block.gains.iter().position(|&gain| gain == best) } else { None }
}

/// Second derivative along a pair: K_ii + K_jj - 2 K_ij.
#[inline(always)]
fn curvature(own: f64, other: f64, between: f32) -> f64 {
    let curvature = own + other - 2.0 * f64::from(between);
    if curvature > 0.0 { curvature } else { TAU }
}

/// Moves y α of `i` up and that of `j` down by as much as is best, or as their bounds allow.
#[inline(always)]
fn move_pair(block: &mut Block, i: usize, j: usize) {
    let c = block.c;
    let (row_i, row_j) = (&block.kernels[i * block.stride..], &block.kernels[j * block.stride..]);
    let best = (block.values[i] - block.values[j]) / curvature(block.diagonal[i], block.diagonal[j], row_i[j]);
    let room_i = if block.signs[i] > 0.0 { c - block.alpha[i] } else { block.alpha[i] };
    let room_j = if block.signs[j] > 0.0 { block.alpha[j] } else { c - block.alpha[j] };
    let by = best.min(room_i).min(room_j);
    // At its bound a variable is exactly there, whatever the sum rounds to.
    let moved = |place: usize, change: f64, room: f64| match (by < room, change > 0.0) {
        (true, _) => (block.alpha[place] + change).clamp(0.0, c),
        (false, true) => c,
        (false, false) => 0.0,
    };
    let new_i = moved(i, block.signs[i] * by, room_i);
    let new_j = moved(j, -block.signs[j] * by, room_j);
    let rows = row_i.as_chunks::<LANES>().0.iter().zip(row_j.as_chunks::<LANES>().0);
    for (values, (row_i, row_j)) in block.values.as_chunks_mut::<LANES>().0.iter_mut().zip(rows) {
        for lane in 0..LANES {
            values[lane] -= (f64::from(row_i[lane]) - f64::from(row_j[lane])) * by;
        }
    }
    for (place, alpha) in [(i, new_i), (j, new_j)] {
        block.alpha[place] = alpha;
        (block.up[place], block.low[place]) = directions(alpha, block.signs[place], c);
    }
}

#[inline(always)]
fn tiles(values: &[f64]) -> &[Lanes<f64>] {
    values.as_chunks::<LANES>().0
}
