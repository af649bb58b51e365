//! What a user sees of parameter files: right ones and wrong ones.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use validator::Validate;
use weir_contract::{ExitCode, Seed};
use weir_stage::{Failure, Params};

const DEFAULTS: (&str, &str) = (
    "report.toml",
    r#"seed = 7

[training]
folds = 3
scoring = "accuracy"

[training.knn]
k = [3, 5, 11]

[selection]
metric = "accuracy"
"#,
);

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Scoring {
    Accuracy,
    Balanced,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Training {
    #[validate(range(min = 2, max = 20))]
    folds: u32,
    scoring: Scoring,
    #[serde(default)]
    #[validate(range(exclusive_min = 0.0))]
    tolerance: Option<f64>,
    #[serde(default)]
    #[validate(nested)]
    knn: Knn,
    #[serde(default)]
    grid: BTreeMap<String, f64>,
    encoder: Option<Encoder>,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Encoder {
    epochs: u32,
    batch: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Knn {
    #[serde(default)]
    #[validate(length(min = 1))]
    k: Vec<u32>,
}

fn load(sets: &[&str]) -> Result<Params, Failure> {
    let sets: Vec<String> = sets.iter().map(|&set| set.to_owned()).collect();
    Params::load(None, DEFAULTS, &sets)
}

fn training(sets: &[&str]) -> Result<Training, Failure> {
    load(sets)?.section("training")
}

/// The failure of reading `[training]` from a file, with the folder left out of its message.
fn failure_of(text: &str) -> (String, Option<String>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("params.toml");
    fs::write(&path, text).unwrap();
    let failure = Params::load(Some(&path), DEFAULTS, &[])
        .and_then(|params| params.section::<Training>("training"))
        .expect_err("it was accepted");
    assert_eq!(failure.code, ExitCode::Usage);
    (failure.message.replace(&format!("{}/", dir.path().display()), ""), failure.hint)
}

#[test]
fn built_in_parameters_are_read_by_section() {
    let params = load(&[]).unwrap();
    let training: Training = params.section("training").unwrap();
    assert_eq!((training.folds, training.scoring, training.knn.k), (3, Scoring::Accuracy, vec![3, 5, 11]));
    assert_eq!(params.seed(), Seed(7));
}

#[test]
fn a_file_replaces_the_built_in_parameters_and_leaves_the_seed_at_42() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mine.toml");
    fs::write(&path, "[training]\nfolds = 5\nscoring = \"balanced\"\nknn.k = [1]\n").unwrap();
    let params = Params::load(Some(&path), DEFAULTS, &[]).unwrap();
    assert_eq!(params.section::<Training>("training").unwrap().knn.k, [1]);
    assert_eq!(params.seed(), Seed(42));
}

#[test]
fn set_takes_values_in_toml_and_names_without_quotes() {
    let sets = ["training.folds=4", "training.scoring=balanced", "training.knn.k=[1, 2]", "training.grid.C=1e-3"];
    let training = training(&sets).unwrap();
    assert_eq!((training.folds, training.scoring), (4, Scoring::Balanced));
    assert_eq!((training.knn.k, training.grid["C"]), (vec![1, 2], 0.001));
    assert_eq!(load(&["seed=9"]).unwrap().seed(), Seed(9));
    assert_eq!(self::training(&["training.folds=4", "training.folds=6"]).unwrap().folds, 6);
}

#[test]
fn a_set_without_a_known_section_is_refused() {
    let failure = load(&["trainig.folds=4"]).unwrap_err();
    assert_eq!(failure.message, "--set trainig.folds=4: no such section as trainig");
    assert!(failure.hint.unwrap().starts_with("did you mean training?"));
    for set in ["folds", "training=4", "seed.x=4", "training..folds=1", "=1"] {
        assert_eq!(load(&[set]).unwrap_err().message, format!("--set {set}: expected section.key=value"));
    }
    let failure = load(&["training.folds.x=1"]).unwrap_err();
    assert_eq!(failure.message, "--set training.folds.x=1: training.folds is a value and has no x");
}

#[test]
fn a_value_cannot_smuggle_in_a_second_key() {
    let failure = training(&["training.scoring=\"accuracy\"\nfolds = 9"]).unwrap_err();
    assert!(failure.message.contains("training.scoring: expected one of accuracy, balanced"), "{failure}");
}

#[test]
fn an_unknown_parameter_is_named_with_its_line_and_the_nearest_known_one() {
    let (message, hint) = failure_of("[training]\nscoring = \"accuracy\"\nfodls = 3\n");
    assert_eq!(message, "params.toml:3: training.fodls: unknown parameter");
    assert_eq!(hint.unwrap(), "did you mean folds? known are folds, scoring, tolerance, knn, grid, encoder");
    let (message, hint) =
        failure_of("[training]\nfolds = 3\nscoring = \"accuracy\"\n[training.knn]\n\nneighbours = 3\n");
    assert_eq!(message, "params.toml:6: training.knn.neighbours: unknown parameter");
    assert_eq!(hint.unwrap(), "known are k");
    let failure = training(&["training.knn.kk=3"]).unwrap_err();
    assert_eq!(failure.message, "--set training.knn.kk=3: training.knn.kk: unknown parameter");
}

#[test]
fn an_unknown_section_is_named_with_its_line() {
    let (message, hint) = failure_of("seed = 1\n[trainning]\nfolds = 3\n");
    assert_eq!(message, "params.toml:2: trainning: no such section");
    assert!(hint.unwrap().starts_with("did you mean training?"));
    assert_eq!(failure_of("training = 3\n").0, "params.toml:1: training: expected a section, received integer");
}

#[test]
fn a_wrong_type_names_line_parameter_and_what_was_expected() {
    for (text, message) in [
        ("folds = \"many\"", "2: training.folds: expected a whole number, 0 or more, received string \"many\""),
        ("folds = -3", "2: training.folds: expected a whole number, 0 or more, received integer -3"),
        ("folds = 2.5", "2: training.folds: expected a whole number, 0 or more, received floating point 2.5"),
        ("scoring = \"f1\"", "2: training.scoring: expected one of accuracy, balanced, received f1"),
        ("tolerance = true", "2: training.tolerance: expected a number, received boolean true"),
        ("knn = { k = [1, \"2\"] }", "2: training.knn.k: expected a whole number, 0 or more, received string \"2\""),
        ("grid = { C = \"x\" }", "2: training.grid.C: expected a number, received string \"x\""),
        ("knn = 3", "2: training.knn: expected a table, received integer 3"),
        ("folds = nan", "2: training.folds: expected a finite number, received NaN"),
    ] {
        assert_eq!(failure_of(&format!("[training]\n{text}\n")).0, format!("params.toml:{message}"));
    }
    let failure = training(&["training.folds=many"]).unwrap_err();
    assert!(failure.message.starts_with("--set training.folds=many: training.folds: expected"), "{failure}");
}

#[test]
fn a_missing_parameter_is_named() {
    assert_eq!(failure_of("\n[training]\nfolds = 3\n").0, "params.toml:2: training.scoring: missing parameter");
    assert_eq!(failure_of("seed = 3\n").0, "params.toml: training.folds: missing parameter");
    let nested = "[training]\nfolds = 3\nscoring = \"accuracy\"\n[training.encoder]\nepochs = 3\n";
    assert_eq!(failure_of(nested).0, "params.toml:4: training.encoder.batch: missing parameter");
}

#[test]
fn values_out_of_range_are_named_with_the_range_and_the_value() {
    let (message, _) = failure_of("[training]\nfolds = 1\nscoring = \"accuracy\"\ntolerance = 0.0\nknn.k = []\n");
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(
        lines,
        [
            "params.toml:2: training.folds: expected at least 2 and at most 20, received 1",
            "params.toml:5: training.knn.k: expected a length of at least 1, received []",
            "params.toml:4: training.tolerance: expected above 0.0, received 0.0",
        ]
    );
}

#[test]
fn what_is_no_toml_is_named_with_its_line() {
    let (message, _) = failure_of("[training]\nfolds = 3\nscoring = \n");
    assert!(message.starts_with("params.toml:3: "), "{message}");
    assert!(failure_of("seed = -1\n").0.ends_with("seed: expected a whole number, 0 or more, received -1"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let failure = Params::load(Some("nowhere/params.toml".as_ref()), DEFAULTS, &[]).unwrap_err();
    assert!(failure.message.starts_with("failed to read parameters from nowhere/params.toml: "), "{failure}");
    assert_eq!(failure.code, ExitCode::Usage);
}
