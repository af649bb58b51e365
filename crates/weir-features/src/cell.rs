//! One cell of the ring: its records to flows, features and what is said about them.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use weir_contract::FlowBatch;
use weir_contract::expectation::Policy;
use weir_contract::flow::derived_id;
use weir_expectations::{Checked, Duplicates, Evaluation};
use weir_transform::Transform;

use crate::shuffle::{Loaded, Origin, Record};

/// What is done to the records of every cell.
pub(crate) struct Rules<'a> {
    pub(crate) suite: &'a Checked,
    pub(crate) policy: Policy,
    /// The expectations known not to hold; their unexpected rows are set aside under [`Policy::Quarantine`].
    pub(crate) failed: &'a [bool],
    /// The keys of rows that had to be unique and are not.
    pub(crate) duplicates: Option<&'a Duplicates>,
    pub(crate) transform: &'a Transform,
    /// Whether rows without event time are set aside, because the split needs one.
    pub(crate) needs_time: bool,
}

/// What came of a cell.
#[derive(Debug)]
pub(crate) struct Cell {
    /// The kept flows, in the order of (place, flow id, event time).
    pub(crate) flows: FlowBatch,
    /// The place of each kept flow.
    pub(crate) places: Vec<u64>,
    /// One column per feature.
    pub(crate) features: Vec<Vec<f64>>,
    /// Rows set aside, with the reason and the flow as JSON.
    pub(crate) aside: Vec<(Origin, String, String)>,
    /// Earlier records of a flow of which a later one stands.
    pub(crate) deduplicated: u64,
    pub(crate) evaluation: Evaluation,
    /// The first row that broke an expectation which has to hold for all rows, or is known not to hold.
    pub(crate) broken: Option<(Origin, usize)>,
    /// How many rows did.
    pub(crate) breaking: u64,
}

impl Rules<'_> {
    /// Works on a cell.
    pub(crate) fn cell(&self, loaded: &Loaded<'_>, cell: usize) -> Cell {
        let mut records = Vec::new();
        loaded.records(cell, |record| records.push((record.place(), record)));
        let before = records.len();
        let last = last_records(records);
        let mut flows = FlowBatch::default();
        let (mut places, mut origins) = (Vec::with_capacity(last.len()), Vec::with_capacity(last.len()));
        for (record, number) in &last {
            match number {
                0 => record.push_to(&mut flows, record.flow_id()),
                _ => record.push_to(&mut flows, &format!("{}~{number}", record.flow_id())),
            }
            places.push(record.place());
            origins.push(record.origin());
        }
        let mut aside: BTreeMap<usize, String> = BTreeMap::new();
        let mut evaluation = self.suite.start();
        let mut breaking: BTreeMap<usize, usize> = BTreeMap::new();
        let mut breaks = |row, expectation| {
            if self.failed[expectation] || self.suite.mostly(expectation) >= 1.0 {
                let first = breaking.entry(row).or_insert(expectation);
                *first = expectation.min(*first);
            }
        };
        evaluation.observe(self.suite, &flows, 0..flows.len(), &mut breaks);
        if let Some(duplicates) = self.duplicates {
            duplicates.observe(self.suite, &flows, 0..flows.len(), &mut |row, expectation| {
                evaluation.show(self.suite, &flows, row, expectation);
                breaks(row, expectation);
            });
        }
        if self.policy == Policy::Quarantine {
            aside.extend(breaking.iter().map(|(&row, &expectation)| (row, self.suite.describe(expectation))));
        }
        if self.needs_time {
            let timeless = (0..flows.len()).filter(|&row| flows.event_time.is_null(row));
            for row in timeless {
                aside.entry(row).or_insert_with(|| "a split by time needs an event time".to_owned());
            }
        }
        let computed = self.transform.apply(&flows);
        for refused in computed.refused {
            let reason = || format!("feature {:?}: {}", refused.feature, refused.reason);
            aside.entry(refused.row).or_insert_with(reason);
        }
        let mut features = computed.columns;
        let broken = breaking.iter().map(|(&row, &expectation)| (origins[row], expectation)).min();
        let set_aside = aside.iter().map(|(&row, reason)| (origins[row], reason.clone(), flow_json(&flows, row)));
        let set_aside = set_aside.collect();
        if !aside.is_empty() {
            let kept: Vec<usize> = (0..flows.len()).filter(|row| !aside.contains_key(row)).collect();
            flows = flows.take(&kept);
            places = kept.iter().map(|&row| places[row]).collect();
            for column in &mut features {
                *column = kept.iter().map(|&row| column[row]).collect();
            }
        }
        Cell {
            flows,
            places,
            features,
            aside: set_aside,
            deduplicated: (before - last.len()) as u64,
            evaluation,
            broken,
            breaking: breaking.len() as u64,
        }
    }
}

/// A flow as quarantine shows it.
fn flow_json(flows: &FlowBatch, row: usize) -> String {
    serde_json::to_string(&flows.flow(row)).expect("a flow has a JSON form")
}

/// Keeps one record of every flow, in the order of (place, flow id). Of the records of an exporter's id that is the one
/// with the greatest (event time, final, duration, bytes, row content), whatever the order in which they came. Every
/// record with a derived id is a flow of its own and gets its running number.
fn last_records(mut records: Vec<(u64, Record<'_>)>) -> Vec<(Record<'_>, u64)> {
    records.sort_unstable_by_key(|&(place, _)| place);
    let mut last = Vec::with_capacity(records.len());
    for same_place in records.chunk_by_mut(|(a, _), (b, _)| a == b) {
        if let [(_, only)] = same_place {
            last.push((*only, 0));
            continue;
        }
        same_place.sort_unstable_by(|(_, a), (_, b)| a.id_bytes().cmp(b.id_bytes()).then_with(|| later(*a, *b)));
        for same_flow in same_place.chunk_by(|(_, a), (_, b)| a.id_bytes() == b.id_bytes()) {
            let derived = same_flow[0].1.is_derived();
            if derived {
                let mut numbered: Vec<_> =
                    same_flow.iter().zip(0..).map(|(&(_, record), number)| (record, number)).collect();
                // "~10" comes before "~2", as it does among the ids.
                numbered.sort_by_key(|&(_, number)| derived_id(0, number));
                last.extend(numbered);
            } else {
                last.push((same_flow[same_flow.len() - 1].1, 0));
            }
        }
    }
    last
}

/// Which of two records of a flow is the later one. Records that are equal in this order are equal.
fn later(a: Record<'_>, b: Record<'_>) -> Ordering {
    let key = |record: Record<'_>| (record.event_time(), record.last(), record.duration_ns(), record.bytes());
    key(a).cmp(&key(b)).then_with(|| {
        let content = |record: Record<'_>| {
            let ports = (record.source_port(), record.destination_port());
            (record.packets(), record.addresses(), ports, record.transport(), record.label())
        };
        content(a).cmp(&content(b)).then_with(|| a.attack().cmp(&b.attack()))
    })
}
