//! Why a command ended without its result.

use std::error::Error;
use std::fmt;

use weir_contract::{Classify, ExitCode};

/// What went wrong, how the process has to end because of it, and what the reader can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// How the process ends.
    pub code: ExitCode,
    /// The fact with its place and its causes; lowercase, without full stop.
    pub message: String,
    /// The remedy.
    pub hint: Option<String>,
}

impl Failure {
    /// Wrong usage or configuration: exit 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Usage, message)
    }

    /// An input is missing, corrupt or of an unknown version: exit 3.
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Input, message)
    }

    /// Something that may pass when tried again: exit 1.
    pub fn retry(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Retry, message)
    }

    /// A gate said no where the caller asked for failure: exit 4.
    pub fn gate(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Gate, message)
    }

    /// Stopped by Ctrl-C or SIGTERM: exit 130.
    #[must_use]
    pub fn interrupted() -> Self {
        Self::new(ExitCode::Interrupted, "interrupted")
            .hint("what was finished is kept; start the same command again to go on")
    }

    /// Adds the remedy.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Puts `what` in front of the message: `{what}: {message}`.
    #[must_use]
    pub fn context(self, what: impl fmt::Display) -> Self {
        Self { message: format!("{what}: {}", self.message), ..self }
    }

    fn new(code: ExitCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl<E: Classify> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Some errors repeat their cause in their own text.
            if !message.ends_with(&text) {
                message = format!("{message}: {text}");
            }
            cause = Error::source(error);
        }
        Self { code: error.exit_code(), message, hint: error.hint() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("failed to write a.parquet")]
    struct Full(#[source] std::io::Error);

    impl Classify for Full {
        fn exit_code(&self) -> ExitCode {
            ExitCode::Retry
        }

        fn hint(&self) -> Option<String> {
            Some("make room".to_owned())
        }
    }

    #[test]
    fn an_error_brings_its_code_its_causes_and_its_hint() {
        let failure = Failure::from(Full(std::io::Error::other("no space left on device")));
        assert_eq!(failure, Failure::retry("failed to write a.parquet: no space left on device").hint("make room"));
    }
}
