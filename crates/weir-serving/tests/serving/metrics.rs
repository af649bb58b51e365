//! What is counted and written down.

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::http::Method;
use serde_json::{Value, json};
use weir_serving::{AccessLog, App};

use crate::fixture::{INFER, PREDICT, instances, matrix, new_flows, request, run, send, served, vectors};

#[test]
fn predictions_are_counted_by_class_and_timed_under_the_names_of_kserve() {
    let served = served();
    let flows = new_flows();
    let vectors = vectors(&served.bundle, &flows);
    served.post(PREDICT, &instances(&flows));
    served.post(INFER, &matrix(&vectors));
    served.post(PREDICT, &json!({}));
    let mut flow = json!(flows[0]);
    flow["transport"] = json!("icmp");
    served.post(PREDICT, &instances([flow]));
    let answer = served.get("/metrics");
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    let text = String::from_utf8(answer.body).unwrap();
    // Of flows 60 to 99 those are malicious that 3 divides: 60, 63, ..., 99.
    for line in [
        r#"weir_predictions_total{model_name="small-detector",class="malicious"} 28"#,
        r#"weir_predictions_total{model_name="small-detector",class="benign"} 52"#,
        r#"request_predict_seconds_count{model_name="small-detector"} 3"#,
        r#"request_preprocess_seconds_count{model_name="small-detector"} 3"#,
        r#"request_postprocess_seconds_count{model_name="small-detector"} 2"#,
        r#"weir_requests_total{code="200",protocol="v1"} 1"#,
        r#"weir_requests_total{code="200",protocol="v2"} 1"#,
        r#"weir_requests_total{code="400",protocol="v1"} 2"#,
        "weir_panics_total 0",
        &format!("digest=\"{}\"", served.bundle.digest()),
        "# EOF",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(text.contains("weir_refused_rows_total{reason=\""), "{text}");
}

/// A log that a test can read.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn every_request_is_a_line_with_an_id_that_is_given_back() {
    let served = served();
    let lines = Lines::default();
    let (log, writer) = AccessLog::start(lines.clone()).unwrap();
    let app = App::new(Arc::clone(served.app.predictor()), Some(Arc::clone(&log)));
    let call = |id: &str, body: &[u8]| {
        let headers: &[(&str, &str)] = if id.is_empty() { &[] } else { &[("x-request-id", id)] };
        run(send(&app, request(Method::POST, PREDICT, headers, body)))
    };
    let body = br#"{"instances":[[1,2,3],[1,2,3]]}"#;
    let given = call("abc-1", body);
    assert_eq!(given.headers["x-request-id"], "abc-1");
    let own = call("", body).headers["x-request-id"].to_str().unwrap().to_owned();
    let strange = call("a\tb", b"{").headers["x-request-id"].to_str().unwrap().to_owned();
    assert_ne!(own, strange);
    log.close(writer);

    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let entries: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: Vec<&Value> = entries.iter().map(|entry| &entry["request_id"]).collect();
    assert_eq!(ids, [&json!("abc-1"), &json!(own), &json!(strange)]);
    assert_eq!((&entries[0]["rows"], &entries[0]["status"]), (&json!(2), &json!(200)));
    assert_eq!((&entries[2]["rows"], &entries[2]["status"]), (&Value::Null, &json!(400)));
    assert_eq!(entries[0]["bytes"], json!(given.body.len()));
    assert_eq!((&entries[0]["method"], &entries[0]["path"]), (&json!("POST"), &json!(PREDICT)));
}

#[test]
fn without_a_log_only_the_id_of_the_client_is_given_back() {
    let served = served();
    let answer = |headers| served.call(Method::GET, "/", headers, b"");
    assert_eq!(answer(&[("x-request-id", "7")]).headers["x-request-id"], "7");
    assert!(answer(&[]).headers.get("x-request-id").is_none());
}

#[test]
fn the_openapi_document_is_json() {
    assert!(served().get("/openapi.json").json()["openapi"].as_str().unwrap().starts_with("3."));
}
