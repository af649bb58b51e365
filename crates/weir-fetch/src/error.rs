//! What can go wrong on the way from a publisher to this disk.

use std::io;
use std::path::{Path, PathBuf};

use weir_contract::{Classify, Digest, ExitCode};

/// A file that did not arrive, or that is not what it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The URL cannot be downloaded from.
    #[error("cannot download {url:?}: {reason}")]
    Url {
        /// As it was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The HTTP client cannot be set up.
    #[error("{reason}")]
    Client {
        /// What is wrong.
        reason: String,
    },
    /// The server says no, and would say no again.
    #[error("{url} answers {status}")]
    Refused {
        /// After redirects.
        url: String,
        /// Code and phrase.
        status: String,
    },
    /// The server sends us where we do not go.
    #[error("{url} redirects badly: {reason}")]
    Redirect {
        /// As it was asked for.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// Every attempt failed.
    #[error("failed to download {url} in {attempts} attempts: {reason}{}", kept(.there, .part))]
    GaveUp {
        /// As it was asked for.
        url: String,
        /// Attempts made.
        attempts: u32,
        /// Why the last one failed.
        reason: String,
        /// How much is there.
        there: Progress,
        /// Where.
        part: PathBuf,
        /// Whether the next start can use it.
        resumable: bool,
    },
    /// The file is shorter or longer than it should be.
    #[error("{url} has {received} bytes instead of {expected}")]
    Length {
        /// As it was asked for.
        url: String,
        /// Bytes it should have.
        expected: u64,
        /// Bytes it has or announces.
        received: u64,
    },
    /// The file holds other bytes than it should.
    #[error("{what} has SHA-256 {received} instead of {expected}")]
    Digest {
        /// A URL, or a member of an archive.
        what: String,
        /// Digest it should have.
        expected: Digest,
        /// Digest it has.
        received: Digest,
    },
    /// Another process writes the same file.
    #[error("{} is being written by another process", .path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// Something else than an archive, such as a page that says sorry.
    #[error("{} is no zip archive: it begins with {begins:?}", .path.display())]
    NoArchive {
        /// What should be one.
        path: PathBuf,
        /// Its first bytes.
        begins: String,
    },
    /// An archive that cannot be read, or that holds something else.
    #[error("cannot unpack {}: {reason}", .path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A record that cannot be read.
    #[error("{} is corrupt: {reason}", .path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
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
    /// Stopped by the caller.
    #[error("interrupted")]
    Interrupted,
}

/// How much of a file is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes on disk.
    pub done: u64,
    /// Bytes in all, where known.
    pub total: Option<u64>,
}

impl std::fmt::Display for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.total {
            Some(total) => write!(f, "{} of {total} bytes", self.done),
            None => write!(f, "{} bytes", self.done),
        }
    }
}

/// What to say of bytes that are there.
fn kept(there: &Progress, part: &Path) -> String {
    match there.done {
        0 => String::new(),
        _ => format!("; {there} are kept as {}", part.display()),
    }
}

impl FetchError {
    /// For `map_err` on `path`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    pub(crate) fn archive(path: &Path, reason: impl Into<String>) -> Self {
        Self::Archive { path: path.to_owned(), reason: reason.into() }
    }
}

impl Classify for FetchError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Url { .. } => ExitCode::Usage,
            Self::Refused { .. }
            | Self::Redirect { .. }
            | Self::Length { .. }
            | Self::Digest { .. }
            | Self::NoArchive { .. }
            | Self::Archive { .. }
            | Self::Record { .. } => ExitCode::Input,
            Self::Io { source, .. } if is_wrong_path(source) => ExitCode::Usage,
            Self::Client { .. } | Self::GaveUp { .. } | Self::Busy { .. } | Self::Io { .. } => ExitCode::Retry,
            Self::Interrupted => ExitCode::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Url { .. } => "give a URL that begins with https:// or http://",
            Self::GaveUp { there, .. } if there.done == 0 => {
                "check the connection and start the same command again; behind a proxy, name it with --proxy"
            }
            Self::GaveUp { resumable: true, .. } => "start the same command again: it goes on where this one stopped",
            Self::GaveUp { .. } => {
                "start the same command again: it begins anew, since the server sends neither a strong ETag nor a date \
                 by which to know the file again"
            }
            Self::Digest { .. } => {
                "it is not the file that was fetched before; if the publisher replaced it, --force takes the new one"
            }
            Self::Length { .. } | Self::Redirect { .. } | Self::NoArchive { .. } => {
                "check the URL, or download by hand"
            }
            Self::Busy { .. } => "wait for the other process to end",
            Self::Archive { .. } => "download it again with --force, or by hand",
            Self::Record { .. } => "delete it, or write it again with --force",
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "make room on the disk and start the same command again: it goes on where this one stopped"
            }
            Self::Io { source, .. } if is_wrong_path(source) => "name a directory that you may write to with --to",
            Self::Interrupted => "what is there is kept; start the same command again to go on",
            Self::Client { .. } | Self::Refused { .. } | Self::Io { .. } => return None,
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
