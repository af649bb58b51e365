//! What data looks like, and the suite that says so.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use weir_contract::FlowBatch;
use weir_contract::expectation::{Expectation, Suite};
use weir_contract::flow::COLUMNS;

use crate::bounds::iso;
use crate::distinct::Counts;
use crate::field::{Field, Holds, integer};
use crate::rows::{Condition, Ignore, Tally};
use crate::sample::{Interpolation, Quantile, Sample, quantile};
use crate::types;
use crate::unique::{Keys, Unique};

/// Columns with more values than this get no set.
const MAX_SET: usize = 32;

/// Columns with few values by nature; a port or a size with few values is chance.
const NAMED: [Field; 3] = [Field::Transport, Field::Label, Field::Attack];

/// The pairs of which the first may never be less than the second.
const PAIRS: [(Field, Field); 1] = [(Field::Bytes, Field::Packets)];

/// What data looks like: nulls, values, quantiles, pairs, uniqueness of the flow id. Observed and merged like an
/// [`Evaluation`](crate::Evaluation), with the same bytes for any cutting.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Profile {
    rows: u64,
    /// Per column of the table.
    nulls: Vec<u64>,
    /// Per column of [`NAMED`].
    sets: Vec<Counts>,
    /// Per column of numbers, in the table's order.
    samples: Vec<Sample>,
    /// Per pair of [`PAIRS`].
    pairs: Vec<Tally>,
    flow_ids: Keys,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            rows: 0,
            nulls: vec![0; COLUMNS.len()],
            sets: vec![Counts::default(); NAMED.len()],
            samples: vec![Sample::default(); numeric().count()],
            pairs: vec![Tally::default(); PAIRS.len()],
            flow_ids: Keys::default(),
        }
    }
}

fn numeric() -> impl Iterator<Item = Field> {
    Field::ALL.into_iter().filter(|field| field.is_numeric())
}

fn flow_id() -> Unique {
    Unique { fields: vec![Field::FlowId], ignore: Ignore::AnyMissing }
}

impl Profile {
    /// Takes `rows` of `flows`.
    ///
    /// # Panics
    /// When `rows` reaches beyond `flows`.
    pub fn observe(&mut self, flows: &FlowBatch, rows: Range<usize>) {
        self.rows += rows.len() as u64;
        for (field, nulls) in Field::ALL.into_iter().zip(&mut self.nulls) {
            *nulls += rows.clone().filter(|row| field.is_null(flows, *row)).count() as u64;
        }
        for (field, counts) in NAMED.into_iter().zip(&mut self.sets) {
            counts.observe(field, flows, rows.clone(), MAX_SET);
        }
        for (field, sample) in numeric().zip(&mut self.samples) {
            sample.observe(field, flows, rows.clone());
        }
        for ((a, b), tally) in PAIRS.into_iter().zip(&mut self.pairs) {
            let condition = Condition::Greater { a, b, or_equal: true, ignore: Ignore::AnyMissing };
            condition.observe(flows, rows.clone(), tally, &mut |_| {});
        }
        self.flow_ids.observe(&flow_id(), flows, rows);
    }

    /// Joins a profile of rows that come after those of this one.
    pub fn merge(&mut self, later: Self) {
        self.rows += later.rows;
        self.nulls.iter_mut().zip(later.nulls).for_each(|(own, other)| *own += other);
        self.sets.iter_mut().zip(later.sets).for_each(|(own, other)| own.merge(other, MAX_SET));
        self.samples.iter_mut().zip(later.samples).for_each(|(own, other)| own.merge(other));
        self.pairs.iter_mut().zip(later.pairs).for_each(|(own, other)| own.merge(other));
        self.flow_ids.merge(later.flow_ids);
    }

    /// The rows seen.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }
}

