//! A run that does not end: what is appended to logs counts for a while, and is looked at now and then.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use weir_accesslog::{Follower, Window};
use weir_stage::Failure;

use super::{Run, RunArgs, Stopped, at};
use crate::detect::{commit, now, settings};
use crate::notice::Notice;

/// How often files are looked at.
const POLL: Duration = Duration::from_secs(1);

/// Follows until Ctrl-C. A look that fails is told once and does not end it: the next one may be better. Allow lists are
/// read again for every look.
pub(super) fn follow(run: &mut Run<'_>, args: &RunArgs) -> Result<(), Failure> {
    if let Some(other) = args.log.iter().find(|source| *source == "-" || source.contains("://")) {
        return Err(Failure::usage(format!("{other} cannot be followed")).hint("give files with --follow"));
    }
    let paths: Vec<PathBuf> = args.log.iter().map(PathBuf::from).collect();
    let mut follower = Follower::new(&paths).map_err(|error| unreadable(&error))?;
    let mut window = Window::new(&settings(run.request())?, args.window);
    let every = Duration::from_secs(args.every.into());
    let mut looked: Option<Instant> = None;
    let mut told = Told::default();
    run.stage.note(format!("following {} until Ctrl-C", args.log.join(", ")));
    while !run.stage.is_cancelled() {
        let stage = run.stage;
        let polled = follower.poll(|path, lines| {
            // Reading a long log to its end takes a while.
            if !stage.is_cancelled() {
                window.add(&path.display().to_string(), lines, now());
            }
        });
        if looked.is_none_or(|looked| looked.elapsed() >= every) && !stage.is_cancelled() {
            looked = Some(Instant::now());
            let done = run.look().map_err(at("parameters"));
            let done = done.and_then(|()| polled.map_err(|error| at("fetch")(unreadable(&error))));
            told.of(done.and_then(|()| look(run, &mut window)), run);
        }
        std::thread::sleep(POLL.min(every));
    }
    Ok(())
}

/// Detects in the window and enforces what is found.
fn look(run: &Run<'_>, window: &mut Window) -> Result<Notice, Stopped> {
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

fn unreadable(error: &io::Error) -> Failure {
    Failure::input(error.to_string())
}

/// What was told last: the same is not told at every look.
#[derive(Default)]
struct Told {
    preview: Option<String>,
    fails: bool,
}

impl Told {
    fn of(&mut self, done: Result<Notice, Stopped>, run: &Run<'_>) {
        let notice = match done {
            Ok(notice) => notice,
            Err(stopped) if self.fails => {
                run.stage.warn(stopped.failure.context(stopped.step).to_string());
                return;
            }
            Err(stopped) => {
                self.fails = true;
                run.stage.warn(run.failed(stopped).to_string());
                return;
            }
        };
        self.fails = false;
        let is_known = !run.args.enforcer.apply && self.preview.as_ref() == Some(&notice.subject);
        self.preview = Some(notice.subject.clone());
        if !is_known && let Err(error) = run.notifier.tell(&notice, run.stage) {
            run.stage.warn(error.to_string());
        }
    }
}
