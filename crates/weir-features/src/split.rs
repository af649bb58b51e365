//! The split into train, test and validation, and the order of rows within it.

use weir_contract::flow::flow_hash;
use weir_contract::{FlowBatch, Seed};

/// The parts of a split, in their order.
pub const NAMES: [&str; 3] = ["train", "test", "validation"];

/// Cuts `rows` of `flows` by the place of each flow id on the ring of 64-bit hashes: the first `train` of the ring,
/// then `test`, then validation. Within a part rows are in the order of (hash, flow id, event time).
///
/// A pure function of flow id and seed: it does not depend on the order of rows, on how they were cut into files, or on
/// rows appended later, so that a flow never moves from train to test at retraining.
#[must_use]
pub fn split(flows: &FlowBatch, rows: &[usize], seed: Seed, train: f64, test: f64) -> [Vec<usize>; 3] {
    let id = |row: usize| flows.flow_id.get(row).unwrap_or_default();
    let mut placed: Vec<(u64, usize)> = rows.iter().map(|&row| (flow_hash(seed, id(row)), row)).collect();
    placed.sort_by(|&(hash_a, a), &(hash_b, b)| {
        hash_a
            .cmp(&hash_b)
            .then_with(|| id(a).cmp(id(b)))
            .then_with(|| flows.event_time.get(a).cmp(&flows.event_time.get(b)))
    });
    let place = |share: f64| (share * 2f64.powi(64)) as u64;
    let (train_end, test_end) = (place(train), place(train + test));
    let mut parts = [const { Vec::new() }; 3];
    for (hash, row) in placed {
        let part = usize::from(hash >= train_end) + usize::from(hash >= test_end);
        parts[part].push(row);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_contract::{Flow, Transport};

    fn flow(id: usize) -> Flow {
        Flow {
            flow_id: Some(format!("flow-{id}")),
            event_time: Some(id as i64),
            source_ip: "10.0.0.1".parse().unwrap(),
            destination_ip: "10.0.0.2".parse().unwrap(),
            source_port: None,
            destination_port: None,
            transport: Transport::Tcp,
            bytes: None,
            packets: None,
            duration_ns: None,
            last: None,
            label: None,
            attack: None,
        }
    }

    fn ids(flows: &FlowBatch, parts: [Vec<usize>; 3]) -> [Vec<String>; 3] {
        parts.map(|rows| rows.iter().map(|&row| flows.flow_id.get(row).unwrap().to_owned()).collect())
    }

    #[test]
    fn shares_are_near_70_20_10() {
        let flows: FlowBatch = (0..20_000).map(flow).collect();
        let parts = split(&flows, &(0..20_000).collect::<Vec<_>>(), Seed(42), 0.7, 0.2);
        for (rows, share) in parts.iter().zip([0.7, 0.2, 0.1]) {
            // Four standard deviations of a binomial count.
            let deviation = (20_000.0f64 * share * (1.0 - share)).sqrt();
            assert!((rows.len() as f64 - 20_000.0 * share).abs() < 4.0 * deviation, "{} of 20000", rows.len());
        }
    }

    #[test]
    fn neither_row_order_nor_appended_rows_move_a_flow() {
        let forward: FlowBatch = (0..500).map(flow).collect();
        let backward: FlowBatch = (0..500).rev().map(flow).collect();
        let rows: Vec<usize> = (0..500).collect();
        let all = ids(&forward, split(&forward, &rows, Seed(1), 0.7, 0.2));
        assert_eq!(all, ids(&backward, split(&backward, &rows, Seed(1), 0.7, 0.2)));
        let fewer = ids(&forward, split(&forward, &rows[..300], Seed(1), 0.7, 0.2));
        for (all, fewer) in all.iter().zip(&fewer) {
            assert!(fewer.iter().all(|id| all.contains(id)));
        }
        assert_ne!(all, ids(&forward, split(&forward, &rows, Seed(2), 0.7, 0.2)));
    }
}
