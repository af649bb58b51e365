//! Whatever way rows come in, the answer is that of the bundle.

use axum::http::Method;
use serde_json::{Value, json};
use weir_bundle::Predictions;
use weir_contract::{Family, Representation};
use weir_serving::Settings;

use crate::fixture::{INFER, PREDICT, Served, instances, matrix, new_flows, serve, vectors};

/// Labels, probabilities of malicious and scores of an answer of v2.
fn tensors(answer: &Value) -> (Value, Vec<f64>, Value) {
    let output = |name: &str| {
        let outputs = answer["outputs"].as_array().unwrap();
        outputs.iter().find(|output| output["name"] == name).unwrap_or_else(|| panic!("no {name}"))["data"].clone()
    };
    let probabilities: Vec<f64> = serde_json::from_value(output("probabilities")).unwrap();
    for pair in probabilities.chunks(2) {
        assert_eq!(pair[0], 1.0 - pair[1]);
    }
    let malicious = probabilities.chunks(2).map(|pair| pair[1]).collect();
    (output("label"), malicious, output("score"))
}

fn check(served: &Served, expected: &Predictions) {
    let flows = new_flows();
    let vectors = vectors(&served.bundle, &flows);
    let labels = json!(expected.labels);
    let malicious: Vec<f64> = expected.probabilities.iter().map(|probability| probability.unwrap()).collect();
    let scores = json!(expected.scores);

    for body in [instances(&vectors), instances(&flows)] {
        let answer = served.post(&format!("{PREDICT}?probabilities=true&scores=true"), &body).json();
        assert_eq!(answer["predictions"], labels);
        let pairs: Vec<[f64; 2]> = serde_json::from_value(answer["probabilities"].clone()).unwrap();
        assert_eq!(pairs, malicious.iter().map(|&p| [1.0 - p, p]).collect::<Vec<_>>());
        assert_eq!(answer["scores"], scores);
    }

    let outputs = json!([{"name": "score"}, {"name": "label"}, {"name": "probabilities"}]);
    let named: Vec<Value> = served
        .bundle
        .schema()
        .names()
        .iter()
        .enumerate()
        .rev()
        .map(|(column, name)| {
            let values: Vec<f64> = vectors.iter().map(|vector| vector[column]).collect();
            json!({"name": name, "shape": [vectors.len(), 1], "datatype": "FP64", "data": values})
        })
        .collect();
    let texts: Vec<String> = flows.iter().map(|flow| serde_json::to_string(flow).unwrap()).collect();
    let texts = json!([{"name": "flows", "shape": [texts.len()], "datatype": "BYTES", "data": texts}]);
    for inputs in [matrix(&vectors)["inputs"].clone(), json!(named), texts] {
        let answer = served.post(INFER, &json!({"inputs": inputs, "outputs": outputs})).json();
        assert_eq!(tensors(&answer), (labels.clone(), malicious.clone(), scores.clone()));
    }

    let header = json!({"inputs": [{"name": "X", "shape": [vectors.len(), 3], "datatype": "FP64",
        "parameters": {"binary_data_size": vectors.len() * 24}}], "outputs": outputs})
    .to_string();
    let mut body = header.clone().into_bytes();
    body.extend(vectors.iter().flatten().flat_map(|value| value.to_le_bytes()));
    let length = header.len().to_string();
    let answer = served.call(Method::POST, INFER, &[("inference-header-content-length", &length)], &body);
    assert_eq!(tensors(&answer.json()), (labels, malicious, scores));
}

#[test]
fn every_way_in_gives_what_the_bundle_predicts_for_every_family_and_representation() {
    for representation in [Representation::Baseline, Representation::Autoencoder] {
        for &family in Family::ALL {
            let served = serve(representation, family, Settings::default());
            let expected = served.bundle.predict(&new_flows().into_iter().collect());
            assert!(expected.refused.is_empty());
            check(&served, &expected);
        }
    }
}

#[test]
fn a_row_alone_has_the_prediction_it_has_in_a_batch() {
    let served = serve(Representation::Baseline, Family::Knn, Settings::default());
    let flows = new_flows();
    let batch = served.post(PREDICT, &instances(&flows)).json()["predictions"].clone();
    let alone: Vec<Value> =
        flows.iter().map(|flow| served.post(PREDICT, &instances([flow])).json()["predictions"][0].clone()).collect();
    assert_eq!(batch, Value::from(alone));
}
