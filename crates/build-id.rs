// The build id of a stage: a hash over everything its code is made of, so that a stage runs again when, and only
// when, what computes it changed. A stage crate's build.rs is a doc comment and `include!("../build-id.rs");`; the
// crate then reads `env!("WEIR_BUILD_ID")`.
//
// Hashed are the files of the crate and, recursively, of the workspace crates in its `[dependencies]` (all but
// tests, benches and examples), and of each third-party package among them its entry in Cargo.lock and its line
// in the workspace manifest; then the profiles of that manifest, the compiler's version, its flags and the target.
// Paths count relative to the workspace: where it lies does not matter.
// No dependencies, so that build scripts stay fast: the hash is FNV-1a with 128 bits. It guards against forgotten
// changes, not against forgery; contents of artifacts are under SHA-256.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Folders of a crate that its library and binary are not made of.
const NOT_BUILT: [&str; 4] = ["tests", "benches", "examples", "target"];

fn main() {
    let folder = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let crates = folder.parent().expect("the crate lies in the folder of crates");
    let name = folder.file_name().and_then(|name| name.to_str()).expect("the crate's folder has its name");
    let build = Build::of(crates, name, &toolchain());
    println!("cargo:rustc-env=WEIR_BUILD_ID={}", build.id);
    for path in build.watched {
        println!("cargo:rerun-if-changed={}", path.display());
    }
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
        println!("cargo:rerun-if-env-changed={name}");
    }
}

/// What compiles: version of rustc, target, flags.
fn toolchain() -> Vec<String> {
    let rustc = std::env::var_os("RUSTC").expect("cargo sets RUSTC");
    let version = std::process::Command::new(&rustc).arg("-vV").output();
    let version = version.unwrap_or_else(|error| panic!("{} -vV: {error}", rustc.display())).stdout;
    let target = std::env::var("TARGET").expect("cargo sets TARGET");
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    vec![String::from_utf8_lossy(&version).into_owned(), target, flags]
}

/// A build id, and the files and folders it has to be computed again for.
struct Build {
    id: String,
    watched: Vec<PathBuf>,
}

impl Build {
    /// The build of crate `name` in the folder `crates` of a workspace by a toolchain.
    fn of(crates: &Path, name: &str, toolchain: &[String]) -> Self {
        let root = crates.parent().expect("the folder of crates lies in the workspace");
        let (members, packages) = used(crates, name);
        let mut hash = Fnv::default();
        let mut watched = vec![crates.join("build-id.rs"), root.join("Cargo.toml"), root.join("Cargo.lock")];
        for member in &members {
            let folder = crates.join(member);
            let mut files = Vec::new();
            for path in list(&folder) {
                if !NOT_BUILT.iter().any(|name| path.ends_with(name)) {
                    collect(&path, &mut files);
                    watched.push(path);
                }
            }
            for path in files {
                let name = path.strip_prefix(crates).expect("the file was listed there").to_string_lossy();
                hash.piece(name.as_bytes());
                hash.piece(&fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
            }
        }
        for text in third_party(root, &packages).iter().chain(toolchain) {
            hash.piece(text.as_bytes());
        }
        watched.retain(|path| path.exists());
        Self { id: format!("{:032x}", hash.0), watched }
    }
}

/// The workspace crates that `name` is made of, itself included, and the other packages they name.
fn used(crates: &Path, name: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut members, mut packages) = (BTreeSet::new(), BTreeSet::new());
    let mut open = vec![name.to_owned()];
    while let Some(name) = open.pop() {
        let manifest = crates.join(&name).join("Cargo.toml");
        match fs::read_to_string(&manifest) {
            Ok(text) if members.insert(name.clone()) => open.extend(dependencies(&text)),
            Ok(_) => {}
            Err(_) => drop(packages.insert(name)),
        }
    }
    (members, packages)
}

/// The names under `[dependencies]` of a manifest.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut inside = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            inside = header == "dependencies" || header.starts_with("target.") && header.ends_with(".dependencies");
            names.extend(header.strip_prefix("dependencies.").map(str::to_owned));
        } else if inside && !line.starts_with('#') {
            let end = line.find(['.', '=', ' ']).unwrap_or(0);
            names.extend((end > 0).then(|| line[..end].to_owned()));
        }
    }
    names
}

/// The lines of the workspace manifest that are about `packages`, however many each takes, or that are in a profile.
fn workspace_lines(manifest: &str, packages: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    let (mut in_section, mut taken, mut open_brackets) = (false, false, 0);
    for line in manifest.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if open_brackets == 0 {
            if line.starts_with('[') {
                let header = line.trim_matches(['[', ']']);
                let table = header.split_once("dependencies.").map(|(_, name)| name);
                in_section = header.starts_with("profile.") || table.is_some_and(|name| packages.contains(name));
            }
            let name = line.split_once(['=', '.']).map(|(name, _)| name.trim());
            taken = in_section || name.is_some_and(|name| packages.contains(name));
        }
        found.extend(taken.then(|| line.to_owned()));
        open_brackets += line.matches(['[', '{']).count() as i64 - line.matches([']', '}']).count() as i64;
    }
    found
}

/// What the workspace says of `packages` and of all they depend on: lines of its manifest, entries of its lock file.
fn third_party(root: &Path, packages: &BTreeSet<String>) -> Vec<String> {
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let mut found = workspace_lines(&manifest, packages);

    let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap_or_default();
    let mut entries: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for entry in lock.split("[[package]]").skip(1) {
        let name = entry.lines().find_map(|line| line.strip_prefix("name = ")).unwrap_or_default();
        entries.entry(name.trim_matches('"')).or_default().push(entry.trim());
    }
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = packages.iter().map(String::as_str).collect();
    while let Some(name) = open.pop() {
        if seen.insert(name) {
            for entry in entries.get(name).into_iter().flatten() {
                // A dependency reads ` "name",` or, when there are several versions, ` "name version",`.
                let dependencies = entry.lines().filter_map(|line| line.strip_prefix(" \""));
                open.extend(dependencies.filter_map(|line| line.split([' ', '"']).next()));
            }
        }
    }
    found.extend(seen.iter().flat_map(|name| entries.get(name).into_iter().flatten()).map(|entry| (*entry).to_owned()));
    found
}

/// All files at or below `path`, sorted.
fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        list(path).iter().for_each(|path| collect(path, files));
    } else {
        files.push(path.to_owned());
    }
}

/// What is in a folder, sorted, without hidden files.
fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let hidden = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with('.');
    let mut paths: Vec<PathBuf> =
        entries.filter_map(Result::ok).filter(|entry| !hidden(entry)).map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// FNV-1a with 128 bits; constants of draft-eastlake-fnv.
struct Fnv(u128);

impl Default for Fnv {
    fn default() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }
}

impl Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }

    /// Adds bytes with their length, so that no two sequences of pieces read the same.
    fn piece(&mut self, bytes: &[u8]) {
        self.write(&(bytes.len() as u64).to_le_bytes());
        self.write(bytes);
    }
}
