//! Rows to the bodies of requests, and bodies of answers to labels.
//!
//! Predictors of other makers are understood where they mean a class: 0 and 1 as whole or floating numbers or texts,
//! `benign` and `malicious`, each alone, as the only element of an array or as the member `label` of an object. A
//! probability is no class: where its threshold lies is the predictor's business.

use serde::Serialize;
use serde_json::{Value, json};
use weir_contract::validation::Protocol;
use weir_contract::{Flow, Label};

/// Characters of a foreign text that are repeated in a message.
const EXCERPT: usize = 300;

/// Rows to predict.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rows<'a> {
    /// Raw flows; the predictor computes the features.
    Flows(&'a [Flow]),
    /// Vectors of unscaled features, `[n, width]`, row-major.
    Vectors {
        /// The numbers, all finite.
        values: &'a [f64],
        /// Features per row, at least 1.
        width: usize,
    },
}

impl<'a> Rows<'a> {
    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Flows(flows) => flows.len(),
            Self::Vectors { values, width } => values.len() / width,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows in batches of `rows`, the last one with what is left.
    pub fn batches(self, rows: usize) -> impl Iterator<Item = Self> + 'a {
        let rows = rows.max(1);
        (0..self.len()).step_by(rows).map(move |first| {
            let last = self.len().min(first + rows);
            match self {
                Self::Flows(flows) => Self::Flows(&flows[first..last]),
                Self::Vectors { values, width } => {
                    Self::Vectors { values: &values[first * width..last * width], width }
                }
            }
        })
    }
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The prediction.
    Label(Label),
    /// The predictor says that it cannot predict the row, and why.
    Refused(String),
    /// There was no answer, or none that could be read.
    Failed(String),
}

/// The body of a request for the predictions of `rows`.
pub(crate) fn body(protocol: Protocol, rows: Rows<'_>) -> serde_json::Result<Vec<u8>> {
    match (protocol, rows) {
        (Protocol::V1, Rows::Flows(flows)) => instances(flows),
        (Protocol::V1, Rows::Vectors { values, width }) => instances(&values.chunks(width).collect::<Vec<_>>()),
        (Protocol::V2, Rows::Flows(flows)) => {
            let texts: Vec<String> = flows.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
            let shape = [texts.len()];
            tensors(Tensor { name: "flows", shape, datatype: "BYTES", data: &texts })
        }
        (Protocol::V2, Rows::Vectors { values, width }) => {
            let shape = [rows.len(), width];
            tensors(Tensor { name: "X", shape, datatype: "FP64", data: values })
        }
    }
}

fn instances<T: Serialize>(instances: &[T]) -> serde_json::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Instances<'a, T> {
        instances: &'a [T],
    }
    serde_json::to_vec(&Instances { instances })
}

#[derive(Serialize)]
struct Tensor<'a, S, T> {
    name: &'static str,
    shape: S,
    datatype: &'static str,
    data: &'a [T],
}

fn tensors<T: Serialize>(input: T) -> serde_json::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Tensors<T> {
        /// Optional in the protocol; predictors have been seen to stumble over its absence.
        id: &'static str,
        inputs: [T; 1],
    }
    serde_json::to_vec(&Tensors { id: "weir", inputs: [input] })
}

/// The predictions in the body of an answer for `rows` rows; what keeps it from being one otherwise.
pub(crate) fn answers(protocol: Protocol, body: &[u8], rows: usize) -> Result<Vec<Answer>, String> {
    let value: Value = serde_json::from_slice(body).map_err(|error| format!("the answer is no JSON: {error}"))?;
    let predictions = match protocol {
        Protocol::V1 => value.get("predictions").and_then(Value::as_array).ok_or("the answer has no predictions")?,
        Protocol::V2 => labels_of(&value)?,
    };
    if predictions.len() != rows {
        return Err(format!("the answer has {} predictions for {rows} rows", predictions.len()));
    }
    predictions.iter().map(answer).collect()
}

/// The data of the output that holds labels: the one called so, else the only one.
fn labels_of(value: &Value) -> Result<&Vec<Value>, String> {
    let outputs = value.get("outputs").and_then(Value::as_array).ok_or("the answer has no outputs")?;
    let name = |output: &Value| output.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let named = |wanted: &str| outputs.iter().find(|output| name(output) == wanted);
    let only = || outputs.first().filter(|_| outputs.len() == 1);
    let output = named("label").or_else(|| named("predict")).or_else(only).ok_or_else(|| {
        let names: Vec<String> = outputs.iter().map(name).collect();
        format!("the answer has no output \"label\"; there are {}", names.join(", "))
    })?;
    let data = output.get("data").and_then(Value::as_array);
    data.ok_or_else(|| format!("output {:?} of the answer has no data", name(output)))
}

fn answer(value: &Value) -> Result<Answer, String> {
    match value {
        Value::Null => Ok(Answer::Refused("no prediction".to_owned())),
        other => label(other).map(Answer::Label).ok_or_else(|| {
            let text = excerpt(&other.to_string());
            format!("prediction {text} is no class: expected 0, 1, benign or malicious")
        }),
    }
}

fn label(value: &Value) -> Option<Label> {
    match value {
        Value::Number(number) => match number.as_f64()? {
            0.0 => Some(Label::Benign),
            1.0 => Some(Label::Malicious),
            _ => None,
        },
        Value::String(text) => match text.as_str() {
            "0" => Some(Label::Benign),
            "1" => Some(Label::Malicious),
            name => name.parse().ok(),
        },
        Value::Array(items) if items.len() == 1 => items.first().and_then(label),
        Value::Object(members) => members.get("label").filter(|value| !value.is_object()).and_then(label),
        _ => None,
    }
}

