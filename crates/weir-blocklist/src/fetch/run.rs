//! The stage: sources in, the artifact of the logs out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use weir_artifact::{Artifact, Draft, Expectation, WORK, digest_file};
use weir_contract::files::RUN_INFO;
use weir_contract::{Digest, json};
use weir_fetch::{Download, Event, Expected, FetchError, Settings, Watcher, download};
use weir_stage::{Failure, Stage};

use super::copy::{copy_file, copy_stdin, unwritten};
use super::source::{Source, sources};

/// Name of the stage in manifests.
pub const STAGE: &str = "block-fetch";
/// Folder of the logs in the artifact.
const FOLDER: &str = "logs";

/// What a run of the stage is given.
#[derive(Debug, Clone)]
pub struct Request {
    /// Paths, URLs, `-` for standard input, in the order in which they are to be read.
    pub sources: Vec<String>,
    /// Directory of the artifact to write.
    pub out: PathBuf,
    /// How the network is treated.
    pub settings: Settings,
}

/// What a run of the stage left.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The artifact.
    pub artifact: Artifact,
    /// Whether it was there already, with the same logs.
    pub skipped: bool,
}

/// Brings all sources and commits them to `request.out`, unless an artifact of the same logs and build is there and
/// `--force` was not given.
///
/// # Errors
/// Failures of usage (exit 2) for sources that are none or come twice, and an output directory in use; of input (exit 3)
/// for a log that cannot be read, and a server that says no; to be retried (exit 1) for a network or a disk that fails;
/// interruption (exit 130).
pub fn fetch(request: &Request, stage: &Stage) -> Result<Outcome, Failure> {
    let clock = stage.clock();
    let sources = sources(&request.sources)?;
    Draft::check(&request.out)?;
    // Files lie one deeper than the lock, which leaves that place to what a download left.
    let work = request.out.join(WORK);
    let lock = Draft::begin_over(&work)?;
    let place = work.join(WORK);
    fs::create_dir_all(&place).map_err(|error| unwritten(&place, &error))?;

    let mut names = Vec::new();
    let mut inputs = BTreeMap::new();
    for (number, source) in (1..).zip(&sources) {
        stage.detail(format!("fetching {}", source.shown()));
        let name = source.file_name(number);
        let to = place.join(&name);
        bring(source, &to, &request.settings, stage)?;
        inputs.insert(format!("log/{number:04}"), digest_file(&to)?);
        names.push(name);
    }
    let expectation = expectation(&sources, inputs);
    let current = if stage.common().force { None } else { Artifact::open_current(&request.out, &expectation)? };
    if let Some(artifact) = current {
        clear(lock, &work)?;
        return Ok(Outcome { artifact, skipped: true });
    }

    let mut draft = Draft::begin_over(&request.out)?;
    for name in &names {
        let to = draft.path(&format!("{FOLDER}/{name}"))?;
        fs::rename(place.join(name), &to).map_err(|error| unwritten(&to, &error))?;
    }
    clear(lock, &work)?;
    let run_info = json::to_canonical(&clock.run_info(""))
        .map_err(|error| Failure::retry(format!("failed to write {RUN_INFO} as JSON: {error}")))?;
    draft.write_unsealed(RUN_INFO, &run_info)?;
    let artifact = draft.commit(expectation.seal(BTreeMap::new()))?;
    Ok(Outcome { artifact, skipped: false })
}

fn expectation(sources: &[Source], inputs: BTreeMap<String, Digest>) -> Expectation {
    let shown: Vec<String> = sources.iter().map(Source::shown).collect();
    Expectation {
        stage: STAGE.to_owned(),
        build: env!("WEIR_BUILD_ID").to_owned(),
        inputs,
        parameters: json!({ "sources": shown }),
        seed: None,
    }
}

fn bring(source: &Source, to: &Path, settings: &Settings, stage: &Stage) -> Result<(), Failure> {
    let url = match source {
        Source::File(path) => return copy_file(path, to, stage),
        Source::Stdin => return copy_stdin(to, stage),
        Source::Url(url) => url.as_str(),
    };
    // A log is a whole file only as far as its server says: a length to expect is not known.
    let request = Download { url, to, expected: Expected::default(), settings };
    let mut tell = |event: Event<'_>| {
        if let Event::Retry { reason, wait } = event {
            stage.warn(format!("{reason}; trying again in {} s", wait.as_secs_f64()));
        }
    };
    match download(&request, &mut Watcher::new(stage.cancelled(), &mut tell)) {
        Ok(_) => Ok(()),
        Err(FetchError::Interrupted) => Err(Failure::interrupted()),
        Err(error @ FetchError::Refused { .. }) => Err(Failure::from(error)
            .hint("check the URL; where the server wants to know who asks, use --authorization-file")),
        Err(FetchError::Io { source, .. }) => Err(unwritten(to, &source)),
        Err(error) => Err(error.into()),
    }
}

fn clear(lock: Draft, work: &Path) -> Result<(), Failure> {
    drop(lock);
    fs::remove_dir_all(work).map_err(|error| unwritten(work, &error))
}

#[cfg(test)]
mod tests;
