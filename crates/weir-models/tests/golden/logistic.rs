//! Logistic regression against scikit-learn's `LogisticRegression(tol=1e-10, max_iter=10_000)`: with its solvers run
//! to the optimum, everything agrees.

use weir_models::logistic::{Logistic, LogisticParams};
use weir_models::{Classifier, Context, search};

use crate::{Data, Golden, read};

#[test]
fn fold_accuracies_are_those_of_scikit_learn() {
    let (data, golden): (Data, Golden) = (Data::read(), read("logistic-regression.json"));
    let candidates: Vec<LogisticParams> =
        golden.candidates.iter().map(|candidate| LogisticParams::from_map(&candidate.parameters).unwrap()).collect();
    let ours = search(&candidates, data.train(), &data.folds(), &Context::default()).unwrap();
    assert_eq!(ours.len(), golden.candidates.len());
    for (ours, theirs) in ours.iter().zip(&golden.candidates) {
        assert_eq!(ours.accuracy, theirs.scores, "{:?}", theirs.parameters);
        assert_eq!(ours.unconverged, 0, "{:?}", theirs.parameters);
    }
    let best = |mean: f64| ours.iter().all(|candidate| candidate.accuracy.iter().sum::<f64>() <= mean);
    let named = golden.candidates.iter().position(|candidate| candidate.parameters == golden.best).unwrap();
    assert!(best(ours[named].accuracy.iter().sum()));
}

#[test]
fn predictions_and_probabilities_are_those_of_scikit_learn() {
    let (data, golden): (Data, Golden) = (Data::read(), read("logistic-regression.json"));
    assert!(!golden.fits.is_empty());
    for fit in &golden.fits {
        let params = LogisticParams::from_map(&fit.parameters).unwrap();
        let fitted = params.fit(data.train(), &Context::default()).unwrap();
        assert!(fitted.converged);
        let model: Logistic = fitted.model;
        let ours = model.predict(data.test());
        assert_eq!(ours.classes, fit.predicted, "{:?}", fit.parameters);
        for (ours, theirs) in ours.scores.iter().zip(&fit.scores) {
            assert!((ours - theirs).abs() <= 1e-6, "{:?}: {ours} and {theirs}", fit.parameters);
        }
    }
}
