//! What suites say about flows; equality with Great Expectations itself is in `tests/great_expectations`.

mod cutting;
mod limits;
mod refusals;
mod results;
mod suggestions;

use serde_json::{Value, json};
use weir_contract::expectation::{ExpectationResult, Policy};
use weir_contract::{Flow, FlowBatch, Label, Transport};
use weir_expectations::{Checked, SuiteError};

fn flow(bytes: Option<u64>, packets: Option<u64>) -> Flow {
    Flow {
        flow_id: Some("a".to_owned()),
        event_time: Some(1_700_000_000_000),
        source_ip: "10.0.0.1".parse().unwrap(),
        destination_ip: "10.0.0.2".parse().unwrap(),
        source_port: None,
        destination_port: Some(80),
        transport: Transport::Tcp,
        bytes,
        packets,
        duration_ns: Some(5),
        last: None,
        label: Some(Label::Benign),
        attack: None,
    }
}

/// Five flows; bytes 10, -, 3, 1, - and packets 1, 1, 3, 2, -.
fn five() -> FlowBatch {
    [(Some(10), Some(1)), (None, Some(1)), (Some(3), Some(3)), (Some(1), Some(2)), (None, None)]
        .into_iter()
        .map(|(bytes, packets)| flow(bytes, packets))
        .collect()
}

fn suite(kind: &str, kwargs: Value) -> Result<Checked, SuiteError> {
    let expectation = json!({"type": format!("expect_{kind}"), "kwargs": kwargs});
    Checked::parse(&json!({"name": "s", "expectations": [expectation]}).to_string(), "s.json")
}

/// The result of one expectation over flows, and its unexpected rows.
fn run(flows: &FlowBatch, kind: &str, kwargs: Value) -> (ExpectationResult, Vec<usize>) {
    let checked = suite(kind, kwargs).unwrap();
    let mut evaluation = checked.start();
    let mut rows = Vec::new();
    evaluation.observe(&checked, flows, 0..flows.len(), &mut |row, _| rows.push(row));
    if let Some(duplicates) = evaluation.duplicates(&checked).unwrap() {
        duplicates.observe(&checked, flows, 0..flows.len(), &mut |row, _| rows.push(row));
        rows.iter().for_each(|row| evaluation.show(&checked, flows, *row, 0));
    }
    let result = evaluation.finish(&checked, Policy::Always).unwrap();
    assert_eq!(evaluation.failed(&checked).unwrap(), [!result.success]);
    (result.results[0].clone(), rows)
}

/// Success and observed value.
fn observe(flows: &FlowBatch, kind: &str, kwargs: Value) -> (bool, Value) {
    let (result, _) = run(flows, kind, kwargs);
    (result.success, result.result.get("observed_value").cloned().unwrap_or(Value::Null))
}
