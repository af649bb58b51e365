use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ndarray::{Array2, ArrayView2};
use proptest::prelude::*;

use super::distance::{Absolute, Squared, Term};
use super::nearest::Neighbour;
use super::*;
use crate::context::Progress;
use crate::folds::Folds;
use crate::search;

/// The definition, spelled out: all distances, sorted by (distance, row number).
fn by_definition<T: Term>(values: &[f64], query: &[f64], k: usize) -> Vec<Neighbour> {
    let features = query.len();
    let mut all: Vec<Neighbour> = (0..values.len() / features)
        .map(|row| {
            let point = &values[row * features..(row + 1) * features];
            let reduced = query.iter().zip(point).fold(0.0, |sum, (q, p)| sum + T::of(q - p));
            Neighbour { reduced, row: row as u32 }
        })
        .collect();
    all.sort_by(|a, b| a.reduced.total_cmp(&b.reduced).then(a.row.cmp(&b.row)));
    all.truncate(k);
    all
}

fn found(index: &Index, metric: Metric, queries: &[f64], features: usize, k: usize) -> Vec<Vec<Neighbour>> {
    let mut all = Vec::new();
    index.search(metric, queries, queries.len() / features, k, |query, found| {
        assert_eq!(query, all.len());
        all.push(found.to_vec());
    });
    all
}

