//! Digests of everything a run left.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use weir_contract::Digest;
use weir_contract::files::{REPORT, RUN_INFO};

/// The marker of a writer at work. One that was killed between writing the manifest and removing its marker leaves it
/// beside the artifact, where it means nothing.
const MARKER: &str = ".weir-draft";

/// The SHA-256 of every file below `dir`, manifests included, by its path with `/` between parts.
///
/// Left out is what is outside every digest because it holds what was measured (`run-info.json`, `report.html`), and
/// the marker of a writer.
/// Digests are taken from the bytes on disk, not from manifests. Two runs that left the same have equal maps, and
/// `assert_eq!` names the files that differ.
///
/// # Panics
/// When the directory or a file cannot be read, or a name is not UTF-8.
#[must_use]
pub fn tree_digests(dir: impl AsRef<Path>) -> BTreeMap<String, Digest> {
    let mut digests = BTreeMap::new();
    collect(dir.as_ref(), "", &mut digests);
    digests
}

fn collect(folder: &Path, prefix: &str, digests: &mut BTreeMap<String, Digest>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.unwrap_or_else(|error| panic!("{}: {error}", folder.display())).path();
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.unwrap_or_else(|| panic!("{}: the name is not UTF-8", path.display()));
        if path.is_dir() {
            collect(&path, &format!("{prefix}{name}/"), digests);
        } else if ![RUN_INFO, REPORT, MARKER].contains(&name) {
            let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            digests.insert(format!("{prefix}{name}"), Digest::of(&bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TempRun;

    #[test]
    fn every_file_counts_but_those_with_measurements() {
        let run = TempRun::new();
        run.write("features/train.parquet", "rows");
        run.write("features/manifest.json", "{}");
        run.write("features/run-info.json", "0.3 s");
        run.write("package/report.html", "0.3 s");
        run.write("package/bundle/model.bin", "model");
        let digests = tree_digests(run.path());
        let names: Vec<&str> = digests.keys().map(String::as_str).collect();
        assert_eq!(names, ["features/manifest.json", "features/train.parquet", "package/bundle/model.bin"]);
        assert_eq!(digests["features/train.parquet"], Digest::of(b"rows"));

        run.write("features/run-info.json", "0.4 s");
        assert_eq!(tree_digests(run.path()), digests);
        run.write("features/train.parquet", "rowz");
        assert_ne!(tree_digests(run.path()), digests);
    }
}
