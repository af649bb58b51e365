//! Noticing that there is another bundle.

use std::fs;
use std::time::{Duration, Instant};

use weir_bundle::files::SUMS;
use weir_contract::Digest;

use crate::predictor::Predictor;

/// Looks at the bundle directory every now and then.
#[derive(Debug)]
pub(crate) struct Watch {
    every: Option<Duration>,
    last: Instant,
    /// What was wrong the last time, so that it is said once.
    said: Option<String>,
}

impl Watch {
    pub(crate) fn new(every: Option<Duration>) -> Self {
        Self { every, last: Instant::now(), said: None }
    }

    /// Takes over another bundle if it is time to look and there is one: its digest, or why it did not open, the first
    /// time that it is so.
    pub(crate) fn look(&mut self, predictor: &Predictor) -> Option<Result<Digest, String>> {
        if self.every.is_none_or(|every| self.last.elapsed() < every) {
            return None;
        }
        self.last = Instant::now();
        let sums = fs::read(predictor.settings().bundle.join(SUMS));
        // Without checksums there is no bundle, and opening it says so.
        if sums.is_ok_and(|sums| Some(Digest::of(&sums)) == predictor.digest()) {
            self.said = None;
            return None;
        }
        match predictor.reload() {
            Ok(changed) => {
                self.said = None;
                changed.then(|| predictor.digest()).flatten().map(Ok)
            }
            Err(error) => {
                let error = error.to_string();
                let new = self.said.as_ref() != Some(&error);
                self.said = Some(error.clone());
                new.then_some(Err(error))
            }
        }
    }
}
