//! What is wrong is told, with the status that clients know.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::fixture::{INFER, PREDICT, Served, served, served_with};
use weir_serving::Settings;

fn refused(served: &Served, path: &str, body: &[u8], reason: &str) {
    let answer = served.call(Method::POST, path, &[("content-type", "application/json")], body);
    let text = String::from_utf8_lossy(&body[..body.len().min(100)]).into_owned();
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{text}");
    assert!(answer.error().contains(reason), "{text}: {}", answer.error());
}

#[test]
fn malformed_requests_of_v1_are_refused_with_the_reason() {
    let served = served();
    let deep = [b"{\"x\":".as_slice(), &b"[".repeat(100_000)].concat();
    for (body, reason) in [
        (&b""[..], "EOF"),
        (b"{", "EOF"),
        (b"nonsense", "expected"),
        (b"[[1,2,3]]", "expected an object"),
        (b"{}", "missing field `instances`"),
        (br#"{"instances":[[1,2,3]],"instances":[]}"#, "duplicate field `instances`"),
        (br#"{"instances":[[1,2,3]],"inputs":[]}"#, "duplicate field `instances`"),
        (br#"{"instances":{"a":1}}"#, "an array of instances"),
        (br#"{"instances":[1,2,3]}"#, "instance 0: invalid type: integer `1`, expected an array of 3 features"),
        (br#"{"instances":[[1,2,3],[1,2]]}"#, "instance 1: invalid length 2, expected an array of 3 features"),
        (br#"{"instances":[[1,2,3,4]]}"#, "instance 0: invalid length 4"),
        (br#"{"instances":[[1,2,null]]}"#, "invalid type: null, expected a number"),
        (br#"{"instances":[[1,2,"3"]]}"#, "invalid type: string"),
        (br#"{"instances":[[1,2,[3]]]}"#, "invalid type: sequence"),
        (br#"{"instances":[[1,2,NaN]]}"#, "expected value"),
        (br#"{"instances":[[1,2,Infinity]]}"#, "expected value"),
        (br#"{"instances":[[1,2,1e999]]}"#, "number out of range"),
        (br#"{"instances":[[1,2,-1e999]]}"#, "number out of range"),
        (br#"{"instances":[[1,2,3]]} x"#, "trailing"),
        (br#"{"instances":[[1,2,3],{"source_ip":"::1"}]}"#, "instance 1: instances have to be either"),
        (br#"{"instances":[{"source_ip":"::1","destination_ip":"::2","transport":"tcp"},[1,2,3]]}"#, "instance 1"),
        (
            br#"{"instances":[{"source_ip":"::1","destination_ip":"::2","transport":"tcp","sourceport":1}]}"#,
            "did you mean",
        ),
        (br#"{"instances":[{}]}"#, "instance 0"),
        (br#"{"instances":[[1,2,3]],"parameters":{"partial":"yes"}}"#, "invalid type: string"),
        (br#"{"instances":[[1,2,3]],"parameters":[true,true,true]}"#, "expected an object"),
        (b"{\"instances\":[[1,2,3]],\"\xff\":1}", "expected {\"instances\""),
        (b"{\"instances\":[{\"source_ip\":\"\xff\"}]}", "instance 0"),
        (&deep, "EOF"),
        (&[b"{\"instances\":".as_slice(), &b"[".repeat(100_000)].concat(), "invalid type: sequence"),
        (&[b"{\"instances\":[{\"source\":".as_slice(), &b"[".repeat(100_000)].concat(), "instance 0"),
    ] {
        refused(&served, PREDICT, body, reason);
    }
    assert_eq!(served.post(PREDICT, &json!({"instances": [[1, 2, 3]]})).status, StatusCode::OK);
}

#[test]
fn malformed_requests_of_v2_are_refused_with_the_reason() {
    let served = served();
    let input = |change: &[(&str, Value)]| {
        let mut input = json!({"name": "X", "shape": [1, 3], "datatype": "FP64", "data": [1, 2, 3]});
        for (name, value) in change {
            input[name] = value.clone();
        }
        json!({"inputs": [input]}).to_string().into_bytes()
    };
    let feature = |name: &str, data: Value| json!({"name": name, "shape": [data.as_array().unwrap().len()], "datatype": "FP64", "data": data});
    let features = |features: &[Value]| json!({"inputs": features}).to_string().into_bytes();
    for (body, reason) in [
        (&b""[..], "EOF"),
        (b"{}", "missing field `inputs`"),
        (b"[null,null,[]]", "expected an object"),
        (br#"{"inputs":[]}"#, "at least one input"),
        (br#"{"inputs":[["X",[1,3],"FP64",null,[1,2,3]]]}"#, "expected an object"),
        (br#"{"inputs":[],"inputs":[]}"#, "duplicate field `inputs`"),
        (br#"{"id":7,"inputs":[]}"#, "expected a string"),
        (&input(&[("shape", json!([3]))]), "expected [rows, 3]"),
        (&input(&[("shape", json!([3, 1]))]), "expected [rows, 3]"),
        (&input(&[("shape", json!([1, 4]))]), "its 3 elements are not those of shape [1, 4]"),
        (&input(&[("shape", json!([-1, 3]))]), "invalid value"),
        (&input(&[("shape", json!([1, u64::MAX, 3]))]), "too many elements"),
        (&input(&[("shape", json!([0, 3]))]), "its 3 elements"),
        (&input(&[("shape", json!("1,3"))]), "invalid type"),
        (&input(&[("datatype", json!("FP16"))]), "datatype \"FP16\" is not read"),
        (&input(&[("datatype", json!("fp64"))]), "is not read"),
        (&input(&[("datatype", json!("BYTES"))]), "BYTES tensor are texts"),
        (&input(&[("data", json!(["a", "b", "c"]))]), "text is no"),
        (&input(&[("data", json!([1, "b", 3]))]), "numbers and texts"),
        (&input(&[("data", json!([[1, 2], [3]]))]), "not all of one length"),
        (&input(&[("data", json!([[1], [2], [3]]))]), "flat or nested"),
        (&input(&[("data", json!([1, [2, 3]]))]), "nested alike"),
        (&input(&[("data", json!([1, 2, null]))]), "invalid type: null"),
        (&input(&[("data", json!(null))]), "neither data nor binary_data_size"),
        (&input(&[("data", json!([1.5, 2, 3])), ("datatype", json!("INT64"))]), "1.5 is no Int64"),
        (&input(&[("data", json!([256, 2, 3])), ("datatype", json!("UINT8"))]), "256 is no Uint8"),
        (&input(&[("data", json!([-1, 2, 3])), ("datatype", json!("UINT64"))]), "-1 is no Uint64"),
        (&input(&[("parameters", json!({"binary_data_size": 24}))]), "both data and binary_data_size"),
        (&input(&[("name", json!("bytes"))]), "has shape [1, 3], expected [1]"),
        (&features(&[feature("bytes", json!([1])), feature("rate", json!([1]))]), "no input for feature \"port\""),
        (&features(&[feature("bytes", json!([1])), feature("bytes", json!([1]))]), "two inputs \"bytes\""),
        (&features(&[feature("bytes", json!([1])), feature("speed", json!([1]))]), "\"speed\" is no feature"),
        (&features(&[feature("bytes", json!([1])), feature("rate", json!([1, 2]))]), "expected [1]"),
        (&features(&vec![feature("bytes", json!([1])); 4]), "4 inputs for a model of 3 features"),
        (br#"{"inputs":[{"name":"flows","shape":[1],"datatype":"BYTES","data":["{}"]}]}"#, "row 0"),
        (br#"{"inputs":[{"name":"flows","shape":[1],"datatype":"BYTES","data":["7 8"]}]}"#, "row 0"),
        (br#"{"inputs":[{"name":"X","shape":[1,3],"datatype":"FP64","data":[1,2,3]}],"outputs":[{"name":"x"}]}"#, "there are label, probabilities, score"),
        (br#"{"inputs":[{"name":"X","shape":[1,3],"datatype":"FP64","data":[1,2,3]}],"outputs":[{"name":"label"},{"name":"label"}]}"#, "twice"),
        (br#"{"inputs":[{"name":"X","shape":[1,3],"datatype":"FP64","data":[1,2,1e999]}]}"#, "number out of range"),
    ] {
        refused(&served, INFER, body, reason);
    }
}

#[test]
fn what_is_not_there_is_not_found() {
    let served = served();
    for (method, path) in [
        (Method::GET, "/v1/models/other"),
        (Method::POST, "/v1/models/other:predict"),
        (Method::POST, "/v1/models/small-detector:explain"),
        (Method::GET, "/v2/models/other"),
        (Method::GET, "/v2/models/other/ready"),
        (Method::POST, "/v2/models/other/infer"),
        (Method::POST, "/v2/models/small-detector/versions/1/infer"),
        (Method::POST, "/v2/repository/models/other/load"),
        (Method::GET, "/v3"),
        (Method::GET, "/../etc/passwd"),
    ] {
        let answer = served.call(method, path, &[], b"{}");
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(!answer.error().is_empty());
    }
}

#[test]
fn other_methods_are_not_allowed() {
    let served = served();
    for (method, path) in [
        (Method::GET, PREDICT),
        (Method::PUT, PREDICT),
        (Method::POST, "/v1/models/small-detector"),
        (Method::GET, INFER),
        (Method::POST, "/v2/health/ready"),
        (Method::DELETE, "/v2/models/small-detector"),
        (Method::POST, "/metrics"),
    ] {
        let answer = served.call(method.clone(), path, &[], b"{}");
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert!(!answer.error().is_empty());
    }
}

#[test]
fn a_path_that_is_no_text_and_an_option_that_is_no_truth_value_are_refused() {
    let served = served();
    for path in ["/v1/models/%ff", "/v2/models/%ff/ready"] {
        let answer = served.get(path);
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(answer.error().contains("UTF-8"), "{}", answer.error());
    }
    let vector = br#"{"instances":[[1,2,3]]}"#;
    for option in ["probabilities", "scores", "partial"] {
        refused(&served, &format!("{PREDICT}?{option}=yes"), vector, "has to be true or false");
    }
}

#[test]
fn packed_bodies_are_not_read_and_content_types_are_not_looked_at() {
    let served = served();
    let body = br#"{"instances":[[1,2,3]]}"#;
    for encoding in ["gzip", "deflate", "br"] {
        let answer = served.call(Method::POST, PREDICT, &[("content-encoding", encoding)], body);
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert!(answer.error().contains(encoding));
    }
    for kind in ["application/json", "text/plain", "application/x-www-form-urlencoded", "nonsense"] {
        assert_eq!(served.call(Method::POST, PREDICT, &[("content-type", kind)], body).status, StatusCode::OK);
    }
    assert_eq!(served.call(Method::POST, PREDICT, &[("content-encoding", "identity")], body).status, StatusCode::OK);
}

#[test]
fn long_bodies_and_many_rows_are_refused() {
    let served = served_with(Settings { max_body: 2048, max_batch: 3, ..Settings::default() });
    let long = json!({"instances": [vec![1.0; 1000]]}).to_string();
    for headers in [&[][..], &[("content-length", "5000")]] {
        let answer = served.call(Method::POST, PREDICT, headers, long.as_bytes());
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(answer.error().contains("2048 bytes"));
    }
    let rows = |count: usize| json!({"instances": vec![[1.0, 2.0, 3.0]; count]}).to_string();
    assert_eq!(served.call(Method::POST, PREDICT, &[], rows(3).as_bytes()).status, StatusCode::OK);
    refused(&served, PREDICT, rows(4).as_bytes(), "a request may hold 3");
    let many = json!({"inputs": [{"name": "X", "shape": [4, 3], "datatype": "FP64", "data": vec![1.0; 12]}]});
    refused(&served, INFER, many.to_string().as_bytes(), "a request may hold 3");
    let flow = json!({"source_ip": "::1", "destination_ip": "::2", "transport": "tcp", "bytes": 1, "duration_ns": 1});
    refused(&served, PREDICT, json!({"instances": vec![flow; 4]}).to_string().as_bytes(), "a request may hold 3");
}

#[test]
fn before_there_is_a_model_the_predictor_lives_and_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { bundle: folder.path().to_owned(), ..Settings::default() };
    let predictor = std::sync::Arc::new(weir_serving::Predictor::new(settings));
    assert!(predictor.load().is_err());
    let app = weir_serving::App::new(predictor, None);
    let call = |method: Method, path: &str| {
        crate::fixture::run(crate::fixture::send(&app, crate::fixture::request(method, path, &[], b"{}")))
    };
    assert_eq!(call(Method::GET, "/v2/health/live").status, StatusCode::OK);
    let ready = call(Method::GET, "/v2/health/ready");
    assert_eq!((ready.status, ready.json()), (StatusCode::SERVICE_UNAVAILABLE, json!({"ready": false})));
    // An empty list would be an answer: that there are no models.
    for (method, path) in [
        (Method::GET, "/v1/models"),
        (Method::GET, "/v1/models/x"),
        (Method::GET, "/v2/models/x"),
        (Method::GET, "/v2/models/x/ready"),
        (Method::GET, "/v2/models/x/versions/1"),
        (Method::POST, PREDICT),
        (Method::POST, INFER),
        (Method::POST, "/v2/repository/index"),
        (Method::POST, "/v2/repository/models/x/load"),
    ] {
        let refused = call(method, path);
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(refused.headers["retry-after"], "1", "{path}");
        assert_eq!(refused.error(), "the model is not loaded yet", "{path}");
    }
}
