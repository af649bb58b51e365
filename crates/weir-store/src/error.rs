//! What can be wrong with a store, or with what is to be put into it.

use std::io;
use std::path::{Path, PathBuf};

use weir_contract::{Classify, ExitCode};

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no store at the location.
    #[error("there is no feature store at {location}: it has no store.json")]
    Missing {
        /// The location.
        location: String,
    },
    /// The location holds something else.
    #[error("{location} holds {found} and no store.json: it is no feature store")]
    Foreign {
        /// The location.
        location: String,
        /// A name found there.
        found: String,
    },
    /// A location that this build or this configuration cannot reach.
    #[error("cannot use {location}: {reason}")]
    Unusable {
        /// The location.
        location: String,
        /// Why.
        reason: String,
    },
    /// A group, version, commit or dataset that does not exist.
    #[error("there is no {what} in the feature store {location}")]
    Unknown {
        /// What was asked for.
        what: String,
        /// The location.
        location: String,
        /// What there is.
        known: String,
    },
    /// A JSON file of the store that is not what was written.
    #[error("{key} in {location} was changed or damaged: {reason}")]
    Record {
        /// The location.
        location: String,
        /// Its key.
        key: String,
        /// What is wrong.
        reason: String,
    },
    /// A file of a later build.
    #[error("{key} in {location} has format {found}, newer than format {known}, the newest that this build reads")]
    Newer {
        /// The location.
        location: String,
        /// Its key.
        key: String,
        /// Version in the file.
        found: u64,
        /// Newest version this build reads.
        known: u32,
    },
    /// An object that a commit names and that is not there.
    #[error("{key} is missing in {location}, but {owner} needs it")]
    MissingObject {
        /// The location.
        location: String,
        /// Its key.
        key: String,
        /// The commit that names it.
        owner: String,
    },
    /// An object that holds other bytes than its name says.
    #[error("{key} in {location} was changed or damaged ({found}); {owner} needs it")]
    Object {
        /// The location.
        location: String,
        /// Its key.
        key: String,
        /// Size or digest as found and as expected.
        found: String,
        /// The commit that names it.
        owner: String,
    },
    /// What is to be committed contradicts itself.
    #[error("cannot commit to {group}: {reason}")]
    Refused {
        /// The group.
        group: String,
        /// What is wrong.
        reason: String,
    },
    /// A file to be stored changed while it was read, or is no plain file.
    #[error("{} cannot be stored: {reason}", .path.display())]
    Source {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Others committed again and again before this writer could.
    #[error("others committed to {group} {attempts} times before this commit found its place")]
    Contention {
        /// The group.
        group: String,
        /// Numbers tried.
        attempts: u32,
    },
    /// The operating system said no.
    #[error("failed to {action} {}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The object store said no.
    #[error("failed to {action} {key} in {location}")]
    Remote {
        /// What was tried.
        action: &'static str,
        /// The location.
        location: String,
        /// On which key.
        key: String,
        /// Whether trying again cannot help (no such bucket, no access).
        fatal: bool,
        /// Why it failed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A label file that cannot be used.
    #[error(transparent)]
    Labels(#[from] crate::labels::LabelError),
}

impl StoreError {
    /// For `map_err` on an operation over `path`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

impl Classify for StoreError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Unusable { .. } | Self::Foreign { .. } | Self::Unknown { .. } => ExitCode::Usage,
            Self::Contention { .. } => ExitCode::Retry,
            Self::Remote { fatal, .. } if !fatal => ExitCode::Retry,
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::NotFound
                | io::ErrorKind::PermissionDenied
                | io::ErrorKind::ReadOnlyFilesystem
                | io::ErrorKind::IsADirectory
                | io::ErrorKind::NotADirectory
                | io::ErrorKind::Unsupported => ExitCode::Input,
                _ => ExitCode::Retry,
            },
            Self::Labels(error) => error.exit_code(),
            _ => ExitCode::Input,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Missing { .. } => "make one with `weir store init`, or name the right location",
            Self::Foreign { .. } => "name a new or an empty directory, or an unused prefix",
            Self::Unknown { known, .. } if known.is_empty() => "there is none yet",
            Self::Unknown { known, .. } => return Some(format!("there is: {known}")),
            Self::Record { .. } => {
                "put this file back from a copy of the store; without it later commits cannot be read"
            }
            Self::Newer { .. } => "use a build of weir at least as new as the one that wrote it",
            Self::MissingObject { .. } | Self::Object { .. } => {
                "put this file back from a copy of the store; or read as of an earlier commit; \
                 or insert the source files into a new group version (`weir store show` lists them)"
            }
            Self::Source { .. } => "name a plain file that nobody writes to",
            Self::Contention { .. } => "run the same command again",
            Self::Io { source, .. } if is_full(source) => {
                "make room on this file system and run the same command again: nothing of it was committed"
            }
            Self::Io { source, .. } if source.kind() == io::ErrorKind::Unsupported => {
                "a store needs a file system with hard links: name another directory"
            }
            Self::Remote { fatal: true, .. } => "check bucket, endpoint and credentials",
            Self::Remote { .. } => "run the same command again: a commit is whole or absent",
            Self::Labels(error) => return error.hint(),
            Self::Unusable { .. } | Self::Refused { .. } | Self::Io { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
