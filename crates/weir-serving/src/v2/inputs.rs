//! From tensors to rows.

use weir_contract::FlowBatch;
use weir_flows::read_flow;

use crate::model::Model;
use crate::refusal::Refusal;
use crate::rows::{Bounds, Rows};
use crate::v2::binary::{Filled, Values};

/// The rows of a request, which come in one of three ways: one tensor `[rows, features]`; one tensor `[rows]` or
/// `[rows, 1]` per feature, by name; one BYTES tensor `[rows]` or `[rows, 1]` of flows as JSON objects.
pub(crate) fn rows(mut tensors: Vec<Filled>, model: &Model, bounds: Bounds) -> Result<Rows, Refusal> {
    let refuse = |reason: String| Err(Refusal::Input(reason));
    if tensors.len() > bounds.width.max(1) {
        return refuse(format!("{} inputs for a model of {} features", tensors.len(), bounds.width));
    }
    let count = tensors.first().map(|tensor| tensor.shape.first().copied().unwrap_or(0));
    if let Some(count) = count.filter(|&count| count > bounds.rows) {
        return refuse(format!("{count} rows; a request may hold {}, send several", bounds.rows));
    }
    match (tensors.pop(), tensors.is_empty()) {
        (None, _) => refuse("a request needs at least one input".to_owned()),
        (Some(only), true) if matches!(only.values, Values::Texts(_)) => flows(&only),
        (Some(only), true) if model.feature(&only.name).is_none() || bounds.width == 1 => matrix(only, bounds),
        (Some(last), _) => {
            tensors.push(last);
            columns(&tensors, model, bounds)
        }
    }
}

fn matrix(tensor: Filled, bounds: Bounds) -> Result<Rows, Refusal> {
    let Filled { name, shape, values } = tensor;
    match (&shape[..], values) {
        (&[rows, width], Values::Numbers(values)) if width == bounds.width => Ok(Rows::Vectors { values, rows }),
        (&[rows], Values::Numbers(values)) if bounds.width == 1 => Ok(Rows::Vectors { values, rows }),
        _ => Err(Refusal::Input(format!(
            "input {name:?} has shape {shape:?}, expected [rows, {}] with the features in the order of features.json",
            bounds.width
        ))),
    }
}

fn flows(tensor: &Filled) -> Result<Rows, Refusal> {
    let Filled { name, shape, values: Values::Texts(texts) } = tensor else {
        return Err(Refusal::Input("flows come as a BYTES tensor".to_owned()));
    };
    if !is_column(shape) {
        return Err(Refusal::Input(format!("input {name:?} has shape {shape:?}, flows come as [rows]")));
    }
    let mut flows = Box::<FlowBatch>::default();
    for (row, text) in texts.iter().enumerate() {
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        read_flow(&mut deserializer, &mut flows)
            .and_then(|()| deserializer.end())
            .map_err(|error| Refusal::Input(format!("input {name:?}: row {row}: {error}")))?;
    }
    Ok(Rows::Flows(flows))
}

fn columns(tensors: &[Filled], model: &Model, bounds: Bounds) -> Result<Rows, Refusal> {
    let refuse = |reason: String| Err(Refusal::Input(reason));
    let rows = tensors[0].shape.first().copied().unwrap_or(0);
    let mut values = vec![0.0; rows * bounds.width];
    let mut given = vec![false; bounds.width];
    for Filled { name, shape, values: column } in tensors {
        let Some(feature) = model.feature(name) else {
            return refuse(format!("{name:?} is no feature of the model, see GET /v2/models/{}", model.name));
        };
        if std::mem::replace(&mut given[feature], true) {
            return refuse(format!("two inputs {name:?}"));
        }
        let Values::Numbers(column) = column else {
            return refuse(format!("input {name:?} is a feature and has to be a number"));
        };
        if !is_column(shape) || column.len() != rows {
            return refuse(format!("input {name:?} has shape {shape:?}, expected [{rows}] as the first input"));
        }
        for (row, &value) in column.iter().enumerate() {
            values[row * bounds.width + feature] = value;
        }
    }
    if let Some(missing) = given.iter().position(|given| !given) {
        let name = &model.bundle.schema().features[missing].name;
        return refuse(format!("there is no input for feature {name:?}"));
    }
    Ok(Rows::Vectors { values, rows })
}

/// `[rows]` or `[rows, 1]`.
fn is_column(shape: &[usize]) -> bool {
    matches!(shape, [_] | [_, 1])
}
