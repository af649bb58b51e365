//! Logs that are followed, each for itself: one that cannot be read does not keep the others from being looked at.

use std::io;
use std::path::{Path, PathBuf};

use weir_accesslog::Follower;
use weir_stage::{Failure, Stage};

/// All of them.
pub(super) struct Logs(Vec<Log>);

struct Log {
    path: PathBuf,
    /// None as long as it could not be read at all.
    follower: Option<Follower>,
    /// What was wrong when it was last read.
    error: Option<io::Error>,
}

impl Logs {
    /// Follows `paths`, which need not be there yet. What is in them counts.
    ///
    /// # Errors
    /// Of input where none can be read.
    pub(super) fn open(paths: impl Iterator<Item = PathBuf>, stage: &Stage) -> Result<Self, Failure> {
        let log = |path| Log { path, follower: None, error: None };
        let mut logs = Self(paths.map(log).collect());
        for log in &mut logs.0 {
            let opened = log.open();
            log.note(opened, stage);
        }
        logs.check().map(|()| logs)
    }

    /// Reads what is new, as [`Follower::poll`] does. A log that cannot be read is warned of once, until it can be again.
    pub(super) fn poll(&mut self, mut lines: impl FnMut(&Path, &[u8]), stage: &Stage) {
        for log in &mut self.0 {
            let polled = log.open().and_then(|()| match &mut log.follower {
                Some(follower) => follower.poll(&mut lines),
                None => Ok(()),
            });
            log.note(polled, stage);
        }
    }

    /// Whether there is anything to look at.
    ///
    /// # Errors
    /// Of input where no log could be read last.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match self.0.iter().map(|log| log.error.as_ref()).collect::<Option<Vec<_>>>().as_deref() {
            Some([first, ..]) => Err(Failure::input(first.to_string())),
            _ => Ok(()),
        }
    }
}

impl Log {
    fn open(&mut self) -> io::Result<()> {
        if self.follower.is_none() {
            self.follower = Some(Follower::new(std::slice::from_ref(&self.path))?);
        }
        Ok(())
    }

    fn note(&mut self, done: io::Result<()>, stage: &Stage) {
        match (&self.error, &done) {
            (None, Err(error)) => stage.warn(error.to_string()),
            (Some(_), Ok(())) => stage.note(format!("{} can be read again", self.path.display())),
            _ => {}
        }
        self.error = done.err();
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn polled(logs: &mut Logs) -> String {
        let mut text = String::new();
        logs.poll(|_, lines| text += std::str::from_utf8(lines).unwrap(), &Stage::silent());
        text
    }

    #[test]
    fn one_log_that_cannot_be_read_does_not_stop_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let (bad, good) = (dir.path().join("bad.log"), dir.path().join("good.log"));
        symlink(&bad, &bad).unwrap();
        fs::write(&good, "first\n").unwrap();
        let mut logs = Logs::open([bad.clone(), good].into_iter(), &Stage::silent()).unwrap();
        assert_eq!(polled(&mut logs), "first\n");
        logs.check().unwrap();
        assert!(logs.0[0].error.is_some());
        fs::remove_file(&bad).unwrap();
        fs::write(&bad, "at last\n").unwrap();
        assert_eq!(polled(&mut logs), "at last\n");
        assert!(logs.0[0].error.is_none());
    }

    #[test]
    fn where_none_can_be_read_that_is_a_failure() {
        let dir = tempfile::tempdir().unwrap();
        let (bad, good) = (dir.path().join("bad.log"), dir.path().join("good.log"));
        symlink(&bad, &bad).unwrap();
        let refused = Logs::open([bad.clone()].into_iter(), &Stage::silent()).err().unwrap();
        assert!(refused.message.starts_with(&format!("cannot follow {}: ", bad.display())), "{refused}");
        fs::write(&good, "").unwrap();
        let mut logs = Logs::open([bad, good.clone()].into_iter(), &Stage::silent()).unwrap();
        fs::remove_file(&good).unwrap();
        symlink(&good, &good).unwrap();
        polled(&mut logs);
        logs.check().unwrap_err();
    }
}
