//! The manifest of an InferenceService.

use serde_json::{Value, json};

use super::canary::Canary;
use crate::manifest::labels;

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
            metadata["annotations"] = json!({"serving.kserve.io/deploymentMode": "Standard"});
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
