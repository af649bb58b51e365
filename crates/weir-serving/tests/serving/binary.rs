//! The binary tensor extension of v2.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::fixture::{Answer, INFER, Served, matrix, new_flows, served, vectors};

fn infer(served: &Served, header: &Value, data: &[u8]) -> Answer {
    let header = header.to_string();
    let length = header.len().to_string();
    let mut body = header.into_bytes();
    body.extend_from_slice(data);
    served.call(Method::POST, INFER, &[("Inference-Header-Content-Length", &length)], &body)
}

/// The JSON of an answer and the binary data behind it.
fn split(answer: &Answer) -> (Value, &[u8]) {
    assert_eq!(answer.headers["content-type"], "application/octet-stream");
    let length = answer.headers["inference-header-content-length"].to_str().unwrap().parse().unwrap();
    let (header, data) = answer.body.split_at(length);
    (serde_json::from_slice(header).unwrap(), data)
}

#[test]
fn outputs_in_binary_hold_the_bits_of_those_in_json() {
    let served = served();
    let vectors = vectors(&served.bundle, &new_flows());
    let mut body = matrix(&vectors);
    body["outputs"] = json!([{"name": "label"}, {"name": "probabilities"}, {"name": "score"}]);
    let plain = served.post(INFER, &body).json();
    body["parameters"] = json!({"binary_data_output": true});
    body["outputs"][2]["parameters"] = json!({"binary_data": false});
    let answer = served.post(INFER, &body);
    let (header, data) = split(&answer);
    let rows = vectors.len();
    assert_eq!(header["outputs"][0]["parameters"], json!({"binary_data_size": 8 * rows}));
    assert_eq!(header["outputs"][1]["parameters"], json!({"binary_data_size": 16 * rows}));
    assert_eq!(header["outputs"][2]["data"], plain["outputs"][2]["data"]);
    let (labels, probabilities) = data.split_at(8 * rows);
    let labels: Vec<i64> = labels.chunks(8).map(|bytes| i64::from_le_bytes(bytes.try_into().unwrap())).collect();
    let probabilities: Vec<f64> =
        probabilities.chunks(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap())).collect();
    assert_eq!(json!(labels), plain["outputs"][0]["data"]);
    assert_eq!(json!(probabilities), plain["outputs"][1]["data"]);
}

#[test]
fn inputs_in_binary_come_in_every_datatype_and_beside_json() {
    let served = served();
    let expected = served.post(INFER, &matrix(&[vec![4.0, 1.0, 100.0]])).json()["outputs"].clone();
    type Encode = fn(u8) -> Vec<u8>;
    let encodings: [(&str, Encode); 5] = [
        ("FP32", |value| f32::from(value).to_le_bytes().to_vec()),
        ("INT64", |value| i64::from(value).to_le_bytes().to_vec()),
        ("UINT16", |value| u16::from(value).to_le_bytes().to_vec()),
        ("INT8", |value| vec![value]),
        ("FP64", |value| f64::from(value).to_le_bytes().to_vec()),
    ];
    for (datatype, bytes) in encodings {
        let data = [4, 1, 100].map(bytes).concat();
        let input = json!({"name": "X", "shape": [1, 3], "datatype": datatype,
            "parameters": {"binary_data_size": data.len()}});
        assert_eq!(infer(&served, &json!({"inputs": [input]}), &data).json()["outputs"], expected, "{datatype}");
    }
    let inputs = json!([
        {"name": "port", "shape": [1], "datatype": "INT16", "parameters": {"binary_data_size": 2}},
        {"name": "rate", "shape": [1], "datatype": "INT16", "data": [1]},
        {"name": "bytes", "shape": [1], "datatype": "INT16", "parameters": {"binary_data_size": 2}},
    ]);
    assert_eq!(infer(&served, &json!({"inputs": inputs}), &[100, 0, 4, 0]).json()["outputs"], expected);
}

#[test]
fn flows_in_binary_are_texts_with_their_length_before_them() {
    let served = served();
    let flows = new_flows();
    let mut data = Vec::new();
    for flow in &flows {
        let text = serde_json::to_vec(flow).unwrap();
        data.extend((text.len() as u32).to_le_bytes());
        data.extend(text);
    }
    let input = json!({"name": "flows", "shape": [flows.len()], "datatype": "BYTES",
        "parameters": {"binary_data_size": data.len()}});
    let answer = infer(&served, &json!({"inputs": [input]}), &data).json();
    let expected = served.bundle.predict(&flows.into_iter().collect());
    assert_eq!(answer["outputs"][0]["data"], json!(expected.labels));
}

#[test]
fn binary_data_that_do_not_fit_are_refused() {
    let served = served();
    let header = |shape: Value, datatype: &str, size: usize| {
        json!({"inputs": [{"name": "X", "shape": shape, "datatype": datatype,
            "parameters": {"binary_data_size": size}}]})
    };
    let not_a_number = [f64::NAN, 1.0, 2.0].map(f64::to_le_bytes).concat();
    for (header, data, reason) in [
        (header(json!([1, 3]), "FP64", 24), &[0; 23][..], "23 bytes are left of the body"),
        (header(json!([1, 3]), "FP64", 16), &[0; 16], "3 elements of 8 bytes"),
        (header(json!([1, 3]), "FP64", 24), &[0; 25], "1 bytes of binary data belong to no input"),
        (header(json!([1, 3]), "FP64", 24), &not_a_number, "feature bytes has to be finite"),
        (header(json!([1]), "BYTES", 8), &[255, 255, 255, 255, 1, 2, 3, 4], "is 4294967295 bytes long"),
        (header(json!([2]), "BYTES", 4), &[0; 4], "hold 1 elements, the shape 2"),
        (header(json!([1]), "BYTES", 7), &[0, 0, 0, 0, 1, 1, 1], "3 bytes are left"),
        (header(json!([1]), "BYTES", 5), &[1, 0, 0, 0, 0xff], "row 0"),
        (header(json!([usize::MAX, 3]), "FP64", 0), &[], "too many elements"),
    ] {
        let answer = infer(&served, &header, data);
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.error().contains(reason), "{}", answer.error());
    }
    for length in ["-1", "a", "99999", "18446744073709551616"] {
        let headers = [("inference-header-content-length", length)];
        assert_eq!(served.call(Method::POST, INFER, &headers, b"{}").status, StatusCode::BAD_REQUEST, "{length}");
    }
}
