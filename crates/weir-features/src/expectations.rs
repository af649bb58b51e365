//! Expectation suites in the JSON of Great Expectations, evaluated over canonical flows.
//!
//! Counts follow Great Expectations: nulls leave the denominator of `unexpected_percent` (they are missing, not
//! unexpected), and `mostly` compares with the share among the non-missing.

use serde_json::{Map, Value, json};
use weir_contract::expectation::{
    ExceptionInfo, Expectation, ExpectationResult, Policy, Suite, SuiteResult, SuiteStatistics,
};
use weir_contract::flow::COLUMNS;
use weir_contract::{Classify, ExitCode, FlowBatch, Label, nearest};

/// The suites that ship with Weir, as (name, JSON).
pub const SHIPPED: [(&str, &str); 1] = [("flows", include_str!("../../../pipeline/expectations/flows.json"))];

const KNOWN: [&str; 4] = [
    "expect_column_values_to_not_be_null",
    "expect_column_values_to_be_between",
    "expect_column_values_to_be_in_set",
    "expect_column_pair_values_a_to_be_greater_than_b",
];

/// What Great Expectations calls severity. It is shown; what happens to failing rows is the policy's to say.
const SEVERITIES: [&str; 3] = ["critical", "warning", "info"];

/// Unexpected values shown in a result, as Great Expectations does.
const SHOWN: usize = 20;

/// Why a text is no suite, or a suite cannot be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {message}")]
pub struct SuiteError {
    /// The file.
    pub origin: String,
    /// What is wrong, with the number of the expectation.
    pub message: String,
    /// The remedy.
    pub hint: Option<String>,
}

impl Classify for SuiteError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

/// A checked suite.
#[derive(Debug, Clone)]
pub struct Checked {
    suite: Suite,
    tests: Vec<Test>,
}

/// What came of evaluating a suite.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// The results in the form of Great Expectations.
    pub results: SuiteResult,
    /// Rows that broke an expectation that did not hold, ascending, with the first such expectation.
    pub failing: Vec<(usize, String)>,
}

#[derive(Debug, Clone)]
struct Test {
    kind: Kind,
    mostly: f64,
}

#[derive(Debug, Clone)]
enum Kind {
    NotNull(usize),
    Between { column: usize, minimum: Option<Bound>, maximum: Option<Bound> },
    InSet { column: usize, values: Vec<Value> },
    InNumbers { column: usize, values: Vec<f64> },
    Greater { a: usize, b: usize, or_equal: bool, ignore: Ignore },
}

