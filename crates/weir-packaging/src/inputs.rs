//! The artifacts of one run, and the winner's among them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use weir_artifact::Artifact;
use weir_contract::files::{SELECTION, TRIALS};
use weir_contract::selection::{self, Selection};
use weir_contract::trial::{self, Trials};
use weir_contract::{Family, Representation};
use weir_stage::{Failure, Stage};

use crate::stage::Request;

/// Role of the features among the inputs of training artifacts and of the package.
const FEATURES: &str = "features";

/// Opened artifacts that belong together.
pub(crate) struct Inputs {
    pub(crate) features: Artifact,
    pub(crate) selection: Artifact,
    /// What was selected.
    pub(crate) choice: Selection,
    /// In the order of the pipeline.
    pub(crate) trainings: BTreeMap<(Representation, Family), Training>,
}

/// A training artifact with its trials.
pub(crate) struct Training {
    pub(crate) artifact: Artifact,
    pub(crate) trials: Trials,
}

impl Training {
    /// The artifact's name in a run directory, and its role among the inputs.
    pub(crate) fn role(&self) -> String {
        format!("trials/{}-{}", self.trials.representation, self.trials.family)
    }
}

impl Inputs {
    /// Opens all artifacts and refuses those that do not belong together.
    pub(crate) fn open(request: &Request) -> Result<Self, Failure> {
        let features = open(&request.features, "features", "--features")?;
        let selection = open(&request.selection, "selection", "--selection")?;
        let choice = selection.read_versioned(SELECTION, selection::FORMAT)?;
        let trainings = open_trainings(&request.trials)?;
        let inputs = Self { features, selection, choice, trainings };
        inputs.refuse_other_runs()?;
        inputs.refuse_absent_winner()?;
        inputs.refuse_absent_trials()?;
        Ok(inputs)
    }

    /// All artifacts by role, in the order they were made.
    pub(crate) fn artifacts(&self) -> impl Iterator<Item = (String, &Artifact)> {
        let trainings = self.trainings.values().map(|training| (training.role(), &training.artifact));
        std::iter::once((FEATURES.to_owned(), &self.features))
            .chain(trainings)
            .chain(std::iter::once(("selection".to_owned(), &self.selection)))
    }

    /// The training artifact that holds the winner.
    ///
    /// # Panics
    /// Never: [`Inputs::open`] refuses inputs without it.
    pub(crate) fn winner(&self) -> &Training {
        self.find_winner().expect("open refuses inputs without the winner")
    }

    /// Compares every sealed byte with the manifests.
    pub(crate) fn verify(&self, stage: &Stage) -> Result<(), Failure> {
        let bar = stage.progress("verify", self.trainings.len() as u64 + 2);
        for (_, artifact) in self.artifacts() {
            stage.check()?;
            artifact.verify()?;
            bar.advance(1);
        }
        bar.finish();
        Ok(())
    }

    fn find_winner(&self) -> Option<&Training> {
        self.trainings.values().find(|training| training.artifact.digest() == self.choice.artifact)
    }

    /// Refuses trials of other features than those given, and trials that the selection did not compare.
    fn refuse_other_runs(&self) -> Result<(), Failure> {
        let features = self.features.digest();
        for training in self.trainings.values() {
            let dir = training.artifact.dir().display();
            let seen = training.artifact.manifest().inputs.get(FEATURES);
            if seen != Some(&features) {
                let seen = seen.map_or_else(|| "none".to_owned(), weir_contract::Digest::short);
                let given = (self.features.dir().display(), features.short());
                return Err(Failure::input(format!(
                    "{dir} was trained on features {seen}, {} holds features {}",
                    given.0, given.1
                ))
                .hint("give the artifacts of one run"));
            }
            let digest = training.artifact.digest();
            if !self.selection.manifest().inputs.values().any(|compared| *compared == digest) {
                let selection = self.selection.dir().display();
                return Err(Failure::input(format!(
                    "{dir} ({}) is not among the trials that {selection} compared",
                    digest.short()
                ))
                .hint("run the selection again, or give the trials that it compared"));
            }
        }
        Ok(())
    }

    fn refuse_absent_winner(&self) -> Result<(), Failure> {
        let Selection { winner, artifact, .. } = &self.choice;
        let selection = self.selection.dir().display();
        let Some(training) = self.find_winner() else {
            return Err(Failure::input(format!(
                "{selection} selected {winner} of training artifact {}, which is in none of the --trials",
                artifact.short()
            ))
            .hint("give the directory of the winner's training artifact with --trials, or select again"));
        };
        if training.trials.trials.iter().all(|trial| trial.id != *winner) {
            let dir = training.artifact.dir().display();
            return Err(Failure::input(format!("{selection} selected {winner}, which {dir} does not hold"))
                .hint("run the selection again with --force"));
        }
        Ok(())
    }

    /// Refuses a part of what the selection compared: card and report speak of all of it.
    fn refuse_absent_trials(&self) -> Result<(), Failure> {
        let given: Vec<_> = self.trainings.values().map(|training| training.artifact.digest()).collect();
        let compared = self.selection.manifest().inputs.iter().filter(|(role, _)| role.starts_with("trials/"));
        let absent: Vec<&str> =
            compared.filter(|(_, digest)| !given.contains(digest)).map(|(role, _)| role.as_str()).collect();
        if absent.is_empty() {
            return Ok(());
        }
        let selection = self.selection.dir().display();
        Err(Failure::input(format!("{selection} also compared {}, which --trials leaves out", absent.join(", ")))
            .hint("give the directories of all trials that it compared"))
    }
}

fn open(dir: &Path, stage: &str, argument: &str) -> Result<Artifact, Failure> {
    let artifact = Artifact::open(dir)?;
    let made_by = &artifact.manifest().stage;
    if made_by != stage {
        return Err(Failure::input(format!("{} was made by stage {made_by}", dir.display()))
            .hint(format!("give the artifact of stage {stage} with {argument}")));
    }
    Ok(artifact)
}

fn open_trainings(dirs: &[PathBuf]) -> Result<BTreeMap<(Representation, Family), Training>, Failure> {
    let mut trainings: BTreeMap<_, Training> = BTreeMap::new();
    for dir in dirs {
        let artifact = open(dir, "training", "--trials")?;
        let trials: Trials = artifact.read_versioned(TRIALS, trial::FORMAT)?;
        let training = Training { artifact, trials };
        let key = (training.trials.representation, training.trials.family);
        if let Some(earlier) = trainings.get(&key) {
            let (earlier, dir, role) = (earlier.artifact.dir().display(), dir.display(), training.role());
            return Err(Failure::usage(format!("{earlier} and {dir} both hold {role}"))
                .hint("give the trials of one run, each directory once"));
        }
        trainings.insert(key, training);
    }
    Ok(trainings)
}
