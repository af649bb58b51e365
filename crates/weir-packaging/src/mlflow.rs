//! The files that make the directory of a bundle an MLflow model as well: `MLmodel` with the flavours `onnx` and
//! `python_function`, the ONNX file that both run, requirements, and an input example.
//!
//! `mlflow.pyfunc.load_model`, `mlflow.onnx.load_model` and `mlflow models serve` open it. The input has no name, so that
//! arrays and tables of the features are both accepted: MLflow wants a dictionary for a named one. What MLflow
//! would write and two runs would differ in, such as the time, is left out or follows from the model.

use serde_json::{Value, json};
use weir_contract::feature::Examples;
use weir_contract::{Calibration, Digest};
use weir_models::{Classifier, Detector, ScoreKind};

use crate::onnx;

/// The detector as an ONNX file.
pub const ONNX: &str = "model.onnx";
/// What MLflow reads first.
pub const MLMODEL: &str = "MLmodel";
/// Versions of Python and of what installs packages.
pub const PYTHON_ENV: &str = "python_env.yaml";
/// Packages that MLflow needs for this model.
pub const REQUIREMENTS: &str = "requirements.txt";
/// Rows of features, an array of arrays.
pub const INPUT_EXAMPLE: &str = "mlflow-input-example.json";
/// The same as a request to `/invocations`.
pub const SERVING_INPUT: &str = "mlflow-serving-input.json";

/// The version of MLflow whose `MLmodel` this is.
const MLFLOW: &str = "3.17.2";

/// MLflow 3.17 is what this is tested with; ONNX 1.16 and onnxruntime 1.18 are the first that know [`onnx::IR_VERSION`].
const PACKAGES: &str = "\
mlflow>=3.17,<4
numpy>=1.26,<3
onnx>=1.16,<2
onnxruntime>=1.18,<2
";

/// MLflow asks for one version of Python; any that has the packages will do.
const ENVIRONMENT: &str = "\
python: '3.11'
build_dependencies:
- pip
- setuptools
- wheel
dependencies:
- -r requirements.txt
";

/// The files by name: the same detector for other programs, as extra files of a bundle. `examples` name the features
/// in column order, `calibration` gives decision values their probabilities. Same arguments, same bytes. Whether examples
/// and detector belong together is left to the bundle.
#[must_use]
pub fn others(
    name: &str,
    detector: &Detector,
    calibration: Option<Calibration>,
    examples: &Examples,
) -> Vec<(String, Vec<u8>)> {
    let names: Vec<&str> = examples.names.iter().map(String::as_str).collect();
    let model = onnx::model(name, detector, &names, calibration);
    let rows: Vec<&[f64]> = examples.examples.iter().map(|example| &example.features[..]).collect();
    let has_example = !rows.is_empty();
    let mut files = vec![
        (MLMODEL, mlmodel(detector, calibration, &model, has_example).into_bytes()),
        (ONNX, model),
        (PYTHON_ENV, ENVIRONMENT.as_bytes().to_vec()),
        (REQUIREMENTS, PACKAGES.as_bytes().to_vec()),
    ];
    if has_example {
        files.push((INPUT_EXAMPLE, line(&json!(rows))));
        files.push((SERVING_INPUT, line(&json!({ "inputs": rows }))));
    }
    files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}

/// `MLmodel`, a YAML file. MLflow identifies a model by 32 hexadecimal digits: here the first of the ONNX file's digest.
fn mlmodel(detector: &Detector, calibration: Option<Calibration>, model: &[u8], has_example: bool) -> String {
    let inputs = json!([tensor("float64", &[-1, detector.features() as i64])]);
    let outputs: Vec<Value> = outputs(detector.score_kind(), calibration)
        .into_iter()
        .map(|(name, kind, shape)| {
            let mut output = tensor(kind, shape);
            output["name"] = json!(name);
            output
        })
        .collect();
    let outputs = json!(outputs);
    let example = if has_example {
        format!(
            "\
saved_input_example_info:
  artifact_path: {INPUT_EXAMPLE}
  serving_input_path: {SERVING_INPUT}
  type: ndarray
"
        )
    } else {
        String::new()
    };
    let uuid = &Digest::of(model).to_string()[..32];
    format!(
        "\
flavors:
  onnx:
    data: {ONNX}
    providers:
    - CPUExecutionProvider
  python_function:
    data: {ONNX}
    env:
      virtualenv: {PYTHON_ENV}
    loader_module: mlflow.onnx
model_uuid: {uuid}
mlflow_version: {MLFLOW}
{example}signature:
  inputs: '{inputs}'
  outputs: '{outputs}'
  params: null
"
    )
}

