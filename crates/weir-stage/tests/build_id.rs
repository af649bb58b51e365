//! What changes the build id of a stage, and what does not.

use std::fs;
use std::path::Path;

#[expect(dead_code, clippy::print_stdout, reason = "its main is for cargo and build scripts")]
mod build_id {
    include!("../../build-id.rs");

    pub(crate) fn build(crates: &std::path::Path, name: &str) -> String {
        Build::of(crates, name, &[]).id
    }

    pub(crate) fn id_by(root: &std::path::Path, toolchain: [&str; 3]) -> String {
        Build::of(&root.join("crates"), "weir-stage-a", &toolchain.map(str::to_owned)).id
    }

    pub(crate) fn id(root: &std::path::Path) -> String {
        build(&root.join("crates"), "weir-stage-a")
    }

    pub(crate) fn watched(root: &std::path::Path) -> Vec<String> {
        let watched = Build::of(&root.join("crates"), "weir-stage-a", &[]).watched;
        watched.iter().map(|path| path.strip_prefix(root).unwrap().display().to_string()).collect()
    }

    pub(crate) fn fnv(bytes: &[u8]) -> u128 {
        let mut hash = Fnv::default();
        hash.write(bytes);
        hash.0
    }
}

const FILES: [(&str, &str); 12] = [
    ("Cargo.toml", "[workspace.dependencies]\nserde = \"1\"\ntempfile = \"3\"\n"),
    (
        "Cargo.lock",
        "[[package]]\nname = \"serde\"\nversion = \"1.0.1\"\ndependencies = [\n \"itoa\",\n]\n\n\
         [[package]]\nname = \"itoa\"\nversion = \"1.0.2\"\n\n[[package]]\nname = \"tempfile\"\nversion = \"3.0.3\"\n",
    ),
    ("crates/build-id.rs", ""),
    (
        "crates/weir-stage-a/Cargo.toml",
        "[package]\nname = \"weir-stage-a\"\n[dependencies]\nserde.workspace = true\nweir-lib.workspace = true\n\
         [dev-dependencies]\ntempfile.workspace = true\nweir-dev.workspace = true\n",
    ),
    ("crates/weir-stage-a/src/main.rs", "fn main() {}"),
    ("crates/weir-stage-a/src/page.html", "<p>"),
    ("crates/weir-stage-a/tests/test.rs", "// test"),
    ("crates/weir-lib/Cargo.toml", "[dependencies]\nweir-deep = { workspace = true }\n"),
    ("crates/weir-lib/src/lib.rs", "// lib"),
    ("crates/weir-deep/Cargo.toml", "[package]"),
    ("crates/weir-deep/src/deep/lib.rs", "// deep"),
    ("crates/weir-dev/Cargo.toml", "[package]"),
];

fn workspace() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in FILES {
        write(root.path(), path, text);
    }
    root
}

fn write(root: &Path, path: &str, text: &str) {
    fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
    fs::write(root.join(path), text).unwrap();
}

/// Whether writing `text` to `path` changes the build id.
fn matters(path: &str, text: &str) -> bool {
    let root = workspace();
    let before = build_id::id(root.path());
    write(root.path(), path, text);
    build_id::id(root.path()) != before
}

#[test]
fn the_sources_of_the_crate_and_of_what_it_uses_matter() {
    assert!(matters("crates/weir-stage-a/src/main.rs", "fn main() { run() }"));
    assert!(matters("crates/weir-stage-a/src/page.html", "<b>"));
    assert!(matters("crates/weir-stage-a/src/new.rs", ""));
    assert!(matters("crates/weir-stage-a/Cargo.toml", "[package]"));
    assert!(matters("crates/weir-lib/src/lib.rs", "// other"));
    assert!(matters("crates/weir-deep/src/deep/lib.rs", "// other"));
}

