//! Labelling a batch of flows.

use serde::Serialize;
use weir_contract::flow::{Column, TextColumn};
use weir_contract::{FlowBatch, Label};

use super::{Labels, Layer};

/// How many flows each label commit decided; sums up over batches by [`Applied::add`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Applied {
    /// One per label commit, the earliest first.
    pub layers: Vec<LayerApplied>,
    /// Flows that nothing matched and no default was for.
    pub kept: u64,
}

/// How many flows the labels of one commit decided. A flow counts once, where its label came from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct LayerApplied {
    /// By flow id.
    pub ids: u64,
    /// By rule: file and number of the rule, flows; in their order.
    pub rules: Vec<(String, u64)>,
    /// By default.
    pub default: u64,
}

impl Applied {
    /// Adds the counts of another batch under the same labels.
    pub fn add(&mut self, other: &Self) {
        if self.layers.is_empty() {
            self.layers.clone_from(&other.layers);
        } else {
            for (own, other) in self.layers.iter_mut().zip(&other.layers) {
                own.ids += other.ids;
                own.default += other.default;
                own.rules.iter_mut().zip(&other.rules).for_each(|(own, other)| own.1 += other.1);
            }
        }
        self.kept += other.kept;
    }

    /// All flows counted.
    #[must_use]
    pub fn flows(&self) -> u64 {
        let of = |layer: &LayerApplied| layer.ids + layer.default + layer.rules.iter().map(|rule| rule.1).sum::<u64>();
        self.kept + self.layers.iter().map(of).sum::<u64>()
    }
}

impl Labels {
    /// Sets `label` and `attack` of the flows that the labels decide; all other columns stay as they are.
    pub fn apply(&self, flows: &mut FlowBatch) -> Applied {
        let mut applied = Applied { layers: self.layers.iter().map(Layer::nothing_applied).collect(), kept: 0 };
        if self.layers.is_empty() {
            applied.kept = flows.len() as u64;
            return applied;
        }
        let mut labels = Column::default();
        let mut attacks = TextColumn::default();
        for row in 0..flows.len() {
            let own = (flows.label.get(row), flows.attack.get(row));
            let (label, attack) = match self.decide(flows, row, &mut applied) {
                Some((Label::Benign, _)) => (Some(Label::Benign.class()), None),
                Some((Label::Malicious, Some(attack))) => (Some(Label::Malicious.class()), Some(attack)),
                Some((Label::Malicious, None)) => {
                    let was_malicious = own.0 == Some(Label::Malicious.class());
                    (Some(Label::Malicious.class()), own.1.filter(|_| was_malicious))
                }
                None => own,
            };
            labels.push(label);
            attacks.push(attack);
        }
        flows.label = labels;
        flows.attack = attacks;
        applied
    }

    /// What the labels say of a row, which is counted.
    fn decide(&self, flows: &FlowBatch, row: usize, applied: &mut Applied) -> Option<(Label, Option<&str>)> {
        for (layer, counts) in self.layers.iter().zip(&mut applied.layers).rev() {
            let by_id = flows.flow_id.get(row).filter(|_| !layer.ids.is_empty()).and_then(|id| layer.ids.get(id));
            if let Some(verdict) = by_id {
                counts.ids += 1;
                return Some((verdict.label, verdict.attack.as_deref()));
            }
            if let Some(at) = layer.rules.iter().position(|rule| rule.matches(flows, row)) {
                counts.rules[at].1 += 1;
                let verdict = &layer.rules[at].verdict;
                return Some((verdict.label, verdict.attack.as_deref()));
            }
        }
        let with_default = self.layers.iter().zip(&mut applied.layers).rev().find(|(layer, _)| layer.default.is_some());
        match with_default {
            Some((layer, counts)) if flows.label.is_null(row) => {
                counts.default += 1;
                layer.default.map(|label| (label, None))
            }
            _ => {
                applied.kept += 1;
                None
            }
        }
    }
}

impl Layer {
    fn nothing_applied(&self) -> LayerApplied {
        let rules = self.rules.iter().map(|rule| (rule.name.clone(), 0)).collect();
        LayerApplied { ids: 0, rules, default: 0 }
    }
}
