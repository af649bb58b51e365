//! The place where an artifact is made before the one that may be there is given up.

use std::fs;
use std::path::{Path, PathBuf};

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

impl Drop for Work {
    fn drop(&mut self) {
        self.draft = None;
        // What stays is cleared by the next run.
        let _ = fs::remove_dir_all(&self.dir);
    }
}
