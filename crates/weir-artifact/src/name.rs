//! Names of files inside an artifact: relative, `/` between parts, no way out of the directory.

use weir_contract::files::MANIFEST;

use crate::{ArtifactError, MANIFEST_DRAFT, MARKER, WORK};

/// Checks that `name` stays inside the directory and is not one the artifact needs for itself.
///
/// Manifests come from other machines, so the same check guards writing and reading.
pub(crate) fn check(name: &str) -> Result<&str, ArtifactError> {
    let bad = |reason| Err(ArtifactError::BadName { name: name.to_owned(), reason });
    if matches!(name, MANIFEST | MANIFEST_DRAFT | MARKER | WORK) {
        return bad("the name is reserved");
    }
    if name.contains(['\\', '\0']) {
        return bad("it holds a backslash or a null character");
    }
    if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return bad("it has to be relative, without empty parts, `.` and `..`");
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn names_that_leave_the_directory_or_are_reserved_are_refused() {
        for name in ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/", "./a", "a\\b", "manifest.json", ".weir-draft"] {
            assert!(check(name).is_err(), "{name:?} was accepted");
        }
        for name in ["train.parquet", "bundle/model.onnx", "bundle/manifest.json", "..x"] {
            assert!(check(name).is_ok(), "{name:?} was refused");
        }
    }
}
