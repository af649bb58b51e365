//! What the stage reads, writes and refuses.

use std::fs;
use std::path::Path;

use weir_artifact::{Draft, Expectation};
use weir_blocklist::detect::{Logs, STAGE};
use weir_blocklist::out;
use weir_contract::ExitCode;
use weir_contract::files::{BLOCKED_IPS, MANIFEST};

use super::{detected, files, line, request};

/// Twenty visitors and a client that asks 60 times a second.
fn flood() -> String {
    let visit = |host: u32| {
        (0..9).map(move |n| line(&format!("192.0.2.{host}"), n * 60, &format!("/page/{n}"), 200, "browser"))
    };
    let mut lines: Vec<String> = (1..=20).flat_map(visit).collect();
    lines.extend((0..1_200u32).map(|n| line("2001:db8::bad", 1_800 + n / 60, "/", 200, "tool")));
    lines.concat()
}

fn written(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join(name)).unwrap()
}

#[test]
fn the_artifact_holds_the_list_in_every_form_and_is_the_same_again() {
    let dir = tempfile::tempdir().unwrap();
    let (log, out) = (dir.path().join("access.log"), dir.path().join("detection"));
    fs::write(&log, flood()).unwrap();
    let request = request(&[&log], &out);
    let (first, detection) = detected(&request).unwrap();
    assert_eq!(detection.listed.len(), 1, "{}", detection.reason);

    assert_eq!(written(&out, BLOCKED_IPS), "2001:db8::bad\n");
    assert!(written(&out, out::DECISIONS).contains("\"duration\": \"1h0m0s\""), "{}", written(&out, out::DECISIONS));
    assert!(written(&out, out::NFTABLES).contains("2001:db8::bad timeout 3600s"));
    assert!(written(&out, out::IPSET).contains("2001:db8::bad timeout 3600"));
    assert!(written(&out, out::NETWORK_POLICY).contains("- 2001:db8::bad/128"));
    assert!(written(&out, out::CILIUM_NETWORK_POLICY).contains("- 2001:db8::bad/128"));
    assert!(written(&out, "report.html").contains("2001:db8::bad"));
    let manifest = first.artifact.manifest();
    assert_eq!(manifest.stage, STAGE);
    assert_eq!(manifest.rows["requests"], 1_380);
    assert_eq!(manifest.inputs["log/0"], weir_contract::Digest::of(flood().as_bytes()));

    let (again, _) = detected(&request).unwrap();
    assert_eq!(again.artifact.digest(), first.artifact.digest());
}

#[test]
fn requests_outside_the_time_do_not_count() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("access.log");
    fs::write(&log, flood()).unwrap();
    let mut request = request(&[&log], &dir.path().join("detection"));
    // 2026-11-21T08:30:00Z, when the flood begins.
    request.until = Some(1_795_249_800);
    let (_, detection) = detected(&request).unwrap();
    assert_eq!((detection.log.requests, detection.log.outside), (180, 1_200));
    assert!(detection.listed.is_empty(), "{}", detection.reason);
}

#[test]
fn logs_of_an_artifact_are_read_in_any_order_and_not_again() {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    let flood = flood();
    let (early, late) = flood.split_at(flood.find("2001:db8::bad").unwrap());
    let draft = Draft::begin(&logs).unwrap();
    draft.write("logs/0000-access.log", late.as_bytes()).unwrap();
    draft.write("logs/0001-access.log.1", early.as_bytes()).unwrap();
    let fetched = |stage: &str| Expectation {
        stage: stage.to_owned(),
        build: "test".to_owned(),
        inputs: [].into(),
        parameters: serde_json::Value::Null,
        seed: None,
    };
    let artifact = draft.commit(fetched("block-fetch").seal([].into())).unwrap();
    let mut request = request(&[], &dir.path().join("detection"));
    request.logs = Logs::Artifact(logs.clone());
    let (first, detection) = detected(&request).unwrap();
    assert_eq!((detection.log.requests, detection.listed.len()), (1_380, 1));
    assert!(detection.log.sources[0].ends_with("access.log.1"), "{:?}", detection.log.sources);
    assert_eq!(first.artifact.manifest().inputs["logs"], artifact.digest());
    assert!(!first.skipped && detected(&request).unwrap().0.skipped);
    request.params.limit = 50;
    assert!(!detected(&request).unwrap().0.skipped, "other parameters are another detection");

    let other = Draft::begin(&logs).unwrap().commit(fetched("features").seal([].into())).unwrap();
    let failure = detected(&request).unwrap_err();
    assert_eq!(failure.code, ExitCode::Input);
    assert_eq!(failure.message, format!("{} was made by stage features", other.dir().display()));
}

#[test]
fn what_is_no_access_log_is_refused_and_an_earlier_detection_stays() {
    let dir = tempfile::tempdir().unwrap();
    let (log, out) = (dir.path().join("access.log"), dir.path().join("detection"));
    fs::write(&log, flood()).unwrap();
    detected(&request(&[&log], &out)).unwrap();
    let before = written(&out, MANIFEST);
    fs::write(&log, "[error] this is another log\n".repeat(300)).unwrap();
    for path in [log.as_path(), Path::new("/nowhere/access.log")] {
        let failure = detected(&request(&[path], &out)).unwrap_err();
        assert_eq!(failure.code, ExitCode::Input);
        assert!(failure.message.contains(path.to_str().unwrap()), "{}", failure.message);
    }
    assert_eq!(written(&out, MANIFEST), before);
    let mut wrong = request(&[&log], &out);
    wrong.params.client_field = "first".to_owned();
    assert_eq!(detected(&wrong).unwrap_err().code, ExitCode::Usage);
    assert_eq!(files(&out).len(), 10);
}
