//! Where artifacts lie: the key of each, and where pods see it.

use serde_json::{Value, json};

use super::{Artifacts, reference};
use crate::step::{Fan, Kind, Step};

/// Where pods have artifacts: the volume, or a directory that ends with the pod.
pub(super) const ROOT: &str = "/weir";
/// Name of the volume claim.
pub(super) const CLAIM: &str = "weir";

/// An artifact as one template has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Its name in the template.
    name: &'static str,
    /// The key of its object or objects, or its path on the volume.
    pub(super) key: String,
    /// Where pods see it that have it from a repository.
    path: String,
}

impl Place {
    /// The artifact that `step` writes: with a fan-out that of the trial.
    pub(super) fn written_by(step: &Step) -> Option<Self> {
        let place = Self::all_of(step)?;
        Some(match step.fan {
            Fan::Once => place,
            Fan::Trials => place.inside(&trial()),
        })
    }

    /// What `step` leaves: its artifact, or the directory around those of all trials.
    pub(super) fn all_of(step: &Step) -> Option<Self> {
        let output = step.output?;
        let key = match output.kind {
            Kind::Features => format!("features/{}", reference::input(FEATURES_KEY)),
            Kind::Trial => format!("trials/{}", reference::input(TRIALS_KEY)),
            Kind::Selection | Kind::Package | Kind::Validation => of_run(output.name),
        };
        Some(Self { name: output.name, key, path: format!("{ROOT}/run/{}", output.name) })
    }

    /// The plan of a divided step.
    pub(super) fn plan(step: &Step) -> Self {
        Self { name: "plan", key: of_divided(step, "plan"), path: format!("{ROOT}/plan") }
    }

    /// All pieces of a divided step.
    pub(super) fn pieces(step: &Step) -> Self {
        Self { name: "pieces", key: of_divided(step, "pieces"), path: format!("{ROOT}/pieces") }
    }

    /// One piece of a divided step.
    pub(super) fn piece(step: &Step) -> Self {
        Self::pieces(step).inside(&reference::input(PIECE))
    }

    /// Where the programs see it.
    pub(super) fn seen(&self, artifacts: Artifacts) -> String {
        match artifacts {
            Artifacts::S3 => self.path.clone(),
            Artifacts::Volume => format!("{ROOT}/{}", self.key),
        }
    }

    /// The artifact of a template whose pods have it from a repository: as it is, file by file, so that others who read
    /// the bucket find what the stage wrote.
    pub(super) fn artifact(&self) -> Value {
        json!({ "name": self.name, "path": self.path, "s3": { "key": self.key }, "archive": { "none": {} } })
    }

    fn inside(self, directory: &str) -> Self {
        let Self { name, key, path } = self;
        Self { name, key: format!("{key}/{directory}"), path: format!("{path}/{directory}") }
    }
}

/// Input parameter: digest of all that features are made of.
pub(super) const FEATURES_KEY: &str = "features-key";
/// Input parameter: digest of all that trials are made of.
pub(super) const TRIALS_KEY: &str = "trials-key";
/// Input parameter: what a trial sees.
pub(super) const REPRESENTATION: &str = "representation";
/// Input parameter: the model family of a trial.
pub(super) const MODEL: &str = "model";
/// Input parameter: the number of a piece.
pub(super) const PIECE: &str = "piece";

/// Name of the artifact of a trial.
pub(super) fn trial() -> String {
    format!("{}-{}", reference::input(REPRESENTATION), reference::input(MODEL))
}

/// Key of what belongs to the run alone.
pub(super) fn of_run(name: &str) -> String {
    format!("runs/{{{{workflow.name}}}}/{name}")
}

fn of_divided(step: &Step, what: &str) -> String {
    let key = of_run(&format!("{}-{what}", step.name));
    match step.fan {
        Fan::Once => key,
        Fan::Trials => format!("{key}/{}", trial()),
    }
}
