use serde_json::{Value, json};
use weir_contract::FlowBatch;
use weir_contract::expectation::Policy;
use weir_expectations::{Evaluation, MAX_DISTINCT, MAX_KEYS};

use crate::{five, flow, suite};

#[test]
fn too_many_rows_for_uniqueness_are_an_error_with_a_remedy() {
    let checked = suite("column_values_to_be_unique", json!({"column": "bytes"})).unwrap();
    let mut evaluation = checked.start();
    evaluation.observe(&checked, &five(), 0..5, &mut |_, _| {});
    // As if from a machine that has seen as many as there may be: the fifth is in both.
    let mut text: Value = serde_json::to_value(&evaluation).unwrap();
    text["states"][0]["Keys"]["rows"] = json!(MAX_KEYS - 3);
    let mut full: Evaluation = serde_json::from_value(text).unwrap();
    assert!(full.finish(&checked, Policy::Always).is_ok());
    full.merge(&checked, evaluation.clone());
    assert!(full.finish(&checked, Policy::Always).is_ok());
    full.merge(&checked, evaluation);
    let error = full.finish(&checked, Policy::Always).unwrap_err();
    let place = "s.json: expectation 1 (expect_column_values_to_be_unique)";
    let fact = format!("{place}: uniqueness is checked for at most {MAX_KEYS} rows, received {}", MAX_KEYS + 3);
    assert_eq!(error.to_string(), fact);
    assert!(error.hint.clone().unwrap().contains("per input file"));
    assert_eq!(full.failed(&checked).unwrap_err(), error);
    assert_eq!(full.duplicates(&checked).unwrap_err(), error);
}

#[test]
fn too_many_distinct_values_are_an_error_with_a_remedy() {
    let checked = suite("column_unique_value_count_to_be_between", json!({"column": "bytes"})).unwrap();
    let flows: FlowBatch = (0..=MAX_DISTINCT as u64).map(|bytes| flow(Some(bytes), None)).collect();
    let mut evaluation = checked.start();
    evaluation.observe(&checked, &flows, 0..flows.len(), &mut |_, _| {});
    let error = evaluation.finish(&checked, Policy::Always).unwrap_err();
    assert!(error.message.contains("more than 1000000 distinct values"), "{error}");
    assert!(error.hint.unwrap().contains("quantiles"));
}
