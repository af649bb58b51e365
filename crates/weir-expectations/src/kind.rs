//! The expectations by type: what a name and its arguments ask for.

use regex::Regex;
use serde_json::Value;
use weir_contract::expectation::Expectation;

use crate::arguments::Arguments;
use crate::bounds::Bounds;
use crate::divergence::Divergence;
use crate::error::{Wrong, known_names, wrong};
use crate::field::{Cell, Field};
use crate::rows::{Condition, Ignore};
use crate::sample::Interpolation;
use crate::types;
use crate::unique::Unique;

/// What an expectation asks for.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Rows(Condition, f64),
    Unique(Unique, f64),
    Extreme {
        field: Field,
        least: bool,
        bounds: Bounds,
        times: bool,
    },
    Moment {
        field: Field,
        of: Moment,
        bounds: Bounds,
        times: bool,
    },
    Median {
        field: Field,
        bounds: Bounds,
        times: bool,
    },
    Quantiles {
        field: Field,
        shares: Vec<f64>,
        ranges: Vec<(f64, f64)>,
        interpolation: Interpolation,
    },
    /// Distinct values as a number, or as a share of the present rows.
    Distinct {
        field: Field,
        share: bool,
        bounds: Bounds,
    },
    DistinctSet {
        field: Field,
        cells: Vec<Cell>,
        within: bool,
        contains: bool,
    },
    MostCommon {
        field: Field,
        cells: Vec<Cell>,
        ties_okay: bool,
    },
    Divergence(Divergence),
    Type {
        field: Field,
        holds: bool,
    },
    RowCount(Bounds),
    ColumnCount(Bounds),
    ColumnSet {
        names: Vec<String>,
        exact: bool,
    },
    ColumnExists {
        name: String,
        place: Option<u64>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Mean,
    Deviation,
    Sum,
}

/// Every type of expectation, by name.
pub const KNOWN: [&str; 35] = [
    "expect_column_distinct_values_to_be_in_set",
    "expect_column_distinct_values_to_contain_set",
    "expect_column_distinct_values_to_equal_set",
    "expect_column_kl_divergence_to_be_less_than",
    "expect_column_max_to_be_between",
    "expect_column_mean_to_be_between",
    "expect_column_median_to_be_between",
    "expect_column_min_to_be_between",
    "expect_column_most_common_value_to_be_in_set",
    "expect_column_pair_values_a_to_be_greater_than_b",
    "expect_column_pair_values_to_be_equal",
    "expect_column_proportion_of_unique_values_to_be_between",
    "expect_column_quantile_values_to_be_between",
    "expect_column_stdev_to_be_between",
    "expect_column_sum_to_be_between",
    "expect_column_to_exist",
    "expect_column_unique_value_count_to_be_between",
    "expect_column_value_lengths_to_be_between",
    "expect_column_value_lengths_to_equal",
    "expect_column_values_to_be_between",
    "expect_column_values_to_be_in_set",
    "expect_column_values_to_be_null",
    "expect_column_values_to_be_of_type",
    "expect_column_values_to_be_unique",
    "expect_column_values_to_match_regex",
    "expect_column_values_to_not_be_in_set",
    "expect_column_values_to_not_be_null",
    "expect_column_values_to_not_match_regex",
    "expect_compound_columns_to_be_unique",
    "expect_select_column_values_to_be_unique_within_record",
    "expect_table_column_count_to_be_between",
    "expect_table_column_count_to_equal",
    "expect_table_columns_to_match_set",
    "expect_table_row_count_to_be_between",
    "expect_table_row_count_to_equal",
];

/// What Great Expectations calls severity. It is shown; what happens to failing rows is the policy's to say.
const SEVERITIES: [&str; 3] = ["critical", "warning", "info"];

const PAIR: [(&str, Ignore); 3] = [
    ("both_values_are_missing", Ignore::AllMissing),
    ("either_value_is_missing", Ignore::AnyMissing),
    ("neither", Ignore::Never),
];

const LIST: [(&str, Ignore); 3] = [
    ("all_values_are_missing", Ignore::AllMissing),
    ("any_value_is_missing", Ignore::AnyMissing),
    ("never", Ignore::Never),
];

pub(crate) fn check(expectation: &Expectation) -> Result<Kind, Wrong> {
    let mut arguments = Arguments::new(&expectation.kwargs);
    let name = expectation.kind.as_str();
    let kind = match row_kind(name, &mut arguments)? {
        Some(kind) => kind,
        None => match column_kind(name, &mut arguments)? {
            Some(kind) => kind,
            None => table_kind(name, &mut arguments)?,
        },
    };
    if let Some(severity) = &expectation.severity
        && !SEVERITIES.contains(&severity.as_str())
    {
        return Err((format!("unknown severity {severity:?}"), Some(known_names(severity, &SEVERITIES))));
    }
    arguments.finish()?;
    Ok(kind)
}

