//! The program as its caller sees it: exit code, stdout, stderr.

use std::process::Command;

use crate::fixture::Run;

fn packaging(made: &Run, more: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir-packaging"));
    command.env_remove("ARGO_PROGRESS_FILE").current_dir(made.root.path());
    command.args(["--features", "features", "--selection", "selection", "--out", "package", "--trials"]);
    let output = command.args(made.trials()).args(more).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn text_is_the_two_paths_and_json_has_the_digests() {
    let made = Run::new(1.0);
    let (code, stdout, stderr) = packaging(&made, &[]);
    assert_eq!((code, stdout.as_str()), (0, "package/bundle\npackage/report.html\n"), "{stderr}");
    let (code, stdout, _) = packaging(&made, &["--json"]);
    assert_eq!(code, 0);
    let value: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let package = weir_artifact::Artifact::open(made.path("package")).unwrap();
    assert_eq!(value["digest"], package.digest().to_string());
    let bundle = weir_bundle::Bundle::open(made.path("package/bundle")).unwrap();
    assert_eq!(value["bundle_digest"], bundle.digest().to_string());
    assert_eq!((&value["skipped"], &value["bundle"]), (&true.into(), &"package/bundle".into()));
}

#[test]
fn wrong_parameters_end_with_2_and_wrong_inputs_with_3() {
    let made = Run::new(1.0);
    let (code, _, stderr) = packaging(&made, &["--set", "packaging.name=Big"]);
    assert!(code == 2 && stderr.contains("packaging.name"), "{code} {stderr}");
    std::fs::remove_file(made.path("selection/manifest.json")).unwrap();
    let (code, _, stderr) = packaging(&made, &[]);
    assert!(code == 3 && stderr.contains("selection"), "{code} {stderr}");
}

#[test]
fn without_arguments_the_run_directory_is_packaged() {
    let made = Run::new(1.0);
    std::fs::create_dir(made.path("weir-run")).unwrap();
    for name in ["features", "selection", "trials"] {
        std::fs::rename(made.path(name), made.path("weir-run").join(name)).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir-packaging"));
    let output = command.env_remove("ARGO_PROGRESS_FILE").current_dir(made.root.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let package = weir_artifact::Artifact::open(made.path("weir-run/package")).unwrap();
    assert_eq!(package.manifest().inputs.keys().filter(|role| role.starts_with("trials/")).count(), 3);
}
