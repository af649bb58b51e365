//! The Kullback-Leibler divergence of a column from an expected partition, after Great Expectations:
//! D(P || Q) = Σ p ln(p / q) with observed shares p and expected shares q, both scaled to a sum of 1.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use weir_contract::FlowBatch;

use crate::arguments::{Arguments, cell};
use crate::bounds::Number;
use crate::distinct::Counts;
use crate::error::{Wrong, wrong};
use crate::field::{Cell, Field, each_number};

/// What is expected of a column, checked.
#[derive(Debug, Clone)]
pub(crate) struct Divergence {
    pub(crate) field: Field,
    pub(crate) partition: Partition,
    threshold: Option<f64>,
    tail_holdout: f64,
    internal_holdout: f64,
}

#[derive(Debug, Clone)]
pub(crate) enum Partition {
    /// Values with their shares, in the suite's order.
    Values(Vec<(Cell, f64)>),
    /// Ascending edges, shares between them, shares below and above where the suite gives them.
    Bins { edges: Vec<Number>, weights: Vec<f64>, tails: Option<(f64, f64)> },
}

impl Divergence {
    pub(crate) fn read(arguments: &mut Arguments<'_>) -> Result<Self, Wrong> {
        let field = arguments.column("column")?;
        let object = arguments.get("partition_object").and_then(Value::as_object);
        let object = object.ok_or(wrong("partition_object must be an object of weights with values or bins"))?;
        let threshold = match arguments.get("threshold") {
            None => None,
            Some(value) => match value.as_f64() {
                Some(threshold) if threshold >= 0.0 => Some(threshold),
                _ => return Err(wrong(format!("threshold must be a number from 0, received {value}"))),
            },
        };
        let tail_holdout = arguments.share("tail_weight_holdout", 0.0)?;
        let internal_holdout = arguments.share("internal_weight_holdout", 0.0)?;
        let bucketize = arguments.flag("bucketize_data", true)?;
        for name in ["min_value", "max_value"] {
            if arguments.get(name).is_some() {
                return Err(wrong(format!("{name} has no meaning here")));
            }
        }
        let partition = Partition::read(object, field)?;
        match &partition {
            Partition::Values(_) if internal_holdout > 0.0 => Err(wrong("internal_weight_holdout is for bins only")),
            Partition::Bins { .. } if !bucketize => Err(wrong("bins cannot be used with bucketize_data=false")),
            Partition::Bins { .. } if !field.is_numeric() => {
                Err(wrong(format!("column {} holds no numbers", field.name())))
            }
            Partition::Bins { tails: Some(_), .. } if tail_holdout > 0.0 => {
                Err(wrong("tail_weight_holdout cannot be used with tail_weights"))
            }
            _ => Ok(Self { field, partition, threshold, tail_holdout, internal_holdout }),
        }
    }

    /// Success and result; the divergence of no rows is undefined and does not hold.
    fn judge(&self, observed: &[f64], expected: &[f64], details: Value) -> (bool, Map<String, Value>) {
        let divergence = entropy(observed, expected);
        let value = if divergence.is_finite() { json!(divergence) } else { Value::Null };
        let mut result = Map::new();
        result.insert("observed_value".to_owned(), value);
        result.insert("details".to_owned(), details);
        (self.threshold.is_none_or(|threshold| divergence <= threshold), result)
    }

