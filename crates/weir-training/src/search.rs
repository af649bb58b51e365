//! The table of a search.

use weir_contract::search::{self, Candidate, SearchResults};
use weir_contract::{Family, ParamMap, Representation};
use weir_models::scoring::mean_and_deviation;
use weir_models::{CandidateScores, ModelParams};

/// Puts parameters and scores of all candidates into the contract's table.
///
/// Best is the highest mean, ties to the first candidate; equal means share a rank.
pub(crate) fn table(
    family: Family,
    representation: Representation,
    folds: usize,
    candidates: &[(ParamMap, ModelParams)],
    scores: Vec<CandidateScores>,
) -> SearchResults {
    let moments: Vec<(f64, f64)> = scores.iter().map(|scores| mean_and_deviation(&scores.accuracy)).collect();
    let rank = |mean: f64| 1 + moments.iter().filter(|(other, _)| *other > mean).count();
    let computations: Vec<ModelParams> = candidates.iter().map(|(_, params)| params.computation()).collect();
    let rows = candidates.iter().zip(scores).zip(&moments).enumerate();
    let candidates = rows.map(|(index, (((parameters, _), scores), &(mean, standard_deviation)))| Candidate {
        parameters: parameters.clone(),
        scores: scores.accuracy,
        mean,
        standard_deviation,
        rank: rank(mean),
        same_as: computations[..index].iter().position(|earlier| *earlier == computations[index]),
        unconverged: scores.unconverged,
    });
    let best = moments.iter().enumerate().fold(
        0,
        |best, (index, &(mean, _))| {
            if mean > moments[best].0 { index } else { best }
        },
    );
    SearchResults {
        format: search::FORMAT,
        family,
        representation,
        scoring: "accuracy".to_owned(),
        folds,
        candidates: candidates.collect(),
        best,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_contract::ParamValue;

    fn candidate(solver: &str) -> (ParamMap, ModelParams) {
        let map = ParamMap::from([("solver".to_owned(), ParamValue::Text(solver.to_owned()))]);
        let params = ModelParams::from_map(Family::LogisticRegression, &map).unwrap();
        (map, params)
    }

    #[test]
    fn the_first_of_equal_means_is_best_and_equal_means_share_a_rank() {
        let candidates = ["liblinear", "newton-cg", "lbfgs"].map(candidate);
        let scores = [[0.5, 0.7], [0.8, 0.8], [0.9, 0.7]];
        let scores = scores.map(|accuracy| CandidateScores { accuracy: accuracy.to_vec(), unconverged: 0 }).to_vec();
        let table = table(Family::LogisticRegression, Representation::Baseline, 2, &candidates, scores);
        assert_eq!(table.best, 1);
        assert_eq!(table.candidates.iter().map(|row| row.rank).collect::<Vec<_>>(), [3, 1, 1]);
        assert_eq!(table.candidates.iter().map(|row| row.same_as).collect::<Vec<_>>(), [None, None, Some(1)]);
    }
}
