//! The stage: artifacts of trials in, the artifact of the selection out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use weir_artifact::{Artifact, Draft, Expectation};
use weir_contract::files::{ACCURACY, RUN_INFO, SELECTION, TRIALS, VERDICT, WINNER};
use weir_contract::selection::Selection;
use weir_contract::trial::{self, Trials};
use weir_contract::{Digest, json};
use weir_stage::{Failure, Stage};

use crate::{SelectionParams, select};

/// Role of the champion's artifact among the inputs in the manifest.
const CHAMPION: &str = "champion";
/// Role of the features among the inputs in the manifest of a training artifact.
const FEATURES: &str = "features";

/// What a run of the stage is given.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Directories of training artifacts, in any order.
    pub trials: Vec<PathBuf>,
    /// Directory of the champion's training artifact, scored on the same test rows.
    pub champion: Option<PathBuf>,
    /// The checked parameters.
    pub params: SelectionParams,
    /// Directory of the artifact to write.
    pub out: PathBuf,
}

/// What a run of the stage left.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The artifact.
    pub artifact: Artifact,
    /// Whether it was there already.
    pub skipped: bool,
}

/// Selects among the trials and commits `selection.json`, `winner`, `accuracy` and `verdict` to `request.out`, unless
/// an artifact of the same inputs, parameters and build is there and `--force` was not given.
///
/// # Errors
/// Failures of input (exit 3) for a directory that is no whole training artifact, for trials that were made from
/// different features, and for all that [`select`] refuses; of usage (exit 2) for two directories of the same
/// family and representation, and for an output directory in use; to be retried (exit 1) when writing fails.
pub fn run(request: &Request, stage: &Stage) -> Result<Outcome, Failure> {
    let clock = stage.clock();
    let sources = open_trials(&request.trials)?;
    let champion = request.champion.as_deref().map(Source::open).transpose()?;
    same_features(sources.values().chain(&champion))?;

    let roles = sources.iter().map(|(role, source)| (role.clone(), source.artifact.digest()));
    let champion_role = champion.iter().map(|source| (CHAMPION.to_owned(), source.artifact.digest()));
    let parameters = serde_json::to_value(&request.params)
        .map_err(|error| Failure::retry(format!("failed to write the parameters as JSON: {error}")))?;
    let expectation = Expectation {
        stage: "selection".to_owned(),
        build: env!("WEIR_BUILD_ID").to_owned(),
        inputs: roles.chain(champion_role).collect(),
        parameters,
        seed: None,
    };
    if !stage.common().force
        && let Some(artifact) = Artifact::open_current(&request.out, &expectation)?
    {
        return Ok(Outcome { artifact, skipped: true });
    }

    let trials: Vec<(Digest, Trials)> = sources.into_values().map(Source::into_pair).collect();
    let champion = champion.map(Source::into_pair);
    let selection = select(&trials, champion.as_ref(), &request.params)?;
    stage.check()?;

    let mut draft = Draft::begin(&request.out)?;
    let rows = write(&draft, &selection)?;
    let run_info = json::to_canonical(&clock.run_info(""))
        .map_err(|error| Failure::retry(format!("failed to write {RUN_INFO} as JSON: {error}")))?;
    draft.write_unsealed(RUN_INFO, &run_info)?;
    let artifact = draft.commit(expectation.seal(BTreeMap::from([("test".to_owned(), rows)])))?;
    Ok(Outcome { artifact, skipped: false })
}

/// Writes the selection and its one-value files; returns the number of test rows.
fn write(draft: &Draft, selection: &Selection) -> Result<u64, Failure> {
    let confusion = selection.ranking.first().map(|winner| winner.confusion).unwrap_or_default();
    draft.write_json(SELECTION, selection)?;
    draft.write(WINNER, selection.winner.to_string().as_bytes())?;
    draft.write(ACCURACY, confusion.accuracy().to_string().as_bytes())?;
    draft.write(VERDICT, selection.verdict.name().as_bytes())?;
    Ok(confusion.rows())
}

/// A training artifact with its trials.
struct Source {
    artifact: Artifact,
    trials: Trials,
}

impl Source {
    fn open(dir: &Path) -> Result<Self, Failure> {
        let artifact = Artifact::open(dir)?;
        let made_by = &artifact.manifest().stage;
        if made_by != "training" {
            return Err(Failure::input(format!("{} was made by stage {made_by}", dir.display()))
                .hint("give artifacts of stage training with --trials and --champion"));
        }
        let trials = artifact.read_versioned(TRIALS, trial::FORMAT)?;
        Ok(Self { artifact, trials })
    }

    fn role(&self) -> String {
        format!("trials/{}-{}", self.trials.representation, self.trials.family)
    }

    fn features(&self) -> Option<&Digest> {
        self.artifact.manifest().inputs.get(FEATURES)
    }

    fn into_pair(self) -> (Digest, Trials) {
        (self.artifact.digest(), self.trials)
    }
}

/// The artifacts by their role among the inputs.
fn open_trials(dirs: &[PathBuf]) -> Result<BTreeMap<String, Source>, Failure> {
    let mut sources: BTreeMap<String, Source> = BTreeMap::new();
    for dir in dirs {
        let source = Source::open(dir)?;
        let role = source.role();
        if let Some(earlier) = sources.get(&role) {
            let (earlier, dir) = (earlier.artifact.dir().display(), dir.display());
            return Err(Failure::usage(format!("{earlier} and {dir} both hold {role}"))
                .hint("give the trials of one run, each directory once"));
        }
        sources.insert(role, source);
    }
    Ok(sources)
}

/// Refuses artifacts made from different features: their right/wrong bits are about different rows, even where
/// these are equally many.
fn same_features<'a>(sources: impl IntoIterator<Item = &'a Source>) -> Result<(), Failure> {
    let mut sources = sources.into_iter();
    let Some(first) = sources.next() else { return Ok(()) };
    let Some(other) = sources.find(|other| other.features() != first.features()) else { return Ok(()) };
    let name = |source: &Source| source.features().map_or_else(|| "none".to_owned(), Digest::short);
    Err(Failure::input(format!(
        "{} was scored on features {}, {} on {}",
        first.artifact.dir().display(),
        name(first),
        other.artifact.dir().display(),
        name(other)
    ))
    .hint("score both on the same features"))
}
