//! KNN against scikit-learn's `KNeighborsClassifier`.
//!
//! The data has repeated rows of different classes. Where one of several rows at the same distance has to be left out
//! of the k, scikit-learn takes any (its brute force and its trees differ) and Weir the lower row number: such queries
//! are counted and set aside, all others have to agree.

use weir_models::knn::{KnnParams, Metric};
use weir_models::{Classifier, Context, Dataset, search};

use super::{Data, Golden, read};

#[test]
fn every_candidate_scores_as_in_scikit_learn_on_every_fold() {
    let (data, golden) = (Data::read(), read::<Golden>("knn.json"));
    let (train, folds) = (data.train(), data.folds());
    let candidates: Vec<KnnParams> =
        golden.candidates.iter().map(|candidate| KnnParams::from_map(&candidate.parameters).unwrap()).collect();
    let ours = search(&candidates, train, &folds, &Context::default()).unwrap();
    assert_eq!(ours.len(), 12);
    for ((params, ours), theirs) in candidates.iter().zip(&ours).zip(&golden.candidates) {
        for (fold, (ours, theirs)) in folds.folds().iter().zip(ours.accuracy.iter().zip(&theirs.scores)) {
            let queries = fold.test.iter().map(|&row| train.row(row as usize));
            let open = queries.filter(|query| is_open(params, train, &fold.train, query)).count();
            assert!(open <= fold.test.len() / 10, "{open} queries set aside");
            let rows_apart = ((ours - theirs) * fold.test.len() as f64).abs();
            assert!(rows_apart < open as f64 + 0.5, "{params:?}: {ours} against {theirs}, {open} open");
        }
        assert_eq!(ours.unconverged, 0);
    }
}

#[test]
fn predictions_and_scores_are_those_of_scikit_learn() {
    let (data, golden) = (Data::read(), read::<Golden>("knn.json"));
    let all: Vec<u32> = (0..data.train as u32).collect();
    assert_eq!(golden.fits.len(), 2);
    for theirs in &golden.fits {
        let params = KnnParams::from_map(&theirs.parameters).unwrap();
        let model = params.fit(data.train(), &Context::default()).unwrap().model;
        let ours = model.predict(data.test());
        assert_eq!(ours.scores.len(), theirs.scores.len());
        let mut open = 0;
        for (row, query) in data.test().rows().into_iter().enumerate() {
            if is_open(&params, data.train(), &all, query.to_slice().unwrap()) {
                open += 1;
                continue;
            }
            assert_eq!(ours.classes[row], theirs.predicted[row], "{params:?}, row {row}");
            let (ours, theirs) = (ours.scores[row], theirs.scores[row]);
            assert!((ours - theirs).abs() <= 1e-12, "{params:?}, row {row}: {ours} against {theirs}");
        }
        assert!(open <= ours.scores.len() / 10, "{open} queries set aside");
    }
}

/// Whether the k-th and the next of `rows` are equally far from `query` and rows of both classes are that far.
fn is_open(params: &KnnParams, data: Dataset<'_>, rows: &[u32], query: &[f64]) -> bool {
    let mut all: Vec<(f64, u8)> = rows
        .iter()
        .map(|&row| {
            let differences = data.row(row as usize).iter().zip(query).map(|(a, b)| a - b);
            let reduced = match params.metric {
                Metric::Euclidean => differences.fold(0.0, |sum, difference| sum + difference * difference),
                Metric::Manhattan => differences.fold(0.0, |sum, difference| sum + difference.abs()),
            };
            (reduced, data.classes()[row as usize])
        })
        .collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let last = all[params.n_neighbors - 1].0;
    let of_class = |class| all.iter().any(|&(reduced, of)| reduced == last && of == class);
    all[params.n_neighbors].0 == last && of_class(0) && of_class(1)
}
