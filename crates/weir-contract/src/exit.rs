//! Exit codes: they tell a workflow engine what may be retried.

/// How a stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// 0: done.
    Done,
    /// 1: something that may pass when tried again (a full disk, a lost connection, a panic).
    Retry,
    /// 2: usage or configuration; final.
    Usage,
    /// 3: an input is missing, corrupt or of an unknown version; final.
    Input,
    /// 4: a gate said no where the caller asked for failure; final.
    Gate,
    /// 130: interrupted.
    Interrupted,
}

impl ExitCode {
    /// The number given to the operating system.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Retry => 1,
            Self::Usage => 2,
            Self::Input => 3,
            Self::Gate => 4,
            Self::Interrupted => 130,
        }
    }
}

/// An error that knows how a stage has to end because of it, and what to do about it.
///
/// The error's own text states the fact with its place; [`Classify::hint`] holds the remedy.
pub trait Classify: std::error::Error {
    /// The exit code this error leads to.
    fn exit_code(&self) -> ExitCode;

    /// What the reader can do, as a full sentence without a full stop.
    fn hint(&self) -> Option<String> {
        None
    }
}
