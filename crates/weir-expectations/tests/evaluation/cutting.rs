use proptest::prelude::*;
use serde_json::json;
use weir_contract::expectation::Policy;
use weir_contract::{Flow, FlowBatch, Label, Transport};
use weir_expectations::{Checked, Evaluation, KNOWN, Profile};

/// A suite that has every kind of state.
fn every_state() -> Checked {
    let quantiles = json!({"quantiles": [0.5], "value_ranges": [[0, 9]]});
    let values = json!({"values": [1, 2], "weights": [0.5, 0.5]});
    let bins = json!({"bins": [0, 2, 9], "weights": [0.5, 0.5]});
    let expectations = json!([
        ["column_values_to_not_be_null", {"column": "bytes"}],
        ["column_values_to_be_between", {"column": "bytes", "min_value": 3, "mostly": 0.5}],
        ["column_values_to_be_in_set", {"column": "transport", "value_set": ["tcp"]}],
        ["column_pair_values_a_to_be_greater_than_b", {"column_A": "bytes", "column_B": "packets"}],
        ["column_values_to_be_unique", {"column": "flow_id"}],
        ["compound_columns_to_be_unique", {"column_list": ["flow_id", "bytes"]}],
        ["column_min_to_be_between", {"column": "bytes", "min_value": 1}],
        ["column_mean_to_be_between", {"column": "packets", "min_value": 1}],
        ["column_stdev_to_be_between", {"column": "packets", "min_value": 1}],
        ["column_median_to_be_between", {"column": "bytes", "min_value": 1}],
        ["column_quantile_values_to_be_between", {"column": "bytes", "quantile_ranges": quantiles}],
        ["column_most_common_value_to_be_in_set", {"column": "source_ip", "value_set": ["10.0.0.1"]}],
        ["column_kl_divergence_to_be_less_than", {"column": "bytes", "partition_object": values, "threshold": 1}],
        ["column_kl_divergence_to_be_less_than", {"column": "bytes", "partition_object": bins, "threshold": 1}],
        ["table_row_count_to_equal", {"value": 5}],
    ]);
    let expectations: Vec<_> = expectations
        .as_array()
        .unwrap()
        .iter()
        .map(|it| json!({"type": format!("expect_{}", it[0].as_str().unwrap()), "kwargs": it[1]}))
        .collect();
    assert!(expectations.iter().all(|it| KNOWN.contains(&it["type"].as_str().unwrap())));
    Checked::parse(&json!({"name": "s", "expectations": expectations}).to_string(), "s.json").unwrap()
}

fn any_flow() -> impl Strategy<Value = Flow> {
    let numbers = (prop::option::of(0u64..12), prop::option::of(prop_oneof![0u64..5, Just(u64::MAX)]));
    (prop::option::of("[a-d]{0,2}"), numbers, prop::option::of(-5i64..5), 0usize..5).prop_map(
        |(flow_id, (bytes, packets), event_time, transport)| Flow {
            flow_id,
            event_time,
            source_ip: if transport == 0 { "::1".parse().unwrap() } else { "10.0.0.1".parse().unwrap() },
            destination_ip: "10.0.0.2".parse().unwrap(),
            source_port: None,
            destination_port: bytes.map(|bytes| bytes as u16),
            transport: Transport::ALL[transport],
            bytes,
            packets,
            duration_ns: Some(5),
            last: None,
            label: bytes.map(|bytes| Label::from_class((bytes % 2) as u8)),
            attack: None,
        },
    )
}

/// A whole evaluation, every piece of which has crossed a machine, and the unexpected cells in order.
fn evaluate(checked: &Checked, flows: &FlowBatch, cuts: &[usize]) -> (Evaluation, Vec<(usize, usize)>) {
    let mut whole: Option<Evaluation> = None;
    let mut found = Vec::new();
    for ends in cuts.windows(2) {
        let mut piece = checked.start();
        piece.observe(checked, flows, ends[0]..ends[1], &mut |row, expectation| found.push((expectation, row)));
        let piece: Evaluation = serde_json::from_str(&serde_json::to_string(&piece).unwrap()).unwrap();
        let piece: Evaluation = postcard::from_bytes(&postcard::to_stdvec(&piece).unwrap()).unwrap();
        match &mut whole {
            None => whole = Some(piece),
            Some(whole) => whole.merge(checked, piece),
        }
    }
    found.sort_unstable();
    (whole.unwrap_or_else(|| checked.start()), found)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn however_the_rows_are_cut_the_result_is_the_same_to_the_byte(
        flows in prop::collection::vec(any_flow(), 0..60),
        cuts in prop::collection::vec(0usize..60, 0..6),
    ) {
        let flows: FlowBatch = flows.into_iter().collect();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(flows.len())).chain([0, flows.len()]).collect();
        cuts.sort_unstable();
        let checked = every_state();
        let (whole, found) = evaluate(&checked, &flows, &[0, flows.len()]);
        let (merged, found_in_pieces) = evaluate(&checked, &flows, &cuts);
        prop_assert_eq!(serde_json::to_string(&whole).unwrap(), serde_json::to_string(&merged).unwrap());
        prop_assert_eq!(found, found_in_pieces);
        let result = |it: &Evaluation| serde_json::to_string(&it.finish(&checked, Policy::Strict).unwrap()).unwrap();
        prop_assert_eq!(result(&whole), result(&merged));

        // From the right instead of from the left.
        let mut pieces = cuts.windows(2).map(|ends| evaluate(&checked, &flows, ends).0).rev();
        let last = pieces.next().unwrap();
        let folded = pieces.fold(last, |later, mut earlier| {
            earlier.merge(&checked, later);
            earlier
        });
        prop_assert_eq!(result(&whole), result(&folded));

        let mut profile = Profile::default();
        profile.observe(&flows, 0..flows.len());
        let mut merged = Profile::default();
        for ends in cuts.windows(2) {
            let mut piece = Profile::default();
            piece.observe(&flows, ends[0]..ends[1]);
            merged.merge(serde_json::from_str(&serde_json::to_string(&piece).unwrap()).unwrap());
        }
        prop_assert_eq!(serde_json::to_string(&profile).unwrap(), serde_json::to_string(&merged).unwrap());
    }
}

#[test]
fn an_evaluation_from_elsewhere_is_known_by_its_suite() {
    let checked = every_state();
    let text = serde_json::to_string(&checked.start()).unwrap();
    assert!(serde_json::from_str::<Evaluation>(&text).unwrap().is_of(&checked));
    let altered = text.replacen("\"Moments\"", "\"Moment\"", 1);
    assert!(serde_json::from_str::<Evaluation>(&altered).is_err());
    let swapped = text.replacen("{\"Extremes\":null}", "\"Rows\"", 1);
    assert!(swapped != text && !serde_json::from_str::<Evaluation>(&swapped).unwrap().is_of(&checked));
}

#[test]
#[should_panic = "only evaluations of the same suite can be merged"]
fn evaluations_of_different_suites_do_not_mix() {
    let checked = every_state();
    let other = Checked::parse(r#"{"name": "other", "expectations": []}"#, "other.json").unwrap();
    checked.start().merge(&checked, other.start());
}
