//! A run that does not end: what is appended to logs counts for a while, and is looked at now and then.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use weir_accesslog::Window;
use weir_stage::Failure;

use super::logs::Logs;
use super::{Ended, Run, RunArgs, Stopped, at};
use crate::detect::{commit, now, settings};
use crate::fetch::shown;

/// How often files are looked at.
const POLL: Duration = Duration::from_secs(1);

/// Follows until Ctrl-C. A look that fails is told once and does not end it: the next one may be better. Allow lists are
/// read again for every look.
pub(super) fn follow(run: &mut Run<'_>, args: &RunArgs) -> Result<(), Failure> {
    let (mut logs, mut window) = begin(run, args).map_err(|stopped| run.failed(stopped))?;
    let every = Duration::from_secs(args.every.into());
    let mut looked: Option<Instant> = None;
    let mut fails = false;
    run.stage.note(format!("following {} until Ctrl-C", args.log.join(", ")));
    while !run.stage.is_cancelled() {
        let stage = run.stage;
        let count = |path: &Path, lines: &[u8]| {
            // Reading a long log to its end takes a while.
            if !stage.is_cancelled() {
                window.add(&path.display().to_string(), lines, now());
            }
        };
        logs.poll(count, stage);
        if looked.is_none_or(|looked| looked.elapsed() >= every) && !stage.is_cancelled() {
            looked = Some(Instant::now());
            match look(run, &logs, &mut window) {
                Ok(ended) => {
                    fails = false;
                    if let Err(error) = run.tell(ended) {
                        stage.warn(error.to_string());
                    }
                }
                Err(stopped) => {
                    let failure = if fails { stopped.failure.context(stopped.step) } else { run.failed(stopped) };
                    fails = true;
                    stage.warn(failure.to_string());
                }
            }
        }
        std::thread::sleep(POLL.min(every));
    }
    Ok(())
}

/// What was written before the start of this process counts as well, as far as the window reaches.
fn begin(run: &Run<'_>, args: &RunArgs) -> Result<(Logs, Window), Stopped> {
    if let Some(other) = args.log.iter().find(|source| *source == "-" || source.contains("://")) {
        let refused = Failure::usage(format!("{} cannot be followed", shown(other)));
        return Err(at("parameters")(refused.hint("give files with --follow")));
    }
    let window = Window::new(&settings(run.request()).map_err(at("parameters"))?, args.window);
    let logs = Logs::open(args.log.iter().map(PathBuf::from), run.stage).map_err(at("fetch"))?;
    Ok((logs, window))
}

/// Detects in the window and enforces what is found.
fn look(run: &mut Run<'_>, logs: &Logs, window: &mut Window) -> Result<Ended, Stopped> {
    run.look().map_err(at("parameters"))?;
    logs.check().map_err(at("fetch"))?;
    let counts = window.counts(now());
    let log = &counts.log;
    if log.unreadable > log.requests {
        let message = format!("{} of the last {} lines are no requests", log.unreadable, log.lines);
        return Err(at("detect")(Failure::input(message).hint("set the server's log format to common or combined")));
    }
    let clock = run.stage.clock();
    let found = commit(run.request(), &counts, BTreeMap::new(), clock, run.stage).map_err(at("detect"))?;
    run.enforce(&found)
}
