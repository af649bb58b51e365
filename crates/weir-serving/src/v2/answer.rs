//! Writing a v2 answer.

use serde_json::Value;

use crate::model::Model;
use crate::number::{write_list, write_number};
use crate::refusal::Refusal;
use crate::rows::Answers;
use crate::v2::request::{Asked, Output};

/// A body, and the length of its JSON where binary data follow.
pub(crate) struct Written {
    pub(crate) body: Vec<u8>,
    pub(crate) header: Option<usize>,
}

/// The outputs that were asked for. A row without a prediction refuses all: a tensor has no place for nothing.
pub(crate) fn write(answers: &Answers, asked: &Asked, model: &Model) -> Result<Written, Refusal> {
    answers.all_or_nothing()?;
    let rows = answers.classes.len();
    let mut out = Vec::with_capacity(160 + rows * 48);
    let mut binary = Vec::new();
    out.extend_from_slice(b"{\"model_name\":");
    write_text(&mut out, &model.name);
    out.extend_from_slice(b",\"model_version\":");
    write_text(&mut out, &model.version);
    if let Some(id) = &asked.id {
        out.extend_from_slice(b",\"id\":");
        write_text(&mut out, id);
    }
    out.extend_from_slice(b",\"outputs\":");
    write_list(&mut out, &asked.outputs, |out, &(output, is_binary)| {
        let start = binary.len();
        let (datatype, shape) = match output {
            Output::Label => ("INT64", format!("[{rows}]")),
            Output::Probabilities => ("FP64", format!("[{rows},2]")),
            Output::Score => ("FP64", format!("[{rows}]")),
        };
        let name = output.name();
        out.extend_from_slice(
            format!("{{\"name\":\"{name}\",\"datatype\":\"{datatype}\",\"shape\":{shape},").as_bytes(),
        );
        if is_binary {
            write_binary(&mut binary, output, answers, model);
            let size = binary.len() - start;
            out.extend_from_slice(format!("\"parameters\":{{\"binary_data_size\":{size}}}}}").as_bytes());
        } else {
            out.extend_from_slice(b"\"data\":");
            write_data(out, output, answers, model);
            out.push(b'}');
        }
    });
    out.push(b'}');
    let header = asked.outputs.iter().any(|(_, binary)| *binary).then_some(out.len());
    out.extend_from_slice(&binary);
    Ok(Written { body: out, header })
}

fn write_data(out: &mut Vec<u8>, output: Output, answers: &Answers, model: &Model) {
    match output {
        Output::Label => write_list(out, &answers.classes, |out, class| out.push(b'0' + class)),
        Output::Probabilities => write_list(out, probabilities(answers, model), write_number),
        Output::Score => write_list(out, answers.scores.iter().copied(), write_number),
    }
}

fn write_binary(out: &mut Vec<u8>, output: Output, answers: &Answers, model: &Model) {
    match output {
        Output::Label => out.extend(answers.classes.iter().flat_map(|&class| i64::from(class).to_le_bytes())),
        Output::Probabilities => out.extend(probabilities(answers, model).flat_map(f64::to_le_bytes)),
        Output::Score => out.extend(answers.scores.iter().flat_map(|score| score.to_le_bytes())),
    }
}

/// Of benign and malicious, row by row.
fn probabilities(answers: &Answers, model: &Model) -> impl Iterator<Item = f64> {
    let info = model.bundle.info();
    answers.scores.iter().flat_map(|&score| {
        let malicious = info.probability(score).unwrap_or(f64::NAN);
        [1.0 - malicious, malicious]
    })
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(Value::from(text).to_string().as_bytes());
}
