//! The table of a search.

use std::cmp::Ordering;

use weir_contract::search::{self, Candidate, Cut, CutReason, Rung, SearchResults};
use weir_contract::{Family, Representation};
use weir_models::CandidateScores;
use weir_models::scoring::mean_and_deviation;

use crate::candidates::Candidates;

/// How far a candidate came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Standing {
    /// Its scores on the last rung on which it was scored.
    pub(crate) scores: CandidateScores,
    /// Number of that rung.
    pub(crate) rung: usize,
    /// Why it went no further; none on the last rung.
    pub(crate) cut: Option<CutReason>,
}

impl Standing {
    /// Mean accuracy.
    pub(crate) fn mean(&self) -> f64 {
        mean_and_deviation(&self.scores.accuracy).0
    }
}

/// Puts candidates and how far they came into the contract's table.
///
/// Best is the highest mean among those that were never cut by rank: a mean on fewer rows is about the same quantity. Ties
/// go to the one scored on more rows, then to the first.
pub(crate) fn table(
    (family, representation): (Family, Representation),
    folds: usize,
    rungs: Vec<Rung>,
    candidates: &Candidates,
    standings: Vec<Standing>,
) -> SearchResults {
    let means: Vec<f64> = standings.iter().map(Standing::mean).collect();
    // The further back, the earlier it was cut by rank.
    let level = |index: usize| match &standings[index] {
        Standing { cut: Some(CutReason::Rank), rung, .. } => *rung,
        _ => usize::MAX,
    };
    let order = |a: usize, b: usize| level(a).cmp(&level(b)).then(means[a].total_cmp(&means[b]));
    let all = || 0..standings.len();
    let rank = |index: usize| 1 + all().filter(|&other| order(other, index) == Ordering::Greater).count();
    let better = |a: usize, b: usize| order(a, b).then(standings[a].rung.cmp(&standings[b].rung));
    let best = all().fold(0, |best, index| if better(index, best) == Ordering::Greater { index } else { best });
    let row = |index: usize| {
        let Standing { scores, rung, cut } = &standings[index];
        let (mean, standard_deviation) = mean_and_deviation(&scores.accuracy);
        Candidate {
            parameters: candidates.given[index].clone(),
            scores: scores.accuracy.clone(),
            mean,
            standard_deviation,
            rank: rank(index),
            same_as: candidates.same_as[index],
            unconverged: scores.unconverged,
            cut: cut.map(|reason| Cut { rung: *rung, rows: rungs[*rung].rows, reason }),
        }
    };
    let candidates = all().map(row).collect();
    let scoring = "accuracy".to_owned();
    SearchResults { format: search::FORMAT, family, representation, scoring, folds, rungs, candidates, best }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::TrainingParams;
    use weir_contract::Seed;

    /// A table of the three solvers' candidates: liblinear, newton-cg, lbfgs.
    fn solvers(standings: [([f64; 2], usize, Option<CutReason>); 3]) -> SearchResults {
        let mut params = TrainingParams::default();
        let values = ["liblinear", "newton-cg", "lbfgs"].map(|name| weir_contract::ParamValue::Text(name.to_owned()));
        params.grid.logistic_regression = [("solver".to_owned(), values.to_vec())].into();
        let candidates = Candidates::new(&params, Family::LogisticRegression, Seed::default()).unwrap();
        let standing = |(accuracy, rung, cut): ([f64; 2], usize, Option<CutReason>)| Standing {
            scores: CandidateScores { accuracy: accuracy.to_vec(), unconverged: 0 },
            rung,
            cut,
        };
        let rungs = [100, 300].map(|rows| Rung { rows, candidates: 3 }).to_vec();
        let of = (Family::LogisticRegression, Representation::Baseline);
        table(of, 2, rungs, &candidates, standings.map(standing).to_vec())
    }

    fn ranks(table: &SearchResults) -> Vec<usize> {
        table.candidates.iter().map(|candidate| candidate.rank).collect()
    }

    #[test]
    fn the_first_of_equal_means_is_best_and_equal_means_share_a_rank() {
        let table = solvers([([0.5, 0.7], 1, None), ([0.8, 0.8], 1, None), ([0.9, 0.7], 1, None)]);
        assert_eq!(table.best, 1);
        assert_eq!(ranks(&table), [3, 1, 1]);
        assert_eq!(table.candidates.iter().map(|row| row.same_as).collect::<Vec<_>>(), [None, None, Some(1)]);
    }

    #[test]
    fn what_was_cut_by_rank_comes_last_however_well_it_did_on_few_rows() {
        let rank = Some(CutReason::Rank);
        let table = solvers([([1.0, 1.0], 0, rank), ([0.7, 0.8], 1, None), ([0.9, 0.8], 1, None)]);
        assert_eq!((table.best, ranks(&table)), (2, vec![3, 2, 1]));
        assert_eq!(table.candidates[0].cut, Some(Cut { rung: 0, rows: 100, reason: CutReason::Rank }));
    }

    #[test]
    fn what_the_time_did_not_suffice_for_still_counts_by_its_last_mean() {
        let budget = Some(CutReason::Budget);
        let table = solvers([([0.9, 0.9], 0, budget), ([0.7, 0.8], 1, None), ([0.9, 0.9], 1, None)]);
        assert_eq!((table.best, ranks(&table)), (2, vec![1, 3, 1]), "of equal means the one on more rows");
        let table = solvers([([0.9, 0.9], 0, budget), ([0.7, 0.8], 1, None), ([0.8, 0.9], 1, None)]);
        assert_eq!(table.best, 0);
    }
}
