//! The passes over the active variables that one solver iteration consists of.
//!
//! With y the class as ±1, F = -y G (G the gradient of the dual) and β = y α, a variable may move up while β is below
//! its upper bound and down while it is above its lower bound. `up` and `low` hold F for the variables that may move
//! up or down, and -∞ or +∞ for the others; updating both saves every test of a bound. Arrays are filled up to whole
//! tiles with variables that may do neither.

use crate::svc::points::{LANES, Lanes};

/// Variables per block; blocks are skipped or searched as a whole.
pub(super) const BLOCK: usize = 128;

/// Where curvature is not positive, libsvm's tau stands for it.
const TAU: f64 = 1e-12;

/// Largest `up` and smallest `low` of a block.
#[derive(Clone, Copy)]
pub(super) struct Extremes {
    pub(super) up: f64,
    pub(super) low: f64,
}

/// A change of β: by `by`, of the variable with this kernel row.
#[derive(Clone, Copy)]
pub(super) struct Change<'a> {
    pub(super) row: &'a [f32],
    pub(super) by: f64,
}

/// F -= K_i Δβ_i + K_j Δβ_j over all variables, and the extremes of each block.
#[inline(always)]
pub(super) fn update(up: &mut [f64], low: &mut [f64], i: Change<'_>, j: Change<'_>, extremes: &mut Vec<Extremes>) {
    extremes.clear();
    let rows = i.row.chunks(BLOCK).zip(j.row.chunks(BLOCK));
    for ((up, low), (row_i, row_j)) in up.chunks_mut(BLOCK).zip(low.chunks_mut(BLOCK)).zip(rows) {
        let (up, low) = (up.as_chunks_mut::<LANES>().0, low.as_chunks_mut::<LANES>().0);
        let (row_i, row_j) = (row_i.as_chunks::<LANES>().0, row_j.as_chunks::<LANES>().0);
        let mut largest = [f64::NEG_INFINITY; LANES];
        let mut smallest = [f64::INFINITY; LANES];
        for (((up, low), row_i), row_j) in up.iter_mut().zip(low).zip(row_i).zip(row_j) {
            for lane in 0..LANES {
                let change = f64::from(row_i[lane]) * i.by + f64::from(row_j[lane]) * j.by;
                up[lane] -= change;
                low[lane] -= change;
                largest[lane] = if up[lane] > largest[lane] { up[lane] } else { largest[lane] };
                smallest[lane] = if low[lane] < smallest[lane] { low[lane] } else { smallest[lane] };
            }
        }
        extremes.push(Extremes { up: max(&largest), low: min(&smallest) });
    }
}

/// The extremes of each block as they are.
pub(super) fn scan(up: &[f64], low: &[f64], extremes: &mut Vec<Extremes>) {
    extremes.clear();
    for (up, low) in up.chunks(BLOCK).zip(low.chunks(BLOCK)) {
        extremes.push(Extremes {
            up: up.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            low: low.iter().copied().fold(f64::INFINITY, f64::min),
        });
    }
}

/// The first of the working pair: the last variable with the largest `up`.
pub(super) fn first(up: &[f64], extremes: &[Extremes]) -> Option<usize> {
    let largest = extremes.iter().map(|block| block.up).fold(f64::NEG_INFINITY, f64::max);
    let block = extremes.iter().rposition(|block| block.up == largest && largest > f64::NEG_INFINITY)?;
    last_equal(up, block, largest)
}

