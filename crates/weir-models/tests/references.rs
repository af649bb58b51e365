//! Second references on the golden data: linfa's logistic regression and smartcore's decision tree, with what keeps
//! them from being used instead.

use linfa::prelude::*;
use ndarray::{Array1, Array2, s};
use serde::Deserialize;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::tree::decision_tree_classifier::{
    DecisionTreeClassifier, DecisionTreeClassifierParameters, SplitCriterion,
};
use weir_models::logistic::{LogisticParams, Solver};
use weir_models::tree::{Criterion, Tree, TreeParams};
use weir_models::{Classifier, Context};

#[derive(Deserialize)]
struct Raw {
    x: Vec<Vec<f64>>,
    y: Vec<u8>,
    train: usize,
}

fn golden_data() -> Raw {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/data.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn matrix(rows: &[Vec<f64>]) -> Array2<f64> {
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

/// linfa minimises `sum log(1 + exp(-y z)) + alpha / 2 w.w`, so alpha is 1/C; it has no solver that penalises the
/// intercept, starts every fit from nothing and stops by the size of the gradient, hence the looser comparison.
#[test]
fn linfa_finds_the_same_logistic_regression_at_alpha_one_over_c() {
    let data = golden_data();
    let x = matrix(&data.x);
    let (train, test) = (x.slice(s![..data.train, ..]), x.slice(s![data.train.., ..]));
    let y = &data.y[..data.train];
    for c in [0.1, 1.0, 10.0] {
        let params = LogisticParams { c, solver: Solver::NewtonCg, ..LogisticParams::default() };
        let ours = params.fit(weir_models::Dataset::new(train, y), &Context::default()).unwrap().model;

        let dataset = DatasetBase::new(train.to_owned(), Array1::from(y.to_vec()));
        let theirs = linfa_logistic::LogisticRegression::default()
            .alpha(1.0 / c)
            .max_iterations(1000)
            .gradient_tolerance(1e-6)
            .fit(&dataset)
            .unwrap();
        // Which class linfa calls positive depends on the first row and on the counts.
        let sign = if theirs.labels().pos.class == 1 { 1.0 } else { -1.0 };
        for (ours, theirs) in ours.weights().iter().zip(theirs.params()) {
            assert!((ours - sign * theirs).abs() < 1e-6, "C {c}: {ours} and {theirs}");
        }
        assert!((ours.intercept() - sign * theirs.intercept()).abs() < 1e-6);
        assert_eq!(ours.predict(test).classes, theirs.predict(&test.to_owned()).to_vec());
    }
}

fn ours(params: &TreeParams, rows: &[Vec<f64>], classes: &[u8]) -> Tree {
    params.fit(weir_models::Dataset::new(matrix(rows).view(), classes), &Context::default()).unwrap().model
}

/// Predictions of smartcore's tree of `depth` splits on `test`. It counts levels of nodes, one more than splits.
fn smartcore(criterion: Criterion, depth: u16, rows: &[Vec<f64>], classes: &[u8], test: &[Vec<f64>]) -> Vec<u8> {
    let parameters = DecisionTreeClassifierParameters::default()
        .with_criterion(match criterion {
            Criterion::Gini => SplitCriterion::Gini,
            Criterion::Entropy => SplitCriterion::Entropy,
        })
        .with_max_depth(depth + 1);
    let matrix = |rows: &[Vec<f64>]| DenseMatrix::from_2d_vec(&rows.to_vec()).unwrap();
    let classes: Vec<u32> = classes.iter().map(|&class| u32::from(class)).collect();
    let tree = DecisionTreeClassifier::fit(&matrix(rows), &classes, parameters).unwrap();
    tree.predict(&matrix(test)).unwrap().into_iter().map(|class| class as u8).collect()
}

/// Where no value repeats within a feature, smartcore considers the same splits: the data without its discrete column
/// and without rows that repeat an earlier one.
#[test]
fn smartcore_grows_the_same_tree_where_no_value_repeats() {
    let data = golden_data();
    let mut rows: Vec<Vec<f64>> = Vec::new();
    let mut classes = Vec::new();
    for (row, &class) in data.x.iter().zip(&data.y) {
        let repeats = rows.iter().any(|earlier| earlier.iter().zip(&row[1..]).any(|(a, b)| a == b));
        if !repeats {
            rows.push(row[1..].to_vec());
            classes.push(class);
        }
    }
    let (train, test) = rows.split_at(rows.len() * 2 / 3);
    let classes = &classes[..train.len()];
    assert!(test.len() > 200);
    for criterion in [Criterion::Gini, Criterion::Entropy] {
        for depth in 1..=4_u16 {
            let params = TreeParams { criterion, max_depth: Some(depth.into()), ..TreeParams::default() };
            let tree = ours(&params, train, classes);
            let theirs = smartcore(criterion, depth, train, classes, test);
            assert_eq!(tree.predict(matrix(test).view()).classes, theirs, "{params:?}");
        }
    }
}

/// The only split is between 1 and 2. smartcore looks at it only where the class changes from one sorted row to the
/// next, so it depends on which of the two rows of value 1 comes last; scikit-learn and this crate look at it always.
#[test]
fn smartcore_misses_splits_between_repeated_values_depending_on_row_order() {
    let rows = [vec![1.0], vec![1.0], vec![2.0], vec![2.0]];
    let orders = [[0, 1, 1, 1], [1, 0, 1, 1]];
    let theirs = orders.map(|classes| smartcore(Criterion::Gini, 1, &rows, &classes, &rows[..1]));
    assert_ne!(theirs[0], theirs[1]);
    let trees = orders.map(|classes| ours(&TreeParams::default(), &rows, &classes));
    assert_eq!(trees[0], trees[1]);
    assert_eq!(trees[0].nodes().len(), 3);
}
