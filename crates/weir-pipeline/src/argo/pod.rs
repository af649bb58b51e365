//! What all pods have in common: labels, security, needs, second attempts.

use serde_json::{Value, json};

use crate::step::{FINAL_EXIT_CODES, RETRIES, RETRY_SECONDS, Resources};

/// The service account of pods that speak to nobody but Argo.
pub(super) const SERVICE_ACCOUNT: &str = "weir-workflow";
/// That of pods which change what is served.
pub(super) const DEPLOY_ACCOUNT: &str = "weir-deploy";

/// The user of the images.
const USER: u32 = 65532;

/// Labels of an object, or of the pods of a component.
pub(super) fn labels(component: Option<&str>) -> Value {
    let mut labels = json!({ "app.kubernetes.io/name": "weir", "app.kubernetes.io/part-of": "weir" });
    if let Some(component) = component {
        labels["app.kubernetes.io/component"] = json!(component);
    }
    labels
}

/// Security of a pod, for namespaces that enforce `restricted`.
pub(super) fn security_context() -> Value {
    json!({
        "runAsNonRoot": true,
        "runAsUser": USER,
        "runAsGroup": USER,
        "fsGroup": USER,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": { "type": "RuntimeDefault" },
    })
}

/// Security of a container.
pub(super) fn container_security_context() -> Value {
    json!({
        "allowPrivilegeEscalation": false,
        "capabilities": { "drop": ["ALL"] },
        "readOnlyRootFilesystem": true,
    })
}

/// Argo gives the containers that it adds what its controller's configuration says, and by default nothing: a namespace
/// that enforces `restricted` or a quota would refuse the pods.
pub(super) fn executor_patch() -> String {
    let container = |name: &str| {
        json!({
            "name": name,
            "securityContext": container_security_context(),
            "resources": {
                "requests": { "cpu": "10m", "memory": "64Mi" },
                "limits": { "memory": "512Mi" },
            },
        })
    };
    json!({ "initContainers": [container("init")], "containers": [container("wait")] }).to_string()
}

/// What the program's container asks for. No limit on processors: what is idle is free.
pub(super) fn resources(needs: Resources) -> Value {
    json!({
        "requests": { "cpu": format!("{}m", needs.cpu_millis), "memory": mebibytes(needs.memory_mib) },
        "limits": { "memory": mebibytes(needs.memory_limit_mib) },
    })
}

/// `count` MiB as a quantity.
pub(super) fn mebibytes(count: u32) -> String {
    format!("{count}Mi")
}

/// When a pod is tried again: after anything but an exit code that another try would end with as well. A pod that is lost
/// has no exit code, which Argo gives as -1.
pub(super) fn retry_strategy() -> Value {
    let codes: Vec<String> = FINAL_EXIT_CODES.iter().map(u8::to_string).collect();
    json!({
        "limit": RETRIES.to_string(),
        "retryPolicy": "Always",
        "expression": format!("asInt(lastRetry.exitCode) not in [{}]", codes.join(", ")),
        "backoff": { "duration": format!("{RETRY_SECONDS}s"), "factor": "2" },
    })
}