/// Outputs of the ONNX file in their order: name, type, shape.
fn outputs(score: ScoreKind, calibration: Option<Calibration>) -> Vec<(&'static str, &'static str, &'static [i64])> {
    let mut outputs: Vec<(_, _, &[i64])> = vec![("label", "int64", &[-1])];
    if score == ScoreKind::Probability || calibration.is_some() {
        outputs.push(("probabilities", "float32", &[-1, 2]));
    }
    if score == ScoreKind::Decision {
        outputs.push(("decision", "float64", &[-1]));
    }
    outputs
}

fn tensor(kind: &str, shape: &[i64]) -> Value {
    json!({ "type": "tensor", "tensor-spec": { "dtype": kind, "shape": shape } })
}

fn line(value: &Value) -> Vec<u8> {
    format!("{value}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use weir_contract::feature::{Example, FORMAT};

    use super::*;
    use crate::onnx::tests::{detectors, outputs as onnx_outputs};

    fn examples(count: usize) -> Examples {
        let flow = json!({ "source_ip": "10.0.0.1", "destination_ip": "10.0.0.2", "transport": "tcp" });
        let flow = serde_json::from_value(flow).unwrap();
        let example = Example { flow, features: vec![1.5, 1_645_795_940_002.0] };
        Examples { format: FORMAT, names: vec!["a".to_owned(), "b".to_owned()], examples: vec![example; count] }
    }

    fn text(files: &[(String, Vec<u8>)], name: &str) -> String {
        let (_, bytes) = files.iter().find(|(file, _)| file == name).expect("the file is there");
        String::from_utf8(bytes.clone()).unwrap()
    }

    #[test]
    fn the_signature_names_the_outputs_of_the_model() {
        for detector in detectors() {
            for calibration in [None, Some(Calibration { a: -1.0, b: 0.0 })] {
                let files = others("test", &detector, calibration, &examples(1));
                let signature: Value = text(&files, MLMODEL)
                    .lines()
                    .find_map(|line| line.trim().strip_prefix("outputs: '")?.strip_suffix('\'').map(str::to_owned))
                    .map(|outputs| serde_json::from_str(&outputs).unwrap())
                    .unwrap();
                let names: Vec<&str> =
                    signature.as_array().unwrap().iter().filter_map(|o| o["name"].as_str()).collect();
                assert_eq!(names, onnx_outputs(&onnx::model("test", &detector, &["a", "b"], calibration)));
            }
        }
    }

    #[test]
    fn mlmodel_follows_from_the_model_alone() {
        let files = others("test", &detectors()[0], None, &examples(2));
        assert_eq!(files, others("test", &detectors()[0], None, &examples(2)));
        let (_, model) = files.iter().find(|(name, _)| name == ONNX).unwrap();
        assert!(text(&files, MLMODEL).contains(&format!("model_uuid: {}\n", &Digest::of(model).to_string()[..32])));
        assert_eq!(text(&files, SERVING_INPUT), "{\"inputs\":[[1.5,1645795940002.0],[1.5,1645795940002.0]]}\n");
    }

    #[test]
    fn a_run_without_examples_names_none() {
        let files = others("test", &detectors()[0], None, &examples(0));
        assert!(!text(&files, MLMODEL).contains("input_example"));
        assert!(files.iter().all(|(name, _)| name != INPUT_EXAMPLE && name != SERVING_INPUT));
    }
}