/// What an endpoint says is wrong: the member `error` of an object, else the text itself.
pub(crate) fn complaint(body: &[u8]) -> String {
    let value: Option<Value> = serde_json::from_slice(body).ok();
    let told = value.as_ref().and_then(|value| value.get("error").or_else(|| value.get("detail")));
    match told {
        Some(Value::String(text)) => excerpt(text),
        Some(other) => excerpt(&other.to_string()),
        None => excerpt(&String::from_utf8_lossy(&body[..body.len().min(4 * EXCERPT)])),
    }
}

/// The start of a foreign text, in one line.
fn excerpt(text: &str) -> String {
    let line: String = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(EXCERPT + 1).collect();
    match line.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// The names in a list of models: of texts, or of objects with a name, as `/v1/models` and the index of a repository
/// have it.
pub(crate) fn model_names(body: &[u8]) -> Option<Vec<String>> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let list = value.get("models").unwrap_or(&value).as_array()?;
    let name = |item: &Value| match item {
        Value::String(name) => Some(name.clone()),
        other => other.get("name")?.as_str().map(str::to_owned),
    };
    list.iter().map(name).collect()
}

/// What a model says of itself: whether it is ready, and its version.
pub(crate) fn model_state(body: &[u8]) -> (bool, Option<String>) {
    let value: Value = serde_json::from_slice(body).unwrap_or_else(|_| json!({}));
    let ready = match value.get("ready") {
        Some(Value::Bool(ready)) => *ready,
        Some(Value::String(text)) => !text.eq_ignore_ascii_case("false"),
        _ => true,
    };
    let versions = value.get("versions").and_then(Value::as_array);
    let version = versions.and_then(|versions| versions.last()?.as_str()).map(str::to_owned);
    (ready, version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow() -> Flow {
        serde_json::from_str(r#"{"source_ip":"10.0.0.1","destination_ip":"10.0.0.2","transport":"tcp"}"#).unwrap()
    }

    fn text(protocol: Protocol, rows: Rows<'_>) -> String {
        String::from_utf8(body(protocol, rows).unwrap()).unwrap()
    }

    #[test]
    fn bodies_are_those_of_the_protocol() {
        let flows = [flow()];
        let vectors = Rows::Vectors { values: &[1.5, 2.0, 3.0, 4.0], width: 2 };
        assert_eq!(
            text(Protocol::V1, Rows::Flows(&flows)),
            r#"{"instances":[{"source_ip":"10.0.0.1","destination_ip":"10.0.0.2","transport":"tcp"}]}"#
        );
        assert_eq!(text(Protocol::V1, vectors), r#"{"instances":[[1.5,2.0],[3.0,4.0]]}"#);
        assert_eq!(
            text(Protocol::V2, vectors),
            r#"{"id":"weir","inputs":[{"name":"X","shape":[2,2],"datatype":"FP64","data":[1.5,2.0,3.0,4.0]}]}"#
        );
        let flows = text(Protocol::V2, Rows::Flows(&flows));
        assert!(
            flows.starts_with(
                r#"{"id":"weir","inputs":[{"name":"flows","shape":[1],"datatype":"BYTES","data":["{\"sou"#
            )
        );
    }

    #[test]
    fn a_class_is_understood_in_all_its_spellings() {
        let body = br#"{"predictions":[0, 1, 0.0, 1.0, "0", "malicious", [1], {"label": "benign"}]}"#;
        let classes: Vec<u8> = answers(Protocol::V1, body, 8)
            .unwrap()
            .into_iter()
            .map(|answer| match answer {
                Answer::Label(label) => label.class(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(classes, [0, 1, 0, 1, 0, 1, 1, 0]);
        let body = br#"{"outputs":[{"name":"score","data":[0.2]},{"name":"label","data":[1]}]}"#;
        assert_eq!(answers(Protocol::V2, body, 1), Ok(vec![Answer::Label(Label::Malicious)]));
    }

    #[test]
    fn what_is_no_prediction_is_told() {
        for (body, reason) in [
            (&b"<html>"[..], "no JSON"),
            (br#"{"predictions":[1, 0]}"#, "2 predictions for 1 rows"),
            (br#"{"outputs":[]}"#, "no predictions"),
            (br#"{"predictions":[0.97]}"#, "prediction 0.97 is no class"),
            (br#"{"predictions":[[0.1,0.9]]}"#, "prediction [0.1,0.9] is no class"),
        ] {
            let error = answers(Protocol::V1, body, 1).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
        let two = br#"{"outputs":[{"name":"a","data":[1]},{"name":"b","data":[1]}]}"#;
        assert!(answers(Protocol::V2, two, 1).unwrap_err().ends_with("there are a, b"));
        let refused = answers(Protocol::V1, br#"{"predictions":[null]}"#, 1);
        assert_eq!(refused, Ok(vec![Answer::Refused("no prediction".to_owned())]));
    }

    #[test]
    fn complaints_fit_into_a_line() {
        assert_eq!(complaint(br#"{"error": "row 0:\nno"}"#), "row 0: no");
        assert_eq!(complaint(b"<html>\xff"), "<html>\u{fffd}");
        assert_eq!(complaint(&[b'x'; 2_000]).len(), EXCERPT + 3);
    }
}
