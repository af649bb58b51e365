//! Report and bundle of a run, from wherever its artifacts are.
//!
//! ```text
//! <out>/package/          the artifact of the packaging step, as in a local run
//! ├── report.html
//! ├── bundle/
//! └── ...
//! ```

mod bucket;
mod export;
mod pod;

use std::fs;
use std::path::{Path, PathBuf};

use weir_artifact::Artifact;
use weir_bundle::Bundle;
use weir_contract::files;
use weir_stage::{Failure, Stage};

use crate::cluster::Cluster;
use crate::workflow::Workflow;

pub(crate) use bucket::location;
pub use export::{ExportArgs, export_command};

/// The directory of the packaging step's artifact in a run directory.
const PACKAGE: &str = "package";
/// The bundle in it.
const BUNDLE: &str = "bundle";

/// What was fetched.
#[derive(Debug, Clone)]
pub(crate) struct Fetched {
    pub(crate) dir: PathBuf,
}

impl Fetched {
    pub(crate) fn report(&self) -> PathBuf {
        self.dir.join(PACKAGE).join(files::REPORT)
    }

    pub(crate) fn bundle(&self) -> PathBuf {
        self.dir.join(PACKAGE).join(BUNDLE)
    }
}

/// Fetches the package of `run` into `out/package`, checked to the last byte before it appears there.
///
/// # Errors
/// Failures of usage for a directory in use and for missing credentials; of input where the artifact is not there or is
/// damaged; to be retried where it cannot be read.
pub(crate) fn fetch(
    cluster: &Cluster,
    stage: &Stage,
    run: &Workflow,
    out: &Path,
    endpoint: Option<&str>,
) -> Result<Fetched, Failure> {
    let failed = |error: std::io::Error| Failure::usage(format!("failed to write to {}: {error}", out.display()));
    fs::create_dir_all(out).map_err(failed)?;
    let target = out.join(PACKAGE);
    let staging = tempfile::Builder::new().prefix(".weir-fetch-").tempdir_in(out).map_err(failed)?;
    let arriving = staging.path().join(PACKAGE);
    fs::create_dir(&arriving).map_err(failed)?;
    match bucket::location(run) {
        Some(place) => bucket::fetch(&place, endpoint, stage, &arriving)?,
        None => pod::fetch(cluster, stage, run, &arriving)?,
    }
    let digest = check(&arriving, run)?;
    if target.exists() {
        let there = Artifact::open(&target).ok().map(|artifact| artifact.digest().to_string());
        if there.as_deref() != Some(&digest) && !stage.common().force {
            return Err(Failure::usage(format!("{} holds something else", target.display()))
                .hint("name another directory with --out, or replace it with --force"));
        }
        fs::remove_dir_all(&target).map_err(failed)?;
    }
    fs::rename(&arriving, &target).map_err(failed)?;
    Ok(Fetched { dir: out.to_owned() })
}

/// Opens what arrived; its digest.
fn check(dir: &Path, run: &Workflow) -> Result<String, Failure> {
    let arrived =
        |failure: Failure| failure.context(format!("what run {} left did not arrive whole", run.metadata.name));
    let artifact = Artifact::open(dir).map_err(|error| arrived(Failure::from(error)))?;
    artifact.verify().map_err(|error| arrived(Failure::from(error)))?;
    let bundle = Bundle::open(dir.join(BUNDLE)).map_err(|error| arrived(Failure::from(error)))?;
    let digest = artifact.digest().to_string();
    let said = [("digest", digest.clone()), ("bundle", bundle.digest().to_string())];
    for (name, found) in said {
        let expected = run.value("packaging", name);
        if expected.as_ref().is_some_and(|expected| *expected != found) {
            return Err(arrived(Failure::input(format!(
                "the {name} of what is there is {found}, and the run says {}",
                expected.unwrap_or_default()
            ))));
        }
    }
    Ok(digest)
}
