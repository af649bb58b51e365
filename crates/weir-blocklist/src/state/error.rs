//! What can be wrong with a state directory.

use std::io;
use std::path::{Path, PathBuf};

use weir_contract::{Classify, ExitCode};

/// A state directory that cannot be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Another process holds it.
    #[error("the state directory {} is being changed by {holder}", .dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
        /// Who holds it.
        holder: String,
    },
    /// Writing failed.
    #[error("failed to {action} {}", .path.display())]
    Output {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Reading failed.
    #[error("failed to read {}", .path.display())]
    Input {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A file is not what it has to be.
    #[error("{} is corrupt: {reason}", .path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file of a version this build does not know.
    #[error("{} has format version {found}, this build knows version {known}", .path.display())]
    UnknownVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The one that is known.
        known: u32,
    },
}

impl StateError {
    pub(super) fn output(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Output { action, path, source }
    }
}

impl Classify for StateError {
    fn exit_code(&self) -> ExitCode {
        use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem};
        match self {
            Self::Output { source, .. } => match source.kind() {
                NotFound | NotADirectory | PermissionDenied | ReadOnlyFilesystem => ExitCode::Usage,
                _ => ExitCode::Retry,
            },
            Self::Locked { .. } => ExitCode::Retry,
            Self::Input { .. } | Self::Corrupt { .. } | Self::UnknownVersion { .. } => ExitCode::Input,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Locked { .. } => "wait for the other run to end",
            Self::Output { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "make room on the disk and try again"
            }
            Self::Output { .. } => "name a directory that you may write to with --state",
            Self::Input { .. } => "name the state directory with --state, and read it as the user who writes it",
            Self::Corrupt { .. } => {
                "move the file away: the next run takes over what is enforced, and starts a new one"
            }
            Self::UnknownVersion { .. } => "use a build of weir at least as new as the one that wrote it",
        };
        Some(hint.to_owned())
    }
}
