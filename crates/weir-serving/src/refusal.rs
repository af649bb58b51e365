//! Why a request is not answered with what it asked for.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// A refusal; every one is told as `{"error": "..."}`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// 400: the request is not what the protocol says, or asks for what cannot be predicted.
    #[error("{0}")]
    Input(String),
    /// 404: no such model, version or route.
    #[error("{0}")]
    NotFound(String),
    /// 405: not with this method.
    #[error("{0}")]
    Method(String),
    /// 408: the body did not arrive in time.
    #[error("the body did not arrive within {0} s")]
    Slow(u64),
    /// 413: the body is too long.
    #[error("the body is longer than {0} bytes; send the rows in several requests")]
    TooLong(usize),
    /// 415: the body is packed.
    #[error("bodies with content-encoding {0:?} are not read; send it as it is")]
    Encoding(String),
    /// 503: there is no model yet, or the predictor is about to stop.
    #[error("{0}")]
    NotReady(&'static str),
    /// 503: more at once than is admitted.
    #[error("the predictor is busy; try again later")]
    Busy,
    /// 500: a panic.
    #[error("internal error; this is a bug of weir")]
    Internal,
}

impl Refusal {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Input(_) => StatusCode::BAD_REQUEST,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Slow(_) => StatusCode::REQUEST_TIMEOUT,
            Self::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Encoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotReady(_) | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = json(&serde_json::json!({"error": self.to_string()}));
        *response.status_mut() = self.status();
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// A value as the body of an answer.
pub(crate) fn json(value: &serde_json::Value) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