#[derive(Debug, Clone, Copy)]
struct Bound {
    value: f64,
    strict: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ignore {
    Neither,
    Either,
    Both,
}

impl Checked {
    /// Reads a suite; `origin` names the file in messages.
    ///
    /// # Errors
    /// [`SuiteError`] for text that is no suite, an unknown expectation (with the nearest known one), an unknown column
    /// or argument.
    pub fn parse(text: &str, origin: &str) -> Result<Self, SuiteError> {
        let error = |message: String, hint: Option<String>| SuiteError { origin: origin.to_owned(), message, hint };
        let suite: Suite = serde_json::from_str(text).map_err(|wrong| error(format!("no suite: {wrong}"), None))?;
        let tests = suite
            .expectations
            .iter()
            .enumerate()
            .map(|(index, expectation)| {
                check(expectation).map_err(|(message, hint)| {
                    error(format!("expectation {} ({}): {message}", index + 1, expectation.kind), hint)
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { suite, tests })
    }

    /// Evaluates the suite over `rows` of `flows`. The policy is only recorded; acting on it is the caller's.
    #[must_use]
    pub fn evaluate(&self, flows: &FlowBatch, rows: &[usize], policy: Policy) -> Evaluation {
        let mut failing: Vec<(usize, String)> = Vec::new();
        let mut results = Vec::with_capacity(self.tests.len());
        for (expectation, test) in self.suite.expectations.iter().zip(&self.tests) {
            let (success, result, unexpected) = test.run(flows, rows);
            if !success {
                failing.extend(unexpected.into_iter().map(|row| (row, describe(expectation))));
            }
            results.push(ExpectationResult {
                success,
                expectation_config: expectation.clone(),
                result,
                exception_info: ExceptionInfo::default(),
            });
        }
        failing.sort_by_key(|(row, _)| *row);
        failing.dedup_by_key(|(row, _)| *row);
        let evaluated = results.len() as u64;
        let successful = results.iter().filter(|result| result.success).count() as u64;
        let percent = (evaluated > 0).then(|| 100.0 * successful as f64 / evaluated as f64);
        let mut meta = Map::new();
        meta.insert("policy".to_owned(), json!(policy));
        let results = SuiteResult {
            success: successful == evaluated,
            suite_name: self.suite.name.clone(),
            results,
            statistics: SuiteStatistics {
                evaluated_expectations: evaluated,
                successful_expectations: successful,
                unsuccessful_expectations: evaluated - successful,
                success_percent: percent,
            },
            meta,
        };
        Evaluation { results, failing }
    }
}

/// An expectation in a line: its type and its arguments.
#[must_use]
pub fn describe(expectation: &Expectation) -> String {
    let arguments: Vec<String> = expectation.kwargs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}({})", expectation.kind, arguments.join(", "))
}

/// What is wrong with an expectation, and the remedy.
type Wrong = (String, Option<String>);

fn check(expectation: &Expectation) -> Result<Test, Wrong> {
    let mut arguments = Arguments { map: &expectation.kwargs, read: vec!["mostly"] };
    let kind = match expectation.kind.as_str() {
        "expect_column_values_to_not_be_null" => Kind::NotNull(arguments.column("column")?),
        "expect_column_values_to_be_between" => {
            let column = arguments.column("column")?;
            if !is_numeric(column) {
                return Err((format!("column {} holds no numbers", COLUMNS[column]), None));
            }
            let minimum = arguments.bound("min_value", "strict_min")?;
            let maximum = arguments.bound("max_value", "strict_max")?;
            if minimum.is_none() && maximum.is_none() {
                return Err(("min_value and max_value cannot both be missing".to_owned(), None));
            }
            Kind::Between { column, minimum, maximum }
        }
        "expect_column_values_to_be_in_set" => {
            let column = arguments.column("column")?;
            let values = arguments.get("value_set").and_then(Value::as_array);
            let values = values.ok_or(("value_set must be a list".to_owned(), None))?;
            if is_numeric(column) {
                // Compared as numbers: 80.0 is 80.
                let numbers: Option<Vec<f64>> = values.iter().map(Value::as_f64).collect();
                let wrong = || (format!("value_set must hold numbers for column {}", COLUMNS[column]), None);
                Kind::InNumbers { column, values: numbers.ok_or_else(wrong)? }
            } else {
                Kind::InSet { column, values: values.clone() }
            }
        }
        "expect_column_pair_values_a_to_be_greater_than_b" => {
            let (a, b) = (arguments.column("column_A")?, arguments.column("column_B")?);
            if !is_numeric(a) || !is_numeric(b) {
                return Err(("both columns must hold numbers".to_owned(), None));
            }
            let or_equal = arguments.flag("or_equal")?;
            let ignore = match arguments.get("ignore_row_if").map(|value| value.as_str().unwrap_or_default()) {
                None | Some("both_values_are_missing") => Ignore::Both,
                Some("either_value_is_missing") => Ignore::Either,
                Some("neither") => Ignore::Neither,
                Some(_) => {
                    let known = "both_values_are_missing, either_value_is_missing or neither";
                    return Err((format!("ignore_row_if must be {known}"), None));
                }
            };
            Kind::Greater { a, b, or_equal, ignore }
        }
        unknown => {
            return Err(("unknown expectation".to_owned(), Some(suggest(unknown, &KNOWN))));
        }
    };
    if let Some(severity) = &expectation.severity
        && !SEVERITIES.contains(&severity.as_str())
    {
        return Err((format!("unknown severity {severity:?}"), Some(suggest(severity, &SEVERITIES))));
    }
    let mostly = match expectation.kwargs.get("mostly") {
        None | Some(Value::Null) => 1.0,
        Some(value) => match value.as_f64() {
            Some(mostly) if (0.0..=1.0).contains(&mostly) => mostly,
            _ => return Err((format!("mostly must be a number from 0 to 1, received {value}"), None)),
        },
    };
    arguments.finish()?;
    Ok(Test { kind, mostly })
}

struct Arguments<'a> {
    map: &'a Map<String, Value>,
    read: Vec<&'static str>,
}

impl<'a> Arguments<'a> {
    fn get(&mut self, name: &'static str) -> Option<&'a Value> {
        self.read.push(name);
        self.map.get(name).filter(|value| !value.is_null())
    }

    fn column(&mut self, name: &'static str) -> Result<usize, Wrong> {
        let given = self.get(name).and_then(Value::as_str).ok_or((format!("{name} must name a column"), None))?;
        COLUMNS.iter().position(|known| *known == given).ok_or_else(|| {
            let hint = suggest(given, &COLUMNS);
            (format!("unknown column {given:?}"), Some(hint))
        })
    }

    fn flag(&mut self, name: &'static str) -> Result<bool, Wrong> {
        match self.get(name) {
            None => Ok(false),
            Some(value) => value.as_bool().ok_or((format!("{name} must be true or false"), None)),
        }
    }

    fn bound(&mut self, name: &'static str, strict: &'static str) -> Result<Option<Bound>, Wrong> {
        let strict = self.flag(strict)?;
        match self.get(name) {
            None => Ok(None),
            Some(value) => {
                let value = value.as_f64().ok_or((format!("{name} must be a number, received {value}"), None))?;
                Ok(Some(Bound { value, strict }))
            }
        }
    }

    fn finish(self) -> Result<(), Wrong> {
        match self.map.keys().find(|name| !self.read.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => {
                Err((format!("unknown argument {name:?}"), Some(format!("known are {}", self.read.join(", ")))))
            }
        }
    }
}

/// A hint with the nearest known name, and all of them.
fn suggest(name: &str, known: &[&str]) -> String {
    let all = known.join(", ");
    match nearest(name, known.iter().copied()) {
        Some(nearest) => format!("the nearest known one is {nearest}; known are {all}"),
        None => format!("known are {all}"),
    }
}

fn is_numeric(column: usize) -> bool {
    ["event_time", "source_port", "destination_port", "bytes", "packets", "duration_ns"].contains(&COLUMNS[column])
}

/// The value of a cell as JSON, null where it is missing.
fn cell(flows: &FlowBatch, column: usize, row: usize) -> Value {
    match COLUMNS[column] {
        "flow_id" => json!(flows.flow_id.get(row)),
        "event_time" => json!(flows.event_time.get(row)),
        "source_ip" => json!(flows.source_ip[row]),
        "destination_ip" => json!(flows.destination_ip[row]),
        "source_port" => json!(flows.source_port.get(row)),
        "destination_port" => json!(flows.destination_port.get(row)),
        "transport" => json!(flows.transport[row].name()),
        "bytes" => json!(flows.bytes.get(row)),
        "packets" => json!(flows.packets.get(row)),
        "duration_ns" => json!(flows.duration_ns.get(row)),
        "final" => json!(flows.last.get(row)),
        "label" => json!(flows.label.get(row).map(|class| Label::from_class(class).name())),
        _ => json!(flows.attack.get(row)),
    }
}

/// The value of a cell of a numeric column.
fn number(flows: &FlowBatch, column: usize, row: usize) -> Option<f64> {
    match COLUMNS[column] {
        "event_time" => flows.event_time.get(row).map(|value| value as f64),
        "source_port" => flows.source_port.get(row).map(f64::from),
        "destination_port" => flows.destination_port.get(row).map(f64::from),
        "bytes" => flows.bytes.get(row).map(|value| value as f64),
        "packets" => flows.packets.get(row).map(|value| value as f64),
        _ => flows.duration_ns.get(row).map(|value| value as f64),
    }
}

/// How a row stands to an expectation.
#[derive(PartialEq, Eq)]
enum Standing {
    Expected,
    Unexpected,
    Missing,
}

impl Test {
    /// Success, the result in Great Expectations' keys, and the unexpected rows.
    fn run(&self, flows: &FlowBatch, rows: &[usize]) -> (bool, Map<String, Value>, Vec<usize>) {
        let mut unexpected = Vec::new();
        let mut missing = 0usize;
        for &row in rows {
            match self.kind.standing(flows, row) {
                Standing::Expected => {}
                Standing::Unexpected => unexpected.push(row),
                Standing::Missing => missing += 1,
            }
        }
        let present = rows.len() - missing;
        // Divided as Great Expectations divides: 1 - unexpected / present rounds to the other side of `mostly`.
        let share = if present == 0 { 1.0 } else { (present - unexpected.len()) as f64 / present as f64 };
        let percent = |part: usize, whole: usize| {
            if whole == 0 { Value::Null } else { json!(100.0 * part as f64 / whole as f64) }
        };
        let shown: Vec<Value> = unexpected.iter().take(SHOWN).map(|&row| self.kind.shown(flows, row)).collect();
        let mut result = Map::new();
        result.insert("element_count".to_owned(), json!(rows.len()));
        result.insert("unexpected_count".to_owned(), json!(unexpected.len()));
        result.insert("unexpected_percent".to_owned(), percent(unexpected.len(), present));
        result.insert("partial_unexpected_list".to_owned(), Value::Array(shown));
        if !matches!(self.kind, Kind::NotNull(_)) {
            result.insert("missing_count".to_owned(), json!(missing));
            result.insert("missing_percent".to_owned(), percent(missing, rows.len()));
            result.insert("unexpected_percent_total".to_owned(), percent(unexpected.len(), rows.len()));
            result.insert("unexpected_percent_nonmissing".to_owned(), percent(unexpected.len(), present));
        }
        let success = unexpected.is_empty() || share >= self.mostly;
        (success, result, unexpected)
    }
}

impl Kind {
    fn standing(&self, flows: &FlowBatch, row: usize) -> Standing {
        let judge = |expected: bool| if expected { Standing::Expected } else { Standing::Unexpected };
        match self {
            Self::NotNull(column) => judge(!cell(flows, *column, row).is_null()),
            Self::Between { column, minimum, maximum } => match number(flows, *column, row) {
                None => Standing::Missing,
                Some(value) => {
                    let above = minimum.is_none_or(|b| if b.strict { value > b.value } else { value >= b.value });
                    let below = maximum.is_none_or(|b| if b.strict { value < b.value } else { value <= b.value });
                    judge(above && below)
                }
            },
            Self::InNumbers { column, values } => match number(flows, *column, row) {
                None => Standing::Missing,
                Some(value) => judge(values.contains(&value)),
            },
            Self::InSet { column, values } => match cell(flows, *column, row) {
                Value::Null => Standing::Missing,
                value => judge(values.contains(&value)),
            },
            Self::Greater { a, b, or_equal, ignore } => match (number(flows, *a, row), number(flows, *b, row)) {
                (Some(a), Some(b)) => judge(a > b || *or_equal && a == b),
                (None, None) if *ignore != Ignore::Neither => Standing::Missing,
                (_, _) if *ignore == Ignore::Either => Standing::Missing,
                (_, _) => Standing::Unexpected,
            },
        }
    }

