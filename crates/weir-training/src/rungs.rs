//! Growing parts of train, and how many candidates go on from one to the next.

use crate::params::{RungParams, Strategy};

/// Candidates that halving leaves for the last rung, all rows, where there are as many: the first rungs decide who is
/// among the best, not who is the best.
const FINALISTS: usize = 3;

/// Rows of each rung of a search among `candidates`, ascending; the last has all `rows`.
///
/// Rows of train are in the order of a hash, so that the first of them are a random sample.
pub(crate) fn sizes(
    rows: usize,
    candidates: usize,
    strategy: Strategy,
    is_limited: bool,
    params: &RungParams,
) -> Vec<usize> {
    let wanted = match (is_limited, strategy) {
        // The more rungs, the earlier there is a first answer.
        (true, _) => usize::MAX,
        (false, Strategy::Grid) => 1,
        (false, Strategy::Halving) => {
            1 + std::iter::successors(Some(candidates), |&left| Some(keep(left, params.factor)))
                .take_while(|&left| left > FINALISTS)
                .count()
        }
    };
    let smaller = |&rows: &usize| Some(rows / params.factor).filter(|&rows| rows >= params.min_rows);
    let mut sizes: Vec<usize> = std::iter::successors(Some(rows), smaller).take(wanted).collect();
    sizes.reverse();
    sizes
}

/// How many of `candidates` halving takes to the next rung.
pub(crate) fn keep(candidates: usize, factor: usize) -> usize {
    candidates.div_ceil(factor).max(FINALISTS.min(candidates))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halving_leaves_three_candidates_for_all_rows() {
        let rungs = RungParams::default();
        let sizes = |rows, candidates| sizes(rows, candidates, Strategy::Halving, false, &rungs);
        // 27 candidates, 9, 3.
        assert_eq!(sizes(33_000, 27), [3_666, 11_000, 33_000]);
        assert_eq!(sizes(33_000, 3), [33_000]);
        // A quarter of the rows would be fewer than the smallest rung has.
        assert_eq!(sizes(2_000, 27), [2_000]);
        assert_eq!([27, 9, 4, 3, 2, 1].map(|left| keep(left, 3)), [9, 3, 3, 3, 2, 1]);
    }

    #[test]
    fn a_budget_begins_small_and_a_grid_has_all_rows_at_once() {
        let rungs = RungParams { factor: 2, min_rows: 1_000 };
        assert_eq!(sizes(9_000, 5, Strategy::Grid, true, &rungs), [1_125, 2_250, 4_500, 9_000]);
        assert_eq!(sizes(9_000, 5, Strategy::Grid, false, &rungs), [9_000]);
    }
}
