//! Runs an ONNX file of a detector in tract: `tract-runtime MODEL X FEATURES BATCH OUT`.
//!
//! X holds the rows as f64, little-endian, row by row. `OUT.label` gets an i64 per row, and `OUT.probabilities` two f32,
//! if the model has them.

use std::error::Error;
use std::fs;

use tract_onnx::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, x, features, batch, out] = arguments.as_slice() else {
        return Err("usage: tract-runtime MODEL X FEATURES BATCH OUT".into());
    };
    let (features, batch): (usize, usize) = (features.parse()?, batch.parse()?);
    let bytes = fs::read(x)?;
    let values: Vec<f64> = bytes.as_chunks().0.iter().map(|&value| f64::from_le_bytes(value)).collect();

    let model = tract_onnx::onnx().model_for_path(model)?.into_optimized()?;
    let names: Vec<String> =
        model.outputs.iter().map(|&outlet| model.outlet_label(outlet).unwrap_or("").to_owned()).collect();
    let plan = model.into_runnable()?;
    let mut labels: Vec<u8> = Vec::new();
    let mut probabilities: Vec<u8> = Vec::new();
    for rows in values.chunks(batch * features) {
        let input = Tensor::from_shape(&[rows.len() / features, features], rows)?;
        for (name, output) in names.iter().zip(plan.run(tvec!(input.into()))?) {
            match name.as_str() {
                "label" => labels
                    .extend(output.try_as_plain_ram()?.as_slice::<i64>()?.iter().flat_map(|value| value.to_le_bytes())),
                "probabilities" => probabilities
                    .extend(output.try_as_plain_ram()?.as_slice::<f32>()?.iter().flat_map(|value| value.to_le_bytes())),
                _ => {}
            }
        }
    }
    fs::write(format!("{out}.label"), labels)?;
    if names.iter().any(|name| name == "probabilities") {
        fs::write(format!("{out}.probabilities"), probabilities)?;
    }
    Ok(())
}
