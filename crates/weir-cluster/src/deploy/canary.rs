//! What the cluster's KServe offers for a share of the requests.
//!
//! | KServe | Standard mode | Knative |
//! |---|---|---|
//! | with `spec.canary` (0.20) | `spec.canary[]` beside `spec.predictor` | the same |
//! | before (0.15) | none: `canaryTrafficPercent` is there and ignored | `spec.predictor.canaryTrafficPercent` |

use http::Request;
use kube::api::DynamicObject;
use serde_json::Value;
use weir_stage::Failure;

use crate::cluster::{Cluster, Doing, kinds};

/// The published schema of what the cluster knows: readable for everyone, unlike the CRD itself.
const SCHEMA: &str = "/openapi/v3/apis/serving.kserve.io/v1beta1";

/// How a share of the requests goes to the new bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Canary {
    /// Beside the one that is served, whose URI has to be stated again.
    Beside { percent: u8, current: String },
    /// As the next revision of a Knative service.
    Percent(u8),
}

/// Finds the way that works on this cluster.
///
/// # Errors
/// Failures of usage where there is none, or no service that a canary could be beside.
pub(super) async fn plan(cluster: &Cluster, name: &str, percent: u8) -> Result<Canary, Failure> {
    let doing = Doing::new("get", "inferenceservices.serving.kserve.io", name);
    let existing = cluster.custom(&kinds::inference_service()).get_opt(name).await.map_err(cluster.failed(doing))?;
    let Some(existing) = existing else {
        return Err(Failure::usage(format!("there is no InferenceService {name} whose requests a canary could share"))
            .hint("deploy without --canary first"));
    };
    if has_canary(&schema(cluster).await?) {
        let current = existing.data.pointer("/spec/predictor/model/storageUri").and_then(Value::as_str);
        let current = current.ok_or_else(|| Failure::usage(format!("InferenceService {name} has no storageUri")))?;
        return Ok(Canary::Beside { percent, current: current.to_owned() });
    }
    if is_knative(&existing) {
        return Ok(Canary::Percent(percent));
    }
    Err(Failure::usage(
        "this cluster's KServe has no canary in Standard mode: it knows no spec.canary, and ignores canaryTrafficPercent there",
    )
    .hint(
        "KServe 0.20 has it; or deploy under another --name, send it a part of the requests, and `weir validate` both",
    ))
}

async fn schema(cluster: &Cluster) -> Result<Value, Failure> {
    let request = Request::get(SCHEMA).body(Vec::new());
    let request = request.map_err(|error| Failure::usage(format!("failed to ask for the schema: {error}")))?;
    let doing = Doing::new("get", "inferenceservices.serving.kserve.io", "");
    cluster.client.request(request).await.map_err(cluster.failed(doing))
}

fn has_canary(schema: &Value) -> bool {
    let schemas = schema.pointer("/components/schemas").and_then(Value::as_object);
    let mut services = schemas.into_iter().flatten().filter(|(name, _)| name.ends_with(".InferenceService"));
    services.any(|(_, service)| service.pointer("/properties/spec/properties/canary").is_some())
}

fn is_knative(service: &DynamicObject) -> bool {
    let annotation = service.metadata.annotations.as_ref().and_then(|all| all.get("serving.kserve.io/deploymentMode"));
    let stated = service.data.pointer("/status/deploymentMode").and_then(Value::as_str);
    let mode = stated.or(annotation.map(String::as_str));
    matches!(mode, Some("Serverless" | "Knative"))
}
