//! `weir block enforce`: keep out who is listed.

use std::collections::HashMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::Parser;
use weir_artifact::Artifact;
use weir_contract::blocklist::{Block, Detection, FORMAT, Suspect};
use weir_contract::files::DETECTION;
use weir_contract::json;
use weir_stage::{CommonArgs, Failure, ParamsArgs, Stage};

use super::args::{EnforcerArgs, Others, PATIENCE, author, find, now, span};
use crate::allow::{AllowArgs, AllowList};
use crate::enforce::{EnforceError, Enforcer, Exempt, Order, Protected, Report, enforce, preview, session_peer};
use crate::state::{Author, State};
use crate::{BlocklistParams, params};

/// Keep out whom a detection lists, for a while; without --apply only say what would change
#[derive(Debug, Clone, Parser)]
pub struct EnforceArgs {
    /// Directory of the detection
    #[arg(long, value_name = "DIR", default_value = "weir-block/detection")]
    pub detection: PathBuf,

    /// Who is kept out by what.
    #[command(flatten)]
    pub enforcer: EnforcerArgs,

    /// Who never is.
    #[command(flatten)]
    pub allow: AllowArgs,

    /// Name of the run that this is a step of: what an earlier try of the step did is told of with what this one does
    #[arg(long, value_name = "NAME")]
    pub run: Option<String>,

    /// Also write what was done to this file, for `notify`
    #[arg(long, value_name = "FILE")]
    pub outcome: Option<PathBuf>,

    /// Parameters.
    #[command(flatten)]
    pub params: ParamsArgs,

    /// Common options.
    #[command(flatten)]
    pub common: CommonArgs,
}

impl AsRef<CommonArgs> for EnforceArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// Whom to leave alone, how long to block the others, and for which run.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// Who is never blocked.
    pub allow: &'a AllowList,
    /// How long somebody is blocked, seconds.
    pub seconds: u64,
    /// The run, where it has a name: its steps may be tried again.
    pub run: Option<&'a str>,
}

/// Enforces a detection and prints what changed, or would change.
///
/// # Errors
/// Failures of usage for parameters that do not hold, those of the artifact, and those of [`enforce_detection`].
pub fn enforce_command(args: EnforceArgs, stage: &Stage, others: Others<'_>) -> Result<(), Failure> {
    let params: BlocklistParams = params::load(&args.params)?.section("blocklist")?;
    let allow = args.allow.load(&params)?;
    let detection = read(&args.detection)?;
    let rules = Rules { allow: &allow, seconds: params.block_seconds, run: args.run.as_deref() };
    let report = enforce_detection(&detection, &args.enforcer, rules, stage, others)?;
    if let Some(path) = &args.outcome {
        write(path, &report)?;
    }
    stage.result(&report, || enforced(&report, &detection))
}

fn write(path: &Path, report: &Report) -> Result<(), Failure> {
    let bytes = json::to_canonical(report).map_err(|error| Failure::retry(error.to_string()))?;
    fs::write(path, bytes).map_err(|error| Failure::retry(format!("failed to write {}: {error}", path.display())))
}

/// The detection of an artifact, whole and unchanged.
fn read(dir: &Path) -> Result<Detection, Failure> {
    let artifact = Artifact::open(dir)?;
    let stage = &artifact.manifest().stage;
    if stage != "block-detect" {
        let message = format!("{} is an artifact of stage {stage}, not of block-detect", dir.display());
        return Err(Failure::input(message).hint("name the directory that `weir block detect` wrote"));
    }
    artifact.verify()?;
    Ok(artifact.read_versioned(DETECTION, FORMAT)?)
}

