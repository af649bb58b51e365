use serde_json::{Value, json};
use weir_contract::flow::COLUMNS;
use weir_contract::{FlowBatch, Transport};
use weir_expectations::{Checked, MAX_SAMPLE, SHIPPED};

use crate::{five, flow, observe, run};

fn unexpected(kind: &str, kwargs: Value) -> Vec<usize> {
    run(&five(), kind, kwargs).1
}

#[test]
fn the_shipped_suite_is_one() {
    for (name, text) in SHIPPED {
        assert!(!Checked::parse(text, name).unwrap().is_empty());
    }
}

#[test]
fn nulls_are_missing_and_leave_the_denominator() {
    let (result, rows) = run(&five(), "column_values_to_be_between", json!({"column": "bytes", "min_value": 3}));
    assert_eq!((result.success, rows), (false, vec![3]));
    let result = Value::Object(result.result);
    assert_eq!(
        result,
        json!({
            "element_count": 5, "missing_count": 2, "missing_percent": 40.0,
            "unexpected_count": 1, "unexpected_percent": 1.0 / 3.0 * 100.0,
            "unexpected_percent_nonmissing": 1.0 / 3.0 * 100.0, "unexpected_percent_total": 20.0,
            "partial_unexpected_list": [1],
        })
    );
    assert_eq!(unexpected("column_values_to_not_be_null", json!({"column": "bytes"})), [1, 4]);
    assert_eq!(unexpected("column_values_to_be_null", json!({"column": "packets"})), [0, 1, 2, 3]);
}

#[test]
fn mostly_tolerates_a_share_of_the_present_rows() {
    let holds = |mostly: f64| {
        let kwargs = json!({"column": "bytes", "min_value": 3, "mostly": mostly});
        run(&five(), "column_values_to_be_between", kwargs).0.success
    };
    assert!(holds(0.6) && holds(2.0 / 3.0) && !holds(0.7));
    // 1 of 10 present rows holds: exactly a tenth.
    let ten: FlowBatch = (1..=10).map(|bytes| flow(Some(bytes), None)).collect();
    let kwargs = json!({"column": "bytes", "min_value": 10, "mostly": 0.1});
    assert!(run(&ten, "column_values_to_be_between", kwargs).0.success);
    // Without present rows there is nothing to break it.
    let none: FlowBatch = [flow(None, None)].into_iter().collect();
    assert!(run(&none, "column_values_to_be_between", json!({"column": "bytes", "min_value": 10})).0.success);
}

#[test]
fn bounds_are_exact_beyond_doubles_and_may_be_times() {
    let large: FlowBatch =
        [u64::MAX, u64::MAX - 1, 1 << 53, (1 << 53) + 1].map(|it| flow(Some(it), None)).into_iter().collect();
    let between = |low: u64, high: u64| {
        run(&large, "column_values_to_be_between", json!({"column": "bytes", "min_value": low, "max_value": high})).1
    };
    assert_eq!(between((1 << 53) + 1, u64::MAX - 1), [0, 2]);
    let bound = |column: &str, name: &str, bound: f64| {
        unexpected("column_values_to_be_between", json!({"column": column, name: bound})).len()
    };
    assert_eq!((bound("destination_port", "min_value", 65536.0), bound("destination_port", "min_value", -1.0)), (5, 0));
    assert_eq!((bound("destination_port", "max_value", -0.5), bound("destination_port", "max_value", 1e300)), (5, 0));
    assert_eq!((bound("event_time", "min_value", 1e300), bound("event_time", "min_value", -1e300)), (5, 0));
    let strict = json!({"column": "bytes", "min_value": 1, "max_value": 10, "strict_min": true, "strict_max": true});
    assert_eq!(unexpected("column_values_to_be_between", strict), [0, 3]);
    let times = json!({"column": "event_time", "min_value": "2023-11-14T22:13:20Z", "max_value": "2023-11-15"});
    assert!(unexpected("column_values_to_be_between", times.clone()).is_empty());
    assert_eq!(observe(&five(), "column_min_to_be_between", times), (true, json!("2023-11-14T22:13:20.000")));
}

