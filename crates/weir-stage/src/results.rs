//! What a stage hands to a workflow engine beside its artifact: small results, metrics, a confusion matrix.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use weir_contract::ConfusionMatrix;

use crate::Failure;

const HEADING: &str = "Options for workflow engines";

/// Where a workflow engine wants small results; flatten them into the arguments of a stage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct ResultsArgs {
    /// Leave small results (digest, accuracy ...) in this directory, a file each
    #[arg(long, global = true, help_heading = HEADING, value_name = "DIR")]
    pub values: Option<PathBuf>,

    /// Executor input of Kubeflow Pipelines, {{$}}: results go to the output file that it names
    #[arg(long, global = true, help_heading = HEADING, value_name = "JSON")]
    pub executor_input: Option<String>,
}

/// The small results of a stage.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Results {
    /// Words and digests by name.
    pub values: Vec<(&'static str, String)>,
    /// Numbers by name, for tables and charts.
    pub metrics: Vec<(&'static str, f64)>,
    /// Predicted against actual.
    pub confusion: Option<ConfusionMatrix>,
}

impl ResultsArgs {
    /// Hands over `results`, where somebody wants them. Call it when the artifact is whole, reused ones included.
    ///
    /// # Errors
    /// [`Failure::retry`] when a file cannot be written; of usage for an executor input that is none, or that wants a
    /// result that the stage does not have.
    pub fn publish(&self, results: &Results) -> Result<(), Failure> {
        if let Some(dir) = self.values.as_deref().filter(|dir| !dir.as_os_str().is_empty()) {
            for (name, value) in &results.values {
                write(&dir.join(name), value.as_bytes())?;
            }
        }
        match self.executor_input.as_deref().filter(|text| !text.is_empty()) {
            None => Ok(()),
            Some(text) => {
                let input: ExecutorInput = serde_json::from_str(text)
                    .map_err(|error| Failure::usage(format!("--executor-input is no executor input: {error}")))?;
                input.publish(results)
            }
        }
    }
}

/// What a stage reads of `ExecutorInput` of the Kubeflow Pipelines API, in protobuf's JSON, which leaves out what is
/// empty.
#[derive(Debug, Deserialize)]
struct ExecutorInput {
    #[serde(default)]
    outputs: Outputs,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Outputs {
    artifacts: std::collections::BTreeMap<String, ArtifactList>,
    parameters: std::collections::BTreeMap<String, Value>,
    output_file: Option<PathBuf>,
}

/// Artifacts under one name, in the output file as in the input.
#[derive(Debug, Default, Serialize, Deserialize)]
struct ArtifactList {
    #[serde(default)]
    artifacts: Vec<RuntimeArtifact>,
}

#[derive(Debug, Serialize, Deserialize)]
struct RuntimeArtifact {
    name: String,
    uri: String,
    #[serde(default)]
    metadata: Map<String, Value>,
}

impl ExecutorInput {
    /// Writes the output file: every output artifact with its metadata, every output parameter with its value.
    fn publish(self, results: &Results) -> Result<(), Failure> {
        let Outputs { mut artifacts, parameters, output_file } = self.outputs;
        let Some(path) = output_file else {
            return Err(Failure::usage("--executor-input has no outputs.outputFile"));
        };
        for (name, list) in &mut artifacts {
            let metadata = results.metadata(name);
            list.artifacts.iter_mut().for_each(|artifact| artifact.metadata.extend(metadata.clone()));
        }
        let mut values = Map::new();
        for name in parameters.keys() {
            let value = results.values.iter().find(|(known, _)| known == name);
            let (_, value) = value.ok_or_else(|| {
                let known: Vec<&str> = results.values.iter().map(|&(name, _)| name).collect();
                Failure::usage(format!("--executor-input wants a result {name}"))
                    .hint(format!("this stage has {}", known.join(", ")))
            })?;
            values.insert(name.clone(), json!(value));
        }
        let output = json!({"artifacts": artifacts, "parameterValues": values});
        write(&path, output.to_string().as_bytes())
    }
}

impl Results {
    /// Metadata of the output artifact `name`, in the schemas of Kubeflow's `system.Metrics` and
    /// `system.ClassificationMetrics`; of any other artifact all values.
    fn metadata(&self, name: &str) -> Map<String, Value> {
        let pairs: Vec<(String, Value)> = match (name, self.confusion) {
            ("metrics", _) => self.metrics.iter().map(|&(name, number)| (name.to_owned(), json!(number))).collect(),
            ("confusion_matrix", Some(confusion)) => vec![("confusionMatrix".to_owned(), matrix(confusion))],
            _ => self.values.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect(),
        };
        pairs.into_iter().collect()
    }
}

/// Rows are what flows are, columns what they were taken for.
fn matrix(confusion: ConfusionMatrix) -> Value {
    let ConfusionMatrix { true_negatives, false_positives, false_negatives, true_positives } = confusion;
    json!({
        "annotationSpecs": [{"displayName": "benign"}, {"displayName": "malicious"}],
        "rows": [{"row": [true_negatives, false_positives]}, {"row": [false_negatives, true_positives]}],
    })
}

/// Writes a file that appears whole, in a folder that is made.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = || -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        fs::write(&partial, bytes)?;
        fs::rename(&partial, path)
    };
    written().map_err(|error| Failure::retry(format!("failed to write {}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    use serde_json::from_slice;
    use weir_contract::ExitCode;

    fn results() -> Results {
        let confusion =
            ConfusionMatrix { true_negatives: 5, false_positives: 1, false_negatives: 2, true_positives: 7 };
        Results {
            values: vec![("digest", "ab12".to_owned()), ("winner", "baseline/knn/best".to_owned())],
            metrics: vec![("accuracy", confusion.accuracy())],
            confusion: Some(confusion),
        }
    }

    #[test]
    fn values_are_files_of_one_line_without_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let args = ResultsArgs { values: Some(dir.path().join("new")), executor_input: None };
        args.publish(&results()).unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("new/winner")).unwrap(), "baseline/knn/best");
        assert_eq!(fs::read_dir(dir.path().join("new")).unwrap().count(), 2);
    }

    #[test]
    fn kubeflow_gets_metrics_confusion_matrix_and_parameters() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("out/executor_output.json");
        let artifact = |name: &str, more: Value| {
            let mut artifact = json!({"name": name, "uri": format!("minio://bucket/{name}")});
            artifact.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({"artifacts": [artifact]})
        };
        let input = json!({"inputs": {}, "outputs": {
            "artifacts": {
                "trials": artifact("trials", json!({"type": {"schemaTitle": "system.Model"}})),
                "metrics": artifact("metrics", json!({"metadata": {"kept": 1.0}})),
                "confusion_matrix": artifact("confusion_matrix", json!({})),
            },
            "parameters": {"digest": {"outputFile": "/tmp/unused"}},
            "outputFile": file,
        }});
        let args = ResultsArgs { values: None, executor_input: Some(input.to_string()) };
        args.publish(&results()).unwrap();
        let written: Value = from_slice(&fs::read(&file).unwrap()).unwrap();
        let metadata = |name: &str| &written["artifacts"][name]["artifacts"][0]["metadata"];
        assert_eq!(metadata("metrics"), &json!({"kept": 1.0, "accuracy": 0.8}));
        assert_eq!(metadata("trials"), &json!({"digest": "ab12", "winner": "baseline/knn/best"}));
        assert_eq!(metadata("confusion_matrix")["confusionMatrix"]["rows"][1]["row"], json!([2, 7]));
        assert_eq!(written["artifacts"]["trials"]["artifacts"][0]["uri"], "minio://bucket/trials");
        assert_eq!(written["parameterValues"], json!({"digest": "ab12"}));
    }

    #[test]
    fn a_result_that_the_stage_does_not_have_is_refused_with_those_it_has() {
        let input = json!({"outputs": {"parameters": {"speed": {}}, "outputFile": "/nowhere/at/all"}});
        let args = ResultsArgs { values: None, executor_input: Some(input.to_string()) };
        let failure = args.publish(&results()).unwrap_err();
        assert_eq!(failure.code, ExitCode::Usage);
        assert_eq!(failure.hint.unwrap(), "this stage has digest, winner");
        let none = ResultsArgs { values: None, executor_input: Some("{{$}}".to_owned()) };
        assert_eq!(none.publish(&results()).unwrap_err().code, ExitCode::Usage);
    }

    #[test]
    fn nobody_who_asks_gets_nothing() {
        let args = ResultsArgs { values: Some(PathBuf::new()), executor_input: Some(String::new()) };
        args.publish(&results()).unwrap();
        ResultsArgs::default().publish(&results()).unwrap();
    }
}
