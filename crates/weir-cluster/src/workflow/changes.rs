//! What happened between one look at a workflow and the next.

use std::collections::BTreeMap;

use super::{Node, Step, Workflow, between};

/// One thing that happened to a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Started(Step),
    /// `N/M` pieces are done.
    Progress(Step, String),
    /// With the seconds it took.
    Succeeded(Step, Option<i64>),
    /// An earlier run has made its artifact already.
    Reused(Step),
    /// With the id of its node, and what Argo says.
    Failed {
        step: Step,
        node: String,
        message: String,
    },
}

/// What was seen of a workflow so far.
#[derive(Debug, Default)]
pub(crate) struct Changes(BTreeMap<String, Seen>);

#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Seen {
    started: bool,
    progress: String,
    finished: bool,
}

impl Changes {
    /// What is new in `workflow`, in the order in which steps began. Nothing is told twice, whatever was missed in
    /// between or is sent again.
    pub(crate) fn of(&mut self, workflow: &Workflow) -> Vec<Change> {
        let mut nodes: Vec<&Node> = workflow.status.nodes.values().filter(|node| node.is_step()).collect();
        nodes.sort_by(|a, b| (&a.started_at, &a.name).cmp(&(&b.started_at, &b.name)));
        nodes.into_iter().flat_map(|node| self.of_node(workflow, node)).collect()
    }

    fn of_node(&mut self, workflow: &Workflow, node: &Node) -> Vec<Change> {
        let seen = self.0.entry(node.id.clone()).or_default();
        let step = || workflow.step(node);
        let mut changes = Vec::new();
        let fresh = !seen.finished && node.is_finished();
        if fresh && node.memoization_status.hit {
            *seen = Seen { started: true, finished: true, ..Seen::default() };
            return vec![Change::Reused(step())];
        }
        // A step that waits for its pod has not begun.
        if !seen.started && (node.phase == "Running" || fresh) {
            seen.started = true;
            changes.push(Change::Started(step()));
        }
        // Argo itself says 0/1 and 1/1 of every step.
        let told = !matches!(node.progress.as_str(), "" | "0/1" | "1/1");
        if told && node.progress != seen.progress && !seen.finished {
            seen.progress.clone_from(&node.progress);
            changes.push(Change::Progress(step(), node.progress.clone()));
        }
        if fresh {
            seen.finished = true;
            changes.push(match node.phase.as_str() {
                "Succeeded" => Change::Succeeded(step(), seconds(node)),
                _ => Change::Failed { step: step(), node: node.id.clone(), message: node.message.clone() },
            });
        }
        changes
    }
}

fn seconds(node: &Node) -> Option<i64> {
    Some(between(node.started_at.as_ref()?, node.finished_at.as_ref()?.0))
}
