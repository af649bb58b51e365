//! Results in the keys of Great Expectations.

use serde_json::{Map, Value, json};
use weir_contract::expectation::{ExceptionInfo, ExpectationResult, Policy, SuiteResult, SuiteStatistics};
use weir_contract::flow::COLUMNS;

use crate::bounds::{Bounds, iso};
use crate::distinct::Counts;
use crate::evaluation::{Evaluation, State};
use crate::field::{Cell, Field, integer};
use crate::kind::{Kind, Moment};
use crate::rows::Condition;
use crate::sample::{Interpolation, MAX_SAMPLE, Quantile, Sample, quantile};
use crate::suite::Checked;
use crate::types;

/// Distinct values shown, as Great Expectations does.
const SHOWN: usize = 20;

type Outcome = (bool, Map<String, Value>);

pub(crate) fn suite(checked: &Checked, evaluation: &Evaluation, policy: Policy) -> SuiteResult {
    let results: Vec<ExpectationResult> = checked
        .suite
        .expectations
        .iter()
        .enumerate()
        .map(|(index, expectation)| {
            let (success, result) = one(checked, evaluation, index);
            let exception_info = ExceptionInfo::default();
            ExpectationResult { success, expectation_config: expectation.clone(), result, exception_info }
        })
        .collect();
    let evaluated = results.len() as u64;
    let successful = results.iter().filter(|result| result.success).count() as u64;
    let mut meta = Map::new();
    meta.insert("policy".to_owned(), json!(policy));
    SuiteResult {
        success: successful == evaluated,
        suite_name: checked.suite.name.clone(),
        results,
        statistics: SuiteStatistics {
            evaluated_expectations: evaluated,
            successful_expectations: successful,
            unsuccessful_expectations: evaluated - successful,
            success_percent: (evaluated > 0).then(|| successful as f64 / evaluated as f64 * 100.0),
        },
        meta,
    }
}

