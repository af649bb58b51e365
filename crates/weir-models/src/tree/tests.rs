//! Facts about trees, on small and on random data.

use ndarray::{Array2, ArrayView2};
use proptest::prelude::*;
use rayon::ThreadPoolBuilder;
use weir_contract::{ParamMap, ParamValue};

use super::*;
use crate::classifier::Classifier;
use crate::folds::Folds;
use crate::search;

fn fit(params: &TreeParams, features: usize, x: &[f64], y: &[u8]) -> Tree {
    let x = ArrayView2::from_shape((y.len(), features), x).unwrap();
    params.fit(Dataset::new(x, y), &Context::default()).unwrap().model
}

fn map(entries: &[(&str, ParamValue)]) -> ParamMap {
    entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

#[test]
fn a_row_at_the_threshold_goes_left() {
    let tree = fit(&TreeParams::default(), 1, &[1.0, 2.0], &[0, 1]);
    assert_eq!(tree.nodes()[0].split, Some(Split { feature: 0, threshold: 1.5, right: 2 }));
    let x = Array2::from_shape_vec((3, 1), vec![1.5, 1.5 + f64::EPSILON, -9.0]).unwrap();
    assert_eq!(tree.predict(x.view()).classes, [0, 1, 0]);
}

#[test]
fn neighbouring_numbers_are_split_at_the_lower_one() {
    let (lower, upper) = (1.0, 1.0 + f64::EPSILON);
    let tree = fit(&TreeParams::default(), 1, &[upper, lower], &[1, 0]);
    assert_eq!(tree.nodes()[0].split.as_ref().unwrap().threshold, lower);
    // Halves of subnormal numbers are rounded, sums of large ones overflow.
    for (lower, upper) in [(f64::from_bits(3), f64::from_bits(4)), (1e308, 1.7e308), (-0.0, f64::from_bits(1))] {
        let tree = fit(&TreeParams::default(), 1, &[upper, lower], &[1, 0]);
        let threshold = tree.nodes()[0].split.as_ref().unwrap().threshold;
        assert!(lower <= threshold && threshold < upper, "{lower:e} {threshold:e} {upper:e}");
    }
}

#[test]
fn both_zeros_are_one_value() {
    assert_eq!(fit(&TreeParams::default(), 1, &[0.0, -0.0], &[0, 1]).nodes().len(), 1);
}

#[test]
fn equally_good_splits_go_to_the_lowest_feature_then_the_lowest_threshold() {
    // Feature 0 is constant; features 1 and 2 separate equally well; each at one of two places.
    let x = [7.0, 3.0, 1.0, 7.0, 2.0, 2.0, 7.0, 1.0, 3.0];
    let tree = fit(&TreeParams { max_depth: Some(1), ..TreeParams::default() }, 3, &x, &[0, 1, 0]);
    assert_eq!(tree.nodes()[0].split, Some(Split { feature: 1, threshold: 1.5, right: 2 }));
}

/// Exclusive or: no single split helps, two together do. scikit-learn splits such a node too.
#[test]
fn a_split_that_gains_nothing_yet_is_made() {
    let x = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    let tree = fit(&TreeParams::default(), 2, &x, &[0, 1, 1, 0]);
    assert_eq!((tree.depth(), tree.nodes().len()), (2, 7));
    let stump = fit(&TreeParams { max_depth: Some(1), ..TreeParams::default() }, 2, &x, &[0, 1, 1, 0]);
    let scores = stump.predict(ArrayView2::from_shape((4, 2), &x).unwrap());
    // One row of each class in either leaf: the tie is class 0.
    assert_eq!((scores.classes, scores.scores), (vec![0; 4], vec![0.5; 4]));
}

#[test]
fn one_class_or_no_features_give_a_single_leaf() {
    let tree = fit(&TreeParams::default(), 1, &[1.0, 2.0], &[1, 1]);
    assert_eq!(tree.nodes(), [Node { counts: [0, 2], split: None }]);
    let tree = fit(&TreeParams::default(), 0, &[], &[1, 0, 1]);
    assert_eq!(tree.nodes(), [Node { counts: [1, 2], split: None }]);
    assert_eq!(tree.predict(Array2::zeros((2, 0)).view()).scores, [2.0 / 3.0; 2]);
}

#[test]
fn no_rows_are_refused() {
    let x = Array2::zeros((0, 2));
    let error = TreeParams::default().fit(Dataset::new(x.view(), &[]), &Context::default()).err();
    assert_eq!(error, Some(FitError::OneClass { model: "decision tree", benign: 0, malicious: 0 }));
}

#[test]
fn a_cancelled_fit_stops() {
    let cancelled = std::sync::atomic::AtomicBool::new(true);
    let context = Context { cancelled: &cancelled, ..Context::default() };
    let x = Array2::zeros((2, 1));
    assert_eq!(TreeParams::default().fit(Dataset::new(x.view(), &[0, 1]), &context).err(), Some(FitError::Cancelled));
}

#[test]
fn parameters_outside_their_range_are_refused_by_name() {
    let refusal = |name, value| TreeParams::from_map(&map(&[(name, value)])).unwrap_err().to_string();
    assert_eq!(
        refusal("criterion", ParamValue::Text("log_loss".to_owned())),
        "decision tree: criterion must be gini or entropy, received log_loss"
    );
    assert_eq!(
        refusal("max_depth", ParamValue::Int(0)),
        "decision tree: max_depth must be a whole number from 1 to 4294967295 or none, received 0"
    );
    assert_eq!(
        refusal("min_samples_split", ParamValue::Int(1)),
        "decision tree: min_samples_split must be a whole number from 2 to 4294967295, received 1"
    );
    assert_eq!(
        refusal("min_samples_leaf", ParamValue::Float(0.1)),
        "decision tree: min_samples_leaf must be a whole number from 1 to 4294967295, received 0.1"
    );
    assert_eq!(
        refusal("splitter", ParamValue::Text("best".to_owned())),
        "decision tree has no parameter \"splitter\"; it has criterion, max_depth, min_samples_split, min_samples_leaf, \
         max_bins"
    );
    assert_eq!(
        refusal("max_bins", ParamValue::Int(1)),
        "decision tree: max_bins must be a whole number from 2 to 65535 or none, received 1"
    );
}

#[test]
fn parameters_round_trip_with_scikit_learns_defaults() {
    let default = TreeParams::default().to_map();
    let expected = map(&[
        ("criterion", ParamValue::Text("gini".to_owned())),
        ("max_bins", ParamValue::None),
        ("max_depth", ParamValue::None),
        ("min_samples_leaf", ParamValue::Int(1)),
        ("min_samples_split", ParamValue::Int(2)),
    ]);
    assert_eq!(default, expected);
    assert_eq!(TreeParams::from_map(&default), Ok(TreeParams::default()));
    assert_eq!(TreeParams::from_map(&ParamMap::new()), Ok(TreeParams::default()));
    let none = map(&[("max_depth", ParamValue::Text("none".to_owned()))]);
    assert_eq!(TreeParams::from_map(&none).unwrap().max_depth, None);
}

#[test]
fn bytes_whose_walks_do_not_end_in_a_leaf_are_refused() {
    let tree = fit(&TreeParams::default(), 1, &[1.0, 2.0], &[0, 1]);
    let json = serde_json::to_string(&tree).unwrap();
    assert_eq!(serde_json::from_str::<Tree>(&json).unwrap(), tree);
    for (part, broken) in
        [("\"right\":2", "\"right\":0"), ("\"right\":2", "\"right\":3"), ("feature\":0", "feature\":1")]
    {
        assert!(json.contains(part));
        let error = serde_json::from_str::<Tree>(&json.replace(part, broken)).unwrap_err().to_string();
        assert!(error.contains("node 0 of the decision tree is malformed"), "{error}");
    }
}

/// Rows of three features, two with few values, one with many.
fn rows() -> impl Strategy<Value = (Vec<[f64; 3]>, Vec<u8>)> {
    let value = |values: i32| (0..values).prop_map(|value| f64::from(value) / 7.0);
    prop::collection::vec((value(4), value(9), value(1000), 0..=1_u8), 12..80)
        .prop_map(|rows| rows.into_iter().map(|(a, b, c, class)| ([a, b, c], class)).unzip())
}

fn params() -> impl Strategy<Value = TreeParams> {
    let criterion = prop_oneof![Just(Criterion::Gini), Just(Criterion::Entropy)];
    let max_bins = prop::option::of(2..100_usize);
    (criterion, prop::option::of(1..8_usize), 2..12_usize, 1..8_usize, max_bins).prop_map(
        |(criterion, max_depth, min_samples_split, min_samples_leaf, max_bins)| TreeParams {
            criterion,
            max_depth,
            min_samples_split,
            min_samples_leaf,
            max_bins,
        },
    )
}

/// As many as the rows that [`rows`] gives at most.
const ENOUGH_BINS: usize = 80;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn splits_respect_the_limits_and_children_share_out_the_rows((x, y) in rows(), params in params()) {
        let tree = fit(&params, 3, &x.concat(), &y);
        prop_assert!(params.max_depth.is_none_or(|depth| tree.depth() <= depth));
        for (index, node) in tree.nodes().iter().enumerate() {
            let Some(split) = &node.split else { continue };
            let (left, right) = (&tree.nodes()[index + 1], &tree.nodes()[split.right as usize]);
            prop_assert!(node.rows() >= params.min_samples_split);
            prop_assert!(left.rows().min(right.rows()) >= params.min_samples_leaf);
            for class in 0..2 {
                prop_assert_eq!(left.counts[class] + right.counts[class], node.counts[class]);
            }
        }
    }

    #[test]
    fn the_order_of_rows_does_not_matter((x, y) in rows(), params in params()) {
        let forwards = fit(&params, 3, &x.concat(), &y);
        let (x, y): (Vec<[f64; 3]>, Vec<u8>) = x.into_iter().zip(y).rev().unzip();
        prop_assert_eq!(forwards, fit(&params, 3, &x.concat(), &y));
    }

    #[test]
    fn with_a_bin_for_every_value_the_tree_is_the_exact_one((x, y) in rows(), params in params()) {
        let exact = fit(&TreeParams { max_bins: None, ..params.clone() }, 3, &x.concat(), &y);
        prop_assert_eq!(exact, fit(&TreeParams { max_bins: Some(ENOUGH_BINS), ..params }, 3, &x.concat(), &y));
    }

    #[test]
    fn a_search_scores_each_candidate_as_if_fitted_alone(
        (x, y) in rows(),
        mut params in prop::collection::vec(params(), 6),
    ) {
        // Fewer bins are cut otherwise where the held-out rows are not there.
        params.iter_mut().for_each(|params| params.max_bins = params.max_bins.map(|bins| bins.max(ENOUGH_BINS)));
        let x = x.concat();
        let data = Dataset::new(ArrayView2::from_shape((y.len(), 3), &x).unwrap(), &y);
        let Ok(folds) = Folds::stratified(&y, 3) else { return Ok(()) };
        // With no memory to spare the pieces follow one another.
        let frugal = Context { memory: 0, ..Context::default() };
        let together = search(&params, data, &folds, &Context::default()).unwrap();
        prop_assert_eq!(&together, &search(&params, data, &folds, &frugal).unwrap());
        for (params, together) in params.iter().zip(together) {
            for (fold, accuracy) in folds.folds().iter().zip(together.accuracy) {
                let train: Vec<f64> = fold.train.iter().flat_map(|&row| data.row(row as usize)).copied().collect();
                let classes: Vec<u8> = fold.train.iter().map(|&row| y[row as usize]).collect();
                let tree = fit(params, 3, &train, &classes);
                let test: Vec<f64> = fold.test.iter().flat_map(|&row| data.row(row as usize)).copied().collect();
                let predicted = tree.predict(ArrayView2::from_shape((fold.test.len(), 3), &test).unwrap()).classes;
                let right = predicted.iter().zip(&fold.test).filter(|&(class, &row)| *class == y[row as usize]).count();
                prop_assert_eq!(accuracy, right as f64 / fold.test.len() as f64);
            }
        }
    }
}

