use weir_contract::{Classify, ExitCode};

/// Why a text is no suite, or a suite cannot be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {message}")]
pub struct SuiteError {
    /// The file.
    pub origin: String,
    /// What is wrong, with the number of the expectation.
    pub message: String,
    /// The remedy.
    pub hint: Option<String>,
}

impl Classify for SuiteError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

/// What is wrong with an expectation, and the remedy.
pub(crate) type Wrong = (String, Option<String>);

/// A fact without a remedy of its own.
pub(crate) fn wrong(message: impl Into<String>) -> Wrong {
    (message.into(), None)
}

/// A hint with the nearest known name, and all of them.
pub(crate) fn known_names(name: &str, known: &[&str]) -> String {
    let all = known.join(", ");
    match weir_contract::nearest(name, known.iter().copied()) {
        Some(nearest) => format!("the nearest known one is {nearest}; known are {all}"),
        None => format!("known are {all}"),
    }
}
