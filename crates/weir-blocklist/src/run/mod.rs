//! `weir block run`: fetch, detect, enforce, one after the other, and a notice however that ends.
//!
//! A step that fails changes nothing of who is blocked, and whoever is to be told is told which one it was; once it is
//! enforced nothing else that fails says so. Without `--since` only requests count that are no older than a block is long:
//! nobody is blocked now for what is over. Nor for what is yet to come, by a log whose clock is ahead: it would outlast
//! every block, and every person who lets somebody in.

mod follow;
mod logs;

use std::path::PathBuf;

use clap::Parser;
use weir_artifact::Artifact;
use weir_contract::blocklist::{Detection, FORMAT};
use weir_contract::files::{BLOCKED_IPS, DETECTION};
use weir_stage::{CommonArgs, Failure, Stage};

use crate::detect::{Logs, LookArgs, REPORT, Request, now, run as detect};
use crate::enforce::command::{EnforcerArgs, Others, Rules, enforce_detection, enforced};
use crate::fetch;
use crate::notice::{Done, Failed, Memory, Notice, NoticeParams, Notifier, Outcome};
use crate::params;

/// Folder of the fetched logs in the state directory.
const LOGS: &str = "logs";
/// Folder of the detection in the state directory.
const FOUND: &str = "detection";
/// How far ahead of this clock that of a log may be, seconds.
const AHEAD: i64 = 60;

/// Fetch, detect, enforce, and tell how it went; without --apply only say what would change
#[derive(Debug, Clone, Parser)]
pub struct RunArgs {
    /// Access logs: files, plain, gzip or zstd, in any order; URLs; - for standard input
    #[arg(long, num_args = 1.., required = true, value_name = "SOURCE")]
    pub log: Vec<String>,

    /// Go on with what is appended to the files, through their rotation, until Ctrl-C
    #[arg(long)]
    pub follow: bool,

    /// With --follow: seconds between two looks at the counts
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "follow", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub every: u32,

    /// With --follow: how far back requests count, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 900, requires = "follow", value_parser = clap::value_parser!(u32).range(60..=604_800))]
    pub window: u32,

    /// What counts.
    #[command(flatten)]
    pub look: LookArgs,

    /// Who is kept out by what.
    #[command(flatten)]
    pub enforcer: EnforcerArgs,

    /// Common options.
    #[command(flatten)]
    pub common: CommonArgs,
}

impl AsRef<CommonArgs> for RunArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// Runs all steps and prints who is listed and what changed. Parameters are checked before the first.
///
/// # Errors
/// Those of the steps; of usage for parameters that do not hold; to be retried where all is done but somebody could not be
/// told.
pub fn run_command(args: RunArgs, stage: &Stage, others: Others<'_>) -> Result<(), Failure> {
    let mut run = Run::new(&args, stage, others)?;
    if args.follow { follow::follow(&mut run, &args) } else { run.once(&args.log) }
}

/// What the steps have in common.
struct Run<'a> {
    args: &'a RunArgs,
    request: Option<Request>,
    notifier: Notifier,
    /// What was told last.
    memory: Memory,
    stage: &'a Stage,
    others: Others<'a>,
}

/// A step that failed.
struct Stopped {
    step: &'static str,
    failure: Failure,
}

/// A run whose steps are all done.
struct Ended {
    detection: Detection,
    outcome: Outcome,
    /// `blocked_ips.txt`.
    list: Vec<u8>,
    /// `report.html`.
    report: Vec<u8>,
    /// Whether the result could be printed.
    printed: Result<(), Failure>,
}

/// For `map_err`.
fn at(step: &'static str) -> impl Fn(Failure) -> Stopped {
    move |failure| Stopped { step, failure }
}

impl<'a> Run<'a> {
    fn new(args: &'a RunArgs, stage: &'a Stage, others: Others<'a>) -> Result<Self, Failure> {
        let params: NoticeParams = params::load(&args.look.params)?.section("notice")?;
        let notifier = Notifier::new(&params, |name| stage.variable(name))?;
        let memory = Memory::of(Some(&args.enforcer.state), stage);
        let mut run = Self { args, request: None, notifier, memory, stage, others };
        match run.look() {
            Ok(()) => Ok(run),
            Err(failure) => Err(run.failed(Stopped { step: "parameters", failure })),
        }
    }

