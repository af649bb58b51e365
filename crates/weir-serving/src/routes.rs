//! The routes of the predictor.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;

use crate::model::Model;
use crate::predictor::Predictor;
use crate::refusal::{Refusal, json};
use crate::v2::metadata;
use crate::work::{HEADER_LENGTH, Protocol, answer};
use crate::{body, metrics, v1};

type Shared = State<Arc<Predictor>>;
type Answer = Result<Response, Refusal>;

/// All routes.
pub(crate) fn router(predictor: Arc<Predictor>) -> Router {
    Router::new()
        .route("/", get(alive))
        .route("/v1/models", get(models))
        .route("/v1/models/{target}", get(model).post(predict))
        .route("/v2", get(server))
        .route("/v2/", get(server))
        .route("/v2/health/live", get(live))
        .route("/v2/health/ready", get(ready))
        .route("/v2/models/{model}", get(metadata_of_model))
        .route("/v2/models/{model}/ready", get(model_ready))
        .route("/v2/models/{model}/infer", post(infer))
        .route("/v2/models/{model}/versions/{version}", get(metadata_of_version))
        .route("/v2/models/{model}/versions/{version}/ready", get(version_ready))
        .route("/v2/models/{model}/versions/{version}/infer", post(infer_version))
        .route("/v2/repository/index", post(index))
        .route("/v2/repository/models/{model}/load", post(load))
        .route("/metrics", get(metrics_text))
        .route("/openapi.json", get(openapi))
        .fallback(unknown)
        .method_not_allowed_fallback(other_method)
        .with_state(predictor)
}

async fn alive() -> Response {
    json(&json!({"status": "alive"}))
}

async fn models(State(predictor): Shared) -> Response {
    let names: Vec<String> = predictor.current().map(|model| model.name.clone()).into_iter().collect();
    json(&json!({"models": names}))
}

async fn model(State(predictor): Shared, Path(name): Path<String>) -> Answer {
    if name.ends_with(":predict") {
        return Err(Refusal::Method("predictions are asked for with POST".to_owned()));
    }
    model_ready(State(predictor), Path(name)).await
}

async fn predict(State(predictor): Shared, Path(target): Path<String>, request: Request) -> Answer {
    let Some((name, verb)) = target.rsplit_once(':') else {
        return Err(Refusal::NotFound(format!("predictions are at /v1/models/{target}:predict")));
    };
    let model = predictor.model(name)?;
    if verb != "predict" {
        return Err(Refusal::NotFound(format!("there is no {verb:?}; predictions are at /v1/models/{name}:predict")));
    }
    let (parts, body) = request.into_parts();
    let read = predictor.bodies.read(&parts.headers, body).await?;
    let options = v1::Options::of_query(parts.uri.query());
    answer(&predictor, model, Protocol::V1(options), read).await
}

async fn server() -> Response {
    json(&metadata::server())
}

async fn live() -> Response {
    json(&json!({"live": true}))
}

async fn ready(State(predictor): Shared) -> Response {
    let ready = predictor.is_ready();
    let mut response = json(&json!({"ready": ready}));
    if !ready {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

async fn metadata_of_model(State(predictor): Shared, Path(name): Path<String>) -> Answer {
    Ok(json(&metadata::model(&*predictor.model(&name)?)))
}

async fn metadata_of_version(State(predictor): Shared, Path((name, version)): Path<(String, String)>) -> Answer {
    Ok(json(&metadata::model(&*of_version(&predictor, &name, &version)?)))
}

async fn model_ready(State(predictor): Shared, Path(name): Path<String>) -> Answer {
    let model = predictor.model(&name)?;
    if predictor.is_draining() {
        return Err(Refusal::NotReady("the predictor is about to stop"));
    }
    Ok(json(&json!({"name": model.name, "ready": true})))
}

async fn version_ready(State(predictor): Shared, Path((name, version)): Path<(String, String)>) -> Answer {
    of_version(&predictor, &name, &version)?;
    model_ready(State(predictor), Path(name)).await
}

async fn infer(State(predictor): Shared, Path(name): Path<String>, request: Request) -> Answer {
    let model = predictor.model(&name)?;
    infer_with(predictor, model, request).await
}

async fn infer_version(
    State(predictor): Shared,
    Path((name, version)): Path<(String, String)>,
    request: Request,
) -> Answer {
    let model = of_version(&predictor, &name, &version)?;
    infer_with(predictor, model, request).await
}

async fn infer_with(predictor: Arc<Predictor>, model: Arc<Model>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let header = body::number(&parts.headers, &HEADER_LENGTH)?;
    let read = predictor.bodies.read(&parts.headers, body).await?;
    answer(&predictor, model, Protocol::V2(header), read).await
}

fn of_version(predictor: &Predictor, name: &str, version: &str) -> Result<Arc<Model>, Refusal> {
    let model = predictor.model(name)?;
    if model.version == version {
        return Ok(model);
    }
    Err(Refusal::NotFound(format!("there is no version {version:?} of {name}, only {:?}", model.version)))
}

async fn index(State(predictor): Shared) -> Response {
    let state = if predictor.is_ready() { "READY" } else { "UNAVAILABLE" };
    let entry = |model: Arc<Model>| json!({"name": model.name, "version": model.version, "state": state, "reason": ""});
    json(&predictor.current().map(entry).into_iter().collect())
}

async fn load(State(predictor): Shared, Path(name): Path<String>) -> Answer {
    predictor.model(&name)?;
    let loading = Arc::clone(&predictor);
    match tokio::task::spawn_blocking(move || loading.reload()).await {
        Ok(Ok(_)) => Ok(json(&json!({"name": name, "load": true}))),
        Ok(Err(error)) => Err(Refusal::Input(format!("{error}; the bundle before goes on being served"))),
        Err(_) => Err(Refusal::Internal),
    }
}

async fn metrics_text(State(predictor): Shared) -> Response {
    let text = predictor.metrics.text(predictor.admitted.used(), predictor.connections.used());
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(metrics::CONTENT_TYPE));
    response
}

async fn openapi() -> Response {
    let mut response = Response::new(Body::from(include_str!("../openapi.json")));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

async fn unknown(uri: Uri) -> Refusal {
    Refusal::NotFound(format!("there is nothing at {}", uri.path()))
}

async fn other_method(method: Method, uri: Uri) -> Response {
    Refusal::Method(format!("{method} is not for {}", uri.path())).into_response()
}
