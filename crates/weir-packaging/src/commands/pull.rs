//! `weir pull`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use weir_bundle::{Bundle, BundleError, VerifyingKey};
use weir_stage::{CommonArgs, Failure, Stage};

use crate::commands::RegistryArgs;
use crate::registry::{Reference, pull};

/// Pull a bundle from a registry, check it and unpack it
///
/// The directory appears when everything in it was checked, or not at all.
#[derive(Debug, Clone, Parser)]
pub struct PullArgs {
    /// Where from, as in registry.example/team/detector:v1
    #[arg(value_name = "REFERENCE")]
    reference: Reference,

    /// Directory of the bundle: new, empty, or of the same bundle
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    /// Public key of somebody whose bundles are trusted; others are refused. May be given more than once
    #[arg(long, value_name = "FILE")]
    pub trust: Vec<PathBuf>,

    /// The registry.
    #[command(flatten)]
    pub registry: RegistryArgs,

    /// Common options.
    #[command(flatten)]
    pub common: CommonArgs,
}

impl AsRef<CommonArgs> for PullArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// Pulls a bundle and prints where it is.
///
/// # Errors
/// Failures of usage (exit 2) for arguments that do not hold, and for a directory in use; of input (exit 3) when the
/// image is not there, is denied, damaged, not trusted, or holds no bundle; to be retried (exit 1) when the registry
/// cannot be reached or fails, and when writing does.
pub fn pull_command(args: PullArgs, stage: &Stage) -> Result<(), Failure> {
    let PullArgs { reference, out, trust, registry, .. } = args;
    let keys: Vec<_> = trust.iter().map(|path| VerifyingKey::read(path)).collect::<Result<_, _>>()?;
    let open = |dir: &Path| Bundle::open_from(dir, &keys);
    // Known before anything is downloaded.
    let there = if is_empty(&out)? { None } else { Some(existing(&out, open)?) };

    let staging = Staging::beside(&out)?;
    let pulled = pull(&mut registry.client(&reference, stage)?, &reference, staging.dir())?;
    let bundle = open(staging.dir()).map_err(|error| {
        // The directory is gone when the message is read.
        let failure = Failure::from(error);
        let message = failure.message.replace(&format!("{}", staging.dir().display()), &reference.to_string());
        Failure { message, ..failure }
    })?;
    match &there {
        None => staging.become_dir(&out)?,
        Some(there) if there.digest() == bundle.digest() => {
            stage.note(format!("{} holds this bundle already", out.display()));
        }
        Some(_) => return Err(in_use(&out, "another bundle")),
    }
    let result = serde_json::json!({
        "reference": reference.at(pulled.digest),
        "bundle": out,
        "bundle_digest": bundle.digest(),
        "unchanged": there.is_some(),
        "pulled_bytes": pulled.bytes,
    });
    stage.result(&result, || out.display().to_string())
}

fn is_empty(dir: &Path) -> Result<bool, Failure> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(Failure::usage(format!("{} cannot be the bundle's directory: {error}", dir.display()))),
    }
}

fn existing(dir: &Path, open: impl Fn(&Path) -> Result<Bundle, BundleError>) -> Result<Bundle, Failure> {
    open(dir).map_err(|error| match error {
        BundleError::Missing { .. } => in_use(dir, "something else"),
        other => in_use(dir, &format!("a bundle that does not open: {other}")),
    })
}

fn in_use(dir: &Path, what: &str) -> Failure {
    Failure::usage(format!("{} holds {what}", dir.display())).hint("name a new or an empty directory with --out")
}

/// A directory beside the one that is wanted, which it becomes or which goes away.
struct Staging {
    outer: tempfile::TempDir,
    dir: PathBuf,
}

impl Staging {
    fn beside(out: &Path) -> Result<Self, Failure> {
        let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let failed =
            |error: std::io::Error| Failure::usage(format!("failed to write to {}: {error}", parent.display()));
        fs::create_dir_all(parent).map_err(failed)?;
        let outer = tempfile::Builder::new().prefix(".weir-pull-").tempdir_in(parent).map_err(failed)?;
        // Within, since a temporary directory is for its owner alone.
        let dir = outer.path().join("bundle");
        fs::create_dir(&dir).map_err(failed)?;
        Ok(Self { outer, dir })
    }

    fn dir(&self) -> &Path {
        &self.dir
    }

    fn become_dir(self, out: &Path) -> Result<(), Failure> {
        // Replaces an empty directory, and nothing else.
        fs::rename(&self.dir, out)
            .map_err(|error| Failure::retry(format!("failed to write {}: {error}", out.display())))?;
        drop(self.outer);
        Ok(())
    }
}
