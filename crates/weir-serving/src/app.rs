//! The predictor as a function from requests to answers; everything but sockets.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::header::CONNECTION;
use axum::http::{HeaderName, HeaderValue, Method, Request};
use axum::response::{IntoResponse, Response};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;

use crate::access::{AccessLog, Entry};
use crate::predictor::Predictor;
use crate::refusal::Refusal;
use crate::routes;
use crate::work::RowCount;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Where a request comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// On one of as many connections as there may be.
    Usual,
    /// On one beyond: what is no prediction is answered as ever.
    Crowd,
}

/// A predictor that answers requests.
#[derive(Debug, Clone)]
pub struct App {
    predictor: Arc<Predictor>,
    routes: TowerToHyperService<Router>,
    log: Option<Arc<AccessLog>>,
}

impl App {
    /// Puts the routes around a predictor.
    #[must_use]
    pub fn new(predictor: Arc<Predictor>, log: Option<Arc<AccessLog>>) -> Self {
        Self { routes: TowerToHyperService::new(routes::router(Arc::clone(&predictor))), predictor, log }
    }

    /// The predictor that answers.
    #[must_use]
    pub fn predictor(&self) -> &Arc<Predictor> {
        &self.predictor
    }

    /// Answers a request from `remote`, whatever it is; counts it, and logs it if there is a log.
    pub async fn handle(&self, remote: SocketAddr, request: Request<Body>) -> Response {
        self.handle_on(Place::Usual, remote, request).await
    }

    /// The same for a connection that may be one of too many.
    pub(crate) async fn handle_on(&self, place: Place, remote: SocketAddr, request: Request<Body>) -> Response {
        let start = Instant::now();
        let id = self.request_id(&request);
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let mut response = if place == Place::Crowd && method == Method::POST {
            self.predictor.metrics.shed.inc();
            Refusal::Busy.into_response()
        } else {
            self.routes.call(request).await.unwrap_or_else(|impossible: Infallible| match impossible {})
        };
        self.predictor.metrics.answered(uri.path(), response.status());
        if self.predictor.is_draining() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(log) = &self.log {
            log.write(&Entry {
                remote,
                id: id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default(),
                method: &method,
                uri: &uri,
                status: response.status(),
                bytes: response.body().size_hint().exact().unwrap_or(0),
                rows: response.extensions().get::<RowCount>().map(|rows| rows.0),
                elapsed: start.elapsed(),
            });
        }
        if let Some(id) = id {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }

    /// That of the client where it is one, else a new one where the log needs it.
    fn request_id(&self, request: &Request<Body>) -> Option<HeaderValue> {
        let given = request.headers().get(&REQUEST_ID).filter(|id| {
            let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte);
            (1..=128).contains(&id.len()) && id.as_bytes().iter().all(plain)
        });
        given.cloned().or_else(|| self.log.as_ref().and_then(|log| HeaderValue::from_str(&log.next_id()).ok()))
    }
}
