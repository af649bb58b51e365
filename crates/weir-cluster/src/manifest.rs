//! What manifests have in common.

use std::io::{self, Write};

use kube::api::DynamicObject;
use serde_json::{Value, json};
use weir_stage::{Failure, Stage};

/// The labels of everything that is made here, with those of a component.
pub(crate) fn labels(component: Option<&str>) -> Value {
    let mut labels = json!({"app.kubernetes.io/name": "weir", "app.kubernetes.io/part-of": "weir"});
    if let Some(component) = component {
        labels["app.kubernetes.io/component"] = json!(component);
    }
    labels
}

/// A manifest as kube sends it.
///
/// # Errors
/// A failure of usage for one that is no object of Kubernetes.
pub(crate) fn object(manifest: Value) -> Result<DynamicObject, Failure> {
    serde_json::from_value(manifest)
        .map_err(|error| Failure::usage(format!("a manifest is not one of Kubernetes: {error}")))
}

/// Manifests on stdout as one stream of YAML documents, or with `--json` as a List.
///
/// # Errors
/// Failures of writing.
pub(crate) fn print(manifests: &[Value], stage: &Stage) -> Result<(), Failure> {
    if stage.common().json {
        return stage.result(&json!({"apiVersion": "v1", "kind": "List", "items": manifests}), String::new);
    }
    let mut text = String::new();
    for manifest in manifests {
        let yaml = weir_pipeline::yaml::to_yaml(manifest)
            .map_err(|error| Failure::retry(format!("failed to write a manifest as YAML: {error}")))?;
        text += "---\n";
        text += yaml.trim_start_matches("---\n");
    }
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::retry(format!("failed to write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}
