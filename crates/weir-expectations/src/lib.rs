//! Expectation suites in the JSON of Great Expectations 1.x, evaluated over canonical flows in one pass.
//!
//! [`Checked::parse`] reads a suite and refuses what it does not know; nothing is ignored. An [`Evaluation`] observes rows
//! in pieces, pieces merge in the order of their rows (over threads and machines) to the same bytes for any cutting, and
//! [`Evaluation::finish`] gives the result in the form of Great Expectations. [`suggest`] turns a [`Profile`] of data into
//! a suite that holds on it. What happens to rows that break a suite (the policy) is the caller's to decide; this crate
//! knows neither files nor features.
//!
//! ```
//! use weir_contract::{FlowBatch, expectation::Policy};
//!
//! let text = r#"{"name": "sizes", "expectations": [
//!     {"type": "expect_column_values_to_be_between", "kwargs": {"column": "bytes", "min_value": 1, "mostly": 0.99}}]}"#;
//! let suite = weir_expectations::Checked::parse(text, "sizes.json")?;
//! let flows = FlowBatch::default();
//! let mut evaluation = suite.start();
//! let mut unexpected = Vec::new();
//! evaluation.observe(&suite, &flows, 0..flows.len(), &mut |row, expectation| unexpected.push((row, expectation)));
//! assert!(evaluation.finish(&suite, Policy::Quarantine)?.success);
//! # Ok::<(), weir_expectations::SuiteError>(())
//! ```
//!
//! # Expectations about rows
//!
//! All take `mostly` (default 1): the share of the present rows that has to be as expected. Nulls are missing rows: neither
//! expected nor unexpected, and not in the denominator; an expectation without present rows holds. Values are compared in
//! whole numbers, never as doubles. `column` and its like name a column of the canonical table.
//!
//! | `expect_...` | arguments | a row is expected when |
//! |---|---|---|
//! | `column_values_to_not_be_null` | `column` | the value is there (nulls count here) |
//! | `column_values_to_be_null` | `column` | it is not |
//! | `column_values_to_be_between` | `column`, `min_value`, `max_value`, `strict_min`, `strict_max` | the number is within; for `event_time` the ends are milliseconds or ISO 8601 |
//! | `column_values_to_be_in_set`, `..._to_not_be_in_set` | `column`, `value_set` | the value is (not) one of these; 80.0 is 80 |
//! | `column_values_to_match_regex`, `..._to_not_match_regex` | `column`, `regex` | the pattern is found (nowhere) in the value as text; anywhere, so anchor it with `^` |
//! | `column_value_lengths_to_be_between` | `column`, `min_value`, `max_value`, `strict_min`, `strict_max` | the value as text has so many characters |
//! | `column_value_lengths_to_equal` | `column`, `value` | the same |
//! | `column_pair_values_a_to_be_greater_than_b` | `column_A`, `column_B`, `or_equal`, `ignore_row_if` | a > b (a >= b) |
//! | `column_pair_values_to_be_equal` | `column_A`, `column_B`, `ignore_row_if` | a = b |
//! | `select_column_values_to_be_unique_within_record` | `column_list`, `ignore_row_if` | its values differ from each other |
//! | `column_values_to_be_unique` | `column` | no other row has the value |
//! | `compound_columns_to_be_unique` | `column_list`, `ignore_row_if` | no other row has these values |
//!
//! `ignore_row_if` says which rows count as missing: for pairs `both_values_are_missing` (default),
//! `either_value_is_missing`, `neither`; for lists `all_values_are_missing` (default), `any_value_is_missing`, `never`. In
//! a row that is not ignored a null is greater than nothing and equal to nothing in a pair, and equal to a null in a list.
//!
//! Uniqueness is exact up to [`MAX_KEYS`] rows per expectation, kept in memory as 16 bytes each; more are an error that
//! says so. Which rows are repeated is known after the last row: [`Evaluation::duplicates`] finds them in a second pass.
//!
//! # Expectations about a column
//!
//! Bounds are `min_value`, `max_value`, `strict_min`, `strict_max`, and may all be absent. Nulls are left out.
//!
//! | `expect_column_...` | arguments | observed |
//! |---|---|---|
//! | `min_to_be_between`, `max_to_be_between` | `column`, bounds (also as times) | the least, the greatest number |
//! | `mean_to_be_between` | `column`, bounds (also as times) | the mean, correctly rounded from the exact sum |
//! | `stdev_to_be_between` | `column`, bounds | the deviation with divisor n - 1, from exact sums of the numbers and their squares |
//! | `sum_to_be_between` | `column`, bounds | the exact sum |
//! | `median_to_be_between` | `column`, bounds (also as times) | the median |
//! | `quantile_values_to_be_between` | `column`, `quantile_ranges` (`quantiles`, `value_ranges`, null for no end), `allow_relative_error` (false or `nearest`, `linear`, `lower`, `higher`, `midpoint`) | quantiles; an end may be missed by 10^-4 of it |
//! | `unique_value_count_to_be_between`, `proportion_of_unique_values_to_be_between` | `column`, bounds | distinct values, their share of the present rows |
//! | `distinct_values_to_be_in_set`, `..._to_contain_set`, `..._to_equal_set` | `column`, `value_set` | what is beyond the set, what of it is missing |
//! | `most_common_value_to_be_in_set` | `column`, `value_set`, `ties_okay` | the most common values |
//! | `kl_divergence_to_be_less_than` | `column`, `partition_object` (`values` and `weights`, or `bins`, `weights` and optionally `tail_weights`), `threshold`, `tail_weight_holdout`, `internal_weight_holdout` | Σ p ln(p / q) of observed shares p and expected q; null and broken where something was seen that has no weight |
//! | `values_to_be_of_type` | `column`, `type_` | the type of the canonical column in Parquet by its numpy name |
//! | `to_exist` | `column`, `column_index` | |
//!
//! Median and quantiles are exact up to [`MAX_SAMPLE`] values and come from a sample of as many beyond (then the result has
//! `sample`). Distinct values are counted up to [`MAX_DISTINCT`]; more are an error that says so.
//!
//! Types go by the names of numpy and pandas (`uint64`, `UInt64Dtype`), pyarrow (`timestamp[ms]`) and SQL (`UBIGINT`):
//! `bytes`, `packets` and `duration_ns` are u64, ports u16, `event_time` a timestamp in milliseconds, `final` bool, all else
//! text. Great Expectations on pandas itself knows only numpy's names.
//!
//! # Expectations about the table
//!
//! `expect_table_row_count_to_be_between`, `..._to_equal` (`value`), `expect_table_column_count_to_be_between`, `..._to_equal`
//! and `expect_table_columns_to_match_set` (`column_set`, `exact_match`). Every canonical table has the same columns.
//!
//! # What else a suite may say
//!
//! `id`, `notes`, `meta`, `rendered_content`, `description`, `batch_id`, `result_format`, `catch_exceptions` and the like are
//! accepted and not followed. `severity` (`critical`, `warning`, `info`) is shown. `row_condition` and `condition_parser`
//! are not supported and refused when not null.
//!
//! # Equality with Great Expectations
//!
//! `tests/great_expectations/run.sh` evaluates every type on the same tables with Great Expectations 1.24 and compares
//! success, counts, shares, observed values (1e-9) and details. Two differences are known: sums beyond 64 bits, which wrap
//! in pandas, and bounds beyond 2^53, which Great Expectations rounds to doubles; both are exact here.

mod arguments;
mod bounds;
mod distinct;
mod divergence;
mod error;
mod evaluation;
mod exact;
mod field;
mod kind;
mod profile;
mod result;
mod rows;
mod sample;
mod suite;
mod types;
mod unique;

pub use distinct::MAX_DISTINCT;
pub use error::SuiteError;
pub use evaluation::{Duplicates, Evaluation};
pub use kind::KNOWN;
pub use profile::{Profile, suggest};
pub use sample::MAX_SAMPLE;
pub use suite::{Checked, describe};
pub use unique::MAX_KEYS;

/// The suites that ship with Weir, as (name, JSON).
pub const SHIPPED: [(&str, &str); 1] = [("flows", include_str!("../../../pipeline/expectations/flows.json"))];
