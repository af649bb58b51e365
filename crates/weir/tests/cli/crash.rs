//! Killed at any moment and started again, a run ends with the same bytes.

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use weir_testkit::{TempRun, tree_digests};

use crate::{SMALL, flows, text, weir};

/// Kills that are spread over the time of an undisturbed run, at moments no stage knows of.
const KILLS: u32 = 12;

#[test]
fn kill_nine_at_any_moment_then_again_gives_the_digests_of_an_undisturbed_run() {
    let temp = TempRun::new();
    let data = flows(&temp, 3_000);
    let undisturbed = temp.join("undisturbed");
    let args = |out: &str| ["run", "--data", text(&data), "--out", out].map(str::to_owned);
    let begin = Instant::now();
    weir(args(text(&undisturbed)).iter().map(String::as_str).chain(SMALL)).ok();
    let mut span = begin.elapsed();

    let out = temp.join("killed");
    let mut kills = 0;
    for attempt in 1.. {
        assert!(attempt < 100, "only {kills} of {KILLS} runs were killed before they ended");
        // What was finished is kept, so later runs are shorter: `--force` makes each one do all its work again.
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        command.args(args(text(&out))).args(SMALL).arg("--force").stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        sleep(span * (attempt % KILLS) / KILLS);
        child.kill().unwrap();
        match child.wait().unwrap().success() {
            // The machine is less busy than it was: shorter waits from here on.
            true => span = span * 3 / 4,
            false => kills += 1,
        }
        for stage in ["features", "selection", "package"] {
            let dir = out.join(stage);
            if dir.join("manifest.json").exists() {
                weir_artifact::Artifact::open(&dir).unwrap().verify().unwrap();
            }
        }
        if kills == KILLS {
            break;
        }
    }
    weir(args(text(&out)).iter().map(String::as_str).chain(SMALL)).ok();
    assert_eq!(tree_digests(&out), tree_digests(&undisturbed));
}

#[test]
fn ctrl_c_ends_with_130_and_the_next_run_goes_on() {
    let temp = TempRun::new();
    let data = flows(&temp, 18_000);
    let out = temp.join("run");
    let args = ["run", "--data", text(&data), "--out", text(&out), "--models", "svc"];
    let mut child = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(args)
        .args(["--representations", "baseline"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !out.join("features/manifest.json").exists() {
        assert!(Instant::now() < deadline, "the stage features never ended");
        sleep(Duration::from_millis(5));
    }
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
    let code = child.wait().unwrap().code();
    assert_eq!(code, Some(130));
    assert!(!out.join("trials/baseline-svc/manifest.json").exists());

    let again = weir(args.into_iter().chain(["--representations", "baseline"]).chain(SMALL)).ok();
    assert!(again.stderr.contains("features") && again.stderr.contains("unchanged"), "{}", again.stderr);
}
