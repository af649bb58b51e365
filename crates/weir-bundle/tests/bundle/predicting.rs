//! A bundle predicts what the detector predicts, and says why where it does not.

use ndarray::{Array2, array};
use weir_bundle::{Bundle, Refused, VectorError};
use weir_contract::{Family, FlowBatch, ParamMap, ParamValue, Representation, Transport};
use weir_models::Classifier;

use crate::fixture::{Fixture, features, flow, flows};

fn opened(fixture: &Fixture) -> Bundle {
    let dir = tempfile::tempdir().unwrap();
    Bundle::write(dir.path(), &fixture.parts()).unwrap()
}

#[test]
fn flows_are_predicted_to_the_bit_as_by_the_fitted_detector() {
    let batch = flows(60..160);
    for &representation in Representation::ALL {
        for &family in Family::ALL {
            let fixture = Fixture::of(representation, family);
            let bundle = opened(&fixture);
            let x = features(&fixture.transform, &batch);
            let expected = fixture.detector.predict(x.view());

            let predictions = bundle.predict(&batch);
            let labels: Vec<u8> = predictions.labels.iter().map(|label| label.unwrap()).collect();
            let bits: Vec<u64> = predictions.scores.iter().map(|score| score.unwrap().to_bits()).collect();
            assert_eq!(labels, expected.classes);
            assert_eq!(bits, expected.scores.iter().map(|score| score.to_bits()).collect::<Vec<_>>());
            assert_eq!(predictions.refused, []);
            assert_eq!(bundle.predict_features(x.view()).unwrap(), expected);
        }
    }
}

#[test]
fn a_tree_learns_the_truth_of_the_fixture() {
    let batch = flows(60..160);
    let predictions = opened(&Fixture::of(Representation::Baseline, Family::DecisionTree)).predict(&batch);
    assert_eq!(predictions.labels, batch.label.iter().collect::<Vec<_>>());
}

#[test]
fn rows_without_prediction_keep_their_place_and_have_a_reason() {
    let bundle = opened(&Fixture::of(Representation::Baseline, Family::Knn));
    let mut icmp = flow(1);
    icmp.transport = Transport::Icmp;
    let mut empty = flow(2);
    empty.bytes = None;
    let mut instant = flow(4);
    instant.duration_ns = Some(0);
    let mut both = empty.clone();
    both.transport = Transport::Other;
    let batch: FlowBatch = [flow(0), icmp, empty, flow(3), instant, both, flow(5)].into_iter().collect();

    let predictions = bundle.predict(&batch);
    let reasons: Vec<String> = predictions.refused.iter().map(Refused::to_string).collect();
    assert_eq!(
        reasons,
        [
            "row 1: transport is not in the feature set",
            "row 2: feature bytes: an input is null and the feature names no missing value",
            "row 4: feature rate: the value is not finite",
            "row 5: transport is not in the feature set",
        ]
    );
    assert_eq!(predictions.labels, [Some(1), None, None, Some(1), None, None, Some(0)]);
    let scored: Vec<bool> = predictions.scores.iter().map(Option::is_some).collect();
    assert_eq!(scored, [true, false, false, true, false, false, true]);
}

#[test]
fn a_flow_alone_is_predicted_as_among_others() {
    for &family in Family::ALL {
        let bundle = opened(&Fixture::of(Representation::Baseline, family));
        let whole = bundle.predict(&flows(60..80));
        for i in 0..20 {
            let alone = bundle.predict(&[flow(60 + i)].into_iter().collect());
            let i = i as usize;
            assert_eq!(alone.labels[0], whole.labels[i]);
            assert_eq!(alone.scores[0].map(f64::to_bits), whole.scores[i].map(f64::to_bits));
        }
    }
}

#[test]
fn nothing_in_gives_nothing_out() {
    for &family in Family::ALL {
        let bundle = opened(&Fixture::of(Representation::Baseline, family));
        assert_eq!(bundle.predict(&FlowBatch::default()), Default::default());
        let scores = bundle.predict_features(Array2::zeros((0, 3)).view()).unwrap();
        assert!(scores.classes.is_empty() && scores.scores.is_empty());
    }
}

#[test]
fn vectors_of_another_width_or_without_numbers_are_refused() {
    let bundle = opened(&Fixture::of(Representation::Baseline, Family::DecisionTree));
    let error = bundle.predict_features(array![[1.0, 2.0]].view()).unwrap_err();
    assert_eq!(error, VectorError::Width { expected: 3, received: 2 });
    let error = bundle.predict_features(array![[1.0, 2.0, 3.0], [1.0, f64::NAN, 3.0]].view()).unwrap_err();
    assert_eq!(error.to_string(), "row 1: feature rate has to be finite, received NaN");
}

#[test]
fn a_flow_whose_score_overflows_is_refused_and_not_benign() {
    // (0.1 x.z + 1)^100 overflows from about 10^4 on.
    let params = ParamMap::from([
        ("kernel".to_owned(), ParamValue::Text("poly".to_owned())),
        ("gamma".to_owned(), ParamValue::Float(0.1)),
        ("coef0".to_owned(), ParamValue::Int(1)),
        ("degree".to_owned(), ParamValue::Int(100)),
    ]);
    let bundle = opened(&Fixture::with(Representation::Baseline, Family::Svc, &params));
    let mut fast = flow(1);
    (fast.bytes, fast.duration_ns) = (Some(u64::MAX), Some(1));
    let mut icmp = flow(3);
    icmp.transport = Transport::Icmp;
    let predictions = bundle.predict(&[flow(0), fast, flow(2), icmp].into_iter().collect());
    let reasons: Vec<String> = predictions.refused.iter().map(Refused::to_string).collect();
    assert_eq!(
        reasons,
        ["row 1: the values are too far outside the range of train", "row 3: transport is not in the feature set"]
    );
    let labelled: Vec<bool> = predictions.labels.iter().map(Option::is_some).collect();
    let scored: Vec<bool> = predictions.scores.iter().map(Option::is_some).collect();
    assert_eq!((labelled, scored), (vec![true, false, true, false], vec![true, false, true, false]));
}

#[test]
fn a_vector_too_far_outside_the_range_of_train_is_refused_by_every_family() {
    for &representation in Representation::ALL {
        for &family in Family::ALL {
            let bundle = opened(&Fixture::of(representation, family));
            // The rate has a range below 1, so that scaling overflows.
            let error = bundle.predict_features(array![[8.0, 0.01, 443.0], [8.0, 1.7e308, 443.0]].view()).unwrap_err();
            assert_eq!(error, VectorError::TooFar { row: 1 }, "{representation}-{family}");
            assert_eq!(error.to_string(), "row 1: the values are too far outside the range of train");
        }
    }
}

#[test]
fn vectors_may_lie_in_memory_in_any_order() {
    for &family in Family::ALL {
        let fixture = Fixture::of(Representation::Baseline, family);
        let bundle = opened(&fixture);
        let x = features(&fixture.transform, &flows(60..90));
        let columns = x.t().as_standard_layout().into_owned();
        assert_eq!(bundle.predict_features(columns.t()).unwrap(), bundle.predict_features(x.view()).unwrap());
    }
}
