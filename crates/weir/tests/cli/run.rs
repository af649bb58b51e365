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
