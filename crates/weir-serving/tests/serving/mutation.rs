//! Damaged requests: what the predictor promises for any bytes, checked on mutations of valid requests.

use axum::http::Method;
use serde_json::{Value, json};
use weir_serving::App;
use weir_testkit::Random;

use crate::fixture::{Answer, INFER, PREDICT, matrix, new_flows, request, run, send, vectors};

/// A valid request.
pub(crate) struct Seed {
    pub(crate) path: &'static str,
    pub(crate) body: Vec<u8>,
    /// Length of the JSON where binary data follow.
    pub(crate) header: Option<usize>,
}

/// A valid request of every kind.
pub(crate) fn seeds(bundle: &weir_bundle::Bundle) -> Vec<Seed> {
    let flows = &new_flows()[..3];
    let vectors = vectors(bundle, flows);
    let event = json!({"@timestamp": "2022-02-25T12:19:30.013Z", "source": {"ip": "::1", "port": 3, "bytes": 40},
        "destination.ip": "10.0.0.7", "network": {"transport": "tcp"}, "event": {"duration": 900}});
    let mut matrix = matrix(&vectors);
    matrix["outputs"] = json!([{"name": "label"}, {"name": "score", "parameters": {"binary_data": true}}]);
    let features: Vec<Value> = ["bytes", "rate", "port"]
        .iter()
        .map(|name| json!({"name": name, "shape": [2, 1], "datatype": "FP32", "data": [[1.5], [2e3]]}))
        .collect();
    let texts: Vec<String> = flows.iter().map(|flow| serde_json::to_string(flow).unwrap()).collect();
    let texts = json!([{"name": "flows", "shape": [3], "datatype": "BYTES", "data": texts}]);
    let parameters = json!({"probabilities": true, "scores": true, "partial": true});
    let plain = |path, body: Value| Seed { path, body: body.to_string().into_bytes(), header: None };
    let mut seeds = vec![
        plain(PREDICT, json!({"instances": vectors})),
        plain(PREDICT, json!({"instances": flows, "parameters": parameters})),
        plain(PREDICT, json!({"instances": [event]})),
        plain(INFER, matrix),
        plain(INFER, json!({"id": "1", "inputs": features, "parameters": {"binary_data_output": true}})),
        plain(INFER, json!({"inputs": texts})),
    ];
    let numbers: Vec<u8> = vectors.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
    let text = serde_json::to_vec(&flows[0]).unwrap();
    let text = [&(text.len() as u32).to_le_bytes(), &text[..]].concat();
    for (datatype, shape, data) in [("FP64", json!([3, 3]), numbers), ("BYTES", json!([1]), text)] {
        let header = json!({"inputs": [{"name": "X", "shape": shape, "datatype": datatype,
            "parameters": {"binary_data_size": data.len()}}]});
        let mut body = header.to_string().into_bytes();
        let header = Some(body.len());
        body.extend(data);
        seeds.push(Seed { path: INFER, body, header });
    }
    seeds
}

/// Once or twice a byte changed, a piece cut out, doubled or taken from another request, or something put in that
/// readers trip over; now and then the length of the JSON is another one.
pub(crate) fn mutate(seed: &Seed, other: &Seed, random: &mut Random) -> Seed {
    const PIECES: [&str; 28] = [
        "",
        "\"",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "null",
        "true",
        "-",
        "-0",
        "1e308",
        "1e999",
        "-1e-400",
        "0.1e",
        "18446744073709551616",
        "NaN",
        "\\u0000",
        "\\ud800",
        "[[[[",
        "\"instances\":",
        "\"data\":",
        "\"shape\":[0]",
        "\"BYTES\"",
        "\"FP16\"",
        "\"binary_data_size\":9223372036854775807",
        "\u{feff}",
    ];
    const BYTES: &[u8] = b"\",:{}[]0129.-eE\\\0\xff\xc3 \n";
    let mut body = seed.body.clone();
    for _ in 0..=random.below(2) {
        let at = random.below(body.len() + 1);
        match random.below(8) {
            0 if at < body.len() => body[at] ^= 1 << random.below(8),
            1 if at < body.len() => body[at] = BYTES[random.below(BYTES.len())],
            2 => body.truncate(at),
            3 => drop(body.drain(random.range(&body, 64))),
            4 => {
                let piece = body[random.range(&body, 200)].to_vec();
                body.splice(at..at, piece);
            }
            5 => {
                let piece = other.body[random.range(&other.body, 200)].to_vec();
                body.splice(at..at, piece);
            }
            _ => {
                let (start, end) = value_around(&body, at);
                body.splice(start..end, PIECES[random.below(PIECES.len())].bytes());
            }
        }
    }
    let header = match random.below(16) {
        0 => Some(random.below(body.len() + 2)),
        1 => None,
        _ => seed.header,
    };
    let path = if random.below(16) == 0 { other.path } else { seed.path };
    Seed { path, body, header }
}

fn value_around(bytes: &[u8], at: usize) -> (usize, usize) {
    let ends = |byte: &u8| b",:[]{}".contains(byte);
    let start = bytes[..at].iter().rposition(ends).map_or(0, |before| before + 1);
    (start, bytes[at..].iter().position(ends).map_or(bytes.len(), |after| at + after))
}

/// What holds for any body: an answer with predictions, or a refusal with a reason that blames the request.
pub(crate) fn check(app: &App, seed: &Seed) -> Answer {
    let length = seed.header.map(|length| length.to_string());
    let headers: Vec<(&str, &str)> =
        length.iter().map(|length| ("inference-header-content-length", length.as_str())).collect();
    let answer = run(send(app, request(Method::POST, seed.path, &headers, &seed.body)));
    let json = match answer.headers.get("inference-header-content-length") {
        None => answer.json(),
        Some(length) => {
            let length: usize = length.to_str().unwrap().parse().unwrap();
            serde_json::from_slice(&answer.body[..length]).unwrap()
        }
    };
    match answer.status.as_u16() {
        200 => assert!(json.get("predictions").is_some() || json.get("outputs").is_some(), "{json}"),
        400 => assert!(json["error"].as_str().is_some_and(|error| !error.is_empty()), "{json}"),
        status => panic!("status {status}: {json}"),
    }
    answer
}
