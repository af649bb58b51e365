//! What can be wrong with a file of labels.

use weir_contract::{Classify, ExitCode};

/// A file of labels that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {reason}")]
pub struct LabelError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong, with the rule where it is one.
    pub reason: String,
}

impl LabelError {
    pub(crate) fn new(file: &str, line: u64, reason: impl ToString) -> Self {
        Self { file: file.to_owned(), line, reason: reason.to_string() }
    }
}

impl Classify for LabelError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Input
    }

    fn hint(&self) -> Option<String> {
        let forms = "a file of labels is a table with the header flow_id,label[,attack], or rules in TOML";
        Some(forms.to_owned())
    }
}
