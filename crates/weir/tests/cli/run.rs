//! `weir run`: what it leaves, what it says, what it skips.

use weir_testkit::{TempRun, tree_digests};

use crate::{SMALL, flows, text, weir};

#[test]
fn a_run_ends_with_a_report_and_a_bundle_and_a_second_one_does_nothing() {
    let temp = TempRun::new();
    let data = flows(&temp, 2_000);
    let out = temp.join("run");
    let args = ["run", "--data", text(&data), "--out", text(&out)];
    let first = weir(args.into_iter().chain(SMALL)).ok();
    let report = std::fs::read_to_string(out.join("package/report.html")).unwrap();
    assert!(report.contains("<svg") && report.trim_end().ends_with("</html>"));
    assert!(first.stdout.contains(text(&out.join("package/report.html"))), "{}", first.stdout);
    assert!(first.stdout.contains(text(&out.join("package/bundle"))), "{}", first.stdout);
    let bundle = weir_bundle::Bundle::open(out.join("package/bundle")).unwrap();
    assert_eq!(bundle.info().trial.to_string(), std::fs::read_to_string(out.join("selection/winner")).unwrap());

    let digests = tree_digests(&out);
    let second = weir(args.into_iter().chain(SMALL)).ok();
    assert_eq!(second.stderr.matches("unchanged").count(), 11, "{}", second.stderr);
    assert_eq!(tree_digests(&out), digests);
}

#[test]
fn a_changed_parameter_runs_only_what_depends_on_it() {
    let temp = TempRun::new();
    let data = flows(&temp, 2_000);
    let out = temp.join("run");
    let args = ["run", "--data", text(&data), "--out", text(&out), "--models", "knn,decision-tree"];
    weir(args.into_iter().chain(SMALL)).ok();
    let again = weir(args.into_iter().chain(SMALL).chain(["--set", "training.grid.knn.n_neighbors=[3,5]"])).ok();
    let unchanged: Vec<bool> =
        again.stderr.lines().filter(|line| line.starts_with('[')).map(|line| line.contains("unchanged")).collect();
    // features; baseline knn, tree; autoencoder knn, tree; selection; packaging
    assert_eq!(unchanged, [true, false, true, false, true, false, false], "{}", again.stderr);
}

#[test]
fn json_names_winner_paths_and_digests() {
    let temp = TempRun::new();
    let data = flows(&temp, 1_500);
    let out = temp.join("run");
    let args = ["run", "--data", text(&data), "--out", text(&out), "--models", "decision-tree", "--json"];
    let output = weir(args.into_iter().chain(["--representations", "baseline"]).chain(SMALL)).ok();
    let result: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert!(result["winner"].as_str().unwrap().starts_with("baseline-decision-tree-"));
    assert_eq!(result["nodes"].as_array().unwrap().len(), 4);
    assert_eq!(result["bundle"], text(&out.join("package/bundle")));
}

#[test]
fn every_row_of_the_sample_is_in_one_place() {
    let temp = TempRun::new();
    let out = temp.join("features");
    let sample = weir_testkit::sample();
    for set in ["default", "report", "no-identity"] {
        weir(["features", "--data", text(&sample), "--feature-set", set, "--out", text(&out)]).ok();
        let artifact = weir_artifact::Artifact::open(&out).unwrap();
        let rows = &artifact.manifest().rows;
        let left_out: u64 = rows.iter().filter(|(name, _)| name.starts_with("excluded")).map(|(_, rows)| rows).sum();
        assert_eq!(rows["input"], 18_000);
        assert_eq!(rows["kept"] + rows["quarantined"] + rows["deduplicated"] + left_out, 18_000, "{set}: {rows:?}");
        assert_eq!(rows["train"] + rows["test"] + rows["validation"], rows["kept"]);
    }
}

#[test]
fn a_malformed_line_is_quarantined_with_file_and_line() {
    let temp = TempRun::new();
    let data = flows(&temp, 1_000);
    let mut lines = std::fs::read_to_string(&data).unwrap();
    lines.push_str("not,a,flow\n");
    let broken = temp.write("broken.csv", lines);
    let out = temp.join("features");
    let output = weir(["features", "--data", text(&broken), "--out", text(&out)]).ok();
    assert!(output.stderr.contains("1001 records"), "{}", output.stderr);
    let artifact = weir_artifact::Artifact::open(&out).unwrap();
    assert_eq!(artifact.manifest().rows["quarantined"], 1);
}

#[test]
fn stage_by_stage_gives_the_digests_of_a_run() {
    let temp = TempRun::new();
    let data = flows(&temp, 1_500);
    let (whole, staged) = (temp.join("whole"), temp.join("staged"));
    let models = ["knn", "decision-tree"];
    let args = ["run", "--data", text(&data), "--out", text(&whole), "--models", "knn,decision-tree"];
    weir(args.into_iter().chain(["--representations", "baseline"]).chain(SMALL)).ok();

    let features = staged.join("features");
    weir(["features", "--data", text(&data), "--out", text(&features)]).ok();
    let trials = models.map(|model| staged.join(format!("trials/baseline-{model}")));
    for (model, out) in models.iter().zip(&trials) {
        let args = ["train", "--features", text(&features), "--model", model, "--out", text(out)];
        weir(args.into_iter().chain(SMALL)).ok();
    }
    let (selection, package) = (staged.join("selection"), staged.join("package"));
    weir(["select", "--trials", text(&trials[0]), text(&trials[1]), "--out", text(&selection)]).ok();
    let inputs = ["--features", text(&features), "--selection", text(&selection), "--out", text(&package)];
    weir(["package", "--trials", text(&trials[0]), text(&trials[1])].into_iter().chain(inputs)).ok();
    assert_eq!(tree_digests(&whole), tree_digests(&staged));
}