#[test]
fn sets_patterns_and_lengths_judge_the_value_as_text() {
    assert_eq!(unexpected("column_values_to_be_in_set", json!({"column": "transport", "value_set": ["udp"]})).len(), 5);
    assert_eq!(unexpected("column_values_to_be_in_set", json!({"column": "bytes", "value_set": [10.0, 3]})), [3]);
    assert_eq!(unexpected("column_values_to_not_be_in_set", json!({"column": "bytes", "value_set": [10, 3]})), [0, 2]);
    assert!(unexpected("column_values_to_be_in_set", json!({"column": "label", "value_set": ["benign"]})).is_empty());
    let address = json!({"column": "source_ip", "value_set": ["10.0.0.1"]});
    assert!(unexpected("column_values_to_be_in_set", address).is_empty());
    assert_eq!(unexpected("column_values_to_match_regex", json!({"column": "bytes", "regex": "^1"})), [2]);
    // Found anywhere, as Great Expectations searches.
    assert!(unexpected("column_values_to_match_regex", json!({"column": "source_ip", "regex": "0\\.1"})).is_empty());
    assert_eq!(unexpected("column_values_to_not_match_regex", json!({"column": "bytes", "regex": "0|3"})), [0, 2]);
    assert_eq!(unexpected("column_value_lengths_to_equal", json!({"column": "bytes", "value": 1})), [0]);
    let lengths = json!({"column": "bytes", "min_value": 2});
    assert_eq!(unexpected("column_value_lengths_to_be_between", lengths), [2, 3]);
}

#[test]
fn pairs_say_when_a_missing_value_counts() {
    let greater = |or_equal: bool, ignore: &str| {
        let kwargs = json!({"column_A": "bytes", "column_B": "packets", "or_equal": or_equal, "ignore_row_if": ignore});
        unexpected("column_pair_values_a_to_be_greater_than_b", kwargs)
    };
    assert_eq!(greater(true, "either_value_is_missing"), [3]);
    assert_eq!(greater(false, "both_values_are_missing"), [1, 2, 3]);
    assert_eq!(greater(false, "neither"), [1, 2, 3, 4]);
    let equal = json!({"column_A": "bytes", "column_B": "packets"});
    assert_eq!(unexpected("column_pair_values_to_be_equal", equal), [0, 1, 3]);
    let within = json!({"column_list": ["bytes", "packets"], "ignore_row_if": "any_value_is_missing"});
    assert_eq!(unexpected("select_column_values_to_be_unique_within_record", within), [2]);
}

#[test]
fn every_row_of_a_repeated_key_is_unexpected() {
    let (result, rows) = run(&five(), "column_values_to_be_unique", json!({"column": "packets"}));
    assert_eq!((result.success, rows), (false, vec![0, 1]));
    assert_eq!(result.result["partial_unexpected_list"], json!([1, 1]));
    assert_eq!(unexpected("column_values_to_be_unique", json!({"column": "bytes"})), [0usize; 0]);
    let compound = |ignore: &str| {
        unexpected("compound_columns_to_be_unique", json!({"column_list": ["bytes", "final"], "ignore_row_if": ignore}))
    };
    assert_eq!((compound("never"), compound("all_values_are_missing")), (vec![1, 4], vec![]));
}

#[test]
fn a_column_is_judged_by_its_moments_and_extremes() {
    // Bytes 10, 3, 1: mean 14/3, variance (110 - 196/3) / 2 = 67/3.
    let value = |kind: &str| observe(&five(), kind, json!({"column": "bytes", "min_value": 1}));
    assert_eq!(value("column_min_to_be_between"), (true, json!(1)));
    assert_eq!(value("column_max_to_be_between"), (true, json!(10)));
    assert_eq!(value("column_sum_to_be_between"), (true, json!(14)));
    assert_eq!(value("column_mean_to_be_between"), (true, json!(14.0 / 3.0)));
    assert_eq!(value("column_median_to_be_between"), (true, json!(3.0)));
    assert_eq!(value("column_stdev_to_be_between"), (true, json!((67.0f64 / 3.0).sqrt())));
    let none: FlowBatch = [flow(None, None)].into_iter().collect();
    for kind in ["min", "max", "mean", "median", "stdev"] {
        let seen = observe(&none, &format!("column_{kind}_to_be_between"), json!({"column": "bytes"}));
        assert_eq!(seen, (false, Value::Null), "{kind} of nothing");
    }
}

