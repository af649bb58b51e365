use serde_json::{Value, json};
use weir_expectations::{Checked, KNOWN, SuiteError};

use crate::suite;

fn refusal(kind: &str, kwargs: Value) -> SuiteError {
    suite(kind, kwargs).unwrap_err()
}

#[test]
fn a_refusal_names_the_expectation_and_the_nearest_known_name() {
    let error = refusal("column_values_to_be_betwen", json!({}));
    let place = "s.json: expectation 1 (expect_column_values_to_be_betwen): unknown expectation";
    assert_eq!(error.to_string(), place);
    let hint = error.hint.unwrap();
    assert!(hint.starts_with("the nearest known one is expect_column_values_to_be_between; known are "), "{hint}");
    assert!(KNOWN.iter().all(|known| hint.contains(known)));

    let between = |kwargs: Value| refusal("column_values_to_be_between", kwargs);
    assert!(between(json!({"column": "byts", "min_value": 1})).hint.unwrap().contains("nearest known one is bytes"));
    assert!(between(json!({"column": "label", "min_value": 1})).message.contains("holds no numbers"));
    assert!(between(json!({"column": "bytes"})).message.contains("cannot both be missing"));
    assert!(between(json!({"column": "bytes", "min_value": 1, "maximum": 2})).message.contains("\"maximum\""));
}

#[test]
fn an_argument_out_of_place_is_refused() {
    let cases = [
        (
            "column_values_to_be_between",
            json!({"column": "bytes", "min_value": 5, "max_value": 3}),
            "min_value 5 is greater",
        ),
        ("column_values_to_be_between", json!({"column": "bytes", "min_value": "2026-01-01"}), "must be a number"),
        ("column_values_to_be_between", json!({"column": "event_time", "min_value": "May"}), "ISO 8601"),
        ("column_values_to_be_between", json!({"column": "bytes", "min_value": 5, "mostly": 2}), "from 0 to 1"),
        ("column_mean_to_be_between", json!({"column": "bytes", "mostly": 0.5}), "unknown argument \"mostly\""),
        ("column_values_to_be_in_set", json!({"column": "bytes", "value_set": [1.5]}), "whole numbers"),
        ("column_values_to_be_in_set", json!({"column": "source_ip", "value_set": ["localhost"]}), "IP addresses"),
        ("column_values_to_match_regex", json!({"column": "label", "regex": "("}), "is no pattern: unclosed group"),
        ("column_values_to_be_of_type", json!({"column": "label", "type_": "strr"}), "unknown type \"strr\""),
        (
            "column_pair_values_to_be_equal",
            json!({"column_A": "bytes", "column_B": "packets", "ignore_row_if": "x"}),
            "must be one of",
        ),
        ("compound_columns_to_be_unique", json!({"column_list": ["bytes", "bytes"]}), "two different"),
        ("table_row_count_to_equal", json!({"value": -1}), "whole number from 0"),
        (
            "column_values_to_not_be_null",
            json!({"column": "bytes", "row_condition": "col(\"bytes\") > 1"}),
            "row_condition is not supported",
        ),
        (
            "column_quantile_values_to_be_between",
            json!({"column": "bytes", "quantile_ranges": {"quantiles": [0.5], "value_ranges": []}}),
            "quantile_ranges must be",
        ),
        ("column_kl_divergence_to_be_less_than", json!({"column": "bytes"}), "partition_object must be"),
        (
            "column_kl_divergence_to_be_less_than",
            json!({"column": "bytes", "partition_object": {"values": [1], "weights": [0.5]}}),
            "must sum to 1",
        ),
        (
            "column_kl_divergence_to_be_less_than",
            json!({"column": "label", "partition_object": {"bins": [1, 2], "weights": [1]}}),
            "holds no numbers",
        ),
    ];
    for (kind, kwargs, expected) in cases {
        let error = refusal(kind, kwargs);
        assert!(error.message.contains(expected), "{error}");
    }
}

#[test]
fn what_great_expectations_writes_beside_the_arguments_is_accepted() {
    let text = json!({
        "name": "s", "id": null, "notes": "n", "meta": {"great_expectations_version": "1.24.1"},
        "expectations": [{
            "type": "expect_column_values_to_be_between", "id": "4f5c", "notes": "why", "severity": "info",
            "rendered_content": [], "description": "bytes",
            "kwargs": {
                "batch_id": "flows", "column": "bytes", "min_value": 2.0, "max_value": null, "strict_min": false,
                "strict_max": false, "mostly": 1, "row_condition": null, "condition_parser": null, "windows": null,
                "result_format": "COMPLETE", "catch_exceptions": true,
            },
        }],
    });
    Checked::parse(&text.to_string(), "s.json").unwrap();
    let grave = text.to_string().replace("\"info\"", "\"grave\"");
    assert!(Checked::parse(&grave, "s.json").unwrap_err().message.contains("unknown severity \"grave\""));
    assert!(Checked::parse("[]", "s.json").unwrap_err().to_string().starts_with("s.json: no suite: "));
}
