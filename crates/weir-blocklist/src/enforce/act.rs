//! Doing what a plan says, so that enforcer, blocklist and audit log agree whatever fails.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;

use serde::Serialize;
use weir_contract::blocklist::{Block, Blocklist, Detection};

use super::enforcer::{TOLERANCE, difference, restore};
use super::plan::{Before, Plan, plan};
use super::{Changes, EnforceError, Enforcer, Exempt, apply};
use crate::state::{Action, Author, Record, State, holding};

/// What is to be enforced.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// Who is listed.
    pub detection: &'a Detection,
    /// Whom it leaves alone.
    pub exempt: Exempt<'a>,
    /// The time, seconds since 1970 UTC.
    pub now: i64,
    /// How long somebody is blocked, seconds.
    pub seconds: i64,
}

/// What was done, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether it was done.
    pub applied: bool,
    /// What enforces it; `none` where nothing does.
    pub enforcer: String,
    /// Whether the enforcer had to be told anything.
    pub told: bool,
    /// Who is concerned.
    #[serde(flatten)]
    pub changes: Changes,
}

/// Enforces `order`, for the blocklist of `state`.
///
/// The audit log says what is intended; the enforcer is told and asked; the audit log says what was done; the blocklist
/// counts. Where any of it fails the enforcer is told what was before, the blocklist stays, and the audit log says that,
/// too. Where nothing changes nothing is written. What an earlier try of the same run did, by the audit log, is reported
/// with what this one does.
///
/// # Errors
/// Those of the enforcer and of the state directory.
pub fn enforce(
    order: Order<'_>,
    state: &State,
    mut enforcer: Option<&mut dyn Enforcer>,
    by: &Author,
) -> Result<Report, EnforceError> {
    let Order { exempt, now, .. } = order;
    let list = state.blocklist()?;
    let history = state.history()?;
    let enforced = current(&mut enforcer, now)?;
    let Plan { after, changes, lifted, shortened } =
        plan_of(order, &list, enforced.as_deref(), &history, most(&enforcer));
    let told = needs_telling(&enforcer, &after, enforced.as_deref(), now);
    let report = |changes: Changes| {
        let of_run = |record: &&Record| by.run.is_some() && record.by.run == by.run;
        let changes = changes.with_earlier(holding(&history).into_iter().filter(of_run));
        Report { applied: true, enforcer: by.enforcer.clone(), told, changes }
    };
    let record = |action, address, until, reason: &str| Record {
        time: now,
        action,
        address,
        until,
        by: by.clone(),
        reason: reason.to_owned(),
    };
    let staged = state.stage(&after, |address| exempt.contains(address))?;
    if staged.is_empty() && !told {
        return Ok(report(changes));
    }
    state.record(&[record(Action::Applying, None, None, &intent(&changes, lifted.len(), &shortened, told))])?;
    let done = match (&mut enforcer, told) {
        (Some(enforcer), true) => apply(*enforcer, &after.blocks(), now),
        _ => Ok(()),
    };
    let done = done.and_then(|()| {
        let written = state.record(&records(&changes, &lifted, &after, record)).and_then(|()| staged.commit());
        written.map_err(|error| undo(error.into(), &mut enforcer, enforced.as_deref().filter(|_| told), now))
    });
    let Err(error) = done else { return Ok(report(changes)) };
    let action = if matches!(error, EnforceError::NotRestored { .. }) { Action::Failed } else { Action::RolledBack };
    // What matters is the error itself; a disk that is full may be its reason.
    let _ = state.record(&[record(action, None, None, &error.to_string())]);
    Err(error)
}

/// What [`enforce`] would do, without holding or changing anything.
///
/// # Errors
/// Those of the enforcer and of the state directory.
pub fn preview(
    order: Order<'_>,
    state: &Path,
    mut enforcer: Option<&mut dyn Enforcer>,
) -> Result<Report, EnforceError> {
    let enforced = current(&mut enforcer, order.now)?;
    let Plan { after, changes, .. } =
        plan_of(order, &State::read(state)?, enforced.as_deref(), &State::read_history(state)?, most(&enforcer));
    let told = needs_telling(&enforcer, &after, enforced.as_deref(), order.now);
    let enforcer = enforcer.map_or("none", |enforcer| enforcer.name()).to_owned();
    Ok(Report { applied: false, enforcer, told, changes })
}

