//! The directories that `--trials` stands for.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use weir_contract::files::MANIFEST;

use crate::Failure;

/// The directories `given` with `--trials`; where none are, every directory in `folder` that holds a manifest, sorted.
///
/// # Errors
/// A failure of usage when none are given and `folder` holds none, of input when it cannot be listed.
pub fn trial_directories(given: Vec<PathBuf>, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !given.is_empty() {
        return Ok(given);
    }
    let mut found = match list(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Failure::input(format!("failed to list {}: {error}", folder.display()))
                .hint("give the directories of training artifacts with --trials"));
        }
        found => found.unwrap_or_default(),
    };
    found.retain(|dir| dir.join(MANIFEST).is_file());
    found.sort();
    if found.is_empty() {
        return Err(Failure::usage(format!("there are no training artifacts in {}", folder.display()))
            .hint("run the training stage first, or give the directories of its artifacts with --trials"));
    }
    Ok(found)
}

fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_contract::ExitCode;

    #[test]
    fn without_directories_those_with_a_manifest_are_taken_in_order() {
        let run = tempfile::tempdir().unwrap();
        let folder = run.path().join("trials");
        assert_eq!(trial_directories(Vec::new(), &folder).unwrap_err().code, ExitCode::Usage);
        for name in ["baseline-svc", "autoencoder-knn", "unfinished"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        let failure = trial_directories(Vec::new(), &folder).unwrap_err();
        assert!(failure.hint.unwrap().contains("--trials"));
        for name in ["baseline-svc", "autoencoder-knn"] {
            fs::write(folder.join(name).join(MANIFEST), "{}").unwrap();
        }
        let found = trial_directories(Vec::new(), &folder).unwrap();
        assert_eq!(found, [folder.join("autoencoder-knn"), folder.join("baseline-svc")]);
        assert_eq!(trial_directories(vec!["mine".into()], &folder).unwrap(), [PathBuf::from("mine")]);
    }
}
