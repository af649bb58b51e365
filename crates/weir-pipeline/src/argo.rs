//! The pipeline as a WorkflowTemplate of Argo Workflows, 3.6 to 4.1.
//!
//! ```text
//! weir ─┬─ features ─┬─ features                      parts = 1
//!       │            └─ plan ── run-part × N ── gather          parts > 1
//!       ├─ training × trials                          shards = 1
//!       ├─ training-in-shards × trials                          shards > 1
//!       │            └─ plan ── run-shard × N ── gather
//!       └─ selection ── packaging ── deploy ── validation       deploy = true
//! ```
//!
//! Every step of [`crate::STEPS`] is a template of its own name, called with the same arguments as everywhere else. A pod
//! costs seconds around its program, so what divides a step is there only when asked for.
//!
//! Artifacts lie under keys that follow from what they are made of: features under a digest of the parameters that
//! make them, if the digest of the flows is among them, and trials under one of the features' digest. Keys are those of
//! objects in Argo's default artifact repository or of directories of a volume, see [`Artifacts`].

mod graph;
mod place;
mod pod;
mod reference;
mod template;

use serde_json::{Value, json};

use crate::local;
use crate::spec::PipelineSpec;

/// Name of the WorkflowTemplate, and of its first template.
pub const NAME: &str = "weir";
/// Where pods find flows that come as the workflow's input artifact `flows`: then this is the parameter `flows`. It is
/// not below `/weir`, where runs that share a volume would overwrite each other's.
pub const FLOWS: &str = "/flows";

/// Name of the exit handler.
const NOTIFY: &str = "notify";
/// Pods of one run at a time; a Workflow that says `spec.parallelism` says otherwise.
const PARALLELISM: u32 = 8;
const DAY: u32 = 24 * 60 * 60;
/// Where new flow files are put: a directory of the volume, a prefix of the bucket.
const INCOMING: &str = "incoming";

/// Where artifacts are between steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Artifacts {
    /// Objects in the default artifact repository; pods see them in an empty directory of their own.
    S3,
    /// Directories of the volume claim `weir`, which all pods mount.
    Volume,
}

/// What can be chosen about a WorkflowTemplate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Where artifacts are.
    pub artifacts: Artifacts,
    /// Whether Argo remembers results of features and training in the ConfigMap `weir-memo`, of the namespace of its
    /// controller. The controller has to be allowed to create and update ConfigMaps there, which it is not as
    /// commonly installed: it would end a step that it cannot remember as failed.
    pub memoize: bool,
}

/// The WorkflowTemplate; `version` is that of the build.
#[must_use]
pub fn workflow_template(spec: &PipelineSpec, version: &str, options: Options) -> Value {
    let mut workflow = json!({
        "entrypoint": NAME,
        "onExit": NOTIFY,
        "serviceAccountName": pod::SERVICE_ACCOUNT,
        "arguments": { "parameters": parameters(spec, version, options.artifacts) },
        "parallelism": PARALLELISM,
        // Pods of a run that failed stay for those who ask why, until the run itself goes.
        "podGC": { "strategy": "OnWorkflowSuccess", "deleteDelayDuration": "600s" },
        "ttlStrategy": { "secondsAfterSuccess": 7 * DAY, "secondsAfterFailure": 14 * DAY },
        "podMetadata": { "labels": pod::labels(None) },
        "workflowMetadata": { "labels": pod::labels(None) },
        "securityContext": pod::security_context(),
        "podSpecPatch": pod::executor_patch(),
        "templates": graph::templates(options),
    });
    if options.artifacts == Artifacts::S3 {
        workflow["archiveLogs"] = json!(true);
    }
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "WorkflowTemplate",
        "metadata": {
            "name": NAME,
            "labels": pod::labels(None),
            "annotations": {
                "workflows.argoproj.io/description": "Labelled flows to a packaged detector of attacks",
                "workflows.argoproj.io/version": ">= 3.6.0",
            },
        },
        "spec": workflow,
    })
}

/// The CronWorkflow `weir-retrain`: every Sunday from the flows that have come in, once somebody resumes it.
#[must_use]
pub fn cron_workflow(artifacts: Artifacts) -> Value {
    let arguments = match artifacts {
        Artifacts::S3 => json!({
            "parameters": [{ "name": "flows", "value": FLOWS }],
            "artifacts": [{ "name": "flows", "s3": { "key": INCOMING } }],
        }),
        Artifacts::Volume => {
            json!({ "parameters": [{ "name": "flows", "value": format!("{}/{INCOMING}", place::ROOT) }] })
        }
    };
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "CronWorkflow",
        "metadata": { "name": "weir-retrain", "labels": pod::labels(None) },
        "spec": {
            "schedules": ["0 3 * * 0"],
            "timezone": "Etc/UTC",
            "suspend": true,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 3600,
            "successfulJobsHistoryLimit": 4,
            "failedJobsHistoryLimit": 4,
            "workflowMetadata": { "labels": pod::labels(None) },
            "workflowSpec": { "workflowTemplateRef": { "name": NAME }, "arguments": arguments },
        },
    })
}

fn parameters(spec: &PipelineSpec, version: &str, artifacts: Artifacts) -> Vec<Value> {
    let defaults = local::defaults(spec, version);
    let parameter = |parameter: &crate::Parameter| {
        let value = match (parameter.name, artifacts) {
            // The claim is part of this form, so where a predictor finds it is known.
            ("storage-uri", Artifacts::Volume) => format!("pvc://{}", place::CLAIM),
            (name, _) => defaults.get(name).map(|values| values.concat()).unwrap_or_default(),
        };
        let mut object = json!({ "name": parameter.name, "value": value, "description": parameter.about });
        if !parameter.choices.is_empty() {
            object["enum"] = json!(parameter.choices);
        }
        object
    };
    crate::PARAMETERS.iter().map(parameter).collect()
}
