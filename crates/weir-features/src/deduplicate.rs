//! One record per flow: exporters write a flow's counters now and then, and once more at its end.

use std::cmp::Ordering;
use std::collections::HashMap;

use weir_contract::FlowBatch;

/// Keeps the last record of every flow id among `rows`: the one with the greatest (event time, final, duration, bytes,
/// row content), whatever the order of the rows. Rows whose id was `derived` are all kept: each is a flow of its own.
/// The kept rows stay in their order.
#[must_use]
pub fn last_records(flows: &FlowBatch, derived: &[bool], rows: &[usize]) -> Vec<usize> {
    let mut last: HashMap<&str, usize> = HashMap::with_capacity(rows.len());
    let mut kept = Vec::with_capacity(rows.len());
    for &row in rows {
        match flows.flow_id.get(row) {
            Some(id) if !derived[row] => {
                let known = last.entry(id).or_insert(row);
                if later(flows, row, *known) == Ordering::Greater {
                    *known = row;
                }
            }
            _ => kept.push(row),
        }
    }
    kept.extend(last.into_values());
    kept.sort_unstable();
    kept
}

fn later(flows: &FlowBatch, a: usize, b: usize) -> Ordering {
    let key = |row| (flows.event_time.get(row), flows.last.get(row), flows.duration_ns.get(row), flows.bytes.get(row));
    let content = |row| serde_json::to_string(&flows.flow(row)).unwrap_or_default();
    key(a).cmp(&key(b)).then_with(|| if a == b { Ordering::Equal } else { content(a).cmp(&content(b)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_contract::{Flow, Transport};

    fn record(id: &str, event_time: i64, last: bool, bytes: u64) -> Flow {
        Flow {
            flow_id: Some(id.to_owned()),
            event_time: Some(event_time),
            source_ip: "10.0.0.1".parse().unwrap(),
            destination_ip: "10.0.0.2".parse().unwrap(),
            source_port: None,
            destination_port: None,
            transport: Transport::Tcp,
            bytes: Some(bytes),
            packets: None,
            duration_ns: Some(1),
            last: Some(last),
            label: None,
            attack: None,
        }
    }

    #[test]
    fn the_last_record_is_kept_whatever_the_order() {
        let records =
            [record("a", 1, false, 9), record("b", 1, true, 5), record("a", 2, false, 3), record("a", 2, true, 2)];
        let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [2, 3, 0, 1]];
        for order in orders {
            let batch: FlowBatch = order.iter().map(|&row| records[row].clone()).collect();
            let mut kept: Vec<Flow> =
                last_records(&batch, &[false; 4], &[0, 1, 2, 3]).iter().map(|&row| batch.flow(row)).collect();
            kept.sort_by_key(|flow| flow.flow_id.clone());
            assert_eq!(kept, [records[3].clone(), records[1].clone()]);
        }
    }

    #[test]
    fn rows_with_a_derived_id_are_flows_of_their_own() {
        let batch: FlowBatch = [record("a", 1, true, 9), record("a", 1, true, 9)].into_iter().collect();
        assert_eq!(last_records(&batch, &[true, true], &[0, 1]), [0, 1]);
    }
}