#[test]
fn quantiles_interpolate_as_asked_and_say_when_they_are_sampled() {
    let quantiles = |flows: &FlowBatch, how: Value, low: f64, high: f64| {
        let ranges = json!({"quantiles": [0.25, 1.0], "value_ranges": [[low, high], [null, null]]});
        let kwargs = json!({"column": "bytes", "quantile_ranges": ranges, "allow_relative_error": how});
        let (result, _) = run(flows, "column_quantile_values_to_be_between", kwargs);
        (result.success, result.result)
    };
    // Of 1, 3, 10 the quarter is halfway between the first two; nearest takes the even place.
    let four = |how| quantiles(&five(), how, 2.0, 2.0);
    assert_eq!(four(json!("linear")).1["observed_value"]["values"], json!([2.0, 10.0]));
    assert!(four(json!("linear")).0 && !four(json!(false)).0);
    assert_eq!(four(json!(false)).1["observed_value"]["values"], json!([1, 10]));
    assert_eq!(four(json!("higher")).1["details"]["success_details"], json!([false, true]));

    let rows = MAX_SAMPLE as u64 + MAX_SAMPLE as u64 / 2;
    let many: FlowBatch = (0..rows).map(|bytes| flow(Some(bytes), None)).collect();
    let (success, result) = quantiles(&many, json!(false), 0.24 * rows as f64, 0.26 * rows as f64);
    assert!(success, "{result:?}");
    assert_eq!(result["sample"], json!({"rows": MAX_SAMPLE, "of": rows}));
}

#[test]
fn distinct_values_are_counted_and_compared() {
    let count = |column: &str| {
        observe(&five(), "column_unique_value_count_to_be_between", json!({"column": column, "max_value": 3}))
    };
    assert_eq!((count("bytes"), count("attack")), ((true, json!(3)), (true, json!(0))));
    let share = observe(
        &five(),
        "column_proportion_of_unique_values_to_be_between",
        json!({"column": "packets", "max_value": 0.75}),
    );
    assert_eq!(share, (true, json!(0.75)));
    let set = |kind: &str, set: Value| {
        run(&five(), &format!("column_distinct_values_to_{kind}_set"), json!({"column": "packets", "value_set": set})).0
    };
    assert!(set("be_in", json!([1, 2, 3, 4])).success && !set("be_in", json!([1, 2])).success);
    assert!(set("contain", json!([1, 2])).success && !set("contain", json!([4])).success);
    assert!(set("equal", json!([3, 2, 1])).success);
    let both = set("equal", json!([1, 2, 4])).result;
    assert_eq!((&both["partial_unexpected_list"], &both["partial_missing_list"]), (&json!([3]), &json!([4])));
    let common = |column: &str, ties: bool| {
        let kwargs = json!({"column": column, "value_set": [1], "ties_okay": ties});
        observe(&five(), "column_most_common_value_to_be_in_set", kwargs)
    };
    assert_eq!(common("packets", false), (true, json!([1])));
    assert_eq!(common("bytes", false), (false, json!([1, 3, 10])));
    assert!(common("bytes", true).0);
}

