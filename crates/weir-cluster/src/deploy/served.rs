//! Asking a predictor which bundle it has.

use std::time::Duration;

use http::Request;
use serde_json::Value;
use weir_http::Settings;

use crate::cluster::{Cluster, Doing, explain};

const TIMEOUT: Duration = Duration::from_secs(10);
/// The port of the predictor's container: a headless service, which newer KServe makes, does not translate port 80.
const PORT: u16 = 8080;

/// What a predictor says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Served {
    /// Its address inside the cluster.
    pub(super) endpoint: String,
    /// Of its bundle; none of a predictor that is not Weir's.
    pub(super) digest: Option<String>,
}

/// Asks the model `name`: at `endpoint` if one is given; inside the cluster at its address there; else through the API
/// server.
///
/// # Errors
/// Why there is no answer.
pub(super) async fn ask(
    cluster: &Cluster,
    name: &str,
    endpoint: Option<&str>,
    address: Option<&str>,
) -> Result<Served, String> {
    let own = address.map_or_else(|| format!("http://{name}-predictor.{}.svc", cluster.namespace), str::to_owned);
    let own = own.trim_end_matches('/').to_owned();
    if let Some(endpoint) = endpoint {
        let endpoint = endpoint.trim_end_matches('/');
        return Ok(Served { endpoint: endpoint.to_owned(), digest: digest(&get(endpoint, name).await?) });
    }
    if !cluster.inside {
        return Ok(Served { endpoint: own, digest: digest(&proxied(cluster, name).await?) });
    }
    let direct = format!("{own}:{PORT}");
    match get(&own, name).await {
        Ok(metadata) => Ok(Served { endpoint: own, digest: digest(&metadata) }),
        Err(reason) => match get(&direct, name).await {
            Ok(metadata) => Ok(Served { endpoint: direct, digest: digest(&metadata) }),
            Err(_) => Err(reason),
        },
    }
}

fn digest(metadata: &Value) -> Option<String> {
    metadata.pointer("/parameters/digest").and_then(Value::as_str).map(str::to_owned)
}

async fn get(base: &str, name: &str) -> Result<Value, String> {
    let client =
        weir_http::client(&Settings { connect: TIMEOUT, ..Settings::default() }).map_err(|error| error.to_string())?;
    let response = client.get(format!("{base}/v2/models/{name}")).timeout(TIMEOUT).send().await;
    let response = response.map_err(|error| weir_http::chain(&error))?;
    let status = response.status();
    let text = response.text().await.map_err(|error| weir_http::chain(&error))?;
    if !status.is_success() {
        return Err(format!("{base} answers {status}"));
    }
    serde_json::from_str(&text).map_err(|error| format!("{base} answers what is no JSON: {error}"))
}

async fn proxied(cluster: &Cluster, name: &str) -> Result<Value, String> {
    let namespace = &cluster.namespace;
    let path = format!("/api/v1/namespaces/{namespace}/services/{name}-predictor:80/proxy/v2/models/{name}");
    let request = Request::get(path).body(Vec::new()).map_err(|error| error.to_string())?;
    let failed = |error: kube::Error| {
        explain(&error, &Doing::new("get", "services/proxy", name), &cluster.server, namespace).message
    };
    cluster.client.request(request).await.map_err(failed)
}
