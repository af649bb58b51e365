//! Classes and attacks of the parts of a split.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use weir_contract::statistics::SplitStatistics;
use weir_contract::{FlowBatch, Label};

use crate::split::NAMES;

/// Rows by part, class and attack.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Classes {
    parts: [Part; 3],
    /// Earliest and latest event time.
    pub(crate) event_time: Option<(i64, i64)>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Part {
    benign: u64,
    unlabelled: u64,
    unnamed: u64,
    attacks: BTreeMap<String, u64>,
}

impl Classes {
    pub(crate) fn observe(&mut self, flows: &FlowBatch, split: &[u8]) {
        for (row, &part) in split.iter().enumerate() {
            let part = &mut self.parts[usize::from(part)];
            match flows.label.get(row).map(Label::from_class) {
                Some(Label::Malicious) => {}
                Some(Label::Benign) => {
                    part.benign += 1;
                    continue;
                }
                None => {
                    part.unlabelled += 1;
                    continue;
                }
            }
            match flows.attack.get(row) {
                None => part.unnamed += 1,
                Some(attack) => match part.attacks.get_mut(attack) {
                    Some(count) => *count += 1,
                    None => _ = part.attacks.insert(attack.to_owned(), 1),
                },
            }
        }
        for time in flows.event_time.iter().flatten() {
            let (first, last) = self.event_time.unwrap_or((time, time));
            self.event_time = Some((first.min(time), last.max(time)));
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (part, other) in self.parts.iter_mut().zip(other.parts) {
            part.benign += other.benign;
            part.unlabelled += other.unlabelled;
            part.unnamed += other.unnamed;
            for (attack, count) in other.attacks {
                *part.attacks.entry(attack).or_default() += count;
            }
        }
        self.event_time = match (self.event_time, other.event_time) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
    }

    /// Rows of a part.
    pub(crate) fn rows(&self, part: usize) -> u64 {
        let Part { benign, unlabelled, unnamed, attacks } = &self.parts[part];
        benign + unlabelled + unnamed + attacks.values().sum::<u64>()
    }

    /// In the form of `statistics.json`.
    pub(crate) fn splits(&self) -> Vec<SplitStatistics> {
        let splits = NAMES.iter().zip(&self.parts).map(|(name, part)| {
            let mut attacks = part.attacks.clone();
            if part.unnamed > 0 {
                *attacks.entry("unnamed".to_owned()).or_default() += part.unnamed;
            }
            let malicious = attacks.values().sum();
            SplitStatistics {
                split: (*name).to_owned(),
                benign: part.benign,
                malicious,
                unlabelled: part.unlabelled,
                attacks,
            }
        });
        splits.collect()
    }
}
