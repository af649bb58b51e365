//! `weir block notify`: tells how a run ended that did not tell it itself, such as one of a workflow.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use serde_json::Value;
use weir_artifact::Artifact;
use weir_contract::blocklist::{Detection, FORMAT};
use weir_contract::files::{BLOCKED_IPS, DETECTION, REPORT};
use weir_stage::{CommonArgs, Failure, ParamsArgs, Stage};

use super::{Done, Failed, Memory, Notice, Notifier, Outcome};

/// Tell how a run ended, as the section [notice] of the parameters says
#[derive(Debug, Clone, Parser)]
pub struct NotifyArgs {
    /// How it ended: Succeeded, Failed or Error
    #[arg(long, value_name = "STATUS", default_value = "Succeeded")]
    pub status: String,

    /// Directory of the detection; needed where the run went well
    #[arg(long, value_name = "DIR", default_value = "weir-block/detection")]
    pub detection: PathBuf,

    /// What enforcement did, a file that it wrote with --outcome; needed where the run went well
    #[arg(long, value_name = "FILE", default_value = "weir-block/outcome.json")]
    pub outcome: PathBuf,

    /// List to attach, in place of that of the detection
    #[arg(long, value_name = "FILE")]
    pub list: Option<PathBuf>,

    /// State directory that remembers what was told last; without one a run that spares somebody, or a dry run that would
    /// block somebody, is told of each time
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,

    /// What failed: a text, or the list in JSON that Argo gives as workflow.failures
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub message: String,

    /// Name of the machine or the workflow [default: that of the machine]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Parameters.
    #[command(flatten)]
    pub params: ParamsArgs,

    /// Common options.
    #[command(flatten)]
    pub common: CommonArgs,
}

impl AsRef<CommonArgs> for NotifyArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// Tells how a run ended.
///
/// # Errors
/// Failures of usage for parameters that do not hold, of input for a detection or an outcome that cannot be read; to be
/// retried where somebody could not be told.
pub fn notify_command(args: NotifyArgs, stage: &Stage) -> Result<(), Failure> {
    let params = crate::params::load(&args.params)?.section("notice")?;
    let notifier = Notifier::new(&params, |name| stage.variable(name))?;
    if !notifier.knows_anybody() {
        stage.note("nobody is told: neither notice.mail.server nor notice.webhook.url is set");
        return Ok(());
    }
    let mut memory = Memory::of(args.state.as_deref(), stage);
    let host = args.name.clone().unwrap_or_else(|| stage.clock().run_info("").host);
    let notice = match args.status.as_str() {
        "Succeeded" => succeeded(&args, host, &memory)?,
        _ => {
            let (step, message) = failure(&args.message);
            Notice::failed(&Failed { host, step, message, hint: None })
        }
    };
    notifier.tell(&notice, &mut memory, stage)
}

fn succeeded(args: &NotifyArgs, host: String, memory: &Memory) -> Result<Notice, Failure> {
    let artifact = Artifact::open(&args.detection)?;
    let detection: Detection = artifact.read_versioned(DETECTION, FORMAT)?;
    let outcome: Outcome = serde_json::from_slice(&read(&args.outcome)?).map_err(|error| {
        Failure::input(format!("{} is no outcome: {error}", args.outcome.display()))
            .hint("give the file that weir block enforce wrote with --outcome")
    })?;
    let list = match &args.list {
        Some(path) => read(path)?,
        None => artifact.read(BLOCKED_IPS)?,
    };
    let (report, told) = (artifact.read(REPORT).ok(), memory.last());
    Ok(Notice::done(&Done { host, detection: &detection, outcome: &outcome, list, report, told }))
}

/// The first step that failed and its message: of Argo's list, which some versions quote once more, or of a text.
fn failure(text: &str) -> (String, String) {
    let parsed: Value = serde_json::from_str(text).unwrap_or_default();
    let list = match &parsed {
        Value::String(inner) => serde_json::from_str(inner).unwrap_or_default(),
        _ => parsed,
    };
    let Some(first) = list.get(0) else {
        let text = if text.is_empty() { "no reason was given" } else { text };
        return ("run".to_owned(), text.to_owned());
    };
    let word = |name: &str| first[name].as_str().unwrap_or("unknown").to_owned();
    (word("displayName"), word("message"))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::input(format!("failed to read {}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_step_that_failed_is_named_whether_argo_quotes_the_list_or_not() {
        let list = r#"[{"displayName":"detect","message":"Error (exit code 3)","phase":"Failed"}]"#;
        for given in [list.to_owned(), json!(list).to_string()] {
            assert_eq!(failure(&given), ("detect".to_owned(), "Error (exit code 3)".to_owned()));
        }
        assert_eq!(failure("disk full"), ("run".to_owned(), "disk full".to_owned()));
        assert_eq!(failure("[]").0, "run");
    }
}
