//! What was told last.

use std::path::{Path, PathBuf};

use weir_stage::Stage;

use crate::state::Told;

/// Remembers what was told last: in this process, and for the next one in a state directory. One that cannot be read or
/// written is a warning and no more; what was told is then told again, which is better than never.
#[derive(Debug, Default)]
pub struct Memory {
    dir: Option<PathBuf>,
    last: Option<Told>,
}

impl Memory {
    /// That of the state directory `dir`; without one it lasts as long as this process.
    #[must_use]
    pub fn of(dir: Option<&Path>, stage: &Stage) -> Self {
        let last = dir.map_or(Ok(None), Told::read);
        let last = last.unwrap_or_else(|error| {
            stage.warn(format!("what was told last is not known: {error}"));
            None
        });
        Self { dir: dir.map(Path::to_owned), last }
    }

    /// What was told last; none where that is not known.
    #[must_use]
    pub fn last(&self) -> Option<Told> {
        self.last
    }

    pub(super) fn keep(&mut self, told: Told, stage: &Stage) {
        self.last = Some(told);
        if let Some(dir) = &self.dir
            && let Err(error) = told.write(dir)
        {
            stage.warn(format!("the next run will tell the same: {error}"));
        }
    }
}