    /// Reads parameters and allow lists.
    fn look(&mut self) -> Result<(), Failure> {
        let logs = Logs::Files(self.args.log.iter().map(PathBuf::from).collect());
        let mut request = self.args.look.request(logs, self.args.enforcer.state.join(FOUND))?;
        if !self.args.follow {
            let (now, seconds) = (now(), i64::try_from(request.params.block_seconds).unwrap_or(i64::MAX));
            request.since = request.since.or(Some(now - seconds));
            request.until = request.until.or(Some(now + AHEAD));
        }
        self.request = Some(request);
        Ok(())
    }

    /// What is looked for.
    fn request(&self) -> &Request {
        self.request.as_ref().expect("a run starts with a request")
    }

    fn once(&mut self, sources: &[String]) -> Result<(), Failure> {
        let done = self.fetch(sources).and_then(|logs| {
            let request = Request { logs, ..self.request().clone() };
            let outcome = detect(&request, self.stage).map_err(at("detect"))?;
            self.enforce(&outcome.artifact)
        });
        match done {
            Ok(ended) => self.tell(ended),
            Err(stopped) => Err(self.failed(stopped)),
        }
    }

    /// Files are read where they are; as soon as one source is a URL all are brought here.
    fn fetch(&self, sources: &[String]) -> Result<Logs, Stopped> {
        if !sources.iter().any(|source| source.contains("://")) {
            return Ok(self.request().logs.clone());
        }
        let out = self.args.enforcer.state.join(LOGS);
        let request = fetch::Request { sources: sources.to_vec(), out, settings: weir_fetch::Settings::default() };
        let fetched = fetch::fetch(&request, self.stage).map_err(at("fetch"))?;
        Ok(Logs::Artifact(fetched.artifact.dir().to_owned()))
    }

    /// Enforces the detection of an artifact; prints it and what changed. All that is needed is read before.
    fn enforce(&self, artifact: &Artifact) -> Result<Ended, Stopped> {
        let read = |file: &str| artifact.read(file).map_err(|error| at("enforce")(error.into()));
        let detection: Detection =
            artifact.read_versioned(DETECTION, FORMAT).map_err(|error| at("enforce")(error.into()))?;
        let (list, report) = (read(BLOCKED_IPS)?, read(REPORT)?);
        let rules = Rules { allow: &self.request().allow, seconds: self.request().params.block_seconds, run: None };
        let done = enforce_detection(&detection, &self.args.enforcer, rules, self.stage, self.others)
            .map_err(at("enforce"))?;
        let result = serde_json::json!({"detection": detection, "enforcement": done});
        let text = || format!("{}\n{}", crate::detect::text(&detection), enforced(&done, &detection));
        let printed = self.stage.result(&result, text);
        Ok(Ended { outcome: Outcome::from(&done), detection, list, report, printed })
    }

    /// Tells of a run that went well. That the result could not be printed is a failure of the command and not of the run.
    fn tell(&mut self, ended: Ended) -> Result<(), Failure> {
        let Ended { detection, outcome, list, report, printed } = ended;
        let (host, report, told) = (self.host(), Some(report), self.memory.last());
        let notice = Notice::done(&Done { host, detection: &detection, outcome: &outcome, list, report, told });
        let sent = self.notifier.tell(&notice, &mut self.memory, self.stage);
        match (printed, sent) {
            (Err(unprinted), Err(unsent)) => {
                self.stage.warn(unsent.to_string());
                Err(unprinted)
            }
            (printed, sent) => printed.and(sent),
        }
    }

    /// Tells of a failure, and gives it back. An interruption is nobody's business.
    fn failed(&mut self, stopped: Stopped) -> Failure {
        let Stopped { step, failure } = stopped;
        if self.stage.is_cancelled() {
            return failure;
        }
        let (message, hint) = (failure.message.clone(), failure.hint.clone());
        let notice = Notice::failed(&Failed { host: self.host(), step: step.to_owned(), message, hint });
        if let Err(error) = self.notifier.tell(&notice, &mut self.memory, self.stage) {
            self.stage.warn(error.to_string());
        }
        failure.context(step)
    }

    fn host(&self) -> String {
        self.stage.clock().run_info("").host
    }
}