/// Enforces `detection` as `how` and `rules` say.
///
/// # Errors
/// Those of [`enforce`]. A preview goes on without an enforcer that may not be looked at, and says so.
pub fn enforce_detection(
    detection: &Detection,
    how: &EnforcerArgs,
    rules: Rules<'_>,
    stage: &Stage,
    others: Others<'_>,
) -> Result<Report, Failure> {
    let seconds = i64::try_from(rules.seconds).unwrap_or(i64::MAX);
    warn_of_old(detection, now()?, seconds, stage);
    let protected = Protected::of_host(session_peer(stage.variable("SSH_CONNECTION").as_deref()))?;
    let exempt = Exempt { allow: rules.allow, protected: &protected };
    let order = || Ok::<_, Failure>(Order { detection, exempt, now: now()?, seconds });
    let mut enforcer = find(&how.enforcer, others)?;
    let report = if how.apply {
        let state = State::open(&how.state, PATIENCE)?;
        // Ctrl-C while the directory was waited for, which took its time.
        stage.check()?;
        let by = Author { run: rules.run.map(str::to_owned), ..author(stage, &how.enforcer) };
        enforce(order()?, &state, borrow(&mut enforcer), &by)?
    } else {
        let seen = match preview(order()?, &how.state, borrow(&mut enforcer)) {
            Err(error @ (EnforceError::NotPermitted { .. } | EnforceError::NoProgram { .. })) => {
                stage.warn(format!("{error}; this looks at the blocklist only"));
                preview(order()?, &how.state, None)?
            }
            other => other?,
        };
        Report { enforcer: how.enforcer.clone(), ..seen }
    };
    for alone in &report.changes.protected {
        stage.warn(format!("{} is listed and left alone: {}", alone.address, alone.reason));
    }
    if report.changes.left_out > 0 {
        let (count, enforcer) = (report.changes.left_out, &report.enforcer);
        stage.warn(format!(
            "{count} that are listed are left out, those with the weakest evidence: {enforcer} can keep out no more; \
             block on the hosts with nftables, or at the load balancer"
        ));
    }
    Ok(report)
}

fn borrow(enforcer: &mut Option<Box<dyn Enforcer>>) -> Option<&mut dyn Enforcer> {
    match enforcer {
        Some(enforcer) => Some(enforcer.as_mut()),
        None => None,
    }
}

/// Addresses change hands: whom an old log shows may be somebody else by now.
fn warn_of_old(detection: &Detection, now: i64, seconds: i64, stage: &Stage) {
    let Some(newest) = detection.listed.iter().map(|suspect| suspect.evidence.last).max() else { return };
    let age = now.saturating_sub(newest);
    if age > seconds {
        stage.warn(format!("the last request of those listed is {} old", span(age)));
    }
}

/// What changed, for people.
pub(crate) fn enforced(report: &Report, detection: &Detection) -> String {
    let changes = &report.changes;
    let suspects: HashMap<IpAddr, &Suspect> =
        detection.listed.iter().map(|suspect| (suspect.client, suspect)).collect();
    let why =
        |block: &Block| suspects.get(&block.address).map_or_else(String::new, |it| format!(": {}", it.sentence()));
    let mut text = String::new();
    for (what, blocks) in [
        ("block", &changes.added),
        ("block for longer", &changes.renewed),
        ("take over", &changes.adopted),
        ("let in, its time is over,", &changes.expired),
    ] {
        for block in blocks {
            text += &format!("{what} {}{}\n", block.address, why(block));
        }
    }
    for address in &changes.let_in {
        text += &format!("let in {address}, as a person did\n");
    }
    if changes.lifted > 0 {
        text += &format!("let in {} that may not be blocked any more\n", changes.lifted);
    }
    for address in &changes.settled {
        text += &format!("leave {address}: nothing new since its last block ended\n");
    }
    if changes.left_out > 0 {
        text += &format!("leave {} that are listed: there is no room for them\n", changes.left_out);
    }
    let kept = changes.kept.len();
    let (enforcer, told) = (&report.enforcer, if report.told { "" } else { "; it needs no change" });
    text += &match report.applied {
        true => format!("{kept} blocked as before; enforced by {enforcer}{told}\n"),
        false => format!("{kept} blocked as before; nothing was changed: --apply does it, by {enforcer}\n"),
    };
    text
}