/// Success and result of one expectation.
pub(crate) fn one(checked: &Checked, evaluation: &Evaluation, expectation: usize) -> Outcome {
    let rows = evaluation.rows;
    match (&checked.kinds[expectation], &evaluation.states[expectation]) {
        (Kind::Rows(condition, mostly), State::Tally(tally)) => {
            let about_nulls = matches!(condition, Condition::NotNull(_) | Condition::Null(_));
            let missing = (!about_nulls).then_some(tally.missing);
            let shown = shown(&tally.shown, &condition.fields(), matches!(condition, Condition::DistinctWithin(..)));
            of_rows(rows, missing, tally.unexpected, shown, *mostly)
        }
        (Kind::Unique(unique, mostly), State::Keys(keys)) => {
            let shown = shown(&keys.shown, &unique.fields, true);
            of_rows(rows, Some(keys.missing), keys.repeated().1, shown, *mostly)
        }
        (Kind::Extreme { least, bounds, times, .. }, State::Extremes(extremes)) => {
            let extreme = extremes.map(|(low, high)| if *least { low } else { high });
            observed(extreme.map(Quantile::Whole), bounds, *times)
        }
        (Kind::Moment { of, bounds, times, .. }, State::Moments(moments)) => {
            let value = match of {
                Moment::Mean => moments.mean().map(Quantile::Real),
                Moment::Deviation => moments.deviation().map(Quantile::Real),
                Moment::Sum => Some(Quantile::Whole(moments.sum())),
            };
            observed(value, bounds, *times)
        }
        (Kind::Median { bounds, times, .. }, State::Sample(sample)) => {
            let median = quantile(&sample.values(), 0.5, Interpolation::Midpoint);
            let (success, mut result) = observed(median, bounds, *times);
            tell_sampled(sample, &mut result);
            (success, result)
        }
        (Kind::Quantiles { shares, ranges, interpolation, .. }, State::Sample(sample)) => {
            let (success, mut result) = quantiles(shares, ranges, *interpolation, sample);
            tell_sampled(sample, &mut result);
            (success, result)
        }
        (Kind::Distinct { share, bounds, .. }, State::Counts(counts)) => {
            let distinct = counts.values.len();
            let value = match (share, counts.present) {
                (false, _) => Quantile::Whole(distinct as i128),
                (true, 0) => Quantile::Whole(0),
                (true, present) => Quantile::Real(distinct as f64 / present as f64),
            };
            observed(Some(value), bounds, false)
        }
        (Kind::DistinctSet { cells, within, contains, .. }, State::Counts(counts)) => {
            distinct_set(cells, *within, *contains, counts)
        }
        (Kind::MostCommon { cells, ties_okay, .. }, State::Counts(counts)) => {
            let modes = counts.most_common();
            let expected = modes.iter().filter(|value| cells.binary_search(value).is_ok()).count();
            let success = if *ties_okay { expected > 0 } else { modes.len() == 1 && expected == 1 };
            (success, value_map(json!(modes.iter().map(|value| value.json()).collect::<Vec<_>>())))
        }
        (Kind::Divergence(divergence), State::Counts(counts)) => divergence.of_counts(counts),
        (Kind::Divergence(divergence), State::Histogram(histogram)) => divergence.of_histogram(histogram),
        (Kind::Type { field, holds }, _) => (*holds, value_map(json!(types::observed(*field)))),
        (Kind::RowCount(bounds), _) => observed(Some(Quantile::Whole(rows.into())), bounds, false),
        (Kind::ColumnCount(bounds), _) => observed(Some(Quantile::Whole(COLUMNS.len() as i128)), bounds, false),
        (Kind::ColumnSet { names, exact }, _) => column_set(names, *exact),
        (Kind::ColumnExists { name, place }, _) => {
            let success = match place {
                None => COLUMNS.contains(&name.as_str()),
                Some(place) => COLUMNS.get(*place as usize) == Some(&name.as_str()),
            };
            (success, Map::new())
        }
        // A state is made from its kind.
        (kind, state) => unreachable!("{kind:?} has no state {state:?}"),
    }
}

fn value_map(value: Value) -> Map<String, Value> {
    Map::from_iter([("observed_value".to_owned(), value)])
}

/// A number within bounds; without one the expectation does not hold.
fn observed(value: Option<Quantile>, bounds: &Bounds, times: bool) -> Outcome {
    let success = match value {
        None => false,
        Some(Quantile::Whole(value)) => bounds.hold_whole(value),
        Some(Quantile::Real(value)) => bounds.hold_real(value),
    };
    let shown = match value {
        None => Value::Null,
        Some(value) if times => json!(iso(value.real().round() as i64)),
        Some(value) => number(value),
    };
    (success, value_map(shown))
}

fn number(value: Quantile) -> Value {
    match value {
        Quantile::Whole(value) => integer(value),
        Quantile::Real(value) => json!(value),
    }
}

/// The counts of an expectation about rows; `missing` is `None` where nulls are what it is about.
fn of_rows(rows: u64, missing: Option<u64>, unexpected: u64, shown: Value, mostly: f64) -> Outcome {
    let present = rows - missing.unwrap_or(0);
    // In the order of operations of Great Expectations, so that borderline cases fall to the same side.
    let percent = |part: u64, whole: u64| {
        if whole == 0 { Value::Null } else { json!(part as f64 / whole as f64 * 100.0) }
    };
    let mut result = Map::new();
    result.insert("element_count".to_owned(), json!(rows));
    result.insert("unexpected_count".to_owned(), json!(unexpected));
    result.insert("unexpected_percent".to_owned(), percent(unexpected, present));
    result.insert("partial_unexpected_list".to_owned(), shown);
    if let Some(missing) = missing {
        result.insert("missing_count".to_owned(), json!(missing));
        result.insert("missing_percent".to_owned(), percent(missing, rows));
        result.insert("unexpected_percent_total".to_owned(), percent(unexpected, rows));
        result.insert("unexpected_percent_nonmissing".to_owned(), percent(unexpected, present));
    }
    (present == 0 || (present - unexpected) as f64 / present as f64 >= mostly, result)
}