/// A suite that holds on the profiled data, with slack for data like it; read it before relying on it.
///
/// It has: the columns and their types; no nulls where none was seen; the values of transport, label and attack up to 32
/// of them; for numbers, half the 0.001 quantile to twice the 0.999 quantile with `mostly` 0.98 (ports: their range;
/// times: half the observed span more on either side); bytes not below packets, and distinct flow ids, where that held.
/// Severity is `critical` for what always held, `warning` for what is a matter of quantiles.
#[must_use]
pub fn suggest(profile: &Profile) -> Suite {
    let mut expectations = vec![expectation(
        "expect_table_columns_to_match_set",
        json!({"column_set": COLUMNS, "exact_match": true}),
        "critical",
    )];
    let mut add = |kind: &str, arguments: Value, severity: &str| {
        expectations.push(expectation(kind, arguments, severity));
    };
    for field in Field::ALL {
        let arguments = json!({"column": field.name(), "type_": types::observed(field)});
        add("expect_column_values_to_be_of_type", arguments, "critical");
    }
    for (field, _) in Field::ALL.into_iter().zip(&profile.nulls).filter(|(_, nulls)| **nulls == 0 && profile.rows > 0) {
        add("expect_column_values_to_not_be_null", json!({"column": field.name()}), "critical");
    }
    for (field, counts) in NAMED.into_iter().zip(&profile.sets).filter(|(_, counts)| !counts.values.is_empty()) {
        let values: Vec<Value> = counts.values.keys().map(|value| value.json()).collect();
        let arguments = json!({"column": field.name(), "value_set": values});
        add("expect_column_values_to_be_in_set", arguments, "critical");
    }
    for (field, sample) in numeric().zip(&profile.samples) {
        let values = sample.values();
        let (Some(&least), Some(&greatest)) = (values.first(), values.last()) else { continue };
        let at = |share: f64| match quantile(&values, share, Interpolation::Nearest) {
            Some(Quantile::Whole(value)) => value,
            _ => least,
        };
        let (low, high, mostly) = match field.holds() {
            Holds::Port => (0, u16::MAX.into(), 1.0),
            // A sample may have missed the ends.
            Holds::Time => {
                let slack = (greatest - least) / 2 + 1;
                (least - slack, greatest + slack, 0.98)
            }
            _ => (at(0.001) / 2, (at(0.999) * 2).min(u64::MAX.into()), 0.98),
        };
        let end = |value: i128| match (field.holds(), i64::try_from(value)) {
            (Holds::Time, Ok(time)) => json!(iso(time)),
            _ => integer(value),
        };
        let mut arguments = json!({"column": field.name(), "min_value": end(low), "max_value": end(high)});
        if mostly < 1.0 {
            arguments["mostly"] = json!(mostly);
        }
        add("expect_column_values_to_be_between", arguments, if mostly < 1.0 { "warning" } else { "critical" });
    }
    for ((a, b), tally) in PAIRS.into_iter().zip(&profile.pairs) {
        if tally.unexpected == 0 && profile.rows > tally.missing {
            let columns = json!({"column_A": a.name(), "column_B": b.name(), "or_equal": true,
                "ignore_row_if": "either_value_is_missing"});
            add("expect_column_pair_values_a_to_be_greater_than_b", columns, "critical");
        }
    }
    let ids = &profile.flow_ids;
    if !ids.overflowed() && ids.rows > 0 && ids.repeated().1 == 0 {
        add("expect_column_values_to_be_unique", json!({"column": Field::FlowId.name()}), "critical");
    }
    let mut meta = Map::new();
    meta.insert("great_expectations_version".to_owned(), json!("1.24.0"));
    meta.insert("profiled_rows".to_owned(), json!(profile.rows));
    Suite { name: "suggested".to_owned(), expectations, meta, other: Map::new() }
}

fn expectation(kind: &str, arguments: Value, severity: &str) -> Expectation {
    Expectation {
        kind: kind.to_owned(),
        kwargs: match arguments {
            Value::Object(arguments) => arguments,
            _ => Map::new(),
        },
        meta: Map::new(),
        severity: Some(severity.to_owned()),
        other: Map::new(),
    }
}
