//! What can be wrong with an artifact directory.

use std::io;
use std::path::{Path, PathBuf};

use weir_contract::{Classify, Digest, ExitCode};

/// An artifact that cannot be read, or a directory that cannot become one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// The directory has no manifest: it was never committed.
    #[error("no artifact at {}: it has no manifest.json", .path.display())]
    Missing {
        /// The directory.
        path: PathBuf,
    },
    /// A file that was asked for or that the manifest names is not there.
    #[error("{} is missing", .path.display())]
    MissingFile {
        /// The file.
        path: PathBuf,
    },
    /// The artifact is whole, but has no such file.
    #[error("artifact {} of stage {stage} holds no file {name:?}", .path.display())]
    NoSuchFile {
        /// The directory.
        path: PathBuf,
        /// The stage in its manifest.
        stage: String,
        /// The name that was asked for.
        name: String,
    },
    /// A file is shorter or longer than it was when committed.
    #[error("{} has {found} bytes instead of {expected}", .path.display())]
    WrongSize {
        /// The file.
        path: PathBuf,
        /// Bytes in the manifest.
        expected: u64,
        /// Bytes on disk.
        found: u64,
    },
    /// A file holds other bytes than when committed.
    #[error("{} is corrupt: its SHA-256 is {found} instead of {expected}", .path.display())]
    WrongDigest {
        /// The file.
        path: PathBuf,
        /// Digest in the manifest.
        expected: Digest,
        /// Digest of the bytes on disk.
        found: Digest,
    },
    /// A file cannot be what it claims to be.
    #[error("{} is corrupt: {reason}", .path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A manifest of a version this build does not know.
    #[error("{} has format version {found}, this build knows version {known}", .path.display())]
    UnknownVersion {
        /// The manifest.
        path: PathBuf,
        /// Version in the file.
        found: u64,
        /// Version this build reads and writes.
        known: u32,
    },
    /// The output directory holds something that no stage wrote.
    #[error("{} is in use for something else: {found}", .path.display())]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// What was found in it.
        found: String,
    },
    /// Another process is writing the same artifact.
    #[error("{} is being written by {holder}", .path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
        /// Process and machine of the other writer.
        holder: String,
    },
    /// A file name that would leave the directory or that the artifact needs for itself.
    #[error("{name:?} cannot name a file of an artifact: {reason}")]
    BadName {
        /// The name.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// A value without a JSON form.
    #[error("failed to write {name} as JSON")]
    Encode {
        /// The file.
        name: String,
        /// What serde_json says.
        source: serde_json::Error,
    },
    /// The operating system said no to writing.
    #[error("failed to {action} {}", .path.display())]
    Output {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The operating system said no to reading.
    #[error("failed to {action} {}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl ArtifactError {
    pub(crate) fn corrupt(path: &Path, reason: impl Into<String>) -> Self {
        Self::Corrupt { path: path.to_owned(), reason: reason.into() }
    }

    /// For `map_err` on writing to `path`.
    pub(crate) fn output(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Output { action, path: path.to_owned(), source }
    }

    /// For `map_err` on reading `path`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

impl Classify for ArtifactError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Missing { .. }
            | Self::MissingFile { .. }
            | Self::NoSuchFile { .. }
            | Self::WrongSize { .. }
            | Self::WrongDigest { .. }
            | Self::Corrupt { .. }
            | Self::UnknownVersion { .. }
            | Self::BadName { .. } => ExitCode::Input,
            Self::Foreign { .. } => ExitCode::Usage,
            Self::Locked { .. } | Self::Encode { .. } => ExitCode::Retry,
            Self::Output { source, .. } if is_wrong_path(source) => ExitCode::Usage,
            Self::Io { source, .. } if is_wrong_path(source) => ExitCode::Input,
            Self::Output { .. } | Self::Io { .. } => ExitCode::Retry,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Missing { .. } => "run the stage that writes it first; an interrupted run starts again by itself",
            Self::MissingFile { .. } | Self::WrongSize { .. } | Self::WrongDigest { .. } | Self::Corrupt { .. } => {
                "fetch the file again, or run the stage that wrote it with --force"
            }
            Self::NoSuchFile { .. } => "check that the path names the output of the right stage",
            Self::UnknownVersion { found, known, .. } if *found > u64::from(*known) => {
                "use a build of weir at least as new as the one that wrote it, or write it again with this one and --force"
            }
            Self::UnknownVersion { .. } => "run the stage that wrote it again with this build",
            Self::Foreign { .. } => "name a new or an empty directory as output, or empty this one yourself",
            Self::Locked { .. } => "wait for the other run to end, or write to another directory",
            Self::Output { source, .. } | Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "make room on the disk and try again"
            }
            Self::Output { source, .. } if is_wrong_path(source) => "name a directory that you may write to",
            Self::BadName { .. } | Self::Encode { .. } | Self::Output { .. } | Self::Io { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

/// Whether it fails again however often it is tried: the path is wrong, or not for this user.
fn is_wrong_path(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::NotADirectory
    )
}
