//! How much at once.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode};
use bytes::Bytes;
use weir_serving::Settings;

use crate::fixture::{Answer, PREDICT, request, run, send, served_with};

const BODY: &[u8] = br#"{"instances":[[1,2,3]]}"#;

#[test]
fn predictions_beyond_the_limit_are_told_to_come_back_and_the_next_ones_are_served() {
    let served = served_with(Settings { max_concurrency: 2, ..Settings::default() });
    for _ in 0..3 {
        let answers: Vec<Answer> = run(async {
            let tasks: Vec<_> = (0..5)
                .map(|_| {
                    let app = served.app.clone();
                    tokio::spawn(async move { send(&app, request(Method::POST, PREDICT, &[], BODY)).await })
                })
                .collect();
            let mut answers = Vec::new();
            for task in tasks {
                answers.push(task.await.unwrap());
            }
            answers
        });
        let busy: Vec<&Answer> = answers.iter().filter(|answer| answer.status != StatusCode::OK).collect();
        assert_eq!(busy.len(), 3);
        for answer in busy {
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(answer.headers["retry-after"], "1");
        }
    }
    let text = String::from_utf8(served.get("/metrics").body).unwrap();
    assert!(text.contains("weir_requests_shed_total 9\n") && text.contains("weir_requests_in_flight 0\n"), "{text}");
}

#[test]
fn health_is_answered_while_predictions_are_shed() {
    let served = served_with(Settings { max_concurrency: 1, ..Settings::default() });
    let mut waiting = pin!(send(&served.app, request(Method::POST, PREDICT, &[], BODY)));
    run(async {
        // Admitted, and waiting for others to be counted.
        assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!(send(&served.app, request(Method::POST, PREDICT, &[], BODY)).await.status, 503);
        for path in ["/v2/health/live", "/v2/health/ready", "/metrics", "/v1/models/small-detector"] {
            assert_eq!(send(&served.app, request(Method::GET, path, &[], b"")).await.status, 200);
        }
        assert_eq!(waiting.await.status, 200);
        assert_eq!(send(&served.app, request(Method::POST, PREDICT, &[], BODY)).await.status, 200);
    });
}

#[test]
fn a_request_that_is_given_up_takes_no_place() {
    let served = served_with(Settings { max_concurrency: 1, ..Settings::default() });
    run(async {
        let mut given_up = Box::pin(send(&served.app, request(Method::POST, PREDICT, &[], BODY)));
        assert!(given_up.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(given_up);
        assert_eq!(send(&served.app, request(Method::POST, PREDICT, &[], BODY)).await.status, 200);
    });
}

/// A body that never ends.
struct Endless;

impl axum::body::HttpBody for Endless {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, std::io::Error>>> {
        Poll::Pending
    }
}

#[test]
fn a_body_that_does_not_arrive_is_given_up() {
    let served = served_with(Settings { request_timeout: Duration::from_millis(20), ..Settings::default() });
    let mut request = request(Method::POST, PREDICT, &[], b"");
    *request.body_mut() = Body::new(Endless);
    let answer = run(send(&served.app, request));
    assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
}

#[test]
fn a_large_batch_is_predicted_on_a_thread_of_its_own_and_alike() {
    let served = served_with(Settings::default());
    let rows: Vec<[f64; 3]> = (0..9_000).map(|i| [f64::from(i % 10), 0.01 * f64::from(i % 7), 443.0]).collect();
    let body = serde_json::json!({"instances": rows}).to_string();
    assert!(body.len() > 64 << 10);
    let answer = served.call(Method::POST, PREDICT, &[], body.as_bytes()).json();
    let x = ndarray::Array2::from_shape_vec((9_000, 3), rows.concat()).unwrap();
    let expected = served.bundle.predict_features(x.view()).unwrap();
    assert_eq!(answer["predictions"], serde_json::json!(expected.classes));
}