/// Rows of 4 features, large enough for the parallel paths.
fn noise(rows: u64) -> (Vec<f64>, Vec<u8>) {
    let noise = |seed: u64| {
        let mixed = (seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        ((mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as f64 / (1 << 24) as f64
    };
    let x: Vec<f64> = (0..rows * 4).map(noise).collect();
    let y: Vec<u8> = (0..rows).map(|row| u8::from(noise(row * 4 + 1) + noise(row + (1 << 40)) > 1.0)).collect();
    (x, y)
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let (x, y) = noise(20_000);
    for max_bins in [None, Some(100), Some(1000)] {
        let on = |threads: usize| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let criterion = Criterion::Entropy;
            let params = TreeParams { max_depth: Some(6), criterion, max_bins, ..TreeParams::default() };
            pool.install(|| fit(&params, 4, &x, &y))
        };
        let tree = on(1);
        assert!(tree.nodes().len() > 40);
        assert_eq!(tree, on(2));
    }
}

/// Nodes with and without histograms, bins of one and of two bytes.
#[test]
fn with_a_bin_for_every_value_a_large_tree_is_the_exact_one() {
    let (x, y) = noise(20_000);
    for values in [200.0, 5000.0] {
        let x: Vec<f64> = x.iter().map(|value| (value * values).floor()).collect();
        let params = TreeParams { min_samples_leaf: 3, ..TreeParams::default() };
        let exact = fit(&params, 4, &x, &y);
        assert!(exact.nodes().len() > 2000);
        assert_eq!(exact, fit(&TreeParams { max_bins: Some(5000), ..params }, 4, &x, &y));
    }
}

/// Leaf sizes that part ways, on columns large enough for every path.
#[test]
fn trees_that_fork_score_as_if_grown_alone() {
    let (x, y) = noise(12_000);
    let data = Dataset::new(ArrayView2::from_shape((y.len(), 4), &x).unwrap(), &y);
    let folds = Folds::stratified(&y, 2).unwrap();
    for max_bins in [None, Some(64)] {
        let candidates: Vec<TreeParams> = [1, 2, 4, 40, 400, 4000]
            .map(|min_samples_leaf| TreeParams { min_samples_leaf, max_bins, ..TreeParams::default() })
            .to_vec();
        let together = search(&candidates, data, &folds, &Context::default()).unwrap();
        for (candidate, together) in candidates.into_iter().zip(together) {
            assert_eq!(search(&[candidate], data, &folds, &Context::default()).unwrap(), [together]);
        }
    }
}

#[test]
fn bins_keep_what_a_tree_learns() {
    let (x, y) = noise(20_000);
    let (train, test) = x.split_at(15_000 * 4);
    let right = |max_bins| {
        let tree = fit(&TreeParams { max_depth: Some(4), max_bins, ..TreeParams::default() }, 4, train, &y[..15_000]);
        let predicted = tree.predict(ArrayView2::from_shape((5000, 4), test).unwrap()).classes;
        predicted.iter().zip(&y[15_000..]).filter(|(a, b)| a == b).count()
    };
    assert!(right(None).abs_diff(right(Some(32))) < 50, "{} of 5000 and {}", right(None), right(Some(32)));
}
