//! Artifacts that do not belong together, or are not whole, are not packaged.

use std::collections::BTreeMap;
use std::fs;

use weir_artifact::{Artifact, Draft};
use weir_contract::files::FEATURES;
use weir_contract::{Digest, ExitCode, Family, Representation};
use weir_packaging::{Request, run};
use weir_stage::{Failure, Stage};

use crate::fixture::{Run, WINNER, seal, write_selection, write_training};

fn refusal(request: &Request) -> Failure {
    let failure = run(request, &Stage::silent()).unwrap_err();
    assert!(!request.out.join("manifest.json").exists());
    failure
}

#[test]
fn a_selection_whose_winner_is_in_no_trials_is_refused() {
    let made = Run::new(1.0);
    let mut request = made.request();
    request.trials.remove(1);
    let failure = refusal(&request);
    assert_eq!(failure.code, ExitCode::Input);
    assert!(failure.message.contains(&format!("selected {WINNER} of training artifact ")), "{failure}");
    assert!(failure.message.ends_with("which is in none of the --trials"), "{failure}");
}

#[test]
fn a_part_of_the_compared_trials_is_refused_and_the_rest_named() {
    let made = Run::new(1.0);
    let request = Request { trials: vec![made.path("trials/baseline-decision-tree")], ..made.request() };
    let failure = refusal(&request);
    assert_eq!(failure.code, ExitCode::Input);
    let expected =
        "also compared trials/autoencoder-logistic-regression, trials/baseline-knn, which --trials leaves out";
    assert!(failure.message.ends_with(expected), "{failure}");
}

#[test]
fn trials_made_again_after_the_selection_are_refused() {
    let made = Run::new(1.0);
    let features = Artifact::open(made.path("features")).unwrap().digest();
    let dir = made.path("trials/baseline-decision-tree");
    fs::remove_dir_all(&dir).unwrap();
    write_training(&dir, (Representation::Baseline, Family::Svc), features, &Default::default());
    let failure = refusal(&made.request());
    assert_eq!(failure.code, ExitCode::Input);
    assert!(failure.message.contains("is not among the trials that"), "{failure}");
}

#[test]
fn trials_of_other_features_are_refused() {
    let made = Run::new(1.0);
    let other = Digest::of(b"other features");
    let dir = made.path("trials/baseline-decision-tree");
    write_training(&dir, (Representation::Baseline, Family::DecisionTree), other, &Default::default());
    let trainings: Vec<Artifact> = made.trials().iter().map(|dir| Artifact::open(dir).unwrap()).collect();
    write_selection(&made.path("selection"), &trainings, WINNER.parse().unwrap());
    let failure = refusal(&made.request());
    assert_eq!(failure.code, ExitCode::Input);
    assert!(failure.message.contains(&format!("was trained on features {}", other.short())), "{failure}");
}

#[test]
fn a_changed_byte_in_any_input_is_refused_and_the_file_named() {
    let made = Run::new(1.0);
    for name in [
        "features/statistics.json",
        "selection/selection.json",
        "trials/baseline-decision-tree/best.model",
        "trials/baseline-knn/default.model",
    ] {
        let path = made.path(name);
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        fs::write(&path, flipped).unwrap();
        let failure = refusal(&made.request());
        assert_eq!(failure.code, ExitCode::Input);
        assert!(failure.message.contains(&path.display().to_string()), "{failure}");
        fs::write(&path, whole).unwrap();
    }
}

#[test]
fn directories_in_each_others_place_are_refused() {
    let made = Run::new(1.0);
    let request = Request { features: made.path("selection"), ..made.request() };
    let failure = refusal(&request);
    assert!(failure.message.ends_with("was made by stage selection"), "{failure}");
    assert_eq!(failure.hint.as_deref(), Some("give the artifact of stage features with --features"));
    let request = Request { trials: vec![made.path("features")], ..made.request() };
    assert!(refusal(&request).message.ends_with("was made by stage features"));
}

#[test]
fn the_same_trials_twice_are_wrong_usage() {
    let made = Run::new(1.0);
    let mut request = made.request();
    request.trials.push(request.trials[0].clone());
    let failure = refusal(&request);
    assert_eq!(failure.code, ExitCode::Usage);
    assert!(failure.message.ends_with("both hold trials/baseline-knn"), "{failure}");
}

#[test]
fn features_of_a_newer_format_are_called_newer() {
    let made = Run::new(1.0);
    let dir = made.path("features");
    let old: Vec<(String, Vec<u8>)> = {
        let artifact = Artifact::open(&dir).unwrap();
        artifact.manifest().files.iter().map(|file| (file.path.clone(), artifact.read(&file.path).unwrap())).collect()
    };
    let draft = Draft::begin(&dir).unwrap();
    for (name, bytes) in old {
        let text = String::from_utf8(bytes).unwrap();
        let text = if name == FEATURES { text.replacen("\"format\": 1", "\"format\": 2", 1) } else { text };
        draft.write(&name, text.as_bytes()).unwrap();
    }
    let features = draft.commit(seal("features", BTreeMap::new(), None)).unwrap().digest();
    let key = (Representation::Baseline, Family::DecisionTree);
    let training = write_training(&made.path("trials/baseline-decision-tree"), key, features, &Default::default());
    write_selection(&made.path("selection"), &[training], WINNER.parse().unwrap());
    let request = Request { trials: vec![made.path("trials/baseline-decision-tree")], ..made.request() };
    let failure = refusal(&request);
    assert_eq!(failure.code, ExitCode::Input);
    assert!(failure.message.contains(FEATURES) && failure.message.contains('2'), "{failure}");
    assert!(failure.hint.unwrap().contains("at least as new"));
}

#[test]
fn a_directory_in_use_for_something_else_is_left_alone() {
    let made = Run::new(1.0);
    fs::create_dir(made.path("package")).unwrap();
    fs::write(made.path("package/thesis.tex"), b"x").unwrap();
    assert_eq!(refusal(&made.request()).code, ExitCode::Usage);
    assert!(made.path("package/thesis.tex").exists());
}
