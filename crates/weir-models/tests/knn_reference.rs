//! KNN against other libraries: linfa's k-d tree for neighbours, smartcore for predictions and the area under the
//! ROC curve; and, where the published table is at hand, against what scikit-learn scores on it.

#![expect(clippy::print_stderr, reason = "a skipped test says so, a timed one says how long")]

use std::time::Instant;

use linfa_nn::distance::{L1Dist, L2Dist};
use linfa_nn::{KdTree, NearestNeighbour, NearestNeighbourIndex};
use ndarray::{Array1, Array2};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use smartcore::metrics::Metrics;
use smartcore::metrics::auc::AUC;
use weir_contract::feature::ScalerKind;
use weir_models::knn::{KnnParams, Metric, Weights};
use weir_models::search;
use weir_models::{Context, Dataset, Folds, Scaler, scoring};

/// Rows without equal distances: two clusters that overlap, 6 free features.
fn rows(count: usize, seed: u64) -> (Array2<f64>, Vec<u8>) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let y: Vec<u8> = (0..count).map(|_| u8::from(random.random::<f64>() < 0.4)).collect();
    let x = Array2::from_shape_fn((count, 6), |(row, _)| random.random::<f64>() + 0.3 * f64::from(y[row]));
    (x, y)
}

#[test]
fn neighbours_are_those_of_linfa() {
    let ((train, y), (test, _)) = (rows(1200, 1), rows(150, 2));
    for metric in [Metric::Euclidean, Metric::Manhattan] {
        let theirs: Box<dyn NearestNeighbourIndex<f64> + Send + Sync + '_> = match metric {
            Metric::Euclidean => KdTree.from_batch(&train, L2Dist).unwrap(),
            Metric::Manhattan => KdTree.from_batch(&train, L1Dist).unwrap(),
        };
        let params = KnnParams { n_neighbors: 11, metric, weights: Weights::Uniform };
        let model = params.fit(Dataset::new(train.view(), &y), &Context::default()).unwrap().model;
        for (query, ours) in test.rows().into_iter().zip(model.neighbours(test.view())) {
            let theirs = theirs.k_nearest(query, 11).unwrap();
            assert_eq!(ours.len(), theirs.len());
            for ((row, distance), (point, their_row)) in ours.into_iter().zip(theirs) {
                assert_eq!(row, their_row);
                let difference: Array1<f64> = &point - &query;
                let expected = match metric {
                    Metric::Euclidean => difference.dot(&difference).sqrt(),
                    Metric::Manhattan => difference.mapv(f64::abs).sum(),
                };
                assert!((distance - expected).abs() <= 1e-14, "{distance} against {expected}");
            }
        }
    }
}

#[test]
fn area_under_the_roc_curve_is_that_of_smartcore() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let y: Vec<u8> = (0..500).map(|_| u8::from(random.random::<f64>() < 0.3)).collect();
    // Shares of eleven neighbours: nearly every score is tied.
    let scores: Vec<f64> = y.iter().map(|&y| f64::from((random.next_u32() % 9) as u8 + 3 * y) / 11.0).collect();
    let actual: Vec<f64> = y.iter().map(|&y| f64::from(y)).collect();
    let theirs = AUC::new().get_score(&actual, &scores);
    let ours = scoring::roc_auc(&y, &scores).unwrap();
    assert!((ours - theirs).abs() <= 1e-12, "{ours} against {theirs}");
}

/// Rows predicted right on each fold by scikit-learn 1.9 (`KNeighborsClassifier` on the first 33,156 rows of the
/// published table, min-max scaled over these rows, `StratifiedKFold(3)`).
const PUBLISHED: [(Metric, usize, Weights, [u32; 3]); 12] = [
    (Metric::Euclidean, 3, Weights::Uniform, [11_030, 11_036, 11_026]),
    (Metric::Euclidean, 3, Weights::Distance, [11_030, 11_037, 11_029]),
    (Metric::Euclidean, 5, Weights::Uniform, [11_025, 11_029, 11_018]),
    (Metric::Euclidean, 5, Weights::Distance, [11_029, 11_035, 11_023]),
    (Metric::Euclidean, 11, Weights::Uniform, [11_014, 11_015, 11_002]),
    (Metric::Euclidean, 11, Weights::Distance, [11_024, 11_025, 11_017]),
    (Metric::Manhattan, 3, Weights::Uniform, [11_036, 11_034, 11_031]),
    (Metric::Manhattan, 3, Weights::Distance, [11_036, 11_035, 11_035]),
    (Metric::Manhattan, 5, Weights::Uniform, [11_029, 11_029, 11_025]),
    (Metric::Manhattan, 5, Weights::Distance, [11_029, 11_035, 11_029]),
    (Metric::Manhattan, 11, Weights::Uniform, [11_021, 11_022, 11_013]),
    (Metric::Manhattan, 11, Weights::Distance, [11_028, 11_028, 11_023]),
];

/// `WEIR_SHARED_DATA` names the folder that holds `assuremoss/preprocessed.csv`.
#[test]
fn published_table_is_searched_as_by_scikit_learn() {
    let Some(folder) = std::env::var_os("WEIR_SHARED_DATA") else {
        eprintln!("SKIPPED: WEIR_SHARED_DATA is not set, the published table was not searched");
        return;
    };
    let path = std::path::Path::new(&folder).join("assuremoss/preprocessed.csv");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (mut values, mut y) = (Vec::new(), Vec::new());
    for line in text.lines().skip(1).take(33_156) {
        let (features, label) = line.rsplit_once(',').unwrap();
        values.extend(features.split(',').map(|value| value.parse::<f64>().unwrap()));
        y.push(u8::from(label == "malicious"));
    }
    let x = Array2::from_shape_vec((y.len(), 10), values).unwrap();
    let x = Scaler::fit(ScalerKind::MinMax, x.view()).transform(x.view());
    let candidates = PUBLISHED.map(|(metric, n_neighbors, weights, _)| KnnParams { n_neighbors, weights, metric });
    let (data, folds) = (Dataset::new(x.view(), &y), Folds::stratified(&y, 3).unwrap());
    let start = Instant::now();
    let ours = search(&candidates, data, &folds, &Context::default()).unwrap();
    eprintln!("12 candidates on 3 folds of {} rows in {:?}", y.len(), start.elapsed());
    for (ours, (metric, k, weights, right)) in ours.iter().zip(PUBLISHED) {
        for ((accuracy, fold), right) in ours.accuracy.iter().zip(folds.folds()).zip(right) {
            // No tie among these rows decides a vote: the counts are equal.
            let theirs = f64::from(right) / fold.test.len() as f64;
            assert_eq!(*accuracy, theirs, "{metric:?} {k} {weights:?}");
        }
    }
}
