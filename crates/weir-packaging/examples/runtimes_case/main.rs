//! Cases of `tests/runtimes/compare.py`: a detector as a bundle, and what Weir itself predicts for matrices of features.
//!
//! `cargo run --release -p weir-packaging --example runtimes_case -- trial RUN TRIAL MATRICES OUT [A B]`
//!
//! RUN is the directory of a run, TRIAL the name of a trial in it, such as `baseline-svc-best`; A and B stand in for the
//! calibration of a trial of decision values that has none. Every `<name>.x` in MATRICES holds rows of features as f64,
//! little-endian, row by row.
//!
//! `... -- variants OUT` writes a case for each of [`variants::all`], with its rows in `OUT/<variant>/rows.x`.
//!
//! ```text
//! OUT/bundle/               the bundle, with the files for other runtimes; of a variant only those
//!     <name>.label          a byte per row
//!     <name>.probability    f64 per row, of class 1
//!     <name>.exempt         a byte per row, 1 where another order of the same additions may change the label
//! ```

mod exempt;
mod variants;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use ndarray::{Array2, ArrayView2};
use serde::de::DeserializeOwned;
use weir_bundle::{Bundle, BundleParts, Provenance};
use weir_contract::feature::{Examples, FORMAT, FeatureSchema};
use weir_contract::trial::{Trial, Trials};
use weir_contract::{Calibration, Digest, TrialId};
use weir_models::{Classifier, Detector, ScoreKind};
use weir_packaging::mlflow;
use weir_transform::Transform;

use variants::Variant;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["trial", run, trial, matrices, out] => write_trial([run, matrices, out].map(Path::new), trial.parse()?, None),
        ["trial", run, trial, matrices, out, a, b] => {
            let stand_in = Calibration { a: a.parse()?, b: b.parse()? };
            write_trial([run, matrices, out].map(Path::new), trial.parse()?, Some(stand_in))
        }
        ["variants", out] => write_variants(Path::new(out)),
        _ => Err("usage: runtimes_case trial RUN TRIAL MATRICES OUT [A B] | variants OUT".into()),
    }
}

fn write_trial([run, matrices, out]: [&Path; 3], id: TrialId, stand_in: Option<Calibration>) -> Result<()> {
    let bundle = write_bundle(run, id, &out.join("bundle"), stand_in)?;
    for entry in fs::read_dir(matrices)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "x") {
            let x = read_matrix(&path, bundle.detector().features())?;
            let out = out.join(path.file_stem().ok_or("a matrix without a name")?);
            write_predictions(bundle.detector(), bundle.info().calibration, x.view(), &out)?;
        }
    }
    Ok(())
}

fn write_variants(out: &Path) -> Result<()> {
    let calibration = Some(Calibration { a: -1.5, b: 0.1 });
    for Variant { name, x, detector } in variants::all()? {
        let dir = out.join(&name);
        fs::create_dir_all(dir.join("bundle"))?;
        let names = (0..x.ncols()).map(|column| format!("feature_{column}")).collect();
        let examples = Examples { format: FORMAT, names, examples: Vec::new() };
        for (file, bytes) in mlflow::others(&name, &detector, calibration, &examples) {
            fs::write(dir.join("bundle").join(file), bytes)?;
        }
        let bytes: Vec<u8> = x.iter().flat_map(|value| value.to_le_bytes()).collect();
        fs::write(dir.join("rows.x"), bytes)?;
        write_predictions(&detector, calibration, x.view(), &dir.join("rows"))?;
    }
    Ok(())
}

/// The bundle that packaging makes of a trial, but for the card.
fn write_bundle(run: &Path, id: TrialId, dir: &Path, stand_in: Option<Calibration>) -> Result<Bundle> {
    let (features, trials) = (run.join("features"), run.join(format!("trials/{}-{}", id.representation, id.family)));
    let list: Trials = read_json(&trials.join("trials.json"))?;
    let trial: Trial = list.trials.into_iter().find(|trial| trial.id == id).ok_or("no such trial")?;
    let detector = Detector::from_bytes(&fs::read(trials.join(&trial.model))?)?;
    let examples: Examples = read_json(&features.join("examples.json"))?;
    let stand_in = stand_in.filter(|_| detector.score_kind() == ScoreKind::Decision);
    let calibration = trial.calibration.or(stand_in);
    let transform = Transform::from_json(&fs::read(features.join("transform.json"))?)?;
    let schema: FeatureSchema = read_json(&features.join("features.json"))?;
    let manifest = |dir: PathBuf| fs::read(dir.join("manifest.json")).map(|bytes| Digest::of(&bytes));
    let provenance = Provenance {
        features: manifest(features)?,
        training: manifest(trials)?,
        selection: manifest(run.join("selection"))?,
        build: String::new(),
        revision: None,
    };
    let name = "runtimes".parse()?;
    let parts = BundleParts {
        name: &name,
        trial: id,
        parameters: &trial.parameters,
        transform: &transform,
        schema: &schema,
        detector: &detector,
        calibration,
        examples: &examples,
        card: "a case of tests/runtimes\n",
        provenance: &provenance,
        others: &mlflow::others(name.as_str(), &detector, calibration, &examples),
    };
    Ok(Bundle::write(dir, &parts)?)
}

fn write_predictions(
    detector: &Detector,
    calibration: Option<Calibration>,
    x: ArrayView2<'_, f64>,
    out: &Path,
) -> Result<()> {
    let predicted = detector.predict(x);
    let probability = |&score: &f64| match detector.score_kind() {
        ScoreKind::Probability => Some(score),
        ScoreKind::Decision => calibration.map(|calibration| calibration.probability(score)),
    };
    let probabilities: Option<Vec<f64>> = predicted.scores.iter().map(probability).collect();
    let probabilities = probabilities.ok_or("decision values without a calibration: give A and B")?;
    let exempt: Vec<u8> = exempt::exempt(detector, x, &predicted.scores).into_iter().map(u8::from).collect();
    let bytes: Vec<u8> = probabilities.iter().flat_map(|value| value.to_le_bytes()).collect();
    fs::write(out.with_extension("label"), &predicted.classes)?;
    fs::write(out.with_extension("probability"), bytes)?;
    fs::write(out.with_extension("exempt"), exempt)?;
    Ok(())
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    Ok(serde_json::from_slice(&fs::read(path)?).map_err(|error| format!("{}: {error}", path.display()))?)
}

fn read_matrix(path: &Path, columns: usize) -> Result<Array2<f64>> {
    let bytes = fs::read(path)?;
    let values: Vec<f64> = bytes.as_chunks().0.iter().map(|&value| f64::from_le_bytes(value)).collect();
    Ok(Array2::from_shape_vec((values.len() / columns, columns), values)?)
}
