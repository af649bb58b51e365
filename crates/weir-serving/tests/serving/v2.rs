//! Protocol v2.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use weir_contract::{Family, Representation};
use weir_serving::Settings;

use crate::fixture::{INFER, MODEL, matrix, new_flows, serve, served, vectors};

#[test]
fn metadata_name_inputs_outputs_and_version() {
    let served = served();
    let version = &served.bundle.digest().short();
    let metadata = served.get("/v2/models/small-detector").json();
    assert_eq!(metadata["name"], MODEL);
    assert_eq!(metadata["versions"], json!([version]));
    assert_eq!(metadata["inputs"], json!([{"name": "X", "datatype": "FP64", "shape": [-1, 3]}]));
    assert_eq!(metadata["outputs"][1], json!({"name": "probabilities", "datatype": "FP64", "shape": [-1, 2]}));
    assert_eq!(metadata["parameters"]["features"], json!(["bytes", "rate", "port"]));
    assert_eq!(served.get(&format!("/v2/models/{MODEL}/versions/{version}")).json(), metadata);
    assert_eq!(served.get(&format!("/v2/models/{MODEL}/versions/7")).status, StatusCode::NOT_FOUND);
}

#[test]
fn health_is_told_for_server_and_model() {
    let served = served();
    assert_eq!(served.get("/v2/health/live").json(), json!({"live": true}));
    assert_eq!(served.get("/v2/health/ready").json(), json!({"ready": true}));
    assert_eq!(served.get("/v2/models/small-detector/ready").json(), json!({"name": MODEL, "ready": true}));
    assert_eq!(served.get("/v2").json()["name"], "weir");
}

#[test]
fn an_inference_gives_back_its_id_and_the_outputs_asked_for() {
    let served = served();
    let mut body = matrix(&vectors(&served.bundle, &new_flows()[..2]));
    let answer = served.post(INFER, &body).json();
    let names = |answer: &Value| -> Vec<Value> {
        answer["outputs"].as_array().unwrap().iter().map(|output| output["name"].clone()).collect()
    };
    assert_eq!(names(&answer), ["label", "probabilities"]);
    assert_eq!(answer["outputs"][1]["shape"], json!([2, 2]));
    assert_eq!(answer["model_version"], json!(served.bundle.digest().short()));
    assert_eq!(answer.get("id"), None);

    body["id"] = json!("a \"1\"");
    body["outputs"] = json!([{"name": "score"}]);
    let answer = served.post(INFER, &body).json();
    assert_eq!((&answer["id"], names(&answer)), (&json!("a \"1\""), vec![json!("score")]));
}

#[test]
fn numbers_come_in_every_numeric_datatype_flat_or_nested() {
    let served = served();
    let expected = served.post(INFER, &matrix(&[vec![4.0, 1.0, 255.0]])).json()["outputs"].clone();
    for datatype in ["FP64", "FP32", "INT64", "INT32", "INT16", "UINT64", "UINT32", "UINT16", "UINT8"] {
        for data in [json!([4, 1, 255]), json!([[4.0, 1.0, 255.0]])] {
            let input = json!({"data": data, "shape": [1, 3], "datatype": datatype, "name": "any"});
            let answer = served.post(INFER, &json!({"inputs": [input]}));
            assert_eq!(answer.json()["outputs"], expected, "{datatype}");
        }
    }
    let named = ["bytes", "rate", "port"].map(|name| {
        json!({"name": name, "shape": [1], "datatype": "INT32", "data": [
        match name { "bytes" => 4, "rate" => 1, _ => 255 }]})
    });
    assert_eq!(served.post(INFER, &json!({"inputs": named})).json()["outputs"], expected);
    let truth = json!({"name": "X", "shape": [1, 3], "datatype": "BOOL", "data": [true, false, true]});
    assert_eq!(served.post(INFER, &json!({"inputs": [truth]})).status, StatusCode::OK);
}

#[test]
fn a_tensor_of_single_precision_holds_what_single_precision_can() {
    let served = served();
    let single = |data: Value| {
        let input = json!({"name": "X", "shape": [1, 3], "datatype": "FP32", "data": data});
        served.post(INFER, &json!({"inputs": [input], "outputs": [{"name": "score"}]}))
    };
    assert_eq!(single(json!([0.1, 2.0, 3.0])).status, StatusCode::OK);
    assert_eq!(single(json!([1e300, 2.0, 3.0])).status, StatusCode::BAD_REQUEST);
}

#[test]
fn a_bundle_without_probabilities_has_no_such_output() {
    let served = serve(Representation::Baseline, Family::DecisionTree, Settings::default());
    let folder = tempfile::tempdir().unwrap();
    let fixture = crate::bundle::Fixture::of(Representation::Baseline, Family::Svc);
    weir_bundle::Bundle::write(folder.path(), &fixture.parts()).unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), served.dir().join(file.file_name())).unwrap();
    }
    assert_eq!(served.call(Method::POST, "/v2/repository/models/small-detector/load", &[], b"").status, StatusCode::OK);
    let mut body = matrix(&[vec![4.0, 1.0, 255.0]]);
    assert_eq!(served.post(INFER, &body).json()["outputs"].as_array().unwrap().len(), 1);
    body["outputs"] = json!([{"name": "probabilities"}]);
    let refusal = served.post(INFER, &body);
    assert_eq!((refusal.status, refusal.error().contains("label, score")), (StatusCode::BAD_REQUEST, true));
    let asked = json!({"instances": [[4, 1, 255]], "parameters": {"probabilities": true}});
    assert_eq!(served.post(crate::fixture::PREDICT, &asked).status, StatusCode::BAD_REQUEST);
}
