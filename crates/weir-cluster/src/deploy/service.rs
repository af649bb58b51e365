//! The manifest of an InferenceService.

use kube::api::DynamicObject;
use serde_json::{Value, json};
use weir_stage::Failure;

use super::canary::Canary;
use crate::manifest::labels;

const MODE: &str = "serving.kserve.io/deploymentMode";
const STANDARD: &str = "Standard";
/// KServe 0.15 has no other word for Standard. It takes that for none and runs its default mode, and from then on refuses
/// every change of a service, its own for a deletion too, whose annotation is not the word that it wrote into the status.
const OLDER: &str = "RawDeployment";
const REFUSED: &str = "deploymentMode cannot be changed from 'RawDeployment' to 'Standard'";

/// What is served, and how.
#[derive(Debug, Clone)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) uri: String,
    pub(super) runtime: String,
    pub(super) account: String,
    pub(super) canary: Option<Canary>,
}

impl Service {
    pub(super) fn manifest(&self, namespace: &str) -> Value {
        let mut spec = json!({});
        match &self.canary {
            None => spec["predictor"] = self.predictor(&self.uri),
            Some(Canary::Beside { percent, current }) => {
                let mut canary = self.predictor(&self.uri);
                // Names the deployment; the schema wants a name of the container as well.
                canary["name"] = json!("canary");
                canary["model"]["name"] = json!("kserve-container");
                spec["predictor"] = self.predictor(current);
                spec["canary"] = json!([{"trafficPercent": percent, "predictor": canary}]);
            }
            Some(Canary::Percent(percent)) => {
                spec["predictor"] = self.predictor(&self.uri);
                spec["predictor"]["canaryTrafficPercent"] = json!(percent);
            }
        }
        let mut metadata = json!({"name": self.name, "namespace": namespace, "labels": labels(Some("predictor"))});
        // A service that Knative runs stays so: only there does it have a canary share.
        if !matches!(self.canary, Some(Canary::Percent(_))) {
            metadata["annotations"] = json!({MODE: STANDARD});
        }
        json!({
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": metadata,
            "spec": spec,
        })
    }

    fn predictor(&self, uri: &str) -> Value {
        json!({
            "serviceAccountName": self.account,
            "automountServiceAccountToken": false,
            "minReplicas": 1,
            "securityContext": {
                "runAsNonRoot": true,
                "runAsUser": 65532,
                "runAsGroup": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "model": {
                "modelFormat": {"name": "weir", "version": "1"},
                "runtime": self.runtime,
                "protocolVersion": "v2",
                "storageUri": uri,
            },
        })
    }
}

/// The same manifest for a KServe that knows the mode by its older name.
pub(super) fn in_older_words(manifest: &Value) -> Value {
    let mut manifest = manifest.clone();
    manifest["metadata"]["annotations"][MODE] = json!(OLDER);
    manifest
}

/// Whether `service` runs in the mode of its annotation, which its KServe knows by the older name only.
pub(super) fn is_in_newer_words(service: &DynamicObject) -> bool {
    let annotation = service.metadata.annotations.as_ref().and_then(|all| all.get(MODE));
    let stated = service.data.pointer("/status/deploymentMode").and_then(Value::as_str);
    annotation.is_some_and(|word| word == STANDARD) && stated == Some(OLDER)
}

/// Whether KServe refused a manifest for the newer name.
pub(super) fn is_refused_for_its_word(failure: &Failure) -> bool {
    failure.message.contains(REFUSED)
}