/// The second of the working pair: of the variables with `low` below `largest`, the last that maximises
/// (largest - low)² / curvature with the first, whose kernel row is `row` and diagonal `own`.
#[inline(always)]
pub(super) fn second(
    low: &[f64],
    diagonal: &[f64],
    row: &[f32],
    own: f64,
    largest: f64,
    extremes: &[Extremes],
) -> Option<usize> {
    // Divisions are dear: a block is looked at closely only if some gain could reach the best so far, which a
    // multiplication tells; the margin covers its rounding. Starting at the largest violation makes that rare.
    let start = (0..extremes.len()).min_by(|&a, &b| extremes[a].low.total_cmp(&extremes[b].low))?;
    if extremes[start].low >= largest {
        return None;
    }
    let (mut best_gains, mut best) = gains(low, diagonal, row, own, largest, start);
    let mut best_block = start;
    for (block, block_extremes) in extremes.iter().enumerate() {
        if block == start || block_extremes.low >= largest {
            continue;
        }
        let range = block * BLOCK..low.len().min((block + 1) * BLOCK);
        let tiles = low[range.clone()].as_chunks::<LANES>().0.iter();
        let tiles = tiles.zip(diagonal[range.clone()].as_chunks::<LANES>().0).zip(row[range].as_chunks::<LANES>().0);
        let threshold = best * (1.0 - 1e-12);
        let mut excess = [f64::NEG_INFINITY; LANES];
        for ((low, diagonal), row) in tiles {
            for lane in 0..LANES {
                let violation = largest - low[lane];
                let violation = if violation > 0.0 { violation } else { 0.0 };
                let over = violation * violation - threshold * curvature(own, diagonal[lane], row[lane]);
                excess[lane] = if over > excess[lane] { over } else { excess[lane] };
            }
        }
        if max(&excess) >= 0.0 {
            let (block_gains, gain) = gains(low, diagonal, row, own, largest, block);
            if gain > best || (gain == best && block > best_block) {
                best_gains = block_gains;
                best = gain;
                best_block = block;
            }
        }
    }
    let within = best_gains.iter().rposition(|&gain| gain == best)?;
    Some(best_block * BLOCK + within)
}

/// The gain of each variable of a block and the largest of them.
#[inline(always)]
fn gains(low: &[f64], diagonal: &[f64], row: &[f32], own: f64, largest: f64, block: usize) -> ([f64; BLOCK], f64) {
    let range = block * BLOCK..low.len().min((block + 1) * BLOCK);
    let (low, diagonal, row) = (&low[range.clone()], &diagonal[range.clone()], &row[range]);
    let mut gains = [f64::NEG_INFINITY; BLOCK];
    let tiles = gains.as_chunks_mut::<LANES>().0.iter_mut().zip(low.as_chunks::<LANES>().0);
    let tiles = tiles.zip(diagonal.as_chunks::<LANES>().0).zip(row.as_chunks::<LANES>().0);
    let mut best = [f64::NEG_INFINITY; LANES];
    for (((gains, low), diagonal), row) in tiles {
        for lane in 0..LANES {
            let violation = largest - low[lane];
            let gain = violation * violation / curvature(own, diagonal[lane], row[lane]);
            gains[lane] = if violation > 0.0 { gain } else { f64::NEG_INFINITY };
            best[lane] = if gains[lane] > best[lane] { gains[lane] } else { best[lane] };
        }
    }
    (gains, max(&best))
}

/// Second derivative along the pair: K_ii + K_jj - 2 K_ij.
#[inline(always)]
pub(super) fn curvature(own: f64, other: f64, between: f32) -> f64 {
    let curvature = own + other - 2.0 * f64::from(between);
    if curvature > 0.0 { curvature } else { TAU }
}

fn last_equal(values: &[f64], block: usize, wanted: f64) -> Option<usize> {
    let end = values.len().min((block + 1) * BLOCK);
    (block * BLOCK..end).rev().find(|&position| values[position] == wanted)
}

#[inline(always)]
fn min(lanes: &Lanes) -> f64 {
    let mut negated = *lanes;
    for value in &mut negated {
        *value = -*value;
    }
    -max(&negated)
}

#[inline(always)]
fn max(lanes: &Lanes) -> f64 {
    // Halving keeps the comparisons independent of each other.
    let mut lanes = *lanes;
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] = if lanes[lane + width] > lanes[lane] { lanes[lane + width] } else { lanes[lane] };
        }
        width /= 2;
    }
    lanes[0]
}
