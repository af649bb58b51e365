//! Protocol v1.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::fixture::{PREDICT, instances, new_flows, served, vectors};

#[test]
fn a_model_is_listed_and_ready() {
    let served = served();
    assert_eq!(served.get("/").json(), json!({"status": "alive"}));
    assert_eq!(served.get("/v1/models").json(), json!({"models": ["small-detector"]}));
    assert_eq!(served.get("/v1/models/small-detector").json(), json!({"name": "small-detector", "ready": true}));
}

#[test]
fn vectors_get_labels_and_nothing_that_was_not_asked_for() {
    let served = served();
    // Malicious flows are small and fast: log1p(60), 60 / 900, port 443.
    let answer = served.post(PREDICT, &json!({"instances": [[4.11, 0.0667, 443], [8.3, 0.004, 444]]}));
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.json(), json!({"predictions": [1, 0]}));
}

#[test]
fn events_of_packetbeat_are_flows_too() {
    let served = served();
    let event = json!({
        "@timestamp": "2022-02-25T12:19:30.013Z",
        "agent": {"type": "packetbeat"},
        "source": {"ip": "198.18.0.1", "port": 40_000, "bytes": 40},
        "destination": {"ip": "10.0.0.7", "port": 443, "bytes": 20},
        "network": {"transport": "tcp"},
        "event": {"duration": 900, "dataset": "flow"},
    });
    let dotted = json!({"source.ip": "198.18.0.1", "destination.ip": "10.0.0.7", "destination.port": 443,
        "network.bytes": 60, "network.transport": "tcp", "event.duration": 900});
    let canonical = json!({"source_ip": "198.18.0.1", "destination_ip": "10.0.0.7", "destination_port": 443,
        "bytes": 60, "transport": "tcp", "duration_ns": 900});
    let body = json!({"instances": [event, dotted, canonical], "parameters": {"scores": true}});
    assert_eq!(served.post(PREDICT, &body).json(), json!({"predictions": [1, 1, 1], "scores": [1.0, 1.0, 1.0]}));
}

#[test]
fn parameters_and_query_ask_for_the_same() {
    let served = served();
    let vectors = vectors(&served.bundle, &new_flows());
    for name in ["probabilities", "scores", "partial"] {
        let by_query = served.post(&format!("{PREDICT}?{name}=true"), &instances(&vectors)).json();
        let body = json!({"instances": vectors, "parameters": {name: true}});
        assert_eq!(served.post(PREDICT, &body).json(), by_query);
        assert_ne!(served.post(PREDICT, &instances(&vectors)).json(), by_query);
    }
}

#[test]
fn a_flow_that_cannot_be_predicted_refuses_all_unless_a_part_is_asked_for() {
    let served = served();
    let mut flows: Vec<Value> = new_flows()[..3].iter().map(|flow| json!(flow)).collect();
    flows[1]["duration_ns"] = Value::Null;
    flows[2]["transport"] = json!("icmp");
    let answer = served.post(PREDICT, &instances(&flows));
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.error().contains("row 1: feature rate"), "{}", answer.error());

    let body = json!({"instances": flows, "parameters": {"partial": true, "probabilities": true}});
    let answer = served.post(PREDICT, &body).json();
    assert_eq!(answer["predictions"], json!([1, null, null]));
    assert_eq!(answer["probabilities"], json!([[0.0, 1.0], null, null]));
    assert_eq!(answer["errors"][0]["feature"], "rate");
    assert_eq!((&answer["errors"][1]["instance"], &answer["errors"][1]["feature"]), (&json!(2), &Value::Null));
}

#[test]
fn no_instances_have_no_predictions() {
    assert_eq!(served().post(PREDICT, &json!({"instances": []})).json(), json!({"predictions": []}));
}

#[test]
fn unknown_members_are_left_alone() {
    let body = json!({"signature_name": "x", "instances": [[1, 2, 3]], "more": {"deep": [1, {}]}});
    assert_eq!(served().post(PREDICT, &body).status, StatusCode::OK);
}
