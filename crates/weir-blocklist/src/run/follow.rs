//! A run that does not end: what is appended to logs counts for a while, and is looked at now and then.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use weir_accesslog::{Follower, Start, Window};
use weir_stage::Failure;

use super::{Run, RunArgs, at};
use crate::detect::{commit, settings};

/// How often files are looked at.
const POLL: Duration = Duration::from_secs(1);

/// Follows until Ctrl-C. A look that fails is told once and does not end it: the next one may be better.
pub(super) fn follow(run: &Run<'_>, args: &RunArgs) -> Result<(), Failure> {
    if let Some(other) = args.log.iter().find(|source| *source == "-" || source.contains("://")) {
        return Err(Failure::usage(format!("{other} cannot be followed")).hint("give files with --follow"));
    }
    let paths: Vec<PathBuf> = args.log.iter().map(PathBuf::from).collect();
    let unreadable = |error: io::Error| Failure::input(error.to_string());
    // What was written before the start of this process counts as well, as far as the window reaches.
    let mut follower = Follower::new(&paths, Start::Beginning).map_err(unreadable)?;
    let mut window = Window::new(&settings(&run.request)?, args.window);
    let every = Duration::from_secs(args.every.into());
    let mut looked: Option<Instant> = None;
    let mut fails = false;
    run.stage.note(format!("following {} until Ctrl-C", args.log.join(", ")));
    while !run.stage.is_cancelled() {
        let polled = follower.poll(|path, lines| window.add(&path.display().to_string(), lines, now()));
        if looked.is_none_or(|looked| looked.elapsed() >= every) {
            looked = Some(Instant::now());
            let done = polled.map_err(|error| at("fetch")(unreadable(error))).and_then(|()| {
                let (counts, clock) = (window.counts(now()), run.stage.clock());
                let found = commit(&run.request, &counts, BTreeMap::new(), clock, run.stage).map_err(at("detect"))?;
                run.enforce(&found)
            });
            match done {
                Ok(notice) => {
                    fails = false;
                    if let Err(error) = run.notifier.tell(&notice, run.stage) {
                        run.stage.warn(error.to_string());
                    }
                }
                Err(stopped) if fails => run.stage.warn(stopped.failure.context(stopped.step).to_string()),
                Err(stopped) => {
                    fails = true;
                    run.stage.warn(run.failed(stopped).to_string());
                }
            }
        }
        std::thread::sleep(POLL.min(every));
    }
    Ok(())
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
