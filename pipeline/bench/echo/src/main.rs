//! What an HTTP server costs that only reads and writes JSON: axum's own extractor, the body given back.
//!
//!   echo PORT

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Body {
    instances: Vec<Vec<f64>>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).ok_or("usage: echo PORT")?.parse::<u16>()?;
    let app = Router::new()
        .route("/v2/health/ready", get(|| async {}))
        .route("/v1/models/echo:predict", post(|Json(body): Json<Body>| async { Json(body) }))
        .layer(DefaultBodyLimit::disable());
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
        Ok(axum::serve(listener, app).await?)
    })
}
