//! Reading a v2 request.

use serde::Deserialize;

use crate::model::Model;
use crate::object::Object;
use crate::refusal::Refusal;
use crate::rows::{Bounds, Rows};
use crate::v2::data::Data;
use crate::v2::{binary, inputs};

/// What is asked for beside the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Given back in the answer.
    pub(crate) id: Option<String>,
    /// The outputs in the order they are wanted, and whether in binary.
    pub(crate) outputs: Vec<(Output, bool)>,
}

/// An output tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// Class 0 or 1: INT64 `[rows]`.
    Label,
    /// Of benign and malicious: FP64 `[rows, 2]`.
    Probabilities,
    /// The score of the model: FP64 `[rows]`.
    Score,
}

impl Output {
    pub(crate) const ALL: [Self; 3] = [Self::Label, Self::Probabilities, Self::Score];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Probabilities => "probabilities",
            Self::Score => "score",
        }
    }

    /// Those that a bundle has.
    pub(crate) fn of(model: &Model) -> impl Iterator<Item = Self> {
        let probability = model.bundle.info().has_probability();
        Self::ALL.into_iter().filter(move |&output| output != Self::Probabilities || probability)
    }
}

/// A request. Unknown members are left alone, as the protocol has it.
#[derive(Deserialize)]
struct Request {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    parameters: Option<Object<Parameters>>,
    inputs: Vec<Object<Tensor>>,
    #[serde(default)]
    outputs: Option<Vec<Object<Wanted>>>,
}

#[derive(Deserialize, Default)]
struct Parameters {
    /// Whether outputs are wanted in binary that do not say so themselves.
    #[serde(default)]
    binary_data_output: bool,
}

/// An input tensor.
#[derive(Deserialize)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) datatype: String,
    #[serde(default)]
    pub(crate) parameters: Option<Object<TensorParameters>>,
    #[serde(default)]
    pub(crate) data: Option<Data>,
}

#[derive(Deserialize, Default)]
pub(crate) struct TensorParameters {
    /// Length of the binary data.
    #[serde(default)]
    pub(crate) binary_data_size: Option<usize>,
}

#[derive(Deserialize)]
struct Wanted {
    name: String,
    #[serde(default)]
    parameters: Option<Object<WantedParameters>>,
}

#[derive(Deserialize, Default)]
struct WantedParameters {
    #[serde(default)]
    binary_data: Option<bool>,
}

/// The rows of a request and what is asked for. `header` is the length of the JSON where binary data follow it.
pub(crate) fn parse(
    body: &[u8],
    header: Option<usize>,
    model: &Model,
    bounds: Bounds,
) -> Result<(Rows, Asked), Refusal> {
    let length = header.unwrap_or(body.len());
    let (text, mut rest) = body.split_at_checked(length).ok_or_else(|| {
        let received = body.len();
        Refusal::Input(format!("Inference-Header-Content-Length is {length}, the body has {received} bytes"))
    })?;
    let Object(request): Object<Request> = serde_json::from_slice(text)
        .map_err(|error| Refusal::Input(format!("expected an inference request of protocol v2: {error}")))?;
    let asked = Asked { outputs: outputs(&request, model)?, id: request.id };
    let mut tensors = Vec::with_capacity(request.inputs.len());
    for Object(tensor) in request.inputs {
        tensors.push(binary::read(tensor, &mut rest)?);
    }
    if !rest.is_empty() {
        let left = rest.len();
        return Err(Refusal::Input(format!("{left} bytes of binary data belong to no input; set binary_data_size")));
    }
    Ok((inputs::rows(tensors, model, bounds)?, asked))
}

fn outputs(request: &Request, model: &Model) -> Result<Vec<(Output, bool)>, Refusal> {
    let binary = request.parameters.as_ref().is_some_and(|Object(parameters)| parameters.binary_data_output);
    let wanted = request.outputs.as_deref().unwrap_or_default();
    if wanted.is_empty() {
        let usual = |&output: &Output| output != Output::Score;
        return Ok(Output::of(model).filter(usual).map(|output| (output, binary)).collect());
    }
    let mut outputs: Vec<(Output, bool)> = Vec::with_capacity(wanted.len());
    for Object(wanted) in wanted {
        let output = Output::of(model).find(|output| output.name() == wanted.name).ok_or_else(|| {
            let known: Vec<&str> = Output::of(model).map(Output::name).collect();
            Refusal::Input(format!("there is no output {:?}; there are {}", wanted.name, known.join(", ")))
        })?;
        if outputs.iter().any(|(other, _)| *other == output) {
            return Err(Refusal::Input(format!("output {:?} is asked for twice", wanted.name)));
        }
        let own = wanted.parameters.as_ref().and_then(|Object(parameters)| parameters.binary_data);
        outputs.push((output, own.unwrap_or(binary)));
    }
    Ok(outputs)
}
