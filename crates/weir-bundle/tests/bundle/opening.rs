//! Only a whole bundle of a known format, whose parts belong together, opens.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use weir_bundle::{Bundle, BundleError, FORMAT, files};
use weir_contract::feature;
use weir_contract::{Classify, Digest, ExitCode, Family, Representation};

use crate::fixture::Fixture;

fn fixture() -> Fixture {
    Fixture::of(Representation::Baseline, Family::LogisticRegression)
}

/// A bundle in a directory of its own.
fn written() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    Bundle::write(dir.path(), &fixture().parts()).unwrap();
    dir
}

fn refusal(dir: &Path) -> (String, String) {
    let error = Bundle::open(dir).unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::Input, "{error}");
    (error.to_string(), error.hint().unwrap_or_default())
}

/// Writes a file and the checksums that go with it, as somebody does who edits a bundle.
fn edit(dir: &Path, name: &str, edit: impl FnOnce(String) -> String) {
    let path = dir.join(name);
    fs::write(&path, edit(fs::read_to_string(&path).unwrap())).unwrap();
    let mut lines: Vec<String> = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name != files::SUMS {
            lines.push(format!("{}  {name}\n", Digest::of(&fs::read(entry.path()).unwrap())));
        }
    }
    fs::write(dir.join(files::SUMS), lines.concat()).unwrap();
}

#[test]
fn a_bundle_of_every_family_and_representation_gives_back_its_parts() {
    for &representation in Representation::ALL {
        for &family in Family::ALL {
            let fixture = Fixture::of(representation, family);
            let dir = tempfile::tempdir().unwrap();
            let bundle = Bundle::write(dir.path().join("bundle"), &fixture.parts()).unwrap();
            let info = bundle.info();
            assert_eq!((info.family, info.representation, info.trial), (family, representation, fixture.trial));
            assert_eq!((&info.name, &info.parameters), (&fixture.name, &fixture.parameters));
            assert_eq!((&info.feature_set, &info.provenance), (&"small".to_owned(), &fixture.provenance));
            assert_eq!(bundle.schema(), &fixture.schema);
            assert_eq!(bundle.examples(), &fixture.examples);
            assert_eq!(bundle.detector(), &fixture.detector);
            assert_eq!(bundle.transform(), &fixture.transform);
            assert_eq!(bundle.card(), "# small-detector\n");
        }
    }
}

#[test]
fn the_same_parts_have_the_same_bytes_and_the_checksums_come_last() {
    let files = Bundle::files(&fixture().parts()).unwrap();
    assert_eq!(files, Bundle::files(&fixture().parts()).unwrap());
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[..7], files::REQUIRED);
    assert_eq!(names[7], files::SUMS);
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test has to say so")]
fn coreutils_agrees_with_the_checksums() {
    let dir = written();
    let check = || Command::new("sha256sum").args(["--check", "--strict", files::SUMS]).current_dir(&dir).output();
    let Ok(output) = check() else {
        return eprintln!("SKIPPED: this machine has no sha256sum");
    };
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap().matches(": OK\n").count(), 7);
    fs::write(dir.path().join(files::CARD), "# another\n").unwrap();
    assert!(!check().unwrap().status.success());
}

#[test]
fn a_flipped_byte_in_any_file_is_found_and_the_file_named() {
    let dir = written();
    for name in files::REQUIRED {
        let path = dir.path().join(name);
        let whole = fs::read(&path).unwrap();
        for place in [0, whole.len() / 2, whole.len() - 1] {
            let mut flipped = whole.clone();
            flipped[place] ^= 1;
            fs::write(&path, flipped).unwrap();
            let (message, hint) = refusal(dir.path());
            assert!(message.starts_with(&format!("{} was changed: its SHA-256 is ", path.display())), "{message}");
            assert_eq!(hint, "fetch the bundle again, or package it again");
        }
        fs::write(&path, whole).unwrap();
    }
    Bundle::open(dir.path()).unwrap();
}

#[test]
fn a_flipped_byte_in_the_checksums_is_found() {
    let dir = written();
    let path = dir.path().join(files::SUMS);
    let whole = fs::read(&path).unwrap();
    for place in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[place] ^= 1;
        fs::write(&path, flipped).unwrap();
        assert_eq!(Bundle::open(dir.path()).unwrap_err().exit_code(), ExitCode::Input, "byte {place}");
    }
}

#[test]
fn a_missing_file_is_named() {
    for name in files::REQUIRED {
        let dir = written();
        fs::remove_file(dir.path().join(name)).unwrap();
        let (message, _) = refusal(dir.path());
        let path = dir.path().join(name);
        assert_eq!(message, format!("{} is missing, so the bundle is not whole", path.display()));
    }
}

#[test]
fn a_required_file_that_is_neither_there_nor_listed_is_named() {
    let dir = written();
    fs::remove_file(dir.path().join(files::CARD)).unwrap();
    edit(dir.path(), files::INFO, |text| text);
    assert!(refusal(dir.path()).0.ends_with("it does not list MODEL_CARD.md, which every bundle holds"));
}

#[test]
fn files_and_folders_that_are_not_listed_are_refused() {
    let dir = written();
    for name in ["model.pkl", ".hidden"] {
        fs::write(dir.path().join(name), b"x").unwrap();
        let message = refusal(dir.path()).0;
        let path = dir.path().join(name);
        assert_eq!(message, format!("{} does not belong to the bundle: SHA256SUMS does not list it", path.display()));
        fs::remove_file(path).unwrap();
    }
    fs::create_dir(dir.path().join("sub")).unwrap();
    assert!(refusal(dir.path()).0.contains("sub does not belong to the bundle"));
}

