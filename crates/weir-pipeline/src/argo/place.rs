//! Where artifacts lie: the key of each, and where pods see it.

use serde_json::{Value, json};

use weir_contract::{Family, Representation};

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
    stored: Stored,
}

/// What an artifact is in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stored {
    /// One packed object: every store says the same about it. A directory of objects Argo takes only from stores that
    /// answer a question for the directory itself with 404, which not all do.
    Packed,
    /// An object per file, as others read them: a predictor, whoever fetches the report.
    Files,
    /// A packed object for every trial there may be.
    Trials,
}

impl Place {
    /// The artifact that `step` writes: with a fan-out that of the trial.
    pub(super) fn written_by(step: &Step) -> Option<Self> {
        let place = Self::all_of(step)?;
        Some(match step.fan {
            Fan::Once => place,
            Fan::Trials => Self { stored: Stored::Packed, ..place.inside(&trial()) },
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
        let stored = match output.kind {
            Kind::Features | Kind::Selection => Stored::Packed,
            Kind::Trial => Stored::Trials,
            Kind::Package | Kind::Validation => Stored::Files,
        };
        Some(Self { name: output.name, key, path: format!("{ROOT}/run/{}", output.name), stored })
    }

    /// The plan of a divided step.
    pub(super) fn plan(step: &Step) -> Self {
        Self { name: "plan", key: of_divided(step, "plan"), path: format!("{ROOT}/plan"), stored: Stored::Packed }
    }

    /// All pieces of a divided step.
    pub(super) fn pieces(step: &Step) -> Self {
        // How many there are only the run knows.
        Self { name: "pieces", key: of_divided(step, "pieces"), path: format!("{ROOT}/pieces"), stored: Stored::Files }
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

    /// The artifacts of a template whose pods have it from a repository.
    pub(super) fn artifacts(&self) -> Vec<Value> {
        let Self { name, key, path, .. } = self;
        match self.stored {
            Stored::Packed => vec![packed(name, key, path)],
            Stored::Files => {
                vec![json!({ "name": name, "path": path, "s3": { "key": key }, "archive": { "none": {} } })]
            }
            Stored::Trials => {
                let of =
                    |&representation: &Representation| Family::ALL.iter().map(move |family| (representation, family));
                let trials = Representation::ALL.iter().flat_map(of);
                let one = |(representation, family): (Representation, &Family)| {
                    let trial = format!("{representation}-{family}");
                    let mut artifact =
                        packed(&format!("{name}-{trial}"), &format!("{key}/{trial}"), &format!("{path}/{trial}"));
                    // Not every run trains all of them.
                    artifact["optional"] = json!(true);
                    artifact
                };
                trials.map(one).collect()
            }
        }
    }

    fn inside(self, directory: &str) -> Self {
        let Self { name, key, path, stored } = self;
        Self { name, key: format!("{key}/{directory}"), path: format!("{path}/{directory}"), stored }
    }
}

/// Not compressed again: tables and models hardly get smaller.
fn packed(name: &str, key: &str, path: &str) -> Value {
    let archive = json!({ "tar": { "compressionLevel": 0 } });
    json!({ "name": name, "path": path, "s3": { "key": format!("{key}.tgz") }, "archive": archive })
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
