//! A writer stopped after every single change on disk, and started again, ends with the same bytes.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::json;
use weir_contract::{Classify, Digest, ExitCode, Seed};

use crate::checkpoint::{self, Checkpoint};
use crate::{Artifact, ArtifactError, Draft, Expectation};

fn expectation() -> Expectation {
    Expectation {
        stage: "features".to_owned(),
        build: "b1".to_owned(),
        inputs: BTreeMap::from([("flows/0".to_owned(), Digest::of(b"flows"))]),
        // 17 significant digits: the hardest to read back to the last bit.
        parameters: json!({"share": 0.7, "rate": 5.551_115_123_125_783e-17}),
        seed: Some(Seed(42)),
    }
}

/// The whole life of a draft, with a possible stop after every change on disk.
fn run(dir: &Path, done: Checkpoint<'_>) -> Result<Artifact, ArtifactError> {
    let mut draft = Draft::begin_with(dir, done)?;
    draft.write("train.parquet", b"rows")?;
    done("first file written")?;
    draft.write_json("bundle/features.json", &json!({"b": 1, "a": [0.1]}))?;
    done("second file written")?;
    draft.write_unsealed("run-info.json", b"{}")?;
    done("run info written")?;
    draft.commit_with(expectation().seal(BTreeMap::from([("train".to_owned(), 4)])), done)
}

fn contents(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let tree = crate::tree::walk(dir).unwrap();
    tree.files.into_iter().map(|(name, path)| (name, fs::read(path).unwrap())).collect()
}

/// Stops the run over what `prepare` left, at each step in turn, then runs it again to the end.
fn stopped_anywhere_then_run_again(prepare: impl Fn(&Path)) {
    let reference = tempfile::tempdir().unwrap();
    let expected = run(reference.path(), &mut checkpoint::pass).unwrap();
    let mut stops = 0;
    loop {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("features");
        prepare(&dir);
        let before = Artifact::open(&dir).ok().map(|artifact| artifact.digest());
        let mut left = stops;
        let mut at = None;
        let stopped = run(&dir, &mut |step| {
            if left > 0 {
                left -= 1;
                return Ok(());
            }
            at = Some(step);
            Err(ArtifactError::Io { action: "write", path: dir.clone(), source: io::ErrorKind::StorageFull.into() })
        });
        // What a reader sees after the stop is nothing, the old artifact untouched, or the new one whole.
        if let Ok(seen) = Artifact::open(&dir) {
            assert!(Some(seen.digest()) == before || seen.digest() == expected.digest(), "at {at:?}");
            seen.verify().unwrap_or_else(|error| panic!("at {at:?}: {error}"));
        }
        let finished = stopped.is_ok();
        let again = run(&dir, &mut checkpoint::pass).unwrap_or_else(|error| panic!("after {at:?}: {error}"));
        assert_eq!(again.digest(), expected.digest(), "after {at:?}");
        assert_eq!(contents(&dir), contents(reference.path()), "after {at:?}");
        if finished {
            break;
        }
        stops += 1;
    }
    assert!(stops >= 11, "only {stops} stops were tried");
}

#[test]
fn a_first_run_stopped_anywhere_ends_with_the_same_bytes_when_run_again() {
    stopped_anywhere_then_run_again(|_| {});
}

#[test]
fn a_run_over_an_older_artifact_stopped_anywhere_ends_with_the_same_bytes_when_run_again() {
    stopped_anywhere_then_run_again(|dir| {
        let draft = Draft::begin(dir).unwrap();
        draft.write("old/left.parquet", b"old").unwrap();
        draft.write("train.parquet", b"old rows").unwrap();
        draft.commit(Expectation { build: "b0".to_owned(), ..expectation() }.seal(BTreeMap::new())).unwrap();
    });
}

#[test]
fn after_the_manifest_is_gone_nothing_of_the_old_artifact_counts() {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), &mut checkpoint::pass).unwrap();
    let full = |step: &'static str| match step {
        "manifest removed" => {
            Err(ArtifactError::Io { action: "x", path: "x".into(), source: io::ErrorKind::StorageFull.into() })
        }
        _ => Ok(()),
    };
    let error = run(dir.path(), &mut { full }).unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::Retry);
    assert!(dir.path().join("train.parquet").exists());
    assert!(Artifact::open_current(dir.path(), &expectation()).unwrap().is_none());
}