#[test]
fn a_changed_input_and_force_run_again() {
    let temp = TempRun::new();
    let out = temp.join("features");
    let features = |data: &str, more: &[&str]| {
        let args = ["features", "--data", data, "--out", text(&out), "--json"];
        let output = weir(args.into_iter().chain(more.iter().copied())).ok();
        let result: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        (result["skipped"].as_bool().unwrap(), result["digest"].as_str().unwrap().to_owned())
    };
    let data = flows(&temp, 1_000);
    let (skipped, digest) = features(text(&data), &[]);
    assert!(!skipped);
    assert_eq!(features(text(&data), &[]), (true, digest.clone()));
    assert_eq!(features(text(&data), &["--force"]), (false, digest.clone()));
    // The same bytes under another name are the same input.
    let copy = temp.write("copy.csv", std::fs::read(&data).unwrap());
    assert_eq!(features(text(&copy), &[]), (true, digest.clone()));
    let lines = std::fs::read_to_string(&data).unwrap();
    let shorter = temp.write("shorter.csv", lines.lines().take(900).flat_map(|line| [line, "\n"]).collect::<String>());
    let (skipped, other) = features(text(&shorter), &[]);
    assert!(!skipped && other != digest);
    let set = temp.write(
        "set.toml",
        weir_transform::shipped("default")
            .unwrap()
            .replace("[[feature]]\nname = \"bytes\"", "[[feature]]\nname = \"volume\""),
    );
    let (skipped, renamed) = features(text(&shorter), &["--feature-set", text(&set)]);
    assert!(!skipped && renamed != other);
}

#[test]
fn a_directory_stands_for_its_flow_files_in_the_order_of_their_names() {
    let temp = TempRun::new();
    let data = flows(&temp, 1_000);
    let whole = std::fs::read_to_string(&data).unwrap();
    let (header, rows) = whole.split_once('\n').unwrap();
    let half = rows.match_indices('\n').nth(500).unwrap().0 + 1;
    for (name, part) in [("b.csv", &rows[half..]), ("a.csv", &rows[..half])] {
        temp.write(&format!("flows/{name}"), format!("{header}\n{part}"));
    }
    temp.write("flows/.hidden", "no flows");
    let digest = |inputs: &[&str], out: &str| {
        let out = temp.join(out);
        weir(["features", "--out", text(&out), "--data"].into_iter().chain(inputs.iter().copied())).ok();
        weir_artifact::Artifact::open(out).unwrap().digest()
    };
    let [dir, a, b] = ["flows", "flows/a.csv", "flows/b.csv"].map(|name| temp.join(name));
    assert_eq!(digest(&[text(&dir)], "of-directory"), digest(&[text(&a), text(&b)], "of-files"));
    std::fs::create_dir(temp.join("empty")).unwrap();
    let empty = weir(["features", "--data", text(&temp.join("empty")), "--out", text(&temp.join("none"))]);
    assert_eq!(empty.code, Some(3), "{}", empty.stderr);
    assert!(empty.stderr.contains("there is no file in"), "{}", empty.stderr);
}

#[test]
fn workflows_give_parameters_as_a_text_and_take_small_results_as_files() {
    let temp = TempRun::new();
    let data = flows(&temp, 1_500);
    let (out, values) = (temp.join("features"), temp.join("values"));
    let args = ["features", "--data", text(&data), "--format", "", "--feature-set", "", "--out", text(&out)];
    let given = ["--params-text", "[features]\nfeature_set = \"no-identity\"\n", "--values", text(&values)];
    weir(args.into_iter().chain(given)).ok();
    let artifact = weir_artifact::Artifact::open(&out).unwrap();
    assert_eq!(artifact.manifest().parameters["feature_set"], "no-identity");
    assert_eq!(std::fs::read_to_string(values.join("digest")).unwrap(), artifact.digest().to_string());
    // Again, with nothing to do: whoever waits for the results gets them.
    std::fs::remove_dir_all(&values).unwrap();
    weir(args.into_iter().chain(given)).ok();
    assert_eq!(std::fs::read_to_string(values.join("digest")).unwrap(), artifact.digest().to_string());
    let wrong = weir(args.into_iter().chain(["--params-text", "[features]\nfeature_sets = 1\n"]));
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("--params-text:2") && wrong.stderr.contains("feature_sets"), "{}", wrong.stderr);
}

#[test]
fn containers_refuse_what_only_the_process_heeds() {
    let temp = TempRun::new();
    let out = temp.join("run");
    for option in [["--budget", "1s"], ["--memory", "10"]] {
        let args = ["run", "--engine", "containers", "--out", text(&out)];
        let output = weir(args.into_iter().chain(option));
        assert_eq!(output.code, Some(2), "{}", output.stderr);
        assert!(output.stderr.contains(option[0]) && output.stderr.contains("--engine"), "{}", output.stderr);
    }
    assert!(!out.exists());
    // A mount separates its parts by commas.
    let (data, comma) = (flows(&temp, 100), temp.join("a,b"));
    let output = weir(["run", "--engine", "containers", "--data", text(&data), "--out", text(&comma)]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("a,b") && output.stderr.contains("comma"), "{}", output.stderr);
}
