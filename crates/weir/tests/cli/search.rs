//! The search as its users call it: interrupted, in shards, by halving, under a budget, at random.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use weir_contract::manifest::RunInfo;
use weir_contract::search::{Cut, CutReason, Rung, SearchResults};
use weir_contract::trial::Trials;
use weir_testkit::{Output, TempRun, tree_digests};

use crate::{flows, text, weir};

const SVC: [&str; 4] =
    ["--model", "svc", "--set", "training.grid.svc={C=[1, 10], gamma=[0.1, 0.3, 1, 3], kernel=[\"rbf\"]}"];
/// 16 kernel widths x 3 folds: pieces enough to stop between two, however late it is seen that there are more.
const LONG_SVC: [&str; 4] = [
    "--model",
    "svc",
    "--set",
    "training.grid.svc={C=[1, 10], kernel=[\"rbf\"], \
     gamma=[0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.2, 1.5, 2, 2.5, 3]}",
];
const TREE: [&str; 2] = ["--model", "decision-tree"];

fn features(temp: &TempRun, rows: u32) -> PathBuf {
    let (data, out) = (flows(temp, rows), temp.join("features"));
    weir(["features", "--data", text(&data), "--no-audit", "--out", text(&out)]).ok();
    out
}

fn train(features: &Path, out: &Path, more: &[&str]) -> Output {
    weir(["train", "--features", text(features), "--out", text(out)].into_iter().chain(more.iter().copied()))
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn search(out: &Path) -> SearchResults {
    read(&out.join("search.json"))
}

fn pieces(out: &Path) -> usize {
    let dirs = std::fs::read_dir(out.join(".weir-work")).into_iter().flatten().flatten();
    let files = dirs.flat_map(|dir| std::fs::read_dir(dir.path()).into_iter().flatten().flatten());
    files.filter(|file| file.path().extension().is_some_and(|extension| extension == "json")).count()
}

#[test]
fn a_search_killed_between_two_pieces_goes_on_and_ends_with_the_same_bytes() {
    let temp = TempRun::new();
    let features = features(&temp, 6_000);
    let undisturbed = temp.join("undisturbed");
    train(&features, &undisturbed, &LONG_SVC).ok();

    // Each of three runs comes at least two pieces further than the one before.
    let out = temp.join("killed");
    let mut left = 0;
    for _ in 0..3 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        command.args(["train", "--features", text(&features), "--out", text(&out), "--jobs", "1"]).args(LONG_SVC);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(120);
        while pieces(&out) < left + 2 {
            assert!(Instant::now() < deadline && child.try_wait().unwrap().is_none(), "no more pieces were seen");
            sleep(Duration::from_micros(200));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        left = pieces(&out);
        assert!(!out.join("manifest.json").exists());
    }

    // One of them is damaged, and is not believed.
    let mut entries = std::fs::read_dir(out.join(".weir-work")).unwrap().map(|entry| entry.unwrap().path());
    let dir = entries.find(|path| path.is_dir()).expect("the pieces are in a folder");
    let files = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    let first = files.filter(|file| file.extension().is_some_and(|extension| extension == "json")).min().unwrap();
    let written = std::fs::read_to_string(&first).unwrap();
    assert!(written.contains("\"piece\": ") && written.contains("\"gamma\": "), "{written}");
    std::fs::write(&first, written.replace("\"converged\": true", "\"converged\": false")).unwrap();

    let again = train(&features, &out, &LONG_SVC).ok();
    assert!(again.stderr.contains("pieces are scored already"), "{}", again.stderr);
    let info: RunInfo = read(&out.join("run-info.json"));
    assert_eq!((info.rungs.len(), info.rungs[0].resumed), (1, left - 1), "{:?}", info.rungs);
    assert!(info.rungs[0].resumed < info.rungs[0].pieces);
    assert!(!out.join(".weir-work").exists());
    assert_eq!(tree_digests(&out), tree_digests(&undisturbed));
}

#[test]
fn shards_run_apart_and_gathered_have_the_bytes_of_the_undivided_run() {
    let temp = TempRun::new();
    let features = features(&temp, 2_000);
    let whole = temp.join("whole");
    train(&features, &whole, &TREE).ok();
    let [plan, other] = ["plan", "other"].map(|name| temp.join(name));
    for (out, shards) in [(&plan, "3"), (&other, "2")] {
        let args = ["train", "plan", "--features", text(&features), "--shards", shards, "--out", text(out)];
        weir(args.into_iter().chain(TREE)).ok();
    }
    let run_shard = |plan: &Path, number: usize| {
        let out = temp.join(&format!("{}-{number}", plan.file_name().unwrap().to_str().unwrap()));
        let number = number.to_string();
        weir(["train", "run-shard", "--plan", text(plan), "--shard", &number, "--out", text(&out)]).ok();
        out
    };
    let shards: Vec<PathBuf> = (0..3).map(|number| run_shard(&plan, number)).collect();
    let foreign = run_shard(&other, 0);
    let out = temp.join("gathered");
    let gather = |shards: &[&PathBuf]| {
        let args = ["train", "gather", "--plan", text(&plan), "--out", text(&out), "--shards"];
        weir(args.into_iter().chain(shards.iter().map(|shard| text(shard))))
    };
    for (shards, code, said) in [
        (vec![&shards[0], &shards[2]], 3, "shard 1 of 3 is missing"),
        (vec![&shards[0], &shards[1], &shards[1], &shards[2]], 2, "shard 1 is given twice"),
        (vec![&shards[0], &foreign], 3, "other-0 is no shard of this plan"),
    ] {
        let refused = gather(&shards);
        assert_eq!(refused.code, Some(code), "{}", refused.stderr);
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
    }
    gather(&[&shards[2], &shards[0], &shards[1]]).ok();
    assert_eq!(tree_digests(&out), tree_digests(&whole));
    let info: RunInfo = read(&out.join("run-info.json"));
    assert_eq!(info.rungs[0].resumed, info.rungs[0].pieces, "gathering scores nothing itself");
}

#[test]
fn what_cannot_be_cut_into_shards_is_refused() {
    let temp = TempRun::new();
    let features = features(&temp, 1_000);
    let plan = |more: &[&str]| {
        let out = temp.join("plan");
        let args = ["train", "plan", "--features", text(&features), "--out", text(&out)];
        weir(args.into_iter().chain(TREE).chain(more.iter().copied()))
    };
    let halving = plan(&["--shards", "2", "--set", "training.search=halving"]);
    assert_eq!(halving.code, Some(2));
    assert!(halving.stderr.contains("each rung depends on the one before"), "{}", halving.stderr);
    let many = plan(&["--shards", "500"]);
    assert_eq!(many.code, Some(2));
    assert!(many.stderr.contains("pieces, so at most as many shards, not 500"), "{}", many.stderr);
    plan(&["--shards", "2"]).ok();
    let [dir, out] = ["plan", "shard"].map(|name| temp.join(name));
    let absent = weir(["train", "run-shard", "--plan", text(&dir), "--shard", "2", "--out", text(&out)]);
    assert!(absent.stderr.contains("the plan has shards 0 to 1, received 2"), "{}", absent.stderr);
}

#[test]
fn halving_scores_its_last_candidates_as_the_grid_does() {
    let temp = TempRun::new();
    let features = features(&temp, 12_000);
    let [grid, halved] = ["grid", "halved"].map(|name| temp.join(name));
    train(&features, &grid, &TREE).ok();
    let halving = ["--set", "training.search=halving", "--set", "training.rungs.min_rows=300"];
    train(&features, &halved, &[&TREE[..], &halving].concat()).ok();
    let (grid, halved) = (search(&grid), search(&halved));
    assert_eq!(grid.rungs.len(), 1);
    // 24 candidates, 8, 3.
    assert_eq!(halved.rungs.iter().map(|rung| rung.candidates).collect::<Vec<_>>(), [24, 8, 3]);
    assert_eq!(halved.rungs.last(), Some(&Rung { candidates: 3, ..grid.rungs[0] }));
    let mut cut = 0;
    for (whole, candidate) in grid.candidates.iter().zip(&halved.candidates) {
        assert_eq!(whole.parameters, candidate.parameters);
        match candidate.cut {
            None => assert_eq!(whole.scores, candidate.scores),
            Some(at) => {
                assert_eq!((at.reason, at.rows), (CutReason::Rank, halved.rungs[at.rung].rows));
                cut += 1;
            }
        }
    }
    assert_eq!(cut, 21);
    assert_eq!(halved.candidates[halved.best].cut, None);
    let best = grid.candidates[grid.best].mean - grid.candidates[halved.best].mean;
    assert!((0.0..0.005).contains(&best), "{best}");
}

/// Cuts of the clock, repeated without one.
fn budget_then_replay(budget: &str, more: &[&str]) -> (SearchResults, RunInfo) {
    let temp = TempRun::new();
    let features = features(&temp, 6_000);
    let [timed, replayed, pipeline] = ["timed", "replayed", "run"].map(|name| temp.join(name));
    let more = [&SVC[..], &["--set", "training.rungs.min_rows=300"], more].concat();
    train(&features, &timed, &[&more[..], &["--budget", budget]].concat()).ok();
    let cuts = timed.join("search.json");
    train(&features, &replayed, &[&more[..], &["--replay", text(&cuts)]].concat()).ok();
    let (first, second) = (tree_digests(&timed), tree_digests(&replayed));
    for name in ["search.json", "trials.json", "best.model", "default.model"] {
        assert_eq!(first[name], second[name], "{name}");
    }
    let manifest: Value = read(&timed.join("manifest.json"));
    assert!(manifest["parameters"]["budget_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{manifest}");
    let manifest: Value = read(&replayed.join("manifest.json"));
    assert!(manifest["inputs"]["cuts"].is_string() && manifest["parameters"]["budget_seconds"].is_null());

    let other = train(&features, &temp.join("other"), &[&TREE[..], &["--replay", text(&cuts)]].concat());
    assert_eq!(other.code, Some(3));
    assert!(other.stderr.contains("it is the search of another model"), "{}", other.stderr);

    // What was cut does not stop the stages behind.
    std::fs::create_dir(&pipeline).unwrap();
    let [selection, package] = ["selection", "package"].map(|name| pipeline.join(name));
    weir(["select", "--trials", text(&timed), "--out", text(&selection)]).ok();
    let inputs = ["--features", text(&features), "--selection", text(&selection), "--trials", text(&timed)];
    weir(["package", "--out", text(&package)].into_iter().chain(inputs)).ok();
    let report = std::fs::read_to_string(package.join("report.html")).unwrap();
    let search = search(&timed);
    let is_late = |cut: Cut| cut.reason == CutReason::Budget;
    let is_any_late = search.candidates.iter().filter_map(|candidate| candidate.cut).any(is_late);
    assert_eq!(report.contains("the time was up"), is_any_late);
    let trials: Trials = read(&timed.join("trials.json"));
    let is_warned = trials.trials[1].warnings.iter().any(|warning| warning.starts_with("chosen on "));
    assert_eq!(is_warned, search.candidates[search.best].cut.is_some());
    (search, read(&timed.join("run-info.json")))
}

#[test]
fn a_budget_that_is_over_at_once_leaves_the_smallest_rung_and_replays() {
    let (search, info) = budget_then_replay("1ms", &[]);
    assert_eq!(search.rungs.len(), 2);
    for candidate in &search.candidates {
        let cut = candidate.cut.expect("nothing was scored on all rows");
        assert_eq!((cut.rung, cut.rows, cut.reason), (0, search.rungs[0].rows, CutReason::Budget));
        assert_eq!(candidate.scores.len(), search.folds);
    }
    assert_eq!(search.candidates[search.best].rank, 1);
    assert_eq!((info.rungs[0].unfinished, info.rungs[1].unfinished), (0, info.rungs[1].pieces));
}

#[test]
fn a_budget_that_is_over_somewhere_replays() {
    for more in [&[][..], &["--set", "training.search=halving"]] {
        let (search, _) = budget_then_replay("100ms", more);
        let cut = |reason| {
            search.candidates.iter().filter_map(|candidate| candidate.cut).filter(move |cut| cut.reason == reason)
        };
        assert!(more.len() == 2 || cut(CutReason::Rank).next().is_none(), "a grid cuts by time alone");
    }
}

#[test]
fn random_candidates_are_those_of_the_seed() {
    let temp = TempRun::new();
    let features = features(&temp, 1_000);
    let random = |name: &str, seed: &str| {
        let out = temp.join(name);
        let seed = format!("seed={seed}");
        let space = "training.random={samples=5, logistic-regression={C={from=0.01, to=100.0, scale=\"log\"}}}";
        train(&features, &out, &["--model", "logistic-regression", "--set", space, "--set", &seed]).ok();
        let parameters = search(&out).candidates.into_iter().map(|candidate| candidate.parameters);
        (parameters.collect::<Vec<_>>(), tree_digests(&out))
    };
    let (first, digests) = random("first", "1");
    assert_eq!(first.len(), 5);
    assert_eq!(random("again", "1").1, digests);
    assert_ne!(random("other", "2").0, first);
}
