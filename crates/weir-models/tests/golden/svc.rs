//! Support vector classification against scikit-learn's `SVC`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ndarray::s;
use weir_contract::{ParamMap, ParamValue};
use weir_models::svc::{Svc, SvcParams};
use weir_models::{CandidateScores, Classifier, Context, Dataset, FitError, Progress, Simd, search};

use super::{Data, Golden, read};

fn candidates(golden: &Golden) -> Vec<SvcParams> {
    golden.candidates.iter().map(|candidate| SvcParams::from_map(&candidate.parameters).expect("valid")).collect()
}

fn searched(context: &Context<'_>) -> Vec<CandidateScores> {
    let data = Data::read();
    search(&candidates(&read("svc.json")), data.train(), &data.folds(), context).expect("both classes are there")
}

fn fitted(parameters: &ParamMap, context: &Context<'_>) -> Svc {
    let fit = SvcParams::from_map(parameters).expect("valid").fit(Data::read().train(), context);
    fit.expect("both classes are there").model
}

fn in_pool<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool").install(run)
}

#[test]
fn every_candidate_scores_on_every_fold_as_in_scikit_learn() {
    let golden: Golden = read("svc.json");
    for (candidate, scores) in golden.candidates.iter().zip(searched(&Context::default())) {
        assert_eq!(scores.unconverged, 0);
        for (ours, theirs) in scores.accuracy.iter().zip(&candidate.scores) {
            // One of the 200 rows of a fold: solutions agree to the tolerance 1e-3, not exactly.
            assert!((ours - theirs).abs() <= 1.0 / 200.0 + 1e-12, "{:?}: {ours} {theirs}", candidate.parameters);
        }
        if candidate.parameters == golden.best {
            assert_eq!(scores.accuracy, candidate.scores);
        }
    }
}

#[test]
fn predictions_and_decision_values_are_those_of_scikit_learn() {
    let data = Data::read();
    let golden: Golden = read("svc.json");
    for fit in &golden.fits {
        let predicted = fitted(&fit.parameters, &Context::default()).predict(data.test());
        assert_eq!(predicted.classes, fit.predicted, "{:?}", fit.parameters);
        for (row, (ours, theirs)) in predicted.scores.iter().zip(&fit.scores).enumerate() {
            assert!((ours - theirs).abs() < 5e-3, "{:?} row {row}: {ours} {theirs}", fit.parameters);
        }
    }
}

#[test]
fn threads_and_memory_leave_every_byte_as_it_is() {
    let roomy = Context::default();
    let cramped = Context { memory: 0, ..roomy };
    let scores = in_pool(1, || searched(&roomy));
    assert_eq!(scores, in_pool(2, || searched(&roomy)));
    assert_eq!(scores, in_pool(2, || searched(&cramped)));
    let data = Data::read();
    for fit in &read::<Golden>("svc.json").fits {
        let model = fitted(&fit.parameters, &roomy);
        assert_eq!(model, fitted(&fit.parameters, &cramped));
        assert_eq!(in_pool(1, || model.predict(data.test())), in_pool(2, || model.predict(data.test())),);
    }
}

#[test]
fn the_portable_path_gives_the_same_model() {
    let portable = Context { simd: Simd::Scalar, ..Context::default() };
    for fit in &read::<Golden>("svc.json").fits {
        assert_eq!(fitted(&fit.parameters, &portable), fitted(&fit.parameters, &Context::default()));
    }
    assert_eq!(searched(&portable), searched(&Context::default()));
}

#[test]
fn a_row_is_predicted_alone_as_among_others() {
    let data = Data::read();
    let model = fitted(&ParamMap::new(), &Context::default());
    let together = model.predict(data.test());
    for row in [0, 1, 150, 299] {
        let alone = model.predict(data.test().slice(s![row..=row, ..]));
        assert_eq!((alone.classes[0], alone.scores[0]), (together.classes[row], together.scores[row]));
    }
    assert_eq!(model.predict(data.test().slice(s![..0, ..])).scores, [0.0; 0]);
}

#[test]
fn equal_candidates_score_equally_and_count_separately() {
    let data = Data::read();
    let linear = ParamMap::from([("kernel".to_owned(), ParamValue::Text("linear".to_owned()))]);
    let mut with_degree = linear.clone();
    with_degree.insert("degree".to_owned(), ParamValue::Int(5));
    let candidates = [linear, with_degree].map(|map| SvcParams::from_map(&map).expect("valid"));
    let counter = Counter::default();
    let context = Context { progress: &counter, ..Context::default() };
    let scores = search(&candidates, data.train(), &data.folds(), &context).expect("both classes are there");
    assert_eq!(scores[0], scores[1]);
    assert_eq!(counter.0.into_inner(), 2 * 3);
}

#[test]
fn a_limit_on_iterations_is_reported() {
    let data = Data::read();
    let params = SvcParams { max_iter: Some(3), ..SvcParams::default() };
    assert!(!params.fit(data.train(), &Context::default()).expect("both classes are there").converged);
    let scores = search(&[params], data.train(), &data.folds(), &Context::default());
    assert_eq!(scores.expect("both classes are there")[0].unconverged, 3);
}

#[test]
fn one_class_and_cancellation_are_refused() {
    let data = Data::read();
    let benign = vec![0; data.train];
    let one_class = Dataset::new(data.x.slice(s![..data.train, ..]), &benign);
    assert_eq!(
        SvcParams::default().fit(one_class, &Context::default()).err(),
        Some(FitError::OneClass { model: "SVC", benign: 600, malicious: 0 })
    );
    let cancelled = AtomicBool::new(true);
    let context = Context { cancelled: &cancelled, ..Context::default() };
    let searched = search(&[SvcParams::default()], data.train(), &data.folds(), &context);
    assert_eq!(searched, Err(FitError::Cancelled));
}

#[derive(Default)]
struct Counter(AtomicU64);

impl Progress for Counter {
    fn advance(&self, pieces: u64) {
        self.0.fetch_add(pieces, Ordering::Relaxed);
    }
}
