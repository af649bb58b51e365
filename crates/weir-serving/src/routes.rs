//! The routes of the predictor.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::body::Read;
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
        .route("/v1/models/{target}", any(model_or_predict))
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

async fn models(State(predictor): Shared) -> Answer {
    Ok(json(&json!({"models": [predictor.loaded()?.name]})))
}

/// `/v1/models/{model}` and `/v1/models/{model}:predict`, which a route cannot tell apart.
async fn model_or_predict(State(predictor): Shared, Part(target): Part<String>, request: Request) -> Answer {
    let method = request.method();
    match target.rsplit_once(':') {
        Some((name, "predict")) if method == Method::POST => predict(predictor, name, request).await,
        Some((_, "predict")) => Ok(other_method_than("POST", method.clone(), request.uri().clone()).await),
        Some((name, verb)) if method == Method::POST => {
            predictor.model(name)?;
            Err(Refusal::NotFound(format!("there is no {verb:?}; predictions are at /v1/models/{name}:predict")))
        }
        _ if method == Method::GET || method == Method::HEAD => model_ready(State(predictor), Part(target)).await,
        _ => Ok(other_method_than("GET,HEAD", method.clone(), request.uri().clone()).await),
    }
}

async fn predict(predictor: Arc<Predictor>, name: &str, request: Request) -> Answer {
    let model = predictor.model(name)?;
    let (parts, body) = request.into_parts();
    let options = v1::Options::of_query(parts.uri.query())?;
    let read = read(&predictor, &parts.headers, body).await?;
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

async fn metadata_of_model(State(predictor): Shared, Part(name): Part<String>) -> Answer {
    Ok(json(&metadata::model(&*predictor.model(&name)?)))
}

async fn metadata_of_version(State(predictor): Shared, Part((name, version)): Part<(String, String)>) -> Answer {
    Ok(json(&metadata::model(&*of_version(&predictor, &name, &version)?)))
}

async fn model_ready(State(predictor): Shared, Part(name): Part<String>) -> Answer {
    let model = predictor.model(&name)?;
    if predictor.is_draining() {
        return Err(Refusal::NotReady("the predictor is about to stop"));
    }
    Ok(json(&json!({"name": model.name, "ready": true})))
}

async fn version_ready(State(predictor): Shared, Part((name, version)): Part<(String, String)>) -> Answer {
    of_version(&predictor, &name, &version)?;
    model_ready(State(predictor), Part(name)).await
}

async fn infer(State(predictor): Shared, Part(name): Part<String>, request: Request) -> Answer {
    let model = predictor.model(&name)?;
    infer_with(predictor, model, request).await
}

async fn infer_version(
    State(predictor): Shared,
    Part((name, version)): Part<(String, String)>,
    request: Request,
) -> Answer {
    let model = of_version(&predictor, &name, &version)?;
    infer_with(predictor, model, request).await
}

async fn infer_with(predictor: Arc<Predictor>, model: Arc<Model>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let header = body::number(&parts.headers, &HEADER_LENGTH)?;
    let read = read(&predictor, &parts.headers, body).await?;
    answer(&predictor, model, Protocol::V2(header), read).await
}

async fn read(predictor: &Predictor, headers: &HeaderMap, body: Body) -> Result<Read, Refusal> {
    let read = predictor.bodies.read(headers, body).await;
    if matches!(read, Err(Refusal::Busy)) {
        predictor.metrics.shed.inc();
    }
    read
}

fn of_version(predictor: &Predictor, name: &str, version: &str) -> Result<Arc<Model>, Refusal> {
    let model = predictor.model(name)?;
    if model.version == version {
        return Ok(model);
    }
    Err(Refusal::NotFound(format!("there is no version {version:?} of {name}, only {:?}", model.version)))
}

async fn index(State(predictor): Shared) -> Answer {
    let model = predictor.loaded()?;
    let state = if predictor.is_ready() { "READY" } else { "UNAVAILABLE" };
    Ok(json(&json!([{"name": model.name, "version": model.version, "state": state, "reason": ""}])))
}

async fn load(State(predictor): Shared, Part(name): Part<String>) -> Answer {
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

async fn other_method_than(allowed: &'static str, method: Method, uri: Uri) -> Response {
    let mut response = other_method(method, uri).await;
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// Parts of the path by name. Those that are no text are refused as everything else is.
struct Part<T>(T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Part<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(part)) => Ok(Self(part)),
            Err(rejection) => Err(Refusal::Input(rejection.body_text())),
        }
    }
}
