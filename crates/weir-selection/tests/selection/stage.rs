//! The binary over artifacts on disk: files, exit codes, what it prints.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use weir_artifact::{Artifact, Draft, Expectation};
use weir_contract::files::{ACCURACY, SELECTION, TRIALS, VERDICT, WINNER};
use weir_contract::selection::{Selection, Verdict};
use weir_contract::trial::{Trial, Trials};
use weir_contract::{Digest, Seed};

use crate::{file, trial};

/// A run directory with the artifacts of three trainings; baseline-knn-best is the winner.
struct Run(tempfile::TempDir);

impl Run {
    fn new() -> Self {
        let run = Self(tempfile::tempdir().unwrap());
        run.train("trials/baseline-svc", vec![trial("baseline-svc-best", [50, 10, 5, 35])]);
        run.train(
            "trials/baseline-knn",
            vec![trial("baseline-knn-default", [50, 10, 5, 35]), trial("baseline-knn-best", [58, 2, 1, 39])],
        );
        run.train("trials/autoencoder-knn", vec![trial("autoencoder-knn-best", [51, 9, 6, 34])]);
        run
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn train(&self, name: &str, trials: Vec<Trial>) -> Artifact {
        self.commit(name, &file(trials), b"features")
    }

    fn commit(&self, name: &str, trials: &Trials, features: &[u8]) -> Artifact {
        let draft = Draft::begin(self.path(name)).unwrap();
        draft.write_json(TRIALS, trials).unwrap();
        let expectation = Expectation {
            stage: "training".to_owned(),
            build: "b1".to_owned(),
            inputs: BTreeMap::from([("features".to_owned(), Digest::of(features))]),
            parameters: serde_json::json!({}),
            seed: Some(Seed(42)),
        };
        draft.commit(expectation.seal(BTreeMap::new())).unwrap()
    }

    /// Runs the binary over all trials with more arguments: exit code, stdout, stderr.
    fn select(&self, more: &[&str]) -> (i32, String, String) {
        self.select_of(&["trials/baseline-svc", "trials/baseline-knn", "trials/autoencoder-knn"], more)
    }

    fn select_of(&self, trials: &[&str], more: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir-selection"));
        command.current_dir(self.0.path()).env_remove("ARGO_PROGRESS_FILE");
        let output = command.arg("--trials").args(trials).args(["--out", "selection"]).args(more).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn selection(&self) -> Artifact {
        Artifact::open(self.path("selection")).unwrap()
    }

    fn read(&self, name: &str) -> String {
        String::from_utf8(self.selection().read(name).unwrap()).unwrap()
    }
}

#[test]
fn selection_and_one_value_files_are_written_and_the_ranking_is_printed() {
    let run = Run::new();
    let (code, stdout, stderr) = run.select(&[]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(
        stdout,
        "\
trial                 accuracy       FN       FP
baseline-knn-best     0.970000        1        2
baseline-knn-default  0.850000        5       10
baseline-svc-best     0.850000        5       10
autoencoder-knn-best  0.850000        6        9

winner   baseline-knn-best
         baseline-knn-best has the highest accuracy on test, 0.970000 (97 of 100 test rows); next is \
baseline-knn-default with 0.850000 (85)
verdict  promote
         there is no champion
"
    );
    assert_eq!(run.read(WINNER), "baseline-knn-best");
    assert_eq!(run.read(ACCURACY), "0.97");
    assert_eq!(run.read(VERDICT), "promote");
    let selection: Selection = run.selection().read_json(SELECTION).unwrap();
    assert_eq!(selection.artifact, Artifact::open(run.path("trials/baseline-knn")).unwrap().digest());
    assert!(run.path("selection/run-info.json").exists());
}

#[test]
fn the_manifest_names_every_input_by_its_role() {
    let run = Run::new();
    run.train("old", vec![trial("baseline-svc-best", [50, 10, 5, 35])]);
    assert_eq!(run.select(&["--champion", "old"]).0, 0);
    let artifact = run.selection();
    let manifest = artifact.manifest();
    let roles: Vec<&str> = manifest.inputs.keys().map(String::as_str).collect();
    assert_eq!(roles, ["champion", "trials/autoencoder-knn", "trials/baseline-knn", "trials/baseline-svc"]);
    assert_eq!((manifest.stage.as_str(), manifest.rows["test"]), ("selection", 100));
    let parameters = serde_json::json!({"metric": "accuracy", "significance": 0.05, "margin": null});
    assert_eq!(manifest.parameters, parameters);
}

#[test]
fn the_order_of_directories_changes_no_byte() {
    let run = Run::new();
    run.select(&[]);
    let digest = run.selection().digest();
    let (code, _, stderr) =
        run.select_of(&["trials/autoencoder-knn", "trials/baseline-svc", "trials/baseline-knn"], &["--force"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(run.selection().digest(), digest);
}

#[test]
fn a_second_run_is_skipped_until_something_changes() {
    let run = Run::new();
    let first = run.select(&[]);
    let second = run.select(&[]);
    assert_eq!((second.1, second.2.as_str()), (first.1, "selection is up to date\n"));
    assert_eq!(run.select(&["--force"]).2, "");
    assert_eq!(run.select(&["--set", "selection.metric=f1"]).2, "");
    run.train("trials/baseline-svc", vec![trial("baseline-svc-best", [60, 0, 0, 40])]);
    assert_eq!(run.select(&["--set", "selection.metric=f1"]).2, "");
    assert_eq!(run.read(WINNER), "baseline-svc-best");
}

#[test]
fn json_is_the_selection_itself() {
    let run = Run::new();
    let (code, stdout, _) = run.select(&["--json"]);
    assert_eq!((code, stdout), (0, run.read(SELECTION)));
}

#[test]
fn a_kept_champion_fails_only_where_asked_and_after_the_result_is_there() {
    let run = Run::new();
    run.train("old", vec![trial("baseline-decision-tree-best", [58, 2, 1, 39])]);
    let (code, stdout, _) = run.select(&["--champion", "old"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("\nverdict  keep\n         against champion baseline-decision-tree-best, "), "{stdout}");
    assert_eq!(run.read(VERDICT), "keep");
    // Skipped or not, the gate speaks.
    for more in [&["--champion", "old", "--fail-on-keep"][..], &["--champion", "old", "--fail-on-keep", "--force"]] {
        let (code, stdout, stderr) = run.select(more);
        assert_eq!(code, 4);
        assert!(stdout.contains("verdict  keep"), "{stdout}");
        assert!(stderr.contains("error: the champion baseline-decision-tree-best is kept: "), "{stderr}");
    }
    let selection: Selection = run.selection().read_json(SELECTION).unwrap();
    assert_eq!(selection.verdict, Verdict::Keep);
    assert_eq!(run.select(&["--fail-on-keep"]).0, 0, "without a champion there is nothing to keep");
}

#[test]
fn parameters_come_from_the_file_and_wrong_ones_end_with_2() {
    let run = Run::new();
    fs::write(run.path("params.toml"), "seed = 1\n[selection]\nmetric = \"mcc\"\n").unwrap();
    let (code, stdout, _) = run.select(&["--params", "params.toml"]);
    assert_eq!(code, 0);
    assert!(stdout.lines().next().unwrap().contains("mcc"), "{stdout}");
    for (set, message) in [
        ("selection.metric=speed", "selection.metric"),
        ("selection.significance=0.0", "selection.significance: expected above 0.0"),
        ("selection.margin=2.0", "selection.margin: expected at least 0.0 and at most 1.0"),
        ("selection.margins=0.1", "margins"),
    ] {
        let (code, _, stderr) = run.select(&["--set", set]);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
    }
}

#[test]
fn missing_corrupt_and_foreign_inputs_end_with_3_and_name_the_path() {
    let refused = |run: &Run, trials: &[&str], message: &str| {
        let (code, stdout, stderr) = run.select_of(trials, &[]);
        assert_eq!((code, stdout.as_str()), (3, ""), "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
        assert!(!run.path("selection").exists(), "nothing is written over bad inputs");
    };
    let run = Run::new();
    refused(&run, &["trials/none"], "no artifact at trials/none");

    flip(&run.path("trials/baseline-svc/trials.json"));
    refused(&run, &["trials/baseline-knn", "trials/baseline-svc"], "trials/baseline-svc/trials.json is corrupt");

    fs::remove_file(run.path("trials/baseline-svc/manifest.json")).unwrap();
    refused(&run, &["trials/baseline-svc"], "no artifact at trials/baseline-svc");

    let newer = Trials { format: 2, ..file(vec![trial("baseline-svc-best", [60, 0, 0, 40])]) };
    run.commit("newer", &newer, b"features");
    refused(&run, &["newer"], "newer/trials.json has format version 2, this build knows version 1");

    let same_counts = file(vec![trial("baseline-svc-best", [60, 0, 0, 40])]);
    run.commit("elsewhere", &same_counts, b"other features");
    refused(&run, &["trials/baseline-knn", "elsewhere"], "was scored on features");

    run.train("fewer", vec![trial("baseline-svc-best", [60, 0, 0, 39])]);
    refused(&run, &["trials/baseline-knn", "fewer"], "baseline-svc-best on 99 test rows");
}

#[test]
fn a_family_that_is_given_twice_is_refused_with_both_directories() {
    let run = Run::new();
    let (code, _, stderr) = run.select_of(&["trials/baseline-knn", "trials/baseline-knn"], &[]);
    assert_eq!(code, 2);
    assert!(stderr.contains("trials/baseline-knn and trials/baseline-knn both hold trials/baseline-knn"), "{stderr}");
    assert_eq!(run.select_of(&[], &[]).0, 2);
}

#[test]
fn an_artifact_of_another_stage_is_refused_as_trials_and_as_champion() {
    let run = Run::new();
    let draft = Draft::begin(run.path("features")).unwrap();
    draft.write_json(TRIALS, &file(vec![trial("baseline-svc-best", [50, 10, 5, 35])])).unwrap();
    let expectation = Expectation {
        stage: "features".to_owned(),
        build: "b1".to_owned(),
        inputs: BTreeMap::from([("features".to_owned(), Digest::of(b"features"))]),
        parameters: serde_json::json!({}),
        seed: None,
    };
    draft.commit(expectation.seal(BTreeMap::new())).unwrap();
    for (code, _, stderr) in [run.select_of(&["features"], &[]), run.select(&["--champion", "features"])] {
        assert_eq!(code, 3);
        assert!(stderr.contains("features was made by stage features"), "{stderr}");
    }
}

#[test]
fn without_arguments_all_trials_of_the_run_directory_are_compared() {
    let run = Run::new();
    let bare = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir-selection"));
        command.current_dir(run.0.path()).env_remove("ARGO_PROGRESS_FILE").output().unwrap()
    };
    let refused = bare();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("weir-run/trials"));
    fs::create_dir(run.path("weir-run")).unwrap();
    fs::rename(run.path("trials"), run.path("weir-run/trials")).unwrap();
    let done = bare();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let artifact = Artifact::open(run.path("weir-run/selection")).unwrap();
    assert_eq!(artifact.manifest().inputs.len(), 3);
    assert_eq!(artifact.manifest().parameters["metric"], "accuracy");
}

/// Changes one digit without changing the size.
fn flip(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    fs::write(path, text.replacen("\"operations\": 100", "\"operations\": 101", 1)).unwrap();
}
