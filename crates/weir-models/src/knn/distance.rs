//! Distances. One order of summation for all of them: feature by feature, in f64, each product rounded on its own.
//! So a pair of rows has one distance to the last bit, however it is looked at: alone, in a block, or in a tree.

use serde::{Deserialize, Serialize};

/// How far two rows are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// Square root of the sum of squared differences.
    Euclidean,
    /// Sum of absolute differences.
    Manhattan,
}

impl Metric {
    /// scikit-learn's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Euclidean => "euclidean",
            Self::Manhattan => "manhattan",
        }
    }

    /// The distance of a reduced distance.
    pub(super) fn distance(self, reduced: f64) -> f64 {
        match self {
            Self::Euclidean => reduced.sqrt(),
            Self::Manhattan => reduced,
        }
    }
}

/// What a difference in one feature adds to the reduced distance: the distance itself (manhattan) or its square
/// (euclidean), by which neighbours are ordered.
pub(super) trait Term {
    /// Neither falls nor depends on the sign as the difference grows.
    fn of(difference: f64) -> f64;
}

/// Of the euclidean metric.
pub(super) struct Squared;

/// Of the manhattan metric.
pub(super) struct Absolute;

impl Term for Squared {
    #[inline(always)]
    fn of(difference: f64) -> f64 {
        difference * difference
    }
}

impl Term for Absolute {
    #[inline(always)]
    fn of(difference: f64) -> f64 {
        difference.abs()
    }
}

/// Points in a block.
pub(super) const LANES: usize = 8;

/// One feature of a block of points.
pub(super) type Lanes = [f64; LANES];

/// Reduced distances from `query`: `[d]` to the points of `block`: `[d][LANES]`. The lanes keep a sum each, so the
/// compiler may use wide registers without touching the order of summation.
#[inline(always)]
pub(super) fn to_block<T: Term>(query: &[f64], block: &[Lanes]) -> Lanes {
    let mut sums = [0.0; LANES];
    for (&value, points) in query.iter().zip(block) {
        for (sum, point) in sums.iter_mut().zip(points) {
            *sum += T::of(value - point);
        }
    }
    sums
}

/// One feature of two boxes: both lower ends, then both upper ends.
pub(super) type BoxPair = [f64; 4];

/// Reduced distances from `query`: `[d]` to the nearest corner, edge or inside of two boxes: `[d]`.
///
/// Rounding never falls as its argument grows and the order of summation is that of [`to_block`], so the result is at
/// most the computed distance of every point in the box: no slack is needed where it serves as a bound.
#[inline(always)]
pub(super) fn to_boxes<T: Term>(query: &[f64], boxes: &[BoxPair]) -> [f64; 2] {
    let mut sums = [0.0; 2];
    for (&value, ends) in query.iter().zip(boxes) {
        for (side, sum) in sums.iter_mut().enumerate() {
            let outside = larger(ends[side] - value, value - ends[2 + side]);
            *sum += T::of(larger(outside, 0.0));
        }
    }
    sums
}

/// `f64::max` for numbers that are not NaN, in one instruction.
#[inline(always)]
fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}
