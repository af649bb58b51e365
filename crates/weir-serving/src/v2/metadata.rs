//! What the predictor and its model say of themselves.

use serde_json::{Value, json};

use crate::model::Model;
use crate::v2::request::Output;

/// Of the predictor.
pub(crate) fn server() -> Value {
    json!({
        "name": "weir",
        "version": env!("CARGO_PKG_VERSION"),
        "extensions": ["binary_tensor_data", "model_repository"],
    })
}

/// Of the model. The input is the matrix; its columns are named in the parameters.
pub(crate) fn model(model: &Model) -> Value {
    let info = model.bundle.info();
    let output = |output: Output| {
        let (datatype, shape) = match output {
            Output::Label => ("INT64", vec![-1]),
            Output::Probabilities => ("FP64", vec![-1, 2]),
            Output::Score => ("FP64", vec![-1]),
        };
        json!({"name": output.name(), "datatype": datatype, "shape": shape})
    };
    json!({
        "name": model.name,
        "versions": [model.version],
        "platform": "weir",
        "inputs": [{"name": "X", "datatype": "FP64", "shape": [-1, model.width()]}],
        "outputs": Output::of(model).map(output).collect::<Vec<_>>(),
        "parameters": {
            "features": model.bundle.schema().names(),
            "feature_set": info.feature_set,
            "classes": info.classes,
            "trial": info.trial,
            "digest": model.bundle.digest(),
        },
    })
}