#[test]
fn divergence_is_that_of_shares() {
    let divergence = |column: &str, partition: Value, tail: f64| {
        let kwargs =
            json!({"column": column, "partition_object": partition, "threshold": 0.2, "tail_weight_holdout": tail});
        observe(&five(), "column_kl_divergence_to_be_less_than", kwargs)
    };
    // Packets 1, 1, 2, 3.
    let halves = |weights: [f64; 3]| json!({"values": [1, 2, 3], "weights": weights});
    assert_eq!(divergence("packets", halves([0.5, 0.25, 0.25]), 0.0), (true, json!(0.0)));
    let uneven = 0.5 * (0.5f64 / 0.25).ln() + 0.25 * (0.25f64 / 0.5).ln();
    let (success, value) = divergence("packets", halves([0.25, 0.5, 0.25]), 0.0);
    assert!(success && (value.as_f64().unwrap() - uneven).abs() < 1e-15, "{value} {uneven}");
    // A value that nobody expected.
    let two = json!({"values": [1, 2], "weights": [0.5, 0.5]});
    assert_eq!(divergence("packets", two.clone(), 0.0), (false, Value::Null));
    assert!(divergence("packets", two, 0.25).0);
    let bins = json!({"bins": [1, 2, 3], "weights": [0.5, 0.5]});
    assert_eq!(divergence("packets", bins, 0.0), (true, json!(0.0)));
    assert_eq!(divergence("attack", json!({"values": ["scan"], "weights": [1]}), 0.0), (false, Value::Null));
}

#[test]
fn types_go_by_any_of_their_names() {
    let holds = |column: &str, name: &str| {
        observe(&five(), "column_values_to_be_of_type", json!({"column": column, "type_": name})).0
    };
    for name in ["uint64", "UInt64Dtype", "UBIGINT"] {
        assert!(holds("bytes", name) && !holds("source_port", name));
    }
    assert!(holds("event_time", "timestamp[ms]") && holds("label", "VARCHAR") && holds("final", "bool"));
    assert!(!holds("bytes", "int64"));
}

#[test]
fn the_table_has_columns_and_rows() {
    let (result, _) =
        run(&five(), "table_columns_to_match_set", json!({"column_set": ["bytes", "colour"], "exact_match": false}));
    assert_eq!((result.success, &result.result["details"]["mismatched"]["missing"]), (false, &json!(["colour"])));
    assert!(run(&five(), "table_columns_to_match_set", json!({"column_set": COLUMNS})).0.success);
    assert!(!run(&five(), "table_columns_to_match_set", json!({"column_set": ["bytes"]})).0.success);
    assert_eq!(observe(&five(), "table_row_count_to_equal", json!({"value": 5})), (true, json!(5)));
    assert!(!observe(&five(), "table_row_count_to_be_between", json!({"min_value": 5, "strict_min": true})).0);
    assert_eq!(observe(&five(), "table_column_count_to_equal", json!({"value": 13})), (true, json!(13)));
    assert!(observe(&five(), "table_column_count_to_be_between", json!({"max_value": 13})).0);
    let exists = |column: &str, place: Value| {
        observe(&five(), "column_to_exist", json!({"column": column, "column_index": place})).0
    };
    assert!(exists("bytes", Value::Null) && exists("bytes", json!(7)) && !exists("bytes", json!(6)));
    assert!(!exists("colour", Value::Null));
}

#[test]
fn a_suite_tells_about_its_expectations() {
    let text = json!({"name": "s", "expectations": [
        {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "bytes", "mostly": 0.9}},
        {"type": "expect_table_row_count_to_equal", "kwargs": {"value": 5}},
    ]});
    let checked = Checked::parse(&text.to_string(), "s.json").unwrap();
    assert_eq!(checked.describe(0), "expect_column_values_to_be_unique(column=\"bytes\", mostly=0.9)");
    let facts = |it| (checked.is_row_level(it), checked.needs_second_pass(it), checked.mostly(it));
    assert_eq!((checked.len(), facts(0), facts(1)), (2, (true, true, 0.9), (false, false, 1.0)));
}

#[test]
fn transports_are_told_apart() {
    let flows: FlowBatch =
        Transport::ALL.map(|transport| weir_contract::Flow { transport, ..flow(None, None) }).into_iter().collect();
    let (_, rows) =
        run(&flows, "column_values_to_be_in_set", json!({"column": "transport", "value_set": ["udp", "icmp6"]}));
    assert_eq!(rows, [0, 2, 4]);
}
