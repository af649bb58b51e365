//! The place where an artifact is made before the one that may be there is given up.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use weir_artifact::Draft;
use weir_stage::Failure;

/// A directory beside the artifact's, on the same disk: what is refused on the way leaves an earlier artifact as it
/// was. It is removed when dropped; one that a killed run left is cleared by the next.
pub(crate) struct Work {
    dir: PathBuf,
    draft: Option<Draft>,
}

impl Work {
    /// Begins to make the artifact `out`.
    ///
    /// # Errors
    /// When another run makes it, `out` is no artifact's directory, or the disk refuses.
    pub(crate) fn begin(out: &Path) -> Result<Self, Failure> {
        Draft::check(out)?;
        let name = out.file_name().map_or_else(|| "features".into(), |name| name.to_string_lossy().into_owned());
        let dir = out.parent().unwrap_or(Path::new("")).join(format!(".{name}.work"));
        let draft = Draft::begin(&dir)?;
        Ok(Self { dir, draft: Some(draft) })
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
        Ok(Self { dir, draft: Some(draft) })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn draft(&self) -> &Draft {
        self.draft.as_ref().expect("the draft is there until it is dropped")
    }

    /// Moves the files `names` to a draft of `out`.
    pub(crate) fn hand_over(self, out: &Path, names: &[&str]) -> Result<Draft, Failure> {
        let draft = Draft::begin(out)?;
        for name in names {
            let to = draft.path(name)?;
            let from = self.dir.join(name);
            fs::rename(&from, &to).map_err(|error| {
                Failure::retry(format!("failed to move {} to {}: {error}", from.display(), to.display()))
            })?;
        }
        Ok(draft)
    }
}

/// What directories of [`Work::begin_in`] are called.
const PREFIX: &str = ".weir-insert-";

/// A directory younger than this may be one whose owner is about to lock it.
const YOUNG: Duration = Duration::from_secs(60);

/// Removes directories of runs that are gone. What cannot be removed stays: it harms nobody.
fn remove_left_behind(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let named = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let changed = entry.metadata().and_then(|data| data.modified()).ok();
        let old = changed.and_then(|changed| changed.elapsed().ok()).is_some_and(|age| age > YOUNG);
        // A run that is at work holds its lock.
        if named
            && old
            && let Ok(draft) = Draft::begin(entry.path())
        {
            drop(draft);
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.draft = None;
        // What stays is cleared by the next run.
        let _ = fs::remove_dir_all(&self.dir);
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
