//! Ids for flows whose format has none: derived from what the flow is, and a running number among identical ones.

use std::collections::HashMap;

use weir_contract::flow::TextColumn;
use weir_contract::{Digest, Flow, FlowBatch};

/// What a flow is: the digest of all its columns but label and attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Content(Digest);

impl Content {
    /// The content of `flow`.
    #[must_use]
    pub fn of(mut flow: Flow) -> Self {
        (flow.label, flow.attack) = (None, None);
        Self(Digest::of(&serde_json::to_vec(&flow).expect("a flow has a JSON form")))
    }

    /// The id of the flow that is number `number` among those of this content.
    #[must_use]
    pub fn id(self, number: u64) -> String {
        format!("{}-{number}", &self.0.to_string()[..24])
    }
}

/// Gives ids to a stream of flows, numbering identical ones as they come.
#[derive(Debug, Default)]
pub struct FlowIds(HashMap<Content, u64>);

impl FlowIds {
    /// Fills in the ids that are null.
    pub fn derive(&mut self, flows: &mut FlowBatch) {
        if flows.flow_id.iter().all(|id| id.is_some()) {
            return;
        }
        let mut ids = TextColumn::default();
        for row in 0..flows.len() {
            match flows.flow_id.get(row) {
                Some(id) => ids.push(Some(id)),
                None => {
                    let content = Content::of(flows.flow(row));
                    let number = self.0.entry(content).or_default();
                    ids.push(Some(&content.id(*number)));
                    *number += 1;
                }
            }
        }
        flows.flow_id = ids;
    }
}
