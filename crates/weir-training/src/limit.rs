//! A search under a budget of time, and the same cuts once more without a clock.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use weir_contract::search::{self, Candidate, CutReason, Rung, SearchResults};
use weir_contract::{Digest, Family, Representation};
use weir_stage::Failure;

use crate::candidates::Candidates;

/// What ends a search before everything is scored.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Limit {
    /// Nothing.
    #[default]
    None,
    /// Time, from the start of the search.
    Budget(Budget),
    /// The cuts that a budget made in an earlier search.
    Replay(Cuts),
}

/// Milliseconds of the longest budget.
const YEAR: u64 = 365 * 24 * 3_600_000;

/// Time for a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget(Duration);

/// The cuts of an earlier search.
#[derive(Debug, Clone, PartialEq)]
pub struct Cuts {
    path: PathBuf,
    digest: Digest,
    search: SearchResults,
}

impl Budget {
    /// The time.
    #[must_use]
    pub fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Budget {
    type Err = String;

    /// A whole number of milliseconds, seconds, minutes or hours: `500ms`, `90s`, `5m`, `2h`; seconds without a unit.
    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let milliseconds = match &text[digits.len()..] {
            "ms" => Some(1),
            "" | "s" => Some(1_000),
            "m" => Some(60_000),
            "h" => Some(3_600_000),
            _ => None,
        };
        let number = digits.parse::<u64>().ok().filter(|&number| number > 0);
        number
            .zip(milliseconds)
            .and_then(|(number, milliseconds)| number.checked_mul(milliseconds))
            .filter(|&milliseconds| milliseconds <= YEAR)
            .map(|milliseconds| Self(Duration::from_millis(milliseconds)))
            .ok_or_else(|| "expected a time such as 90s, 5m or 2h, at most a year".to_owned())
    }
}

impl Cuts {
    /// Reads them from a `search.json`.
    ///
    /// # Errors
    /// [`Failure`] of input for a file that is none, or of another version.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let fail = |what: String| {
            Failure::input(format!("{}: {what}", path.display()))
                .hint("give the search.json of a search under --budget, made by this build")
        };
        let bytes = std::fs::read(path).map_err(|error| fail(format!("failed to read it: {error}")))?;
        let search: SearchResults =
            serde_json::from_slice(&bytes).map_err(|error| fail(format!("it is no search: {error}")))?;
        if search.format != search::FORMAT {
            return Err(fail(format!("it has format {}, expected {}", search.format, search::FORMAT)));
        }
        Ok(Self { path: path.to_owned(), digest: Digest::of(&bytes), search })
    }

    /// Digest of the file.
    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    /// Goes on if they are cuts of this very search.
    pub(crate) fn check(
        &self,
        (family, representation): (Family, Representation),
        folds: usize,
        candidates: &Candidates,
        sizes: &[usize],
    ) -> Result<(), Failure> {
        let of = |search: &SearchResults| (search.family, search.representation, search.folds);
        let given = self.search.candidates.iter().map(|candidate| &candidate.parameters);
        // What came after the last cut for want of time was never begun.
        let rows: Vec<usize> = self.search.rungs.iter().map(|rung: &Rung| rung.rows as usize).collect();
        let what = if of(&self.search) != (family, representation, folds) {
            "it is the search of another model, representation or number of folds"
        } else if !given.eq(&candidates.given) {
            "its candidates are others"
        } else if !sizes.starts_with(&rows) {
            "its rungs have other rows"
        } else {
            return Ok(());
        };
        Err(Failure::input(format!("{}: {what}", self.path.display()))
            .hint("repeat a search with the features, parameters and seed that it was made with"))
    }

    /// Whether the time was up for `candidate` before rung number `rung`.
    pub(crate) fn before(&self, candidate: usize, rung: usize) -> bool {
        let Candidate { cut, .. } = &self.search.candidates[candidate];
        cut.is_some_and(|cut| cut.reason == CutReason::Budget && cut.rung + 1 == rung)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_a_whole_number_of_some_unit() {
        let seconds = |text: &str| text.parse::<Budget>().ok().map(|budget| budget.duration().as_secs_f64());
        assert_eq!(["500ms", "60", "5m", "2h"].map(seconds), [Some(0.5), Some(60.0), Some(300.0), Some(7_200.0)]);
        assert_eq!(["", "s", "0s", "-1s", "1.5s", "1d", "9999999h"].map(seconds), [None; 7]);
    }
}