/// The expectations about rows.
fn row_kind(name: &str, arguments: &mut Arguments<'_>) -> Result<Option<Kind>, Wrong> {
    let condition = match name {
        "expect_column_values_to_not_be_null" => Condition::NotNull(arguments.column("column")?),
        "expect_column_values_to_be_null" => Condition::Null(arguments.column("column")?),
        "expect_column_values_to_be_between" => {
            let field = arguments.numeric("column")?;
            Condition::Between(field, arguments.needed_bounds(Some(field))?.0.whole())
        }
        "expect_column_values_to_be_in_set" | "expect_column_values_to_not_be_in_set" => {
            let field = arguments.column("column")?;
            Condition::InSet(field, arguments.cells("value_set", field)?, !name.contains("_not_"))
        }
        "expect_column_values_to_match_regex" | "expect_column_values_to_not_match_regex" => {
            let field = arguments.column("column")?;
            Condition::Match(field, regex(arguments)?, !name.contains("_not_"))
        }
        "expect_column_value_lengths_to_be_between" => {
            Condition::Lengths(arguments.column("column")?, arguments.needed_bounds(None)?.0.whole())
        }
        "expect_column_value_lengths_to_equal" => {
            let field = arguments.column("column")?;
            let length = arguments.count("value")?.ok_or(wrong("value is missing"))?;
            Condition::Lengths(field, (length.into(), length.into()))
        }
        "expect_column_pair_values_a_to_be_greater_than_b" => {
            let (a, b) = (arguments.column("column_A")?, arguments.column("column_B")?);
            if !a.is_numeric() || !b.is_numeric() {
                return Err(wrong("both columns must hold numbers"));
            }
            let or_equal = arguments.flag("or_equal", false)?;
            Condition::Greater { a, b, or_equal, ignore: arguments.choice("ignore_row_if", &PAIR)? }
        }
        "expect_column_pair_values_to_be_equal" => {
            let (a, b) = (arguments.column("column_A")?, arguments.column("column_B")?);
            Condition::Equal { a, b, ignore: arguments.choice("ignore_row_if", &PAIR)? }
        }
        "expect_select_column_values_to_be_unique_within_record" => {
            let fields = arguments.columns("column_list")?;
            Condition::DistinctWithin(fields, arguments.choice("ignore_row_if", &LIST)?)
        }
        "expect_column_values_to_be_unique" => {
            let unique = Unique { fields: vec![arguments.column("column")?], ignore: Ignore::AnyMissing };
            return Ok(Some(Kind::Unique(unique, arguments.share("mostly", 1.0)?)));
        }
        "expect_compound_columns_to_be_unique" => {
            let fields = arguments.columns("column_list")?;
            let unique = Unique { fields, ignore: arguments.choice("ignore_row_if", &LIST)? };
            return Ok(Some(Kind::Unique(unique, arguments.share("mostly", 1.0)?)));
        }
        _ => return Ok(None),
    };
    Ok(Some(Kind::Rows(condition, arguments.share("mostly", 1.0)?)))
}

/// The expectations about a column as a whole.
fn column_kind(name: &str, arguments: &mut Arguments<'_>) -> Result<Option<Kind>, Wrong> {
    Ok(Some(match name {
        "expect_column_min_to_be_between" | "expect_column_max_to_be_between" => {
            let field = arguments.numeric("column")?;
            let (bounds, times) = arguments.bounds(Some(field))?;
            Kind::Extreme { field, least: name.contains("_min_"), bounds, times }
        }
        "expect_column_mean_to_be_between" => {
            let field = arguments.numeric("column")?;
            let (bounds, times) = arguments.bounds(Some(field))?;
            Kind::Moment { field, of: Moment::Mean, bounds, times }
        }
        "expect_column_stdev_to_be_between" | "expect_column_sum_to_be_between" => {
            let of = if name.contains("_sum_") { Moment::Sum } else { Moment::Deviation };
            let field = arguments.numeric("column")?;
            Kind::Moment { field, of, bounds: arguments.bounds(None)?.0, times: false }
        }
        "expect_column_median_to_be_between" => {
            let field = arguments.numeric("column")?;
            let (bounds, times) = arguments.bounds(Some(field))?;
            Kind::Median { field, bounds, times }
        }
        "expect_column_quantile_values_to_be_between" => quantiles(arguments)?,
        "expect_column_unique_value_count_to_be_between" => {
            Kind::Distinct { field: arguments.column("column")?, share: false, bounds: arguments.bounds(None)?.0 }
        }
        "expect_column_proportion_of_unique_values_to_be_between" => {
            Kind::Distinct { field: arguments.column("column")?, share: true, bounds: arguments.bounds(None)?.0 }
        }
        "expect_column_distinct_values_to_be_in_set"
        | "expect_column_distinct_values_to_contain_set"
        | "expect_column_distinct_values_to_equal_set" => {
            let field = arguments.column("column")?;
            let cells = arguments.cells("value_set", field)?;
            let (within, contains) = (!name.ends_with("_contain_set"), !name.ends_with("_be_in_set"));
            Kind::DistinctSet { field, cells, within, contains }
        }
        "expect_column_most_common_value_to_be_in_set" => {
            let field = arguments.column("column")?;
            let cells = arguments.cells("value_set", field)?;
            Kind::MostCommon { field, cells, ties_okay: arguments.flag("ties_okay", false)? }
        }
        "expect_column_kl_divergence_to_be_less_than" => Kind::Divergence(Divergence::read(arguments)?),
        "expect_column_values_to_be_of_type" => {
            let field = arguments.column("column")?;
            let name = arguments.text("type_")?.ok_or(wrong("type_ must name a type"))?;
            arguments.share("mostly", 1.0)?;
            Kind::Type { field, holds: types::is_of(field, name)? }
        }
        _ => return Ok(None),
    }))
}

