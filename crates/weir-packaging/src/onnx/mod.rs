//! The detector as an ONNX file, for every runtime that opens one.
//!
//! ```text
//! X: double[N, F]  ── scaler ── encoder ── model ──  label: int64[N], 0 benign, 1 malicious
//!                                                    probabilities: float[N, 2], of benign and malicious
//!                                                    decision: double[N], of SVC
//! ```
//!
//! Everything is computed in double, by operators that onnxruntime and tract both have in double: a float does not hold
//! a time in milliseconds or an address. The operators of `ai.onnx.ml` (TreeEnsembleClassifier, SVMClassifier, Scaler)
//! were rejected, because they keep their parameters as floats.
//!
//! The label is what the model says, not what the rounded probability says: it follows the decision value of SVC and of
//! logistic regression.

mod encoder;
mod graph;
mod knn;
mod logistic;
mod proto;
mod scaler;
mod svc;
#[cfg(test)]
pub(crate) mod tests;
mod tree;

use prost::Message;
use weir_contract::Calibration;
use weir_models::{Classifier, Detector, FittedModel};

use graph::{Graph, Value};
use proto::{DataType, Entry, Model, OperatorSet};

/// Version of the file format: that of ONNX 1.16, which onnxruntime reads since 1.18.
pub const IR_VERSION: i64 = 10;

/// Version of the operators. Nothing here needs a later one, and tract and onnxruntime have all of it.
pub const OPSET: i64 = 17;

/// The name of the input.
pub const INPUT: &str = "X";

/// What the family of a model adds to the graph.
struct Prediction {
    /// `int64[N, 1]`.
    class: Value,
    /// Of class 1, `double[N, 1]`.
    probability: Option<Value>,
    /// `double[N, 1]`.
    decision: Option<Value>,
}

/// The bytes of `model.onnx`. `names` are those of the features in column order; `calibration` gives SVC its
/// probabilities, without which it has none. Same arguments, same bytes.
#[must_use]
pub fn model(name: &str, detector: &Detector, names: &[&str], calibration: Option<Calibration>) -> Vec<u8> {
    let about = format!("unscaled features: {}", names.join(", "));
    let (mut graph, input) = Graph::new(name, INPUT, detector.features(), &about);
    let scaled = scaler::scaled(&mut graph, detector.scaler(), input);
    let seen = match detector.encoder() {
        None => scaled,
        Some(encoder) => encoder::encoded(&mut graph, encoder, scaled),
    };
    let prediction = match detector.model() {
        FittedModel::Logistic(model) => logistic::predict(&mut graph, model, &seen),
        FittedModel::Svc(model) => svc::predict(&mut graph, model, calibration, &seen),
        FittedModel::Knn(model) => knn::predict(&mut graph, model, &seen),
        FittedModel::Tree(model) => tree::predict(&mut graph, model, &seen),
    };
    graph.output_column("label", DataType::Int64, &prediction.class);
    if let Some(malicious) = &prediction.probability {
        let one = graph.double(1.0);
        let benign = graph.op("Sub", &[&one, malicious], &[]);
        graph.output_pair("probabilities", &benign, malicious);
    }
    if let Some(decision) = &prediction.decision {
        graph.output_column("decision", DataType::Double, decision);
    }

    let entry = |key: &str, value: String| Entry { key: Some(key.to_owned()), value: Some(value) };
    let family = detector.model().family();
    let representation = detector.representation();
    Model {
        ir_version: Some(IR_VERSION),
        opset_import: vec![OperatorSet { domain: Some(String::new()), version: Some(OPSET) }],
        producer_name: Some("weir".to_owned()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        doc_string: Some(format!("{name}: label 0 is benign, 1 malicious; probabilities in this order")),
        graph: Some(graph.finish()),
        metadata_props: vec![
            entry("classes", "benign,malicious".to_owned()),
            entry("family", family.to_string()),
            entry("features", names.join(",")),
            entry("representation", representation.to_string()),
        ],
    }
    .encode_to_vec()
}
