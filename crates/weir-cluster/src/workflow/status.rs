//! What Argo writes into a Workflow, as far as it is read here. Unknown fields are left alone.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::api::DynamicObject;
use serde::Deserialize;
use serde_json::Value;

use super::Step;

/// A Workflow.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Workflow {
    pub(crate) metadata: Metadata,
    pub(crate) spec: Spec,
    pub(crate) status: Status,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) creation_timestamp: Option<Time>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Spec {
    /// `Stop` or `Terminate`, once somebody asked for it.
    pub(crate) shutdown: Option<String>,
    pub(crate) workflow_template_ref: Option<TemplateRef>,
    pub(crate) arguments: Arguments,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Arguments {
    pub(crate) parameters: Vec<Parameter>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TemplateRef {
    pub(crate) name: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Status {
    /// Empty until the controller has seen it; then Pending, Running, Succeeded, Failed or Error.
    pub(crate) phase: String,
    pub(crate) message: String,
    pub(crate) started_at: Option<Time>,
    pub(crate) finished_at: Option<Time>,
    /// `N/M` steps, or what the steps themselves report.
    pub(crate) progress: String,
    /// By id. Empty where Argo keeps them compressed or in a database, as it does for very large workflows.
    pub(crate) nodes: BTreeMap<String, Node>,
    pub(crate) outputs: Outputs,
    pub(crate) artifact_repository_ref: RepositoryRef,
    /// The template as it was when the run began.
    pub(crate) stored_workflow_template_spec: StoredSpec,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct StoredSpec {
    pub(crate) arguments: Arguments,
}

/// A step, an attempt at one, or a group of steps.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) name: String,
    /// `Pod`, or a kind of group: `DAG`, `TaskGroup`, `Retry`, `Skipped`, ...
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) template_name: String,
    pub(crate) phase: String,
    pub(crate) message: String,
    pub(crate) started_at: Option<Time>,
    pub(crate) finished_at: Option<Time>,
    pub(crate) progress: String,
    pub(crate) children: Vec<String>,
    pub(crate) outputs: Outputs,
    pub(crate) memoization_status: Memoization,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Outputs {
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) artifacts: Vec<Artifact>,
    /// Of the main container, in digits.
    pub(crate) exit_code: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) value: Option<Value>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Artifact {
    pub(crate) name: String,
    pub(crate) s3: Option<S3>,
}

/// Where an artifact, or a repository of them, is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct S3 {
    /// Host and port, without a scheme.
    pub(crate) endpoint: String,
    pub(crate) bucket: String,
    pub(crate) region: String,
    pub(crate) key: String,
    pub(crate) insecure: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Memoization {
    pub(crate) hit: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct RepositoryRef {
    pub(crate) artifact_repository: Repository,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Repository {
    pub(crate) s3: Option<S3>,
}

impl Workflow {
    /// Reads what the cluster sent. A status that cannot be read is an empty one: there are other versions of Argo.
    pub(crate) fn of(object: &DynamicObject) -> Self {
        let value = serde_json::to_value(object).unwrap_or_default();
        let mut workflow: Self = serde_json::from_value(value).unwrap_or_default();
        if workflow.metadata.name.is_empty() {
            workflow.metadata.name = object.metadata.name.clone().unwrap_or_default();
            let text = |path: &str| object.data.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
            workflow.status.phase = text("/status/phase");
            workflow.status.message = text("/status/message");
        }
        workflow
    }

    pub(crate) fn is_finished(&self) -> bool {
        matches!(self.status.phase.as_str(), "Succeeded" | "Failed" | "Error")
    }

    /// What people call a node.
    pub(crate) fn step(&self, node: &Node) -> Step {
        Step::of(&self.metadata.name, &node.name)
    }

    /// The node that tries `id` again and again, if there is one.
    pub(crate) fn retry_around(&self, id: &str) -> Option<&Node> {
        let holds = |node: &&Node| node.kind == "Retry" && node.children.iter().any(|child| child == id);
        self.status.nodes.values().find(holds)
    }

    /// A small result of the run: a global output, or that of a step of the run's own graph.
    pub(crate) fn value(&self, step: &str, name: &str) -> Option<String> {
        let of_step = |node: &&Node| node.template_name == step && node.phase == "Succeeded";
        let steps = self.status.nodes.values().filter(of_step).map(|node| &node.outputs);
        let outputs = steps.chain([&self.status.outputs]);
        let global = format!("{step}-{name}");
        let mut parameters = outputs.flat_map(|outputs| &outputs.parameters);
        parameters.find(|parameter| parameter.name == name || parameter.name == global)?.text()
    }

    /// A parameter of the run: as it was given, or as the template has it.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let stored = &self.status.stored_workflow_template_spec.arguments.parameters;
        self.spec.arguments.parameters.iter().chain(stored).find(|parameter| parameter.name == name)?.text()
    }
}

impl Parameter {
    fn text(&self) -> Option<String> {
        match self.value.as_ref()? {
            Value::String(text) => Some(text.trim().to_owned()),
            other => Some(other.to_string()),
        }
    }
}

impl Node {
    /// Whether a program runs here, or would have.
    pub(crate) fn is_step(&self) -> bool {
        self.kind == "Pod" || self.memoization_status.hit
    }

    pub(crate) fn has_failed(&self) -> bool {
        matches!(self.phase.as_str(), "Failed" | "Error")
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.has_failed() || self.phase == "Succeeded"
    }

    /// Exit code of the program, if it ended by itself.
    pub(crate) fn exit_code(&self) -> Option<i32> {
        let stated = self.outputs.exit_code.as_deref().and_then(|code| code.trim().parse().ok());
        stated.or_else(|| {
            let (_, rest) = self.message.split_once("exit code ")?;
            rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        })
    }
}

/// Seconds from one time to another, 0 for one that is earlier.
pub(crate) fn between(from: &Time, to: Timestamp) -> i64 {
    (to.as_second() - from.0.as_second()).max(0)
}
