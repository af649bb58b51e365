//! Files and exit codes.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Parser as _;
use weir_contract::ExitCode;
use weir_contract::validation::{FORMAT, ValidationReport};
use weir_monitor::{ValidateArgs, validate_command};
use weir_stage::{Failure, Stage};

use crate::fixture::features;
use crate::stand_in::{Reply, StandIn, honest};

fn command(features: &Path, url: &str, out: &Path, rest: &[&str]) -> Result<(), Failure> {
    command_of(&Stage::silent(), features, url, out, rest)
}

fn command_of(stage: &Stage, features: &Path, url: &str, out: &Path, rest: &[&str]) -> Result<(), Failure> {
    let [features, out] = [features, out].map(|path| path.to_str().unwrap());
    let args = ["validate", "--quiet", "--endpoint", url, "--features", features, "--out", out];
    let args = ValidateArgs::try_parse_from(args.iter().chain(rest)).unwrap();
    validate_command(args, stage)
}

#[test]
fn the_report_and_the_accuracy_are_there_even_when_the_gate_says_no() {
    let (temp, features) = features();
    let predictor = StandIn::honest();
    let out = temp.path().join("new/validation-report.json");
    let failure = command(&features, &predictor.url, &out, &["--minimum-accuracy", "0.99"]).unwrap_err();
    assert_eq!(failure, Failure::gate("accuracy 0.988000 is below the minimum of 0.99"));
    assert_eq!(std::fs::read_to_string(out.with_file_name("accuracy")).unwrap(), "0.988");
    let report: ValidationReport = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    assert_eq!((report.format, report.minimum.map(|minimum| minimum.passed)), (FORMAT, Some(false)));
    command(&features, &predictor.url, &out, &["--minimum-accuracy", "0.988", "--connections", "2"]).unwrap();
}

#[test]
fn an_endpoint_that_fails_leaves_the_last_report_as_it_was() {
    let (temp, features) = features();
    let out = temp.path().join("validation-report.json");
    command(&features, &StandIn::honest().url, &out, &[]).unwrap();
    let before = std::fs::read(&out).unwrap();
    let dies = StandIn::start(|heard, number| if number < 100 { honest(heard) } else { Reply::Close });
    let failure = command(&features, &dies.url, &out, &["--retries", "0"]).unwrap_err();
    assert_eq!(failure.code, ExitCode::Retry);
    assert_eq!(std::fs::read(&out).unwrap(), before);
    let files = std::fs::read_dir(temp.path()).unwrap().count();
    assert_eq!(files, 3, "features, report, accuracy");
}

#[test]
fn an_interrupted_validation_leaves_nothing() {
    let (temp, features) = features();
    let out = temp.path().join("new/validation-report.json");
    let stage = Stage::silent();
    let signal = stage.clone();
    let predictor = StandIn::start(move |heard, number| {
        if number == 100 {
            signal.cancelled().store(true, Ordering::SeqCst);
        }
        // Long enough for the signal to be heard before the answer.
        if number == 100 { Reply::Slow(Duration::from_secs(60), serde_json::Value::Null) } else { honest(heard) }
    });
    let failure = command_of(&stage, &features, &predictor.url, &out, &[]).unwrap_err();
    assert_eq!(failure.code, ExitCode::Interrupted);
    assert_eq!(std::fs::read_dir(temp.path().join("new")).unwrap().count(), 0);
}

#[test]
fn a_predictor_that_refuses_every_row_is_no_success() {
    let (temp, features) = features();
    let out = temp.path().join("report.json");
    let vectors = StandIn::start(|heard, _| match heard.is_prediction() && heard.body["instances"][0].is_object() {
        true => Reply::Json(400, serde_json::json!({"error": "expected numbers"})),
        false => honest(heard),
    });
    let failure = command(&features, &vectors.url, &out, &["--batch", "50"]).unwrap_err();
    assert_eq!(failure.code, ExitCode::Input);
    assert!(failure.hint.unwrap().contains("--send features"));
    command(&features, &vectors.url, &out, &["--send", "features"]).unwrap();
}
