//! Facts about logistic regression, on small and on random data.

use ndarray::{Array2, ArrayView2};
use proptest::prelude::*;
use rayon::ThreadPoolBuilder;
use weir_contract::{ParamMap, ParamValue};

use super::*;
use crate::classifier::Classifier;
use crate::context::Simd;
use crate::folds::Folds;
use crate::{ModelParams, Plan, search};

fn fit(params: &LogisticParams, features: usize, x: &[f64], y: &[u8]) -> Fit<Logistic> {
    let x = ArrayView2::from_shape((y.len(), features), x).unwrap();
    params.fit(Dataset::new(x, y), &Context::default()).unwrap()
}

fn params(c: f64, solver: Solver) -> LogisticParams {
    LogisticParams { c, solver, ..LogisticParams::default() }
}

fn map(entries: &[(&str, ParamValue)]) -> ParamMap {
    entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// Gradient of `1/2 w.w [+ 1/2 b^2] + C sum log(1 + exp(-y z))` at the model, by the textbook formula.
fn gradient(params: &LogisticParams, model: &Logistic, features: usize, x: &[f64], y: &[u8]) -> Vec<f64> {
    let mut gradient = model.weights().to_vec();
    gradient.push(if params.solver == Solver::Liblinear { model.intercept() } else { 0.0 });
    let scores = model.predict(ArrayView2::from_shape((y.len(), features), x).unwrap()).scores;
    for (row, (&class, p)) in y.iter().zip(scores).enumerate() {
        let residual = params.c * (p - f64::from(class));
        for feature in 0..features {
            gradient[feature] += residual * x[row * features + feature];
        }
        gradient[features] += residual;
    }
    gradient
}

/// Without features the intercept is the log-odds, here of 1 in 4; liblinear pulls it towards 0.
#[test]
fn without_features_the_intercept_is_the_log_odds() {
    let fitted = fit(&params(1.0, Solver::Lbfgs), 0, &[], &[0, 1, 0, 0]);
    assert!((fitted.model.intercept() - (1.0_f64 / 3.0).ln()).abs() < 1e-12);
    assert_eq!(fitted.model.predict(Array2::zeros((2, 0)).view()).classes, [0, 0]);
    let pulled = fit(&params(1.0, Solver::Liblinear), 0, &[], &[0, 1, 0, 0]).model.intercept();
    assert!(fitted.model.intercept() < pulled && pulled < 0.0);
}

#[test]
fn separable_classes_have_a_bounded_optimum() {
    let (x, y) = ([0.0, 1.0, 2.0, 3.0], [0, 0, 1, 1]);
    for c in [1e-6, 1.0, 1e6, 1e12] {
        let params = params(c, Solver::NewtonCg);
        let fitted = fit(&params, 1, &x, &y);
        assert!(fitted.converged, "C {c}");
        let weight = fitted.model.weights()[0];
        assert!(weight > 0.0 && weight < 100.0, "C {c}: {weight}");
        // The boundary is halfway by symmetry.
        assert!((fitted.model.intercept() / weight + 1.5).abs() < 1e-6, "C {c}");
    }
}

/// An unpenalised intercept carries a constant alone. A penalised one shares it with a constant feature of 2, so that
/// `w^2 + b^2` is least for the same `2 w + b`: at `w = 2 b`.
#[test]
fn constant_features_get_no_weight_unless_the_intercept_costs_too() {
    let x = [0.0, 2.0, 0.0, 2.0, 0.0, 2.0];
    let strict = LogisticParams { tol: 1e-10, ..params(1.0, Solver::Lbfgs) };
    let fitted = fit(&strict, 2, &x, &[0, 0, 1]);
    assert!(fitted.converged);
    assert!(fitted.model.weights().iter().all(|weight| weight.abs() < 1e-12), "{:?}", fitted.model);
    assert!((fitted.model.intercept() - 0.5_f64.ln()).abs() < 1e-12);
    let fitted = fit(&params(1.0, Solver::Liblinear), 2, &x, &[0, 0, 1]);
    assert_eq!(fitted.model.weights()[0], 0.0);
    assert!((fitted.model.weights()[1] - 2.0 * fitted.model.intercept()).abs() < 1e-12);
}

#[test]
fn a_single_class_is_refused() {
    let x = Array2::zeros((3, 1));
    let error = LogisticParams::default().fit(Dataset::new(x.view(), &[1, 1, 1]), &Context::default()).err().unwrap();
    assert_eq!(error.to_string(), "logistic regression needs rows of both classes, found 0 benign and 3 malicious");
}

#[test]
fn too_few_iterations_are_reported() {
    let (x, y) = ([0.0, 1.0, 0.4, 3.0], [0, 0, 1, 1]);
    let hurried = LogisticParams { max_iter: 1, ..LogisticParams::default() };
    assert!(!fit(&hurried, 1, &x, &y).converged);
    assert!(fit(&LogisticParams::default(), 1, &x, &y).converged);
}

/// Values whose squares overflow end the iteration, with a finite model that says it did not converge.
#[test]
fn overflowing_values_do_not_hang() {
    let fitted = fit(&LogisticParams::default(), 1, &[1e200, -1e300, 1e308, 5.0], &[0, 1, 0, 1]);
    assert!(!fitted.converged);
    assert!(fitted.model.weights()[0].is_finite() && fitted.model.intercept().is_finite());
}

#[test]
fn parameters_outside_their_range_are_refused_by_name() {
    let refusal = |name, value| LogisticParams::from_map(&map(&[(name, value)])).unwrap_err().to_string();
    assert_eq!(
        refusal("C", ParamValue::Int(0)),
        "logistic regression: C must be a number from 1e-300 to 1e300, received 0"
    );
    assert_eq!(
        refusal("solver", ParamValue::Text("saga".to_owned())),
        "logistic regression: solver must be newton-cg or lbfgs or liblinear, received saga"
    );
    assert_eq!(
        refusal("tol", ParamValue::Float(-1.5)),
        "logistic regression: tol must be a number above 0, received -1.5"
    );
    assert_eq!(
        refusal("max_iter", ParamValue::Int(0)),
        "logistic regression: max_iter must be a whole number from 1 to 4294967295, received 0"
    );
    assert_eq!(
        refusal("penalty", ParamValue::Text("l1".to_owned())),
        "logistic regression has no parameter \"penalty\"; it has C, solver, tol, max_iter"
    );
}

#[test]
fn parameters_round_trip_with_scikit_learns_defaults() {
    let default = LogisticParams::default().to_map();
    let expected = map(&[
        ("C", ParamValue::Int(1)),
        ("max_iter", ParamValue::Int(100)),
        ("solver", ParamValue::Text("lbfgs".to_owned())),
        ("tol", ParamValue::Float(1e-4)),
    ]);
    assert_eq!(default, expected);
    assert_eq!(LogisticParams::from_map(&default), Ok(LogisticParams::default()));
}

#[test]
fn a_fitted_model_survives_its_bytes() {
    let model = fit(&LogisticParams::default(), 1, &[0.0, 1.0, 0.4, 3.0], &[0, 0, 1, 1]).model;
    let bytes = postcard::to_stdvec(&model).unwrap();
    assert_eq!(postcard::from_bytes::<Logistic>(&bytes), Ok(model.clone()));
    let broken = Logistic::from_coefficients(vec![f64::NAN, 0.0]);
    assert!(postcard::from_bytes::<Logistic>(&postcard::to_stdvec(&broken).unwrap()).is_err());
}

fn rows() -> impl Strategy<Value = (Vec<f64>, Vec<u8>)> {
    let row = (prop::collection::vec(-1.0..1.0_f64, 3), 0..=1_u8);
    prop::collection::vec(row, 9..60).prop_map(|rows| {
        let (x, y): (Vec<Vec<f64>>, Vec<u8>) = rows.into_iter().unzip();
        (x.concat(), y)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn the_gradient_vanishes_at_the_optimum((x, y) in rows(), exponent in -2.0..3.0_f64, liblinear: bool) {
        prop_assume!(y.contains(&0) && y.contains(&1));
        let params = params(10_f64.powf(exponent), if liblinear { Solver::Liblinear } else { Solver::Lbfgs });
        let fitted = fit(&params, 3, &x, &y);
        prop_assert!(fitted.converged);
        for slope in gradient(&params, &fitted.model, 3, &x, &y) {
            prop_assert!(slope.abs() < 1e-6 * params.c.max(1.0), "{}", slope);
        }
    }

    #[test]
    fn a_search_scores_each_candidate_as_if_fitted_alone((x, y) in rows()) {
        let Ok(folds) = Folds::stratified(&y, 3) else { return Ok(()) };
        let data = Dataset::new(ArrayView2::from_shape((y.len(), 3), &x).unwrap(), &y);
        let mut candidates = Vec::new();
        for c in [10.0, 0.1, 1.0] {
            candidates.extend([Solver::NewtonCg, Solver::Lbfgs, Solver::Liblinear].map(|solver| params(c, solver)));
        }
        let together = search(&candidates, data, &folds, &Context::default()).unwrap();
        for (params, together) in candidates.iter().zip(together) {
            prop_assert_eq!(together.unconverged, 0);
            for (fold, accuracy) in folds.folds().iter().zip(together.accuracy) {
                let train: Vec<f64> = fold.train.iter().flat_map(|&row| data.row(row as usize)).copied().collect();
                let classes: Vec<u8> = fold.train.iter().map(|&row| y[row as usize]).collect();
                let model = fit(params, 3, &train, &classes).model;
                let right = fold.test.iter().filter(|&&row| {
                    (model.decision(data.row(row as usize)) > 0.0) == (y[row as usize] == 1)
                });
                prop_assert_eq!(accuracy, right.count() as f64 / fold.test.len() as f64);
            }
        }
    }
}

/// Numbers in `[0, 1)` without pattern.
fn noise(index: usize) -> f64 {
    ((index as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f64 / (1 << 24) as f64
}

/// Several blocks, enough rows to start from a sample, and a last tile that is not full: values `[rows, 4]`, classes.
fn many_rows() -> (Vec<f64>, Vec<u8>) {
    const ROWS: usize = 9005;
    let x: Vec<f64> = (0..ROWS * 4).map(noise).collect();
    let class = |row: usize| u8::from(x[row * 4] + 0.5 * x[row * 4 + 2] + 0.3 * noise(7 * row + 3) > 0.9);
    let y = (0..ROWS).map(class).collect();
    (x, y)
}

#[test]
fn threads_memory_and_instructions_do_not_matter() {
    let (x, y) = many_rows();
    let data = Dataset::new(ArrayView2::from_shape((y.len(), 4), &x).unwrap(), &y);
    let folds = Folds::stratified(&y, 3).unwrap();
    let candidates = [Solver::Lbfgs, Solver::Liblinear].map(|solver| params(1.0, solver));
    let with = |threads: usize, context: Context<'_>| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let fitted = LogisticParams::default().fit(data, &context).unwrap();
            (fitted.model, search(&candidates, data, &folds, &context).unwrap())
        })
    };
    let expected = with(1, Context::default());
    assert_eq!(with(2, Context::default()), expected);
    assert_eq!(with(3, Context { memory: 1, ..Context::default() }), expected);
    assert_eq!(with(2, Context { simd: Simd::Scalar, ..Context::default() }), expected);
}

/// Rows in order of a feature, by which a sample may mislead; then only rows of one class where the sample is drawn.
#[test]
fn the_start_does_not_move_the_optimum() {
    let (x, y) = many_rows();
    let coefficients = |order: &[usize]| {
        let x: Vec<f64> = order.iter().flat_map(|&row| &x[row * 4..row * 4 + 4]).copied().collect();
        let y: Vec<u8> = order.iter().map(|&row| y[row]).collect();
        let params = LogisticParams::default();
        let fitted = fit(&params, 4, &x, &y);
        assert!(fitted.converged);
        for slope in gradient(&params, &fitted.model, 4, &x, &y) {
            assert!(slope.abs() < 1e-4, "{slope} of {} rows", y.len());
        }
        [fitted.model.weights(), &[fitted.model.intercept()]].concat()
    };
    let mut order: Vec<usize> = (0..y.len()).collect();
    let expected = coefficients(&order);
    let mut check = |sort: &dyn Fn(&usize, &usize) -> std::cmp::Ordering| {
        order.sort_by(sort);
        for (ours, expected) in coefficients(&order).iter().zip(&expected) {
            assert!((ours - expected).abs() < 1e-6, "{ours} and {expected}");
        }
    };
    check(&|&a, &b| x[a * 4].total_cmp(&x[b * 4]));
    check(&|&a, &b| y[a].cmp(&y[b]));
    check(&|&a, &b| y[b].cmp(&y[a]));
}

#[test]
fn a_search_of_more_rows_and_more_optima_is_expected_to_take_longer() {
    let (x, y) = many_rows();
    let pieces = |rows: usize, c: &[f64]| {
        let data = Dataset::new(ArrayView2::from_shape((rows, 4), &x[..rows * 4]).unwrap(), &y[..rows]);
        let folds = Folds::stratified(&y[..rows], 3).unwrap();
        let candidates = c.iter().map(|&c| ModelParams::from(params(c, Solver::Lbfgs))).collect::<Vec<_>>();
        Plan::new(&candidates, data, &folds).unwrap().pieces().to_vec()
    };
    let seconds = |rows, c: &[f64]| pieces(rows, c)[0].estimate.seconds;
    let one = seconds(3000, &[1.0]);
    assert!(one > 0.0);
    assert!((seconds(9000, &[1.0]) / one - 3.0).abs() < 0.01);
    assert!((seconds(3000, &[1.0, 10.0, 10.0]) / one - 2.0).abs() < 0.01);
    // 8 (d + 1) n for the layout, and three blocks of 1 + 5 + 15 sums.
    assert_eq!(pieces(3000, &[1.0])[0].estimate.bytes, 8 * 5 * 3000 + 3 * 8 * 21);
}