    pub(crate) fn of_counts(&self, counts: &Counts) -> (bool, Map<String, Value>) {
        let Partition::Values(expected) = &self.partition else { return Default::default() };
        let share = |count: u64| if count == 0 { 0.0 } else { count as f64 / counts.present as f64 };
        let others: Vec<&Cell> =
            counts.values.keys().filter(|value| expected.iter().all(|(known, _)| known != *value)).collect();
        // What was not expected at all shares the holdout.
        let rest = self.tail_holdout / others.len() as f64;
        let scale = if others.is_empty() { 1.0 } else { 1.0 - self.tail_holdout };
        let (mut values, mut observed, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
        for (value, weight) in expected
            .iter()
            .map(|(value, weight)| (value, weight * scale))
            .chain(others.iter().map(|value| (*value, rest)))
        {
            values.push(value.json());
            observed.push(share(counts.values.get(value).copied().unwrap_or(0)));
            wanted.push(weight);
        }
        let details = json!({
            "observed_partition": {"values": values, "weights": observed},
            "expected_partition": {"values": values, "weights": wanted},
        });
        self.judge(&observed, &wanted, details)
    }

    pub(crate) fn of_histogram(&self, histogram: &Histogram) -> (bool, Map<String, Value>) {
        let Partition::Bins { edges, weights, tails } = &self.partition else { return Default::default() };
        let present = histogram.below + histogram.above + histogram.counts.iter().sum::<u64>();
        // Of nothing a share is NaN, null in the result.
        let share = |count: u64| count as f64 / present as f64;
        let observed: Vec<f64> = histogram.counts.iter().map(|count| share(*count)).collect();
        let observed_tails = [share(histogram.below), share(histogram.above)];
        let mut expected: Vec<f64> =
            weights.iter().map(|weight| weight * (1.0 - self.tail_holdout - self.internal_holdout)).collect();
        let empty = expected.iter().filter(|weight| **weight == 0.0).count();
        for weight in expected.iter_mut().filter(|weight| **weight == 0.0) {
            *weight = self.internal_holdout / empty as f64;
        }
        let (below, above) = tails.unwrap_or((self.tail_holdout / 2.0, self.tail_holdout / 2.0));
        let edges: Vec<Value> = edges.iter().map(|edge| edge.json()).collect();
        let details = json!({
            "observed_partition": {"bins": edges, "weights": observed, "tail_weights": observed_tails},
            "expected_partition": {"bins": edges, "weights": expected, "tail_weights": [below, above]},
        });
        let whole = |inner: &[f64], below: f64, above: f64| [&[below], inner, &[above]].concat();
        let [observed_below, observed_above] = observed_tails;
        let observed = whole(&observed, observed_below, observed_above);
        self.judge(&observed, &whole(&expected, below, above), details)
    }
}

/// Σ p ln(p / q) over shares scaled to a sum of 1; infinite where p is positive and q is not, NaN where nothing was
/// observed.
fn entropy(observed: &[f64], expected: &[f64]) -> f64 {
    let (all_observed, all_expected) = (observed.iter().sum::<f64>(), expected.iter().sum::<f64>());
    let term = |(p, q): (&f64, &f64)| {
        let (p, q) = (p / all_observed, q / all_expected);
        if p == 0.0 { 0.0 } else { p * libm::log(p / q) }
    };
    observed.iter().zip(expected).map(term).sum()
}

impl Partition {
    fn read(object: &Map<String, Value>, field: Field) -> Result<Self, Wrong> {
        let known = ["values", "bins", "weights", "tail_weights"];
        if let Some(name) = object.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(wrong(format!("unknown part {name:?} of partition_object; known are {}", known.join(", "))));
        }
        let list = |name: &str| match object.get(name) {
            None => Ok(None),
            Some(value) => value.as_array().map(Some).ok_or(wrong(format!("{name} must be a list"))),
        };
        let shares = |name: &str| -> Result<Option<Vec<f64>>, Wrong> {
            let Some(values) = list(name)? else { return Ok(None) };
            let share = |value: &Value| value.as_f64().filter(|share| *share >= 0.0);
            let shares = values.iter().map(share).collect::<Option<_>>();
            shares.map(Some).ok_or(wrong(format!("{name} must hold numbers from 0")))
        };
        let weights = shares("weights")?.ok_or(wrong("partition_object must have weights"))?;
        let tails = shares("tail_weights")?;
        // The tolerance of numpy's allclose.
        let sum = weights.iter().chain(tails.iter().flatten()).sum::<f64>();
        if (sum - 1.0).abs() > 1e-5 + 1e-8 {
            return Err(wrong(format!("the weights must sum to 1, they sum to {sum}")));
        }
        match (list("values")?, list("bins")?) {
            (Some(values), None) => {
                if tails.is_some() {
                    return Err(wrong("tail_weights are for bins only"));
                }
                let cells = values.iter().map(|value| cell("values", value, field)).collect::<Result<Vec<_>, _>>()?;
                let repeated = (1..cells.len()).any(|place| cells[..place].contains(&cells[place]));
                if cells.len() != weights.len() || repeated {
                    return Err(wrong("values must be distinct and as many as weights"));
                }
                Ok(Self::Values(cells.into_iter().zip(weights).collect()))
            }
            (None, Some(bins)) => {
                let edges = bins.iter().map(Number::read).collect::<Option<Vec<_>>>();
                let edges =
                    edges.ok_or(wrong("bins must hold finite numbers; tail_weights stand for what is beyond"))?;
                if edges.len() != weights.len() + 1 || !edges.windows(2).all(|pair| pair[0].real() < pair[1].real()) {
                    return Err(wrong("bins must ascend and be one more than weights"));
                }
                let tails = match tails.as_deref() {
                    None => None,
                    Some([below, above]) => Some((*below, *above)),
                    Some(_) => return Err(wrong("tail_weights must be two: below and above the bins")),
                };
                Ok(Self::Bins { edges, weights, tails })
            }
            _ => Err(wrong("partition_object must have either values or bins")),
        }
    }
}

/// Rows per bin. A bin holds its lower edge, the last one its upper edge too.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Histogram {
    below: u64,
    above: u64,
    counts: Vec<u64>,
}

impl Histogram {
    pub(crate) fn new(edges: &[Number]) -> Self {
        Self { counts: vec![0; edges.len().saturating_sub(1)], ..Self::default() }
    }

    pub(crate) fn observe(&mut self, edges: &[Number], field: Field, flows: &FlowBatch, rows: Range<usize>) {
        let starts: Vec<i128> = edges.iter().map(|edge| edge.ceil()).collect();
        let end = edges.last().map_or(i128::MIN, |edge| edge.floor());
        let last = self.counts.len() - 1;
        each_number(field, flows, rows, |_, value| {
            match starts.partition_point(|start| *start <= value) {
                0 => self.below += 1,
                _ if value > end => self.above += 1,
                place => self.counts[(place - 1).min(last)] += 1,
            };
        });
    }

    pub(crate) fn merge(&mut self, later: &Self) {
        self.below += later.below;
        self.above += later.above;
        self.counts.iter_mut().zip(&later.counts).for_each(|(own, other)| *own += other);
    }
}
