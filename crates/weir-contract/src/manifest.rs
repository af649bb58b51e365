//! `manifest.json`, the last file of an artifact directory, and `run-info.json` beside it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;
use crate::number::Seed;

/// Version of `manifest.json` written by this build.
pub const FORMAT: u32 = 1;

/// What an artifact is made of and from. The SHA-256 of its canonical JSON is the artifact's digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this file.
    pub format: u32,
    /// The stage that made the artifact.
    pub stage: String,
    /// Digest over the sources of the stage.
    pub build: String,
    /// Digests of the inputs by role (`features`, `flows/0`, ...).
    pub inputs: BTreeMap<String, Digest>,
    /// The resolved parameters.
    pub parameters: Value,
    /// The seed, where the stage uses one.
    pub seed: Option<Seed>,
    /// Every file but this one and the unsealed ones, sorted by path.
    pub files: Vec<FileEntry>,
    /// Files beside the artifact that hold what was measured and are outside the digest, sorted.
    pub unsealed: Vec<String>,
    /// Row counts by name.
    pub rows: BTreeMap<String, u64>,
}

/// A file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Path inside the artifact, with `/` between parts.
    pub path: String,
    /// Digest of its bytes.
    pub sha256: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// What was measured while a stage ran. Never part of a digest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Version of the program.
    pub version: String,
    /// Start, RFC 3339 in UTC.
    pub started: String,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Wall-clock seconds of named parts.
    #[serde(default)]
    pub parts: BTreeMap<String, f64>,
    /// Worker threads.
    pub threads: usize,
    /// Peak resident memory of the process since the stage started, bytes; 0 where unknown.
    pub peak_memory: u64,
    /// Name of the machine.
    pub host: String,
    /// Instruction set used by the kernels.
    #[serde(default)]
    pub code_path: String,
    /// How a search went, where there was one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rungs: Vec<RungInfo>,
}

/// How one rung of a search went.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RungInfo {
    /// Rows of train.
    pub rows: u64,
    /// Pieces it was cut into.
    pub pieces: usize,
    /// Of these, pieces that an earlier, interrupted run or a shard had scored already.
    pub resumed: usize,
    /// Pieces that the time did not suffice for.
    pub unfinished: usize,
    /// Estimate before it began, seconds on all threads; 0 where there is none.
    pub estimate: f64,
    /// Seconds from the start of the search to the end of this rung, which is when its cuts were made.
    pub until: f64,
}