/// A table in which ties and repeated rows are common: a mix of few-valued and free features.
fn table(most_rows: usize) -> impl Strategy<Value = (usize, Vec<f64>)> {
    (1usize..=6, 1usize..=most_rows).prop_flat_map(|(features, rows)| {
        let value = prop_oneof![
            5 => (0i8..4).prop_map(|step| f64::from(step) * 0.1),
            1 => 0.0f64..1.0,
            1 => Just(-0.0),
            1 => Just(1e9),
        ];
        (Just(features), prop::collection::vec(value, features * rows))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn tree_and_scan_find_what_the_definition_says((features, values) in table(400), share in 0.0f64..1.0) {
        let rows = values.len() / features;
        let k = 1 + ((rows - 1) as f64 * share * share) as usize;
        let mut queries = values[..rows.min(20) * features].to_vec();
        queries.extend((0..10 * features).map(|place| (place * 7 % 13) as f64 * 0.05));
        let tree = Index::tree(&values, features, rows);
        let scan = Index::scanned(&values, features, rows);
        for metric in [Metric::Euclidean, Metric::Manhattan] {
            let expected: Vec<_> = queries
                .chunks(features)
                .map(|query| match metric {
                    Metric::Euclidean => by_definition::<Squared>(&values, query, k),
                    Metric::Manhattan => by_definition::<Absolute>(&values, query, k),
                })
                .collect();
            prop_assert_eq!(&found(&tree, metric, &queries, features, k), &expected);
            prop_assert_eq!(&found(&scan, metric, &queries, features, k), &expected);
        }
    }
}

/// More queries and rows than are scanned in one piece, leaves of several blocks, and the choice between tree and scan.
#[test]
fn wide_rows_have_the_neighbours_of_the_definition() {
    for (features, rows) in [(18, 700), (70, 700), (3, 50)] {
        let step = |place: usize| (place * 2_654_435_761 % 1009 % 29) as f64 / 29.0;
        let values: Vec<f64> = (0..rows * features).map(step).collect();
        let queries: Vec<f64> = (0..80 * features).map(|place| step(place * 3 + 1)).collect();
        let expected: Vec<_> =
            queries.chunks(features).map(|query| by_definition::<Squared>(&values, query, 9)).collect();
        let index = Index::new(&values, features, rows);
        assert_eq!(found(&index, Metric::Euclidean, &queries, features, 9), expected);
    }
}

/// Thousands of rows in one place are looked at once, whether they are on one value or on two.
#[test]
fn rows_in_one_place_are_neighbours_by_row_number() {
    let rows = 20_000;
    for places in [1, 2] {
        let values: Vec<f64> = (0..rows).flat_map(|row| [0.25, (row % places) as f64, 0.5]).collect();
        let index = Index::tree(&values, 3, rows);
        let nearest = found(&index, Metric::Manhattan, &[0.25, 0.0, 0.0], 3, 4);
        let expected: Vec<u32> = (0..4).map(|row| row * places as u32).collect();
        assert_eq!(nearest[0].iter().map(|neighbour| neighbour.row).collect::<Vec<_>>(), expected);
        assert!(nearest[0].iter().all(|neighbour| neighbour.reduced == 0.5));
    }
}

/// Rows of both classes, many of them repeated.
fn example(rows: usize) -> (Array2<f64>, Vec<u8>) {
    let x = Array2::from_shape_fn((rows, 4), |(row, column)| {
        let mixed = (row * [7919, 104_729, 31, 1_299_709][column]) % [3, 997, 10, 4001][column];
        mixed as f64 / [3.0, 997.0, 10.0, 4001.0][column]
    });
    let y = (0..rows).map(|row| u8::from(x[[row, 0]] + x[[row, 3]] > 0.8 || row % 11 == 0)).collect();
    (x, y)
}

fn candidates() -> Vec<KnnParams> {
    let mut all = Vec::new();
    for metric in [Metric::Manhattan, Metric::Euclidean] {
        for n_neighbors in [11, 3, 5] {
            for weights in [Weights::Uniform, Weights::Distance] {
                all.push(KnnParams { n_neighbors, weights, metric });
            }
        }
    }
    all
}

fn with_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

#[test]
fn search_scores_as_fitting_each_candidate_on_each_fold_does() {
    let (x, y) = example(900);
    let folds = Folds::stratified(&y, 3).unwrap();
    let searched = search(&candidates(), Dataset::new(x.view(), &y), &folds, &Context::default()).unwrap();
    for (params, searched) in candidates().iter().zip(&searched) {
        for (fold, &accuracy) in folds.folds().iter().zip(&searched.accuracy) {
            let rows = |rows: &[u32]| rows.iter().map(|&row| row as usize).collect::<Vec<_>>();
            let classes = |rows: &[u32]| rows.iter().map(|&row| y[row as usize]).collect::<Vec<_>>();
            let (train, test) =
                (x.select(ndarray::Axis(0), &rows(&fold.train)), x.select(ndarray::Axis(0), &rows(&fold.test)));
            let train_classes = classes(&fold.train);
            let model = params.fit(Dataset::new(train.view(), &train_classes), &Context::default()).unwrap().model;
            let predicted = model.predict(test.view()).classes;
            assert_eq!(accuracy, crate::scoring::accuracy(&classes(&fold.test), &predicted), "{params:?}");
        }
    }
}

#[test]
fn one_and_two_threads_give_the_same_bytes() {
    let (x, y) = example(1500);
    let data = Dataset::new(x.view(), &y);
    let folds = Folds::stratified(&y, 4).unwrap();
    let work = || {
        let scores = search(&candidates(), data, &folds, &Context::default()).unwrap();
        let params = KnnParams { weights: Weights::Distance, ..KnnParams::default() };
        let model = params.fit(data, &Context::default()).unwrap().model;
        (scores, postcard::to_allocvec(&model).unwrap(), model.predict(x.view()))
    };
    assert_eq!(with_threads(1, work), with_threads(2, work));
}

#[test]
fn a_row_is_predicted_alone_as_among_others() {
    let (x, y) = example(700);
    let model = KnnParams::default().fit(Dataset::new(x.view(), &y), &Context::default()).unwrap().model;
    let together = model.predict(x.view());
    for row in [0, 1, 350, 699] {
        let alone = model.predict(x.slice(ndarray::s![row..=row, ..]));
        assert_eq!((alone.classes[0], alone.scores[0]), (together.classes[row], together.scores[row]));
    }
    let none = model.predict(ArrayView2::from_shape((0, 4), &[]).unwrap());
    assert_eq!((none.classes, none.scores), (vec![], vec![]));
    // Columns that lie apart in memory are read as the same rows.
    let mut wide = Array2::zeros((700, 8));
    wide.slice_mut(ndarray::s![.., ..;2]).assign(&x);
    assert_eq!(model.predict(wide.slice(ndarray::s![.., ..;2])), together);
}

#[test]
fn a_model_read_back_is_the_same_and_corrupt_bytes_are_refused() {
    let (x, y) = example(300);
    let model = KnnParams::default().fit(Dataset::new(x.view(), &y), &Context::default()).unwrap().model;
    let bytes = postcard::to_allocvec(&model).unwrap();
    assert_eq!(postcard::from_bytes::<Knn>(&bytes).unwrap(), model);
    assert!(postcard::from_bytes::<Knn>(&bytes[..bytes.len() - 1]).is_err());
    for (spoil, fact) in [
        (Box::new(|model: &mut Knn| model.classes.clear()) as Box<dyn Fn(&mut Knn)>, "classes fewer than rows"),
        (Box::new(|model| model.params.n_neighbors = 301), "more neighbours than rows"),
        (Box::new(|model| model.classes[7] = 2), "a third class"),
        (Box::new(|model| model.values[7] = f64::NAN), "not a number"),
    ] {
        let mut spoilt = model.clone();
        spoil(&mut spoilt);
        assert!(postcard::from_bytes::<Knn>(&postcard::to_allocvec(&spoilt).unwrap()).is_err(), "{fact}");
    }
}

#[test]
fn what_does_not_fit_the_data_is_refused() {
    let (x, y) = example(40);
    let data = Dataset::new(x.view(), &y);
    let params = KnnParams { n_neighbors: 41, ..KnnParams::default() };
    let refusal = params.fit(data, &Context::default()).err().unwrap();
    let text = "n_neighbors = 41 does not fit the data: it must be from 1 to the 40 rows that are fitted on";
    assert_eq!(refusal.to_string(), text);

    let folds = Folds::stratified(&y, 2).unwrap();
    let params = KnnParams { n_neighbors: 30, ..KnnParams::default() };
    assert!(matches!(search(&[params], data, &folds, &Context::default()), Err(FitError::Parameter { .. })));

    let benign = vec![0; 40];
    let refusal = KnnParams::default().fit(Dataset::new(x.view(), &benign), &Context::default()).err().unwrap();
    assert_eq!(refusal, FitError::OneClass { model: "KNN", benign: 40, malicious: 0 });
}

#[derive(Default)]
struct Count(AtomicU64);

impl Progress for Count {
    fn advance(&self, pieces: u64) {
        self.0.fetch_add(pieces, Ordering::Relaxed);
    }
}

#[test]
fn progress_counts_candidates_and_folds_and_a_search_can_be_cancelled() {
    let (x, y) = example(300);
    let (data, folds) = (Dataset::new(x.view(), &y), Folds::stratified(&y, 3).unwrap());
    let count = Count::default();
    search(&candidates(), data, &folds, &Context { progress: &count, ..Context::default() }).unwrap();
    assert_eq!(count.0.into_inner(), 12 * 3);

    let cancelled = AtomicBool::new(true);
    let context = Context { cancelled: &cancelled, ..Context::default() };
    assert_eq!(search(&candidates(), data, &folds, &context), Err(FitError::Cancelled));
    assert_eq!(KnnParams::default().fit(data, &context).err(), Some(FitError::Cancelled));
}

#[test]
fn a_search_with_room_for_one_fold_at_a_time_gives_the_same() {
    let (x, y) = example(300);
    let (data, folds) = (Dataset::new(x.view(), &y), Folds::stratified(&y, 3).unwrap());
    let search = |memory| search(&candidates(), data, &folds, &Context { memory, ..Context::default() }).unwrap();
    assert_eq!(search(0), search(1 << 30));
}
