//! `format-1/`: a bundle as the first build wrote it, and what it predicts. Later builds have to read it alike.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use weir_bundle::Bundle;
use weir_contract::{Family, Representation, json};

use crate::fixture::{Fixture, flows};

/// Predictions for flows 60 to 80 of the fixture.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Expected {
    labels: Vec<Option<u8>>,
    scores: Vec<Option<f64>>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/bundle/format-1")
}

fn predict(bundle: &Bundle) -> Expected {
    let predictions = bundle.predict(&flows(60..80));
    Expected { labels: predictions.labels, scores: predictions.scores }
}

#[test]
fn a_bundle_of_format_1_opens_and_predicts_as_it_did_when_it_was_written() {
    let bundle = Bundle::open(folder().join("bundle")).unwrap();
    let expected: Expected = serde_json::from_slice(&fs::read(folder().join("predictions.json")).unwrap()).unwrap();
    assert_eq!(bundle.info().name.as_str(), "small-detector");
    assert_eq!(predict(&bundle), expected);
}

#[test]
#[ignore = "no test: writes the recorded bundle that the test above opens; run by hand, once for a new format"]
fn record() {
    fs::remove_dir_all(folder()).ok();
    let fixture = Fixture::of(Representation::Autoencoder, Family::Knn);
    let bundle = Bundle::write(folder().join("bundle"), &fixture.parts()).unwrap();
    fs::write(folder().join("predictions.json"), json::to_canonical(&predict(&bundle)).unwrap()).unwrap();
}
