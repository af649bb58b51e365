//! Why a bundle cannot be opened or written.

use std::io;
use std::path::{Path, PathBuf};

use weir_contract::{Classify, Digest, ExitCode};

use crate::files::{SUMS, SUMS_SIGNATURE};

/// Why a bundle cannot be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// There is no bundle in the directory.
    #[error("{} holds no bundle: there is no {SUMS} in it", .dir.display())]
    Missing {
        /// The directory.
        dir: PathBuf,
        /// A directory below it that looks like a bundle.
        inner: Option<PathBuf>,
    },
    /// A file that the bundle must have is not there.
    #[error("{} is missing, so the bundle is not whole", .path.display())]
    MissingFile {
        /// The file.
        path: PathBuf,
    },
    /// Something in the directory that `SHA256SUMS` does not list.
    #[error("{} does not belong to the bundle: {SUMS} does not list it", .path.display())]
    Unlisted {
        /// The file or folder.
        path: PathBuf,
    },
    /// A file holds other bytes than `SHA256SUMS` says.
    #[error("{} was changed: its SHA-256 is {found}, {SUMS} says {expected}", .path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// As listed.
        expected: Digest,
        /// As found.
        found: Digest,
    },
    /// A bundle that nobody signed, where a key was given.
    #[error("{} is not signed: there is no {SUMS_SIGNATURE} in it", .dir.display())]
    Unsigned {
        /// The directory.
        dir: PathBuf,
    },
    /// A signature of something else, or by somebody else.
    #[error("{} is not a signature of {SUMS} by {}", .path.display(), any_of(.keys))]
    Untrusted {
        /// The signature.
        path: PathBuf,
        /// The keys it was compared with.
        keys: Vec<Digest>,
    },
    /// A file that holds no key.
    #[error("{} is not a key that can be used: {reason}", .path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file of a later build.
    #[error("{} has format {found}, newer than format {known}, the newest that this build reads", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Version in the file.
        found: u32,
        /// Newest version this build reads.
        known: u32,
    },
    /// A file that is not what its name says.
    #[error("{} is not valid: {reason}", .path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Two parts that do not belong together.
    #[error("{} does not fit the other files of the bundle: {reason}", .path.display())]
    Disagree {
        /// The file that does not fit.
        path: PathBuf,
        /// With what, and how.
        reason: String,
    },
    /// A directory to write to that holds something.
    #[error("{} is not empty", .dir.display())]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
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
}

/// Names keys by their digests.
fn any_of(keys: &[Digest]) -> String {
    let keys: Vec<String> = keys.iter().map(Digest::short).collect();
    match keys.as_slice() {
        [] => "any key, since none was given".to_owned(),
        [key] => format!("key {key}"),
        _ => format!("any of the keys {}", keys.join(", ")),
    }
}

impl BundleError {
    pub(crate) fn corrupt(path: &Path, reason: impl ToString) -> Self {
        Self::Corrupt { path: path.to_owned(), reason: reason.to_string() }
    }

    /// For `map_err` on an operation over `path`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

impl Classify for BundleError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::NotEmpty { .. } | Self::Key { .. } => ExitCode::Usage,
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::NotFound
                | io::ErrorKind::PermissionDenied
                | io::ErrorKind::ReadOnlyFilesystem
                | io::ErrorKind::IsADirectory
                | io::ErrorKind::NotADirectory => ExitCode::Input,
                _ => ExitCode::Retry,
            },
            _ => ExitCode::Input,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Missing { inner: Some(inner), .. } => return Some(format!("did you mean {}?", inner.display())),
            Self::Missing { inner: None, .. } => "name the folder `bundle` that packaging wrote",
            Self::MissingFile { .. } | Self::Checksum { .. } => "fetch the bundle again, or package it again",
            Self::Unlisted { .. } => "remove it, or fetch the bundle again into an empty directory",
            Self::Newer { .. } => "use a build of weir at least as new as the one that wrote it",
            Self::Corrupt { .. } => "package the model again",
            Self::Disagree { .. } => "package the model again, with the build of weir that computed its features",
            Self::Unsigned { .. } => {
                "sign it with `weir sign` if you are its maker, or name no key if you trust it anyway"
            }
            Self::Untrusted { .. } => {
                "trust no part of the bundle before you know who made it; give the public key of its maker"
            }
            Self::Key { .. } => {
                "make a key with `openssl genpkey -algorithm ed25519 -out key.pem`, its public half with `openssl pkey \
                 -in key.pem -pubout -out public.pem`"
            }
            Self::NotEmpty { .. } => "name a new or an empty directory",
            Self::Io { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
