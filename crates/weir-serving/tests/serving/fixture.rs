//! A predictor with a small bundle, and requests to it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use weir_bundle::{Bundle, BundleParts};
use weir_contract::{Calibration, Family, Flow, Representation};
use weir_serving::{App, Predictor, Settings};

use crate::bundle::{Fixture, flow};

/// The name of the fixture's model.
pub(crate) const MODEL: &str = "small-detector";
/// Where it predicts.
pub(crate) const PREDICT: &str = "/v1/models/small-detector:predict";
/// Where it infers.
pub(crate) const INFER: &str = "/v2/models/small-detector/infer";

/// A predictor, its bundle, and the folder that holds it.
pub(crate) struct Served {
    pub(crate) app: App,
    pub(crate) bundle: Bundle,
    pub(crate) folder: TempDir,
}

/// What a request was answered with.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The message of a refusal.
    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_else(|| panic!("no error: {}", self.json())).to_owned()
    }
}

/// A predictor of a default tree on the features.
pub(crate) fn served() -> Served {
    serve(Representation::Baseline, Family::DecisionTree, Settings::default())
}

/// A predictor with these settings but for the bundle.
pub(crate) fn served_with(settings: Settings) -> Served {
    serve(Representation::Baseline, Family::DecisionTree, settings)
}

pub(crate) fn serve(representation: Representation, family: Family, settings: Settings) -> Served {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("bundle");
    let bundle = write(&dir, representation, family);
    let predictor = Predictor::new(Settings { bundle: dir, ..settings });
    assert!(predictor.load().unwrap());
    Served { app: App::new(Arc::new(predictor), None), bundle, folder }
}

/// Writes a bundle of a family; decision values are calibrated.
pub(crate) fn write(dir: &Path, representation: Representation, family: Family) -> Bundle {
    let fixture = Fixture::of(representation, family);
    let calibration = (family == Family::Svc).then_some(Calibration { a: -2.0, b: 0.1 });
    Bundle::write(dir, &BundleParts { calibration, ..fixture.parts() }).unwrap()
}

impl Served {
    pub(crate) fn dir(&self) -> PathBuf {
        self.folder.path().join("bundle")
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, &[], b"")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, &[], body.to_string().as_bytes())
    }

    pub(crate) fn call(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        run(send(&self.app, request(method, path, headers, body)))
    }
}

pub(crate) fn request(method: Method, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body.to_vec())).unwrap()
}

pub(crate) async fn send(app: &App, request: Request<Body>) -> Answer {
    let remote = SocketAddr::from(([127, 0, 0, 1], 9));
    let (parts, body) = app.handle(remote, request).await.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

/// Runs to the end, with timers, on this thread.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Flows that were not trained on.
pub(crate) fn new_flows() -> Vec<Flow> {
    (60..100).map(flow).collect()
}

/// The features of flows, one list per flow.
pub(crate) fn vectors(bundle: &Bundle, flows: &[Flow]) -> Vec<Vec<f64>> {
    let columns = bundle.transform().apply(&flows.iter().cloned().collect()).columns;
    (0..flows.len()).map(|row| columns.iter().map(|column| column[row]).collect()).collect()
}

/// A v1 request.
pub(crate) fn instances(instances: impl serde::Serialize) -> Value {
    json!({"instances": instances})
}

/// A v2 request with all features in one tensor.
pub(crate) fn matrix(vectors: &[Vec<f64>]) -> Value {
    json!({"inputs": [{"name": "X", "shape": [vectors.len(), 3], "datatype": "FP64", "data": vectors}]})
}
