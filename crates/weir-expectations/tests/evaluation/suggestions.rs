use serde_json::json;
use weir_contract::expectation::Policy;
use weir_contract::{Flow, FlowBatch};
use weir_expectations::{Checked, Profile, suggest};

use crate::flow;

fn profile(flows: &FlowBatch) -> Profile {
    let mut profile = Profile::default();
    profile.observe(flows, 0..flows.len());
    profile
}

fn thousand() -> FlowBatch {
    (1..=1000)
        .map(|it| Flow { flow_id: Some(format!("f{it}")), ..flow(Some(40 * it), (it % 3 > 0).then_some(it)) })
        .collect()
}

#[test]
fn a_suggested_suite_holds_on_the_data_it_came_from() {
    let flows = thousand();
    let suite = suggest(&profile(&flows));
    let checked = Checked::parse(&serde_json::to_string(&suite).unwrap(), "suggested.json").unwrap();
    let mut evaluation = checked.start();
    evaluation.observe(&checked, &flows, 0..flows.len(), &mut |_, _| {});
    let result = evaluation.finish(&checked, Policy::Always).unwrap();
    assert!(result.success, "{:?}", result.results.iter().filter(|it| !it.success).collect::<Vec<_>>());
}

#[test]
fn it_expects_what_was_seen_and_no_more() {
    let suite = suggest(&profile(&thousand()));
    let has = |kind: &str, column: &str| {
        suite
            .expectations
            .iter()
            .any(|it| it.kind == format!("expect_{kind}") && it.kwargs.values().any(|value| *value == json!(column)))
    };
    assert!(has("column_values_to_not_be_null", "bytes") && !has("column_values_to_not_be_null", "packets"));
    assert!(has("column_values_to_be_unique", "flow_id"));
    assert!(has("column_pair_values_a_to_be_greater_than_b", "bytes"));
    assert!(has("column_values_to_be_in_set", "transport") && !has("column_values_to_be_in_set", "attack"));

    let twice = thousand().take(&[0, 0]);
    let kinds: Vec<String> = suggest(&profile(&twice)).expectations.into_iter().map(|it| it.kind).collect();
    assert!(!kinds.contains(&"expect_column_values_to_be_unique".to_owned()));
}

#[test]
fn other_data_breaks_it() {
    let checked = Checked::new(suggest(&profile(&thousand())), "suggested").unwrap();
    let odd: FlowBatch =
        [Flow { flow_id: Some("x".to_owned()), ..flow(Some(1 << 60), Some(1 << 61)) }].into_iter().collect();
    let mut evaluation = checked.start();
    evaluation.observe(&checked, &odd, 0..1, &mut |_, _| {});
    let failed = evaluation.failed(&checked).unwrap();
    let broken: Vec<String> = (0..checked.len()).filter(|it| failed[*it]).map(|it| checked.describe(it)).collect();
    assert_eq!(broken.len(), 3, "{broken:?}");
}

#[test]
fn nothing_seen_suggests_nothing_about_values() {
    let kinds: Vec<String> = suggest(&Profile::default()).expectations.into_iter().map(|it| it.kind).collect();
    let tables = ["expect_table_columns_to_match_set", "expect_column_values_to_be_of_type"];
    assert!(kinds.iter().all(|kind| tables.contains(&kind.as_str())));
}
