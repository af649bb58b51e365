//! Expectation suites and their results, in the JSON of Great Expectations 1.x.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A suite, as Great Expectations writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Suite {
    /// Name of the suite.
    pub name: String,
    /// The expectations, in order.
    pub expectations: Vec<Expectation>,
    /// Anything else the author noted.
    #[serde(default)]
    pub meta: Map<String, Value>,
    /// Fields of Great Expectations that are kept and not read (`id`, `notes`).
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// One expectation of a suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    /// Such as `expect_column_values_to_be_between`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its arguments.
    #[serde(default)]
    pub kwargs: Map<String, Value>,
    /// Anything else the author noted.
    #[serde(default)]
    pub meta: Map<String, Value>,
    /// `critical` (the default), `warning` or `info`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Fields of Great Expectations that are kept and not read (`id`, `notes`).
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What is done with rows that fail an expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// A row that fails an expectation refuses the data. Lines that are no flows, and flows whose features cannot be
    /// computed, are set aside as under every policy.
    Strict,
    /// Failing rows are set aside with the reason.
    Quarantine,
    /// Failures are only reported.
    Always,
}

/// Result of a suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuiteResult {
    /// Whether every expectation held.
    pub success: bool,
    /// Name of the suite.
    pub suite_name: String,
    /// One result per expectation, in the suite's order.
    pub results: Vec<ExpectationResult>,
    /// Counts over the results.
    pub statistics: SuiteStatistics,
    /// Weir's policy under which the suite ran.
    pub meta: Map<String, Value>,
}

/// Counts over the results of a suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuiteStatistics {
    /// Expectations in the suite.
    pub evaluated_expectations: u64,
    /// Those that held.
    pub successful_expectations: u64,
    /// Those that did not.
    pub unsuccessful_expectations: u64,
    /// Share that held, 0 to 100; null for an empty suite.
    pub success_percent: Option<f64>,
}

/// Result of one expectation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExpectationResult {
    /// Whether it held.
    pub success: bool,
    /// The expectation itself.
    pub expectation_config: Expectation,
    /// Counts, or the observed value; the keys of Great Expectations.
    pub result: Map<String, Value>,
    /// Whether evaluating it failed, always `false` here: what cannot be evaluated is an error.
    pub exception_info: ExceptionInfo,
}

/// Great Expectations' field for what went wrong inside an expectation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionInfo {
    /// Always `false` here.
    pub raised_exception: bool,
    /// Always null here.
    pub exception_traceback: Option<String>,
    /// Always null here.
    pub exception_message: Option<String>,
}
