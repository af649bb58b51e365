//! `format-1/`, `format-2/`: a bundle as the first build of the format wrote it, and what it predicts. Later builds
//! have to read it alike.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use weir_bundle::{Bundle, BundleParts, FORMAT, VerifyingKey};
use weir_contract::{Calibration, Family, Representation, json};

use crate::fixture::{Fixture, flows};
use crate::signing;

/// Predictions for flows 60 to 80 of the fixture.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Expected {
    labels: Vec<Option<u8>>,
    scores: Vec<Option<f64>>,
    /// Not recorded for format 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    probabilities: Option<Vec<Option<f64>>>,
}

fn folder(format: u32) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/bundle/format-{format}"))
}

fn recorded(format: u32) -> Expected {
    serde_json::from_slice(&fs::read(folder(format).join("predictions.json")).unwrap()).unwrap()
}

fn predict(bundle: &Bundle) -> Expected {
    let predictions = bundle.predict(&flows(60..80));
    Expected { labels: predictions.labels, scores: predictions.scores, probabilities: Some(predictions.probabilities) }
}

#[test]
fn a_bundle_of_format_1_opens_and_predicts_as_it_did_when_it_was_written() {
    let bundle = Bundle::open(folder(1).join("bundle")).unwrap();
    assert_eq!(bundle.info().name.as_str(), "small-detector");
    assert_eq!(bundle.info().format, 1);
    assert_eq!(Expected { probabilities: None, ..predict(&bundle) }, recorded(1));
}

#[test]
fn a_bundle_of_format_2_opens_and_predicts_as_it_did_when_it_was_written() {
    let public = VerifyingKey::from_pem(signing::PUBLIC).unwrap();
    let bundle = Bundle::open_trusted(folder(2).join("bundle"), &[public]).unwrap();
    assert_eq!(bundle.info().format, 2);
    assert_eq!(bundle.info().calibration, Some(CALIBRATION));
    assert_eq!(bundle.info().provenance.revision.as_deref(), Some("v1.2"));
    assert_eq!(predict(&bundle), recorded(2));
}

const CALIBRATION: Calibration = Calibration { a: -1.75, b: 0.125 };

#[test]
#[ignore = "no test: writes the recorded bundle that the test above opens; run by hand, once for a new format"]
fn record() {
    fs::remove_dir_all(folder(FORMAT)).ok();
    let mut fixture = Fixture::of(Representation::Baseline, Family::Svc);
    fixture.provenance.revision = Some("v1.2".to_owned());
    let others = [("model.onnx".to_owned(), b"for other programs".to_vec())];
    let parts = BundleParts { calibration: Some(CALIBRATION), others: &others, ..fixture.parts() };
    let dir = folder(FORMAT).join("bundle");
    Bundle::write(&dir, &parts).unwrap();
    let bundle = weir_bundle::sign(&dir, &signing::key()).unwrap();
    fs::write(folder(FORMAT).join("predictions.json"), json::to_canonical(&predict(&bundle)).unwrap()).unwrap();
}
