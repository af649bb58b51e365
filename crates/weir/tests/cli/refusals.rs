//! What `weir` says when it cannot do what was asked, and how it exits.

use weir_testkit::TempRun;

use crate::{flows, text, weir};

#[test]
fn a_file_that_is_no_flows_is_refused_with_what_was_expected() {
    let temp = TempRun::new();
    let notes = temp.write("notes.txt", "buy milk\nand bread\n");
    let output = weir(["run", "--data", text(&notes), "--out", text(&temp.join("run"))]);
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    assert!(output.stderr.contains("notes.txt") && output.stderr.contains("packetbeat-csv"), "{}", output.stderr);
    assert!(output.stderr.contains("hint: "), "{}", output.stderr);
}

#[test]
fn a_missing_file_and_a_missing_sample_are_named() {
    let temp = TempRun::new();
    let output = weir(["run", "--data", text(&temp.join("none.csv")), "--out", text(&temp.join("run"))]);
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    assert!(output.stderr.contains("none.csv"), "{}", output.stderr);
    // Tests run in the folder of the crate, where there is no sample.
    let output = weir(["run", "--out", text(&temp.join("run"))]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("weir simulate flows"), "{}", output.stderr);
}

#[test]
fn an_unknown_parameter_is_refused_with_the_nearest_known_one() {
    let output = weir(["run", "--data", "x.csv", "--set", "training.fold=5"]);
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("fold") && output.stderr.contains("folds"), "{}", output.stderr);
    let output = weir(["run", "--data", "x.csv", "--set", "trainin.folds=5"]);
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("training"), "{}", output.stderr);
    let output = weir(["run", "--data", "x.csv", "--set", "features.train=0.95"]);
    assert!(output.stderr.contains("train + test"), "{}", output.stderr);
}

#[test]
fn an_unknown_model_or_feature_set_is_refused_with_the_known_ones() {
    let output = weir(["run", "--models", "forest"]);
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("decision-tree"), "{}", output.stderr);
    let temp = TempRun::new();
    let data = flows(&temp, 500);
    let output = weir(["features", "--data", text(&data), "--feature-set", "raport", "--out", text(&temp.join("f"))]);
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("no-identity"), "{}", output.stderr);
}

#[test]
fn a_strict_suite_refuses_what_quarantine_sets_aside() {
    let temp = TempRun::new();
    let data = flows(&temp, 1_000);
    let lines = std::fs::read_to_string(&data).unwrap();
    let (head, rest) = lines.split_once('\n').unwrap();
    let first = rest.lines().next().unwrap();
    let mut fields: Vec<&str> = first.split(',').collect();
    (fields[0], fields[4]) = ("without-bytes", "0");
    let data = temp.write("zero.csv", format!("{head}\n{}\n{rest}", fields.join(",")));
    let run = |policy: &str| {
        let set = format!("features.policy={policy}");
        weir(["features", "--data", text(&data), "--set", &set, "--out", text(&temp.join(policy))])
    };
    let strict = run("strict");
    let earlier = temp.join("earlier");
    weir(["features", "--data", text(&flows(&temp, 1_000)), "--out", text(&earlier)]).ok();
    let digests = weir_testkit::tree_digests(&earlier);
    let set = ["--set", "features.policy=strict"];
    let refused = weir(["features", "--data", text(&data), "--out", text(&earlier)].into_iter().chain(set));
    assert_eq!(refused.code, Some(4));
    assert_eq!(weir_testkit::tree_digests(&earlier), digests, "a refusal leaves the earlier artifact as it was");
    assert_eq!(strict.code, Some(4), "{}", strict.stderr);
    assert!(strict.stderr.contains("zero.csv:2") && strict.stderr.contains("min_value"), "{}", strict.stderr);
    assert!(!temp.join("strict/manifest.json").exists());
    run("quarantine").ok();
    let artifact = weir_artifact::Artifact::open(temp.join("quarantine")).unwrap();
    assert_eq!(artifact.manifest().rows["quarantined"], 1);
}

#[test]
fn a_foreign_directory_is_left_alone() {
    let temp = TempRun::new();
    let data = flows(&temp, 500);
    temp.write("mine/features/letter.txt", "dear");
    let output = weir(["run", "--data", text(&data), "--out", text(&temp.join("mine"))]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(temp.join("mine/features/letter.txt").exists());
}

#[test]
fn one_class_cannot_be_learned_from() {
    let temp = TempRun::new();
    let data = flows(&temp, 1_000);
    let lines = std::fs::read_to_string(&data).unwrap();
    let benign: String =
        lines.lines().filter(|line| !line.contains("malicious")).flat_map(|line| [line, "\n"]).collect();
    let data = temp.write("benign.csv", benign);
    let output = weir(["run", "--data", text(&data), "--out", text(&temp.join("run"))]);
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    assert!(output.stderr.contains("0 malicious"), "{}", output.stderr);
}