/// Values of one column, pairs of two, objects where the expectation takes a list of columns.
fn shown(rows: &[Vec<Cell>], fields: &[Field], list: bool) -> Value {
    let row = |cells: &Vec<Cell>| match &cells[..] {
        [cell] => cell.json(),
        cells if list => fields.iter().zip(cells).map(|(field, cell)| (field.name().to_owned(), cell.json())).collect(),
        cells => cells.iter().map(Cell::json).collect(),
    };
    rows.iter().map(row).collect()
}

fn quantiles(shares: &[f64], ranges: &[(f64, f64)], interpolation: Interpolation, sample: &Sample) -> Outcome {
    let ascending = sample.values();
    let values: Vec<Option<Quantile>> =
        shares.iter().map(|share| quantile(&ascending, *share, interpolation)).collect();
    let holds = |(value, (low, high)): (&Option<Quantile>, &(f64, f64))| {
        let close = |value: f64, bound: f64| bound.is_finite() && (value - bound).abs() <= 1e-8 + 1e-4 * bound.abs();
        value
            .map(Quantile::real)
            .is_some_and(|value| close(value, *low) || close(value, *high) || (*low..=*high).contains(&value))
    };
    let details: Vec<bool> = values.iter().zip(ranges).map(holds).collect();
    let shown: Vec<Value> = values.iter().map(|value| value.map_or(Value::Null, number)).collect();
    let mut result = value_map(json!({"quantiles": shares, "values": shown}));
    result.insert("details".to_owned(), json!({"success_details": details}));
    (details.iter().all(|holds| *holds), result)
}

/// Says so where the values are a sample.
fn tell_sampled(sample: &Sample, result: &mut Map<String, Value>) {
    if sample.seen > MAX_SAMPLE as u64 {
        result.insert("sample".to_owned(), json!({"rows": MAX_SAMPLE, "of": sample.seen}));
    }
}

fn distinct_set(cells: &[Cell], within: bool, contains: bool, counts: &Counts) -> Outcome {
    let unexpected: Vec<&Cell> = counts.values.keys().filter(|value| cells.binary_search(value).is_err()).collect();
    let missing: Vec<&Cell> = cells.iter().filter(|value| !counts.values.contains_key(value)).collect();
    let list = |cells: &[&Cell]| -> Value { cells.iter().take(SHOWN).map(|cell| cell.json()).collect() };
    let mut result = value_map(Value::Null);
    if within {
        result.insert("unexpected_count".to_owned(), json!(unexpected.len()));
        result.insert("partial_unexpected_list".to_owned(), list(&unexpected));
    }
    if contains {
        result.insert("missing_count".to_owned(), json!(missing.len()));
        result.insert("partial_missing_list".to_owned(), list(&missing));
    }
    ((!within || unexpected.is_empty()) && (!contains || missing.is_empty()), result)
}

fn column_set(names: &[String], exact: bool) -> Outcome {
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names.dedup();
        names
    };
    let all: Vec<String> = COLUMNS.map(str::to_owned).to_vec();
    let unexpected = sorted(all.iter().filter(|column| !names.contains(column)).cloned().collect());
    let missing = sorted(names.iter().filter(|name| !all.contains(name)).cloned().collect());
    let success = missing.is_empty() && (!exact || unexpected.is_empty());
    let mut result = value_map(json!(sorted(all)));
    let mut mismatched = Map::new();
    for (name, columns) in [("unexpected", unexpected), ("missing", missing)] {
        if !columns.is_empty() {
            mismatched.insert(name.to_owned(), json!(columns));
        }
    }
    if !mismatched.is_empty() {
        result.insert("details".to_owned(), json!({"mismatched": mismatched}));
    }
    (success, result)
}
