//! A suite that has been checked.

use serde_json::Value;
use weir_contract::expectation::{Expectation, Suite};
use xxhash_rust::xxh3::xxh3_64;

use crate::error::SuiteError;
use crate::evaluation::Evaluation;
use crate::kind::{Kind, check};

/// A checked suite: every type, column and argument is known.
#[derive(Debug, Clone)]
pub struct Checked {
    pub(crate) origin: String,
    pub(crate) suite: Suite,
    pub(crate) kinds: Vec<Kind>,
    /// Tells evaluations of different suites apart.
    pub(crate) fingerprint: u64,
}

impl Checked {
    /// Reads a suite; `origin` names the file in messages.
    ///
    /// # Errors
    /// [`SuiteError`] for text that is no suite, an unknown expectation (with the nearest known one), an unknown column
    /// or argument.
    pub fn parse(text: &str, origin: &str) -> Result<Self, SuiteError> {
        let wrong = |message: String, hint| SuiteError { origin: origin.to_owned(), message, hint };
        let suite: Suite = serde_json::from_str(text).map_err(|error| wrong(format!("no suite: {error}"), None))?;
        Self::new(suite, origin)
    }

    /// Checks a suite; `origin` names it in messages.
    ///
    /// # Errors
    /// As [`Checked::parse`].
    pub fn new(suite: Suite, origin: &str) -> Result<Self, SuiteError> {
        let mut kinds = Vec::with_capacity(suite.expectations.len());
        for (index, expectation) in suite.expectations.iter().enumerate() {
            kinds.push(check(expectation).map_err(|(message, hint)| SuiteError {
                origin: origin.to_owned(),
                message: format!("expectation {} ({}): {message}", index + 1, expectation.kind),
                hint,
            })?);
        }
        let arguments: Vec<_> = suite.expectations.iter().map(|it| (&it.kind, &it.kwargs)).collect();
        let fingerprint = xxh3_64(serde_json::to_string(&arguments).unwrap_or_default().as_bytes());
        Ok(Self { origin: origin.to_owned(), suite, kinds, fingerprint })
    }

    /// The number of expectations.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether there are no expectations.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// The suite as it was read.
    #[must_use]
    pub fn suite(&self) -> &Suite {
        &self.suite
    }

    /// An evaluation that has seen no rows.
    #[must_use]
    pub fn start(&self) -> Evaluation {
        Evaluation::new(self)
    }

    /// Whether an expectation judges single rows (uniqueness included), so that rows can be set aside for it.
    ///
    /// # Panics
    /// When `expectation` is not below [`Checked::len`], as in all methods that take it.
    #[must_use]
    pub fn is_row_level(&self, expectation: usize) -> bool {
        matches!(self.kinds[expectation], Kind::Rows(..) | Kind::Unique(..))
    }

    /// Whether the rows that broke an expectation are known only after all rows were seen: uniqueness, see
    /// [`Evaluation::duplicates`].
    #[must_use]
    pub fn needs_second_pass(&self, expectation: usize) -> bool {
        matches!(self.kinds[expectation], Kind::Unique(..))
    }

    /// Whether the rows to be set aside for an expectation are known only after all rows were seen: it judges single rows
    /// and allows some of them to be unexpected, or asks for unique values.
    #[must_use]
    pub fn is_late(&self, expectation: usize) -> bool {
        self.needs_second_pass(expectation) || self.is_row_level(expectation) && self.mostly(expectation) < 1.0
    }

    /// The share of the present rows that has to be as expected; 1 where rows are not judged.
    #[must_use]
    pub fn mostly(&self, expectation: usize) -> f64 {
        match &self.kinds[expectation] {
            Kind::Rows(_, mostly) | Kind::Unique(_, mostly) => *mostly,
            _ => 1.0,
        }
    }

    /// An expectation in a line: its type and its arguments.
    #[must_use]
    pub fn describe(&self, expectation: usize) -> String {
        describe(&self.suite.expectations[expectation])
    }

    pub(crate) fn error(&self, expectation: usize, message: &str, hint: &str) -> SuiteError {
        let kind = &self.suite.expectations[expectation].kind;
        SuiteError {
            origin: self.origin.clone(),
            message: format!("expectation {} ({kind}): {message}", expectation + 1),
            hint: Some(hint.to_owned()),
        }
    }
}

/// An expectation in a line: its type and its arguments.
#[must_use]
pub fn describe(expectation: &Expectation) -> String {
    let given = |(name, value): (&String, &Value)| format!("{name}={value}");
    let arguments: Vec<String> = expectation.kwargs.iter().map(given).collect();
    format!("{}({})", expectation.kind, arguments.join(", "))
}
