//! What a search will take, said before it starts.

use weir_contract::Family;
use weir_models::search::Piece;
use weir_stage::Stage;

use crate::limit::Limit;
use crate::params::Strategy;
use crate::search::Search;

/// Seconds above which a search is warned of.
const LONG: f64 = 120.0;

/// Seconds for the pieces numbered `chosen` on `threads` threads; within a factor of three or so.
pub(crate) fn seconds(pieces: &[Piece], chosen: &[usize], threads: usize) -> f64 {
    let each = chosen.iter().map(|&piece| pieces[piece].estimate.seconds);
    let longest = each.clone().fold(0.0, f64::max);
    longest.max(each.sum::<f64>() / threads.max(1) as f64)
}

/// Says what a rung will take: a note, and a warning with remedies where it will be long and no budget bounds it.
pub(crate) fn announce(
    search: &Search<'_>,
    candidates: usize,
    rows: usize,
    missing: &[usize],
    resumed: usize,
    estimate: f64,
    stage: &Stage,
) {
    let what = format!("{}: {candidates} candidates on {} folds of {rows} rows", search.label, search.params.folds);
    let resumed = if resumed > 0 { format!(", {resumed} pieces are scored already") } else { String::new() };
    let time = if estimate > 0.0 { format!(", about {}", words(estimate)) } else { String::new() };
    stage.note(format!("{what}: {} pieces on {} threads{time}{resumed}", missing.len(), stage.threads()));
    if estimate > LONG && *search.limit == Limit::None {
        stage.warn(format!("{what} will take about {}: {}", words(estimate), remedies(search).join(", or ")));
    }
}

fn remedies(search: &Search<'_>) -> Vec<&'static str> {
    let mut remedies = vec!["give a time with --budget"];
    if search.params.search == Strategy::Grid {
        remedies.push("set training.search = \"halving\"");
        remedies.push("cut the search into shards for several machines with `weir train plan`");
    }
    if search.candidates.len() > 1 {
        remedies.push("name fewer candidates");
    }
    if search.candidates.params.first().is_some_and(|params| params.to_map().contains_key("max_bins")) {
        remedies.push("let trees look at fewer thresholds with max_bins");
    }
    if search.family == Family::Svc {
        remedies.push("choose another model: the time of an SVC grows with the square of the rows");
    }
    remedies
}

/// `40 s`, `12 min`, `3.5 h`.
fn words(seconds: f64) -> String {
    match seconds {
        ..100.0 => format!("{:.0} s", seconds.max(1.0)),
        100.0..6_000.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3_600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidates::Candidates;
    use crate::params::TrainingParams;
    use weir_contract::{Representation, Seed};
    use weir_models::Dataset;
    use weir_models::search::Estimate;

    #[test]
    fn a_search_takes_as_long_as_its_longest_piece_or_its_share_of_all() {
        let piece =
            |seconds| Piece { name: String::new(), cells: Vec::new(), estimate: Estimate { seconds, bytes: 0 } };
        let pieces: Vec<Piece> = [8.0, 1.0, 3.0].map(piece).into();
        assert_eq!(seconds(&pieces, &[0, 1, 2], 2), 8.0);
        assert_eq!(seconds(&pieces, &[1, 2], 2), 3.0);
        assert_eq!(seconds(&pieces, &[0, 1, 2], 1), 12.0);
        assert_eq!(seconds(&pieces, &[], 2), 0.0);
    }

    #[test]
    fn a_long_search_is_met_with_what_helps_it() {
        let x = ndarray::Array2::zeros((4, 1));
        let remedies = |family: Family, search: Strategy| {
            let params = TrainingParams { search, ..TrainingParams::default() };
            let candidates = Candidates::new(&params, family, Seed::default()).unwrap();
            let search = Search {
                label: "",
                family,
                representation: Representation::Baseline,
                candidates: &candidates,
                train: Dataset::new(x.view(), &[0, 1, 0, 1]),
                params: &params,
                limit: &Limit::None,
            };
            remedies(&search).join(", ")
        };
        let grid = remedies(Family::Svc, Strategy::Grid);
        assert!(["--budget", "halving", "shards", "fewer candidates", "square"].iter().all(|word| grid.contains(word)));
        let halving = remedies(Family::Knn, Strategy::Halving);
        assert!(!["halving", "shards", "square"].iter().any(|word| halving.contains(word)), "{halving}");
    }

    #[test]
    fn times_are_said_in_the_unit_that_people_use() {
        assert_eq!([0.2, 40.0, 700.0, 12_600.0].map(words), ["1 s", "40 s", "12 min", "3.5 h"]);
    }
}
