//! Golden tests of every family against scikit-learn on shared folds; the numbers were written by `record.py`.

mod kmeans;
mod knn;
mod logistic;
mod svc;
mod tree;

use ndarray::{Array2, ArrayView2, s};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use weir_contract::ParamMap;
use weir_models::{Dataset, Folds};

/// What scikit-learn gave for one family.
#[derive(Deserialize)]
struct Golden {
    candidates: Vec<GoldenCandidate>,
    best: ParamMap,
    fits: Vec<GoldenFit>,
}

#[derive(Deserialize)]
struct GoldenCandidate {
    parameters: ParamMap,
    scores: Vec<f64>,
}

#[derive(Deserialize)]
struct GoldenFit {
    parameters: ParamMap,
    predicted: Vec<u8>,
    scores: Vec<f64>,
}

#[derive(Deserialize)]
struct Raw {
    x: Vec<Vec<f64>>,
    y: Vec<u8>,
    train: usize,
    folds: Vec<Vec<u32>>,
}

/// The shared data.
struct Data {
    x: Array2<f64>,
    y: Vec<u8>,
    train: usize,
    folds: Vec<Vec<u32>>,
}

fn read<T: DeserializeOwned>(name: &str) -> T {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/").to_owned() + name;
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{path}: {error}"))
}

impl Data {
    fn read() -> Self {
        let raw: Raw = read("data.json");
        let columns = raw.x[0].len();
        let x = Array2::from_shape_vec((raw.x.len(), columns), raw.x.concat()).expect("rectangular");
        Self { x, y: raw.y, train: raw.train, folds: raw.folds }
    }

    fn train(&self) -> Dataset<'_> {
        Dataset::new(self.x.slice(s![..self.train, ..]), &self.y[..self.train])
    }

    fn test(&self) -> ArrayView2<'_, f64> {
        self.x.slice(s![self.train.., ..])
    }

    fn folds(&self) -> Folds {
        Folds::stratified(&self.y[..self.train], self.folds.len()).expect("both classes are there")
    }
}

#[test]
fn folds_equal_stratified_k_fold() {
    let data = Data::read();
    let ours: Vec<Vec<u32>> = data.folds().folds().iter().map(|fold| fold.test.clone()).collect();
    assert_eq!(ours, data.folds);
}