#[test]
fn tests_and_crates_that_it_does_not_use_do_not_matter() {
    assert!(!matters("crates/weir-stage-a/tests/test.rs", "// other"));
    assert!(!matters("crates/weir-stage-a/benches/bench.rs", "// new"));
    assert!(!matters("crates/weir-stage-a/src/.main.rs.swp", "editor"));
    assert!(!matters("crates/weir-dev/Cargo.toml", "[lib]"));
    assert!(!matters("crates/weir-new/src/lib.rs", "// new"));
    assert!(!matters("README.md", "# Weir"));
}

#[test]
fn versions_and_features_of_the_packages_it_uses_matter_and_no_others() {
    let lock = FILES[1].1;
    assert!(matters("Cargo.lock", &lock.replace("1.0.1", "1.0.9")));
    assert!(matters("Cargo.lock", &lock.replace("1.0.2", "1.0.9")));
    assert!(!matters("Cargo.lock", &lock.replace("3.0.3", "3.0.9")));
    let manifest = FILES[0].1;
    assert!(matters("Cargo.toml", &manifest.replace("serde = \"1\"", "serde = { version = \"1\", features = [] }")));
    assert!(!matters("Cargo.toml", &manifest.replace("tempfile = \"3\"", "tempfile = \"4\"")));
}

#[test]
fn a_dependency_over_several_lines_matters_to_its_last_line() {
    let spread =
        "[workspace.dependencies]\nserde = { version = \"1\", features = [\n  \"derive\",\n] }\ntempfile = \"3\"\n";
    let table = "[workspace.dependencies.serde]\nversion = \"1\"\nfeatures = [\"derive\"]\n[workspace.dependencies.tempfile]\nversion = \"3\"\n";
    for manifest in [spread, table] {
        let id = |manifest: &str| {
            let root = workspace();
            write(root.path(), "Cargo.toml", manifest);
            build_id::id(root.path())
        };
        assert_ne!(id(manifest), id(&manifest.replace("derive", "rc")));
        assert_eq!(id(manifest), id(&manifest.replace("\"3\"", "\"4\"")));
    }
}

#[test]
fn profile_compiler_target_and_flags_matter() {
    let manifest = format!("{}[profile.release]\ndebug = false\n", FILES[0].1);
    assert!(matters("Cargo.toml", &manifest));
    let root = workspace();
    let id = |toolchain| build_id::id_by(root.path(), toolchain);
    let here = id(["rustc 1.95.0", "x86_64-unknown-linux-gnu", ""]);
    assert_eq!(here, id(["rustc 1.95.0", "x86_64-unknown-linux-gnu", ""]));
    assert_ne!(here, id(["rustc 1.96.0", "x86_64-unknown-linux-gnu", ""]));
    assert_ne!(here, id(["rustc 1.95.0", "aarch64-unknown-linux-gnu", ""]));
    assert_ne!(here, id(["rustc 1.95.0", "x86_64-unknown-linux-gnu", "-Ctarget-cpu=native"]));
}

#[test]
fn the_place_of_the_workspace_does_not_matter() {
    let (one, other) = (workspace(), workspace());
    assert_eq!(build_id::id(one.path()), build_id::id(other.path()));
    assert_eq!(build_id::id(one.path()).len(), 32);
}

#[test]
fn what_matters_is_watched() {
    let root = workspace();
    let watched = build_id::watched(root.path());
    let crates = |name: &str| [format!("crates/{name}/Cargo.toml"), format!("crates/{name}/src")];
    let mut expected = vec!["crates/build-id.rs".to_owned(), "Cargo.toml".to_owned(), "Cargo.lock".to_owned()];
    for name in ["weir-deep", "weir-lib", "weir-stage-a"] {
        expected.extend(crates(name));
    }
    assert_eq!(watched, expected);
}

#[test]
fn every_stage_of_this_workspace_has_its_own_id() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut ids = ["weir-features", "weir-training", "weir-selection", "weir-packaging"]
        .map(|name| build_id::build(crates, name));
    ids.sort();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
}

#[test]
fn the_hash_is_fnv_1a_with_128_bits() {
    // Test vectors of draft-eastlake-fnv, appendix C: the empty string and "a".
    assert_eq!(build_id::fnv(b""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
    assert_eq!(build_id::fnv(b"a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
}
