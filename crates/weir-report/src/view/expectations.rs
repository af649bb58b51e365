//! Results of the expectation suite.

use serde::Serialize;
use serde_json::{Map, Value};
use weir_contract::expectation::{ExpectationResult, SuiteResult};

use crate::text;

#[derive(Debug, Serialize)]
pub(crate) struct Suite {
    name: String,
    policy: Option<String>,
    evaluated: u64,
    held: u64,
    failed: u64,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    success: bool,
    kind: String,
    column: String,
    arguments: String,
    severity: String,
    unexpected: String,
    percent: String,
    observed: String,
    examples: String,
}

pub(crate) fn view(suite: &SuiteResult) -> Suite {
    Suite {
        name: suite.suite_name.clone(),
        policy: suite.meta.get("policy").and_then(Value::as_str).map(str::to_owned),
        evaluated: suite.statistics.evaluated_expectations,
        held: suite.statistics.successful_expectations,
        failed: suite.statistics.unsuccessful_expectations,
        rows: suite.results.iter().map(row).collect(),
    }
}

fn row(result: &ExpectationResult) -> Row {
    let config = &result.expectation_config;
    let number = |key: &str| result.result.get(key).and_then(Value::as_f64).filter(|number| number.is_finite());
    let is_column = |key: &str| key.starts_with("column");
    let others = config.kwargs.iter().filter(|(key, _)| !is_column(key.as_str()));
    Row {
        success: result.success,
        kind: config.kind.clone(),
        column: columns(&config.kwargs),
        arguments: others.map(|(key, value)| format!("{key} = {}", plain(value))).collect::<Vec<_>>().join(", "),
        severity: config.severity.clone().unwrap_or_else(|| "critical".to_owned()),
        unexpected: number("unexpected_count").map_or_else(|| text::NOTHING.to_owned(), text::short),
        percent: number("unexpected_percent")
            .map_or_else(|| text::NOTHING.to_owned(), |p| format!("{} %", text::short(p))),
        observed: result.result.get("observed_value").map(plain).unwrap_or_default(),
        examples: result
            .result
            .get("partial_unexpected_list")
            .map(plain)
            .filter(|list| list != "[]")
            .unwrap_or_default(),
    }
}

/// `column`, `column_A` and `column_B`, or `column_list`; a dash for an expectation of the whole table.
fn columns(kwargs: &Map<String, Value>) -> String {
    let columns: Vec<String> =
        kwargs.iter().filter(|(key, _)| key.starts_with("column")).map(|(_, value)| plain(value)).collect();
    if columns.is_empty() { text::NOTHING.to_owned() } else { columns.join(", ") }
}

/// A JSON value without the quotes of a text, cut where it is long.
fn plain(value: &Value) -> String {
    const LIMIT: usize = 160;
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.chars().count() <= LIMIT { text } else { text.chars().take(LIMIT).chain(['…']).collect() }
}
