//! What a package holds, and when it is made again.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use weir_bundle::Bundle;
use weir_contract::files::{FEATURES, REPORT, RUN_INFO};
use weir_contract::{Digest, Family, FlowBatch, Representation};
use weir_models::Classifier;
use weir_packaging::{PackagingParams, run};
use weir_stage::{CommonArgs, Params, Stage};

use crate::fixture::{Run, WINNER, detector, features, flow};

fn forced() -> Stage {
    Stage::new("test", CommonArgs { force: true, quiet: true, ..CommonArgs::default() })
}

#[test]
fn the_bundle_predicts_as_the_winner_did() {
    let made = Run::new(1.0);
    let outcome = run(&made.request(), &Stage::silent()).unwrap();
    let bundle = Bundle::open(outcome.bundle()).unwrap();
    assert_eq!(bundle.info().name.as_str(), "weir-detector");
    assert_eq!(bundle.info().trial.to_string(), WINNER);
    assert_eq!(bundle.examples().examples.len(), 5);
    assert_eq!(Some(bundle.digest()), outcome.bundle_digest());

    let batch: FlowBatch = (100..200).map(flow).collect();
    let expected = detector(Representation::Baseline, Family::DecisionTree).0.predict(features(&batch).view());
    let predictions = bundle.predict(&batch);
    assert_eq!(predictions.labels, expected.classes.into_iter().map(Some).collect::<Vec<_>>());
    assert_eq!(predictions.scores, expected.scores.into_iter().map(Some).collect::<Vec<_>>());
    assert_eq!(predictions.labels, batch.label.iter().collect::<Vec<_>>());
}

#[test]
fn the_manifest_names_every_input_by_its_role_in_the_pipeline() {
    let made = Run::new(1.0);
    let outcome = run(&made.request(), &Stage::silent()).unwrap();
    let manifest = outcome.artifact.manifest();
    let digest = |name: &str| weir_artifact::Artifact::open(made.path(name)).unwrap().digest();
    let roles = [
        "features",
        "selection",
        "trials/autoencoder-logistic-regression",
        "trials/baseline-decision-tree",
        "trials/baseline-knn",
    ];
    let expected: BTreeMap<String, Digest> = roles.map(|role| (role.to_owned(), digest(role))).into();
    assert_eq!(manifest.inputs, expected);
    assert_eq!((manifest.stage.as_str(), &manifest.seed), ("packaging", &None));
    assert_eq!(manifest.parameters, serde_json::json!({"name": "weir-detector", "examples": 5, "revision": ""}));
    assert_eq!(manifest.unsealed, [REPORT, RUN_INFO]);
    let bundle = Bundle::open(outcome.bundle()).unwrap();
    let provenance = &bundle.info().provenance;
    assert_eq!(provenance.features, expected["features"]);
    assert_eq!(provenance.training, expected["trials/baseline-decision-tree"]);
    assert_eq!(provenance.selection, expected["selection"]);
    assert_eq!(provenance.build, manifest.build);
}

#[test]
fn the_features_of_the_bundle_are_those_of_the_run_to_the_byte() {
    let made = Run::new(1.0);
    let outcome = run(&made.request(), &Stage::silent()).unwrap();
    let read = |name: &str| fs::read_to_string(made.path(name)).unwrap();
    assert_eq!(read("package/bundle/features.json"), read(&format!("features/{FEATURES}")));
    assert_eq!(read("package/bundle/transform.json"), read("features/transform.json"));
    assert!(!outcome.skipped);
}

#[test]
fn an_unchanged_package_is_left_alone_and_a_changed_one_made_again() {
    let made = Run::new(1.0);
    let request = made.request();
    let first = run(&request, &Stage::silent()).unwrap();
    let again = run(&request, &Stage::silent()).unwrap();
    assert!(!first.skipped && again.skipped);
    assert_eq!(first.artifact.digest(), again.artifact.digest());

    let forced = run(&request, &forced()).unwrap();
    assert!(!forced.skipped);
    assert_eq!(forced.artifact.digest(), first.artifact.digest());

    let mut renamed = request.clone();
    renamed.params.name = "other".parse().unwrap();
    let renamed = run(&renamed, &Stage::silent()).unwrap();
    assert!(!renamed.skipped);
    assert_eq!(Bundle::open(renamed.bundle()).unwrap().info().name.as_str(), "other");

    fs::remove_file(made.path("package/report.html")).unwrap();
    let mut renamed = request;
    renamed.params.name = "other".parse().unwrap();
    assert!(!run(&renamed, &Stage::silent()).unwrap().skipped);
    assert!(made.path("package/report.html").is_file());
}

/// Times are in the report, which is outside the digest, and nowhere else.
#[test]
fn runs_that_took_different_times_have_the_same_package() {
    let (quick, slow) = (Run::new(1.5), Run::new(873.0));
    let quick_outcome = run(&quick.request(), &Stage::silent()).unwrap();
    let mut request = slow.request();
    request.trials.reverse();
    let slow_outcome = run(&request, &Stage::silent()).unwrap();
    assert_eq!(quick_outcome.artifact.digest(), slow_outcome.artifact.digest());
    let report = |run: &Run| fs::read_to_string(run.path("package/report.html")).unwrap();
    assert_ne!(report(&quick), report(&slow));
}

