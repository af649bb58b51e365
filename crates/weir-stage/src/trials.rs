//! The directories that `--trials`, `--parts` and `--shards` stand for.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use weir_contract::files::MANIFEST;

use crate::Failure;

/// The artifacts that the directories `given` stand for: each for itself or, without a manifest of its own, for every
/// directory in it that holds one, sorted by name.
#[must_use]
pub fn artifact_directories(given: Vec<PathBuf>) -> Vec<PathBuf> {
    let around = |dir: PathBuf| match dir.join(MANIFEST).is_file() {
        true => vec![dir],
        // Whoever opens a directory without artifacts says best what is wrong with it.
        false => inside(&dir).ok().filter(|found| !found.is_empty()).unwrap_or_else(|| vec![dir]),
    };
    given.into_iter().flat_map(around).collect()
}

/// The directories `given` with `--trials`, as [`artifact_directories`] takes them; where none are given, those in
/// `folder`.
///
/// # Errors
/// A failure of usage when none are given and `folder` holds none, of input when it cannot be listed.
pub fn trial_directories(given: Vec<PathBuf>, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !given.is_empty() {
        return Ok(artifact_directories(given));
    }
    let found = match inside(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Failure::input(format!("failed to list {}: {error}", folder.display()))
                .hint("give the directories of training artifacts with --trials"));
        }
        found => found.unwrap_or_default(),
    };
    if found.is_empty() {
        return Err(Failure::usage(format!("there are no training artifacts in {}", folder.display()))
            .hint("run the training stage first, or give the directories of its artifacts with --trials"));
    }
    Ok(found)
}

/// The directories in `folder` that hold a manifest, sorted.
fn inside(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>()?;
    found.retain(|dir| dir.join(MANIFEST).is_file());
    found.sort();
    Ok(found)
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
        assert_eq!(trial_directories(vec![folder.clone()], Path::new("nowhere")).unwrap(), found);
        assert_eq!(trial_directories(vec![found[1].clone()], &folder).unwrap(), found[1..]);
    }
}