#[test]
fn a_listed_file_of_another_purpose_is_checked_and_left_alone() {
    let dir = written();
    fs::write(dir.path().join("model.onnx"), b"onnx").unwrap();
    edit(dir.path(), files::INFO, |text| text);
    Bundle::open(dir.path()).unwrap();
    fs::write(dir.path().join("model.onnx"), b"onns").unwrap();
    assert!(refusal(dir.path()).0.contains("model.onnx was changed"));
}

#[cfg(unix)]
#[test]
fn a_link_is_refused() {
    let dir = written();
    let path = dir.path().join(files::CARD);
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", &path).unwrap();
    assert!(refusal(dir.path()).0.ends_with("a bundle holds plain files only, no links and no folders"));
}

#[test]
fn a_newer_format_is_refused_with_both_versions() {
    let known = [
        (files::INFO, FORMAT),
        (files::TRANSFORM, weir_transform::transform::FORMAT),
        (files::FEATURES, feature::FORMAT),
        (files::EXAMPLES, feature::FORMAT),
        (files::SIGNATURE, FORMAT),
    ];
    for (name, known) in known {
        let dir = written();
        let newer = known + 1;
        let format = |format: u32| format!("\"format\": {format}");
        edit(dir.path(), name, |text| text.replacen(&format(known), &format(newer), 1));
        let (message, hint) = refusal(dir.path());
        let path = dir.path().join(name);
        assert_eq!(
            message,
            format!(
                "{} has format {newer}, newer than format {known}, the newest that this build reads",
                path.display()
            )
        );
        assert_eq!(hint, "use a build of weir at least as new as the one that wrote it");
    }
}

#[test]
fn a_newer_bundle_is_called_newer_whatever_else_changed_in_it() {
    let dir = written();
    edit(dir.path(), files::INFO, |_| "{\"format\": 9, \"model\": \"forest\"}".to_owned());
    assert!(matches!(Bundle::open(dir.path()), Err(BundleError::Newer { found: 9, known: FORMAT, .. })));
}

#[test]
fn parts_of_different_bundles_do_not_open_together() {
    let edits: [(&str, &str, &str, &str); 7] = [
        (files::INFO, "logistic-regression", "svc", "bundle.json does not fit the other files"),
        (files::INFO, "\"probability\"", "\"decision\"", "it names another kind of score"),
        (
            files::INFO,
            "\"positive_class\": \"malicious\"",
            "\"positive_class\": \"benign\"",
            "class 0 has to be benign",
        ),
        (files::FEATURES, "\"name\": \"rate\"", "\"name\": \"speed\"", "its features are not those of the transform"),
        (files::FEATURES, "\"feature_set\": \"small\"", "\"feature_set\": \"large\"", "the transform is \"small\""),
        (files::SIGNATURE, "\"name\": \"rate\"", "\"name\": \"speed\"", "its inputs are not the features"),
        (files::TRANSFORM, "bytes / duration_ns", "duration_ns / bytes", "it was written for a transform.json with"),
    ];
    for (name, from, to, expected) in edits {
        let dir = written();
        edit(dir.path(), name, |text| {
            assert!(text.contains(from), "{name} does not hold {from}");
            text.replace(from, to)
        });
        let (message, _) = refusal(dir.path());
        assert!(message.contains(expected), "{name}: {message}");
    }
}

#[test]
fn a_detector_of_another_bundle_is_refused() {
    let dir = written();
    let other = Fixture::of(Representation::Baseline, Family::Knn).detector.to_bytes();
    fs::write(dir.path().join(files::DETECTOR), other).unwrap();
    edit(dir.path(), files::INFO, |text| text);
    assert!(refusal(dir.path()).0.contains("bundle.json does not fit the other files of the bundle"));
}

/// The examples are a proof carried along: a build whose transform computes anything else must not serve the bundle.
#[test]
fn examples_whose_features_this_build_does_not_compute_are_refused() {
    let mut fixture = fixture();
    let value = &mut fixture.examples.examples[1].features[0];
    *value = f64::from_bits(value.to_bits() + 1);
    let error = Bundle::files(&fixture.parts()).unwrap_err();
    assert!(error.to_string().starts_with("input-example.json does not fit"), "{error}");
    assert!(error.to_string().contains("feature bytes of example 1 is "), "{error}");
    assert!(error.hint().unwrap().contains("the build of weir that computed its features"));
}

#[test]
fn no_bundle_is_written_that_would_not_open() {
    let mut fixture = fixture();
    fixture.trial.family = Family::Knn;
    assert!(matches!(Bundle::files(&fixture.parts()), Err(BundleError::Disagree { .. })));
}

#[test]
fn a_directory_without_bundle_says_where_one_is() {
    let dir = tempfile::tempdir().unwrap();
    let (message, hint) = refusal(dir.path());
    assert!(message.ends_with("holds no bundle: there is no SHA256SUMS in it"), "{message}");
    assert_eq!(hint, "name the folder `bundle` that packaging wrote");
    Bundle::write(dir.path().join("bundle"), &fixture().parts()).unwrap();
    let (_, hint) = refusal(dir.path());
    assert_eq!(hint, format!("did you mean {}?", dir.path().join("bundle").display()));
}

#[test]
fn a_directory_in_use_is_not_written_to() {
    let dir = written();
    let error = Bundle::write(dir.path(), &fixture().parts()).unwrap_err();
    assert!(matches!(error, BundleError::NotEmpty { .. }));
    assert_eq!(error.exit_code(), ExitCode::Usage);
}
