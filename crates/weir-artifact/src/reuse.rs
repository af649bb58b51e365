//! Whether a stage has to run: the artifact it would write may be there already.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use weir_contract::{Digest, Seed};

use crate::{Artifact, ArtifactError, Seal};

/// What an artifact must have been made from to stand for a new run.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// The stage.
    pub stage: String,
    /// Digest over the sources of the stage.
    pub build: String,
    /// Digests of the inputs by role.
    pub inputs: BTreeMap<String, Digest>,
    /// The resolved parameters.
    pub parameters: Value,
    /// The seed, where the stage uses one.
    pub seed: Option<Seed>,
}

impl Expectation {
    /// The seal of the run that this expectation asks for.
    #[must_use]
    pub fn seal(self, rows: BTreeMap<String, u64>) -> Seal {
        let Self { stage, build, inputs, parameters, seed } = self;
        Seal { stage, build, inputs, parameters, seed, rows }
    }
}

impl Artifact {
    /// The artifact in `dir`, if it was made from exactly what is expected and all its files are there.
    ///
    /// `None` means that the stage has to run: there is nothing, something else, an older format, or a directory
    /// with a missing or damaged file (by its size; contents are left to [`Artifact::verify`]).
    ///
    /// # Errors
    /// [`ArtifactError::UnknownVersion`] for a newer format, which another build may still need, and
    /// [`ArtifactError::Io`] when the directory cannot be read.
    pub fn open_current(dir: impl AsRef<Path>, expected: &Expectation) -> Result<Option<Self>, ArtifactError> {
        let artifact = match Self::open(dir) {
            Ok(artifact) => artifact,
            Err(error @ ArtifactError::UnknownVersion { found, known, .. }) if found > u64::from(known) => {
                return Err(error);
            }
            Err(error @ ArtifactError::Io { .. }) => return Err(error),
            Err(_) => return Ok(None),
        };
        let manifest = artifact.manifest();
        let same = manifest.stage == expected.stage
            && manifest.build == expected.build
            && manifest.inputs == expected.inputs
            && manifest.parameters == expected.parameters
            && manifest.seed == expected.seed;
        let whole = manifest.unsealed.iter().all(|name| artifact.dir().join(name).is_file());
        Ok((same && whole).then_some(artifact))
    }
}
