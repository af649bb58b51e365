//! Artifact directories on local paths: written under a lock, committed at once, opened only when whole.
//!
//! ```text
//! <artifact>/
//! ├── train.parquet ...     sealed files: path, size and SHA-256 in the manifest
//! ├── run-info.json ...     unsealed files: named in the manifest, outside the digest
//! ├── manifest.json         written last, by rename; its SHA-256 is the artifact's digest
//! └── .weir-draft           only while a writer is at work: its lock, and the mark that the directory may be cleared
//! ```
//!
//! [`Draft`] writes, [`Artifact`] reads, [`Artifact::open_current`] decides whether a stage has to run at all.
//! A writer that is killed at any moment leaves a directory without `manifest.json`; the next [`Draft::begin`]
//! clears it and ends with the same bytes. Nothing is repaired in place, so there is no state in between to test.
//!
//! This crate does not know what is inside the files, and reads no environment variable.

mod artifact;
mod checkpoint;
#[cfg(test)]
mod crash;
mod draft;
mod error;
mod lock;
mod name;
mod reuse;
mod tree;

pub use artifact::Artifact;
pub use draft::{Draft, Seal};
pub use error::ArtifactError;
pub use reuse::Expectation;
pub use tree::digest_file;

/// A directory inside an artifact's, where a writer may work before it gives up what is there; see
/// [`Draft::begin_over`]. It is on the same disk, and the writer needs no rights outside.
pub const WORK: &str = ".weir-work";

/// The writer's lock, and the mark of a directory that an unfinished attempt left behind.
pub(crate) const MARKER: &str = ".weir-draft";
/// How the text in the marker starts.
pub(crate) const MARKER_START: &str = "process ";
/// Where the manifest is written before it gets its name.
pub(crate) const MANIFEST_DRAFT: &str = "manifest.json.partial";
