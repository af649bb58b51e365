//! The place where an artifact is made before the one that may be there is given up.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use weir_artifact::{Artifact, Draft, Expectation, WORK};
use weir_stage::Failure;

/// A directory inside the artifact's: what is refused on the way leaves an earlier artifact as it was. It is removed when
/// dropped; one that a killed run left is cleared by the next.
pub(crate) struct Work {
    dir: PathBuf,
    draft: Option<Draft>,
    /// The artifact's directory, if it was not there before.
    made: Option<PathBuf>,
}

impl Work {
    /// Begins to make the artifact `out`.
    ///
    /// # Errors
    /// When another run makes it, `out` is no artifact's directory, or the disk refuses.
    pub(crate) fn begin(out: &Path) -> Result<Self, Failure> {
        Draft::check(out)?;
        let made = (!out.exists()).then(|| out.to_owned());
        let dir = out.join(WORK);
        let draft = Draft::begin(&dir)?;
        Ok(Self { dir, draft: Some(draft), made })
    }

    /// The artifact in `out`, if it is there already; what a killed run left beside its files is removed.
    ///
    /// # Errors
    /// When the artifact is damaged.
    pub(crate) fn done(out: &Path, expectation: &Expectation) -> Result<Option<Artifact>, Failure> {
        let artifact = Artifact::open_current(out, expectation)?;
        let dir = out.join(WORK);
        if artifact.is_some() && dir.exists() {
            remove_unlocked(&dir);
        }
        Ok(artifact)
    }

    /// Begins in a new directory in `place`, for files that go elsewhere afterwards. Directories that killed runs left
    /// there are removed.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn begin_in(place: &Path) -> Result<Self, Failure> {
        let place = if place.as_os_str().is_empty() { Path::new(".") } else { place };
        remove_left_behind(place);
        let dir = tempfile::Builder::new().prefix(PREFIX).tempdir_in(place).map_err(|error| {
            Failure::retry(format!("failed to create a directory in {}: {error}", place.display()))
                .hint("name a directory for temporary files with --work")
        })?;
        let dir = dir.keep();
        let draft = Draft::begin(&dir)?;
        Ok(Self { dir, draft: Some(draft), made: None })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn draft(&self) -> &Draft {
        self.draft.as_ref().expect("the draft is there until it is dropped")
    }

    /// Moves the files `names` to a draft of `out`, for which this was begun, and ends.
    pub(crate) fn hand_over(mut self, out: &Path, names: &[&str]) -> Result<Draft, Failure> {
        let failed = |action: &str, path: &Path, error: io::Error| {
            Failure::retry(format!("failed to {action} {}: {error}", path.display()))
        };
        let draft = Draft::begin_over(out)?;
        for name in names {
            let from = self.dir.join(name);
            fs::rename(&from, draft.path(name)?).map_err(|error| failed("move", &from, error))?;
        }
        self.draft = None;
        fs::remove_dir_all(&self.dir).map_err(|error| failed("remove", &self.dir, error))?;
        self.made = None;
        Ok(draft)
    }
}

/// What directories of [`Work::begin_in`] are called.
const PREFIX: &str = ".weir-insert-";

/// A directory younger than this may be one whose owner is about to lock it.
const YOUNG: Duration = Duration::from_secs(60);

/// Removes directories of runs that are gone.
fn remove_left_behind(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let named = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let changed = entry.metadata().and_then(|data| data.modified()).ok();
        let old = changed.and_then(|changed| changed.elapsed().ok()).is_some_and(|age| age > YOUNG);
        if named && old {
            remove_unlocked(&entry.path());
        }
    }
}

/// Removes a working directory, unless a run is at work there and holds its lock. What cannot be removed stays: it harms
/// nobody.
fn remove_unlocked(dir: &Path) {
    if let Ok(draft) = Draft::begin(dir) {
        drop(draft);
        let _ = fs::remove_dir_all(dir);
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.draft = None;
        // What stays is cleared by the next run.
        let _ = fs::remove_dir_all(&self.dir);
        if let Some(out) = &self.made {
            // Only if nothing else is there.
            let _ = fs::remove_dir(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::FileTimes;
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn directories_of_dead_runs_go_and_those_at_work_stay() {
        let place = tempfile::tempdir().unwrap();
        let at_work = Work::begin_in(place.path()).unwrap();
        let dead = place.path().join(format!("{PREFIX}dead"));
        drop(Draft::begin(&dead).unwrap());
        fs::write(dead.join("flows.parquet"), b"half").unwrap();
        let long_ago = FileTimes::new().set_modified(SystemTime::now() - 2 * YOUNG);
        for dir in [&dead, at_work.dir()] {
            fs::File::open(dir).unwrap().set_times(long_ago).unwrap();
        }
        let new = Work::begin_in(place.path()).unwrap();
        assert!(!dead.exists() && at_work.dir().exists() && new.dir().exists());
        drop((at_work, new));
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }
}
