//! What a simulation wrote.

use std::collections::BTreeMap;

use crate::open_flows::Record;
use crate::traffic::Attack;

/// What a simulation wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SimulationSummary {
    /// Records.
    pub records: u64,
    /// Flows, each with one or more of the records.
    pub flows: u64,
    /// The benign part.
    pub benign: Counts,
    /// The malicious part.
    pub malicious: Counts,
    /// The malicious part by attack; an attack that did not occur has no entry.
    pub attacks: BTreeMap<Attack, Counts>,
    /// The most flows held in memory at one moment.
    pub most_open_flows: usize,
}

/// Flows and their records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Flows of which at least one record was written.
    pub flows: u64,
    /// Records.
    pub records: u64,
}

impl SimulationSummary {
    pub(crate) fn count(&mut self, record: &Record) {
        let new_flow = u64::from(record.first);
        self.records += 1;
        self.flows += new_flow;
        let add = |counts: &mut Counts| {
            counts.records += 1;
            counts.flows += new_flow;
        };
        match record.flow.attack {
            None => add(&mut self.benign),
            Some(attack) => {
                add(&mut self.malicious);
                add(self.attacks.entry(attack).or_default());
            }
        }
    }
}
