//! How often each value of a column occurs.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use weir_contract::FlowBatch;

use crate::field::{Cell, Field, each_number};

/// Distinct values of a column up to which they are counted; more of them are an error.
pub const MAX_DISTINCT: usize = 1_000_000;

/// Every value of a column with its number of rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) present: u64,
    pub(crate) missing: u64,
    /// More values than the limit: they are dropped, and the number of rows is still right.
    pub(crate) overflowed: bool,
    #[serde(serialize_with = "pairs", deserialize_with = "from_pairs")]
    pub(crate) values: BTreeMap<Cell, u64>,
}

impl Counts {
    pub(crate) fn observe(&mut self, field: Field, flows: &FlowBatch, rows: Range<usize>, limit: usize) {
        let length = rows.len() as u64;
        let missing;
        if field.is_numeric() {
            let mut counts: HashMap<i128, u64> = HashMap::new();
            missing = each_number(field, flows, rows, |_, value| *counts.entry(value).or_default() += 1);
            counts.into_iter().for_each(|(value, count)| self.add(Cell::Integer(value), count));
        } else {
            let (mut counts, mut text): (HashMap<String, (usize, u64)>, _) = (HashMap::new(), String::new());
            let mut nulls = 0;
            for row in rows {
                if field.is_null(flows, row) {
                    nulls += 1;
                    continue;
                }
                text.clear();
                field.write(flows, row, &mut text);
                match counts.get_mut(&text) {
                    Some((_, count)) => *count += 1,
                    None => drop(counts.insert(text.clone(), (row, 1))),
                }
            }
            counts.into_values().for_each(|(row, count)| self.add(field.cell(flows, row), count));
            missing = nulls;
        }
        self.missing += missing;
        self.present += length - missing;
        self.bound(limit);
    }

    pub(crate) fn merge(&mut self, later: Self, limit: usize) {
        self.present += later.present;
        self.missing += later.missing;
        self.overflowed |= later.overflowed;
        later.values.into_iter().for_each(|(value, count)| self.add(value, count));
        self.bound(limit);
    }

    fn add(&mut self, value: Cell, count: u64) {
        *self.values.entry(value).or_default() += count;
    }

    fn bound(&mut self, limit: usize) {
        self.overflowed |= self.values.len() > limit;
        if self.overflowed {
            self.values = BTreeMap::new();
        }
    }

    /// The values that occur most often, ascending.
    pub(crate) fn most_common(&self) -> Vec<&Cell> {
        let most = self.values.values().max();
        self.values.iter().filter(|(_, count)| Some(*count) == most).map(|(value, _)| value).collect()
    }
}

/// A map whose keys are no texts, for JSON as well.
fn pairs<S: Serializer>(values: &BTreeMap<Cell, u64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values)
}

fn from_pairs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Cell, u64>, D::Error> {
    Ok(Vec::<(Cell, u64)>::deserialize(deserializer)?.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_contract::{Flow, Transport};

    #[test]
    fn whether_there_are_too_many_values_does_not_depend_on_the_cut() {
        let flow = |bytes| Flow {
            flow_id: None,
            event_time: None,
            source_ip: "::1".parse().unwrap(),
            destination_ip: "::1".parse().unwrap(),
            source_port: None,
            destination_port: None,
            transport: Transport::Udp,
            bytes,
            packets: None,
            duration_ns: None,
            last: None,
            label: None,
            attack: None,
        };
        let flows: FlowBatch = [Some(1), Some(1), None, Some(2), Some(3), Some(2)].map(flow).into_iter().collect();
        for (limit, values) in [(2, 0), (3, 3)] {
            let mut whole = Counts::default();
            whole.observe(Field::Bytes, &flows, 0..6, limit);
            assert_eq!((whole.values.len(), whole.present, whole.missing), (values, 5, 1));
            for cut in 0..=6 {
                let (mut left, mut right) = (Counts::default(), Counts::default());
                left.observe(Field::Bytes, &flows, 0..cut, limit);
                right.observe(Field::Bytes, &flows, cut..6, limit);
                left.merge(right, limit);
                assert_eq!(left, whole);
            }
        }
    }
}