/// The expectations about the table.
fn table_kind(name: &str, arguments: &mut Arguments<'_>) -> Result<Kind, Wrong> {
    let equal = |arguments: &mut Arguments<'_>| -> Result<Bounds, Wrong> {
        let value = arguments.count("value")?.ok_or(wrong("value is missing"))?;
        let number = Some(crate::bounds::Number::Whole(value.into()));
        Ok(Bounds { minimum: number, maximum: number, ..Bounds::default() })
    };
    Ok(match name {
        "expect_table_row_count_to_be_between" => Kind::RowCount(arguments.bounds(None)?.0),
        "expect_table_row_count_to_equal" => Kind::RowCount(equal(arguments)?),
        "expect_table_column_count_to_be_between" => Kind::ColumnCount(arguments.bounds(None)?.0),
        "expect_table_column_count_to_equal" => Kind::ColumnCount(equal(arguments)?),
        "expect_table_columns_to_match_set" => {
            let exact = arguments.flag("exact_match", true)?;
            Kind::ColumnSet { names: arguments.names("column_set")?, exact }
        }
        "expect_column_to_exist" => {
            let name = arguments.text("column")?.ok_or(wrong("column must name a column"))?.to_owned();
            // Great Expectations takes 0 for no index.
            let place = arguments.count("column_index")?.filter(|place| *place > 0);
            Kind::ColumnExists { name, place }
        }
        unknown => return Err(("unknown expectation".to_owned(), Some(known_names(unknown, &KNOWN)))),
    })
}

fn regex(arguments: &mut Arguments<'_>) -> Result<Regex, Wrong> {
    let pattern = arguments.text("regex")?.ok_or(wrong("regex must be a text"))?;
    Regex::new(pattern).map_err(|error| {
        // The first lines draw the pattern.
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let hint = "look-around and references to groups are not supported; everything else is written as in Python";
        (format!("regex {pattern:?} is no pattern: {reason}"), Some(hint.to_owned()))
    })
}

fn quantiles(arguments: &mut Arguments<'_>) -> Result<Kind, Wrong> {
    let field = arguments.numeric("column")?;
    let shape = || wrong("quantile_ranges must be {\"quantiles\": [...], \"value_ranges\": [[low, high], ...]}");
    let object = arguments.get("quantile_ranges").and_then(Value::as_object).ok_or(shape())?;
    let list = |name: &str| object.get(name).and_then(Value::as_array).ok_or(shape());
    let share = |value: &Value| value.as_f64().filter(|share| (0.0..=1.0).contains(share));
    let shares = list("quantiles")?.iter().map(share).collect::<Option<Vec<_>>>();
    let shares = shares.ok_or(wrong("quantiles must be numbers from 0 to 1"))?;
    let end = |value: &Value, absent: f64| if value.is_null() { Some(absent) } else { value.as_f64() };
    let range = |value: &Value| match value.as_array()?.as_slice() {
        [low, high] => Some((end(low, f64::NEG_INFINITY)?, end(high, f64::INFINITY)?)),
        _ => None,
    };
    let ranges = list("value_ranges")?.iter().map(range).collect::<Option<Vec<_>>>();
    let ranges = ranges.ok_or(wrong("value_ranges must be pairs of numbers or nulls"))?;
    if shares.len() != ranges.len() || object.len() != 2 {
        return Err(shape());
    }
    let ascending = shares.windows(2).all(|pair| pair[0] <= pair[1]) && ranges.iter().all(|(low, high)| low <= high);
    if !ascending {
        return Err(wrong("quantiles and both ends of every value range must ascend"));
    }
    let interpolations = [
        ("nearest", Interpolation::Nearest),
        ("linear", Interpolation::Linear),
        ("lower", Interpolation::Lower),
        ("higher", Interpolation::Higher),
        ("midpoint", Interpolation::Midpoint),
    ];
    let interpolation = match arguments.get("allow_relative_error") {
        Some(Value::Bool(false)) => Interpolation::Nearest,
        _ => arguments.choice("allow_relative_error", &interpolations)?,
    };
    Ok(Kind::Quantiles { field, shares, ranges, interpolation })
}