fn current(enforcer: &mut Option<&mut dyn Enforcer>, now: i64) -> Result<Option<Vec<Block>>, EnforceError> {
    enforcer.as_mut().map(|enforcer| enforcer.current(now)).transpose()
}

fn most(enforcer: &Option<&mut dyn Enforcer>) -> usize {
    enforcer.as_ref().map_or(usize::MAX, |enforcer| enforcer.most())
}

fn plan_of(order: Order<'_>, list: &Blocklist, enforced: Option<&[Block]>, history: &[Record], most: usize) -> Plan {
    let before = Before { list, enforced: enforced.unwrap_or_default(), history, most };
    plan(before, order.detection, order.exempt, order.now, order.seconds)
}

/// Whether an enforcer that keeps out `enforced` has to be told of `after`.
fn needs_telling(
    enforcer: &Option<&mut dyn Enforcer>,
    after: &Blocklist,
    enforced: Option<&[Block]>,
    now: i64,
) -> bool {
    let (Some(enforcer), Some(enforced)) = (enforcer, enforced) else { return false };
    let is_over = || !enforcer.ends_blocks() && enforced.iter().any(|block| block.until <= now);
    !is_same(&after.blocks(), enforced, now) || is_over()
}

/// Whether an enforcer that keeps out `enforced` keeps out `blocks`, each for its time.
fn is_same(blocks: &[Block], enforced: &[Block], now: i64) -> bool {
    let until: HashMap<IpAddr, i64> = enforced.iter().map(|block| (block.address, block.until)).collect();
    let is_there =
        |block: &Block| until.get(&block.address).is_some_and(|until| until.saturating_add(TOLERANCE) >= block.until);
    blocks.iter().all(is_there) && difference(blocks, enforced, now).is_none()
}

/// `error`, after the enforcer was told what was `before`, where it had been told something else.
fn undo(
    error: EnforceError,
    enforcer: &mut Option<&mut dyn Enforcer>,
    before: Option<&[Block]>,
    now: i64,
) -> EnforceError {
    let (Some(enforcer), Some(before)) = (enforcer, before) else { return error };
    match restore(*enforcer, before, now) {
        Ok(()) => error,
        Err(second) => EnforceError::NotRestored { cause: Box::new(error), error: Box::new(second) },
    }
}

fn intent(changes: &Changes, lifted: usize, shortened: &[IpAddr], told: bool) -> String {
    let Changes { added, renewed, adopted, expired, let_in, .. } = changes;
    let named =
        |name: &str, addresses: Vec<String>| (!addresses.is_empty()).then(|| format!("{name} {}", addresses.join(" ")));
    let list =
        |name: &str, blocks: &[Block]| named(name, blocks.iter().map(|block| block.address.to_string()).collect());
    let let_in = named("let in", let_in.iter().map(ToString::to_string).collect());
    let shortened =
        named("shorten, as after the clock was set back,", shortened.iter().map(ToString::to_string).collect());
    let parts =
        [list("add", added), list("renew", renewed), list("adopt", adopted), list("end", expired), let_in, shortened];
    let lifted = (lifted > 0).then(|| format!("lift {lifted}"));
    let parts: Vec<String> = parts.into_iter().chain([lifted]).flatten().collect();
    match parts.as_slice() {
        [] if told => "enforce the blocklist again".to_owned(),
        [] => "forget who is allowed by now".to_owned(),
        parts => parts.join("; "),
    }
}

fn records(
    changes: &Changes,
    lifted: &[IpAddr],
    after: &Blocklist,
    record: impl Fn(Action, Option<IpAddr>, Option<i64>, &str) -> Record,
) -> Vec<Record> {
    let reason = |address: IpAddr| {
        let at = after.entries.binary_search_by_key(&address, |entry| entry.address);
        at.map_or("", |at| after.entries[at].reason.as_str())
    };
    let begun =
        [(Action::Added, &changes.added), (Action::Renewed, &changes.renewed), (Action::Adopted, &changes.adopted)];
    let begun = begun.into_iter().flat_map(|(action, blocks)| blocks.iter().map(move |block| (action, block)));
    let begun =
        begun.map(|(action, block)| record(action, Some(block.address), Some(block.until), reason(block.address)));
    let over = changes.expired.iter();
    let over = over.map(|block| record(Action::Expired, Some(block.address), Some(block.until), "its time is over"));
    let lifted = lifted.iter().map(|address| record(Action::Lifted, Some(*address), None, "it may not be blocked"));
    over.chain(lifted).chain(begun).collect()
}