    fn shown(&self, flows: &FlowBatch, row: usize) -> Value {
        match self {
            Self::NotNull(column)
            | Self::Between { column, .. }
            | Self::InSet { column, .. }
            | Self::InNumbers { column, .. } => cell(flows, *column, row),
            Self::Greater { a, b, .. } => json!([cell(flows, *a, row), cell(flows, *b, row)]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_contract::{Flow, Transport};

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

    fn suite(kind: &str, kwargs: Value) -> Result<Checked, SuiteError> {
        let expectation = json!({"type": kind, "kwargs": kwargs});
        Checked::parse(&json!({"name": "s", "expectations": [expectation]}).to_string(), "s.json")
    }

    fn flows() -> FlowBatch {
        [(Some(10), Some(1)), (None, Some(1)), (Some(3), Some(3)), (Some(1), Some(2)), (None, None)]
            .into_iter()
            .map(|(bytes, packets)| flow(bytes, packets))
            .collect()
    }

    fn run(kind: &str, kwargs: Value) -> (bool, Map<String, Value>, Vec<usize>) {
        let evaluation = suite(kind, kwargs).unwrap().evaluate(&flows(), &[0, 1, 2, 3, 4], Policy::Always);
        let failing = evaluation.failing.iter().map(|(row, _)| *row).collect();
        (evaluation.results.success, evaluation.results.results[0].result.clone(), failing)
    }

    #[test]
    fn the_shipped_suite_is_one() {
        for (name, text) in SHIPPED {
            Checked::parse(text, name).unwrap();
        }
    }

    #[test]
    fn nulls_are_missing_and_leave_the_denominator() {
        let (success, result, failing) =
            run("expect_column_values_to_be_between", json!({"column": "bytes", "min_value": 3}));
        assert!(!success);
        assert_eq!(failing, [3]);
        assert_eq!((&result["missing_count"], &result["unexpected_count"]), (&json!(2), &json!(1)));
        assert_eq!(result["unexpected_percent"], json!(100.0 * 1.0 / 3.0));
        assert_eq!(result["unexpected_percent_total"], json!(100.0 * 1.0 / 5.0));
        let (success, _, failing) = run("expect_column_values_to_not_be_null", json!({"column": "bytes"}));
        assert!(!success);
        assert_eq!(failing, [1, 4]);
    }

    #[test]
    fn mostly_tolerates_a_share_of_the_present_rows() {
        let kwargs = |mostly: f64| json!({"column": "bytes", "min_value": 3, "mostly": mostly});
        assert!(run("expect_column_values_to_be_between", kwargs(0.6)).0);
        assert!(!run("expect_column_values_to_be_between", kwargs(0.7)).0);
        // 1 of 10 present rows holds: exactly a tenth.
        let batch: FlowBatch = (1..=10).map(|bytes| flow(Some(bytes), None)).collect();
        let kwargs = json!({"column": "bytes", "min_value": 10, "mostly": 0.1});
        let suite = suite("expect_column_values_to_be_between", kwargs).unwrap();
        assert!(suite.evaluate(&batch, &(0..10).collect::<Vec<_>>(), Policy::Always).results.success);
    }

    #[test]
    fn sets_and_pairs_are_compared() {
        let kwargs = json!({"column": "transport", "value_set": ["udp"]});
        assert_eq!(run("expect_column_values_to_be_in_set", kwargs).2, [0, 1, 2, 3, 4]);
        let kwargs = json!({"column": "bytes", "value_set": [10.0, 3]});
        assert_eq!(run("expect_column_values_to_be_in_set", kwargs).2, [3]);
        let pair = |or_equal: bool, ignore: &str| {
            let kwargs =
                json!({"column_A": "bytes", "column_B": "packets", "or_equal": or_equal, "ignore_row_if": ignore});
            run("expect_column_pair_values_a_to_be_greater_than_b", kwargs).2
        };
        assert_eq!(pair(true, "either_value_is_missing"), [3]);
        assert_eq!(pair(false, "both_values_are_missing"), [1, 2, 3]);
        assert_eq!(pair(false, "neither"), [1, 2, 3, 4]);
    }

    #[test]
    fn a_refusal_names_the_expectation_and_the_nearest_known_name() {
        let error = suite("expect_column_values_to_be_betwen", json!({})).unwrap_err();
        assert_eq!(
            (error.to_string().as_str(), error.hint.as_deref()),
            (
                "s.json: expectation 1 (expect_column_values_to_be_betwen): unknown expectation",
                Some(
                    "the nearest known one is expect_column_values_to_be_between; known are \
                     expect_column_values_to_not_be_null, expect_column_values_to_be_between, \
                     expect_column_values_to_be_in_set, expect_column_pair_values_a_to_be_greater_than_b"
                )
            )
        );
        let refusal = |kwargs: Value| suite("expect_column_values_to_be_between", kwargs).unwrap_err();
        assert!(
            refusal(json!({"column": "byts", "min_value": 1})).hint.unwrap().contains("nearest known one is bytes")
        );
        assert!(refusal(json!({"column": "label", "min_value": 1})).message.contains("holds no numbers"));
        assert!(refusal(json!({"column": "bytes"})).message.contains("cannot both be missing"));
        assert!(refusal(json!({"column": "bytes", "min_value": 1, "maximum": 2})).message.contains("\"maximum\""));
    }
}