#[test]
fn the_card_states_the_numbers_of_the_run() {
    let made = Run::new(1.0);
    let outcome = run(&made.request(), &Stage::silent()).unwrap();
    let bundle = Bundle::open(outcome.bundle()).unwrap();
    let card = bundle.card();
    // Wilson's interval for 16 of 17: (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n) with z = 1.96.
    for expected in [
        "# weir-detector\n",
        "it is right on 16, an accuracy of 0.9412 (95 % Wilson interval 0.7302 to 0.9895)",
        "Flows from 2022-02-25 12:19:30 to 2022-02-25 12:20:55 UTC.",
        "| train | 60 | 40 | 20 |",
        "| scan\\|slow | 20 | 6 | 3 |",
        "Of 90 records read, 85 were kept, 2 set aside with a reason and 2 replaced by a later record of the same flow, \
         1 left out (transport is not in the feature set). Expectation suite flows: 7 of 7 held.",
        "- Feature port identifies a host: a model may learn who instead of what.",
        "- A decision tree of depth 5 has a balanced accuracy of 0.9750 on the split and 0.5000 when fitted on earlier",
        "- The trial is the best of 6 on that split",
        "- Only tcp and udp flows are judged",
        "| volume | 1 | bytes on a log scale | log1p(bytes) |",
        "Decision tree, the best candidate of its search, on 2 features of the flow",
        "| max\\_depth | none |",
        // Precision 6/7, recall 6/6, F1 12/13.
        "| malicious | 0.8571 | 1.0000 | 0.9231 | 6 |",
        "| actually benign | 10 | 1 |",
        "| `baseline-decision-tree-best` | 0.9412 | 0 | 1 |",
        "Ranked by accuracy on test. baseline-decision-tree-best is right on the most test rows.",
        "search of its family: 1. By mean accuracy over 3 folds of train the best reached 0.9500",
        "- An attack without flows in train, see Data, was not learned; one with flows in test only was tested, but not \
         learned.",
        "Verdict: promote. There is no champion to compare with.",
        &format!("`{}`", bundle.info().provenance.training),
    ] {
        assert!(card.contains(expected), "{expected:?} is not in the card:\n{card}");
    }
}

#[test]
fn the_report_shows_the_run_and_its_times_where_they_are_known() {
    let made = Run::new(321.0);
    let outcome = run(&made.request(), &Stage::silent()).unwrap();
    let page = fs::read_to_string(outcome.report()).unwrap();
    assert!(page.contains("Run report: weir-detector") && page.contains(WINNER));
    assert!(page.contains("trials/autoencoder-logistic-regression"));
    fs::write(made.path("features").join(RUN_INFO), b"damaged").unwrap();
    assert!(!run(&made.request(), &forced()).unwrap().skipped);
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test has to say so")]
fn coreutils_agrees_with_the_checksums() {
    let made = Run::new(1.0);
    let outcome = run(&made.request(), &Stage::silent()).unwrap();
    let mut command = Command::new("sha256sum");
    let Ok(output) = command.args(["--check", "--strict", "SHA256SUMS"]).current_dir(outcome.bundle()).output() else {
        return eprintln!("SKIPPED: this machine has no sha256sum");
    };
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn flows_stay_out_of_the_bundle_where_that_is_asked_for() {
    let made = Run::new(1.0);
    let mut request = made.request();
    request.params.examples = 0;
    let outcome = run(&request, &Stage::silent()).unwrap();
    assert!(Bundle::open(outcome.bundle()).unwrap().examples().examples.is_empty());
}

#[test]
fn the_winner_may_see_latent_features() {
    let made = Run::new(1.0);
    let trainings = made.trials().iter().map(|dir| weir_artifact::Artifact::open(dir).unwrap()).collect::<Vec<_>>();
    let winner = "autoencoder-logistic-regression-default".parse().unwrap();
    crate::fixture::write_selection(&made.path("selection"), &trainings, winner);
    let outcome = run(&made.request(), &Stage::silent()).unwrap();
    let bundle = Bundle::open(outcome.bundle()).unwrap();
    assert_eq!(bundle.info().representation, Representation::Autoencoder);
    assert!(bundle.card().contains("on 6 latent features of an autoencoder over 2"));
    assert!(bundle.card().contains("Autoencoder with layers 2, 10, 8, 6, 8, 10, 2 (latent: layer 4)"));
}

#[test]
fn a_name_that_cannot_be_served_is_refused_with_its_place() {
    let read = |set: &str| {
        let params = Params::load(None, ("defaults", ""), &[set.to_owned()]).unwrap();
        params.section::<PackagingParams>("packaging")
    };
    assert_eq!(read("packaging.name=my-detector").unwrap().name.as_str(), "my-detector");
    let failure = read("packaging.name=My_Detector").unwrap_err();
    assert!(failure.message.contains("expected a name of 1 to 63 lowercase letters"), "{failure}");
    assert!(failure.message.contains("My_Detector"), "{failure}");
    assert!(read("packaging.examples=101").unwrap_err().message.contains("at most 100"));
    assert!(read("packaging.nmae=x").is_err());
}
