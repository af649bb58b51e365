//! What a detection changes: computed, not done.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use serde::Serialize;
use weir_contract::blocklist::{Block, Blocklist, Detection, Entry, Suspect};

use super::Exempt;
use super::enforcer::TOLERANCE;
use crate::state::{Action, Record, holding};

/// What becomes of everybody who is blocked or listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// Blocked from now on.
    pub added: Vec<Block>,
    /// Blocked for longer, since they came again.
    pub renewed: Vec<Block>,
    /// Kept out already without being in the blocklist, as after the loss of the state directory; they stay so.
    pub adopted: Vec<Block>,
    /// Blocked as before.
    pub kept: Vec<Block>,
    /// Whose time is over, with its end.
    pub expired: Vec<Block>,
    /// Kept out although a person let them in, as by an enforcer that was not asked then; not any more.
    pub let_in: Vec<IpAddr>,
    /// How many were let in because they may not be blocked any more. They are not named: see [`crate::allow`].
    pub lifted: usize,
    /// Listed, and not blocked again for what they were blocked for already.
    pub settled: Vec<IpAddr>,
    /// How many are listed and not blocked, those with the weakest evidence, because the enforcer can keep out no more.
    pub left_out: usize,
    /// Listed, and left alone to keep the host in reach.
    pub protected: Vec<LeftAlone>,
}

impl Changes {
    /// These and what earlier tries of the same run did, by their `records`: whoever they blocked is not blocked as before.
    pub(super) fn with_earlier<'a>(mut self, records: impl Iterator<Item = &'a Record>) -> Self {
        let mut kept: BTreeMap<IpAddr, Block> = self.kept.drain(..).map(|block| (block.address, block)).collect();
        for record in records {
            let Some(address) = record.address else { continue };
            let block = Block { address, until: record.until.unwrap_or(record.time) };
            let begun = match record.action {
                Action::Added => &mut self.added,
                Action::Renewed => &mut self.renewed,
                Action::Adopted => &mut self.adopted,
                Action::Expired => {
                    self.expired.push(block);
                    continue;
                }
                Action::Lifted => {
                    self.lifted += 1;
                    continue;
                }
                Action::Applying | Action::Removed | Action::RolledBack | Action::Failed => continue,
            };
            begun.extend(kept.remove(&address));
        }
        self.kept = kept.into_values().collect();
        for blocks in [&mut self.added, &mut self.renewed, &mut self.adopted, &mut self.expired] {
            blocks.sort_unstable();
        }
        self
    }
}

/// Somebody who is listed and never blocked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftAlone {
    /// The address.
    pub address: IpAddr,
    /// Why.
    pub reason: &'static str,
}

/// What is known before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before<'a> {
    /// The blocklist.
    pub(super) list: &'a Blocklist,
    /// Whom the enforcer keeps out.
    pub(super) enforced: &'a [Block],
    /// The audit log.
    pub(super) history: &'a [Record],
    /// How many addresses the enforcer can keep out.
    pub(super) most: usize,
}

/// The plan of a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    /// Who is blocked afterwards.
    pub(super) after: Blocklist,
    /// What that changes.
    pub(super) changes: Changes,
    /// Those of [`Changes::lifted`].
    pub(super) lifted: Vec<IpAddr>,
    /// Whose block ends sooner than the blocklist said: no block is longer than new ones are.
    pub(super) shortened: Vec<IpAddr>,
}

/// What `detection` changes at `now`, when somebody new is blocked for `seconds`.
pub(super) fn plan(before: Before<'_>, detection: &Detection, exempt: Exempt<'_>, now: i64, seconds: i64) -> Plan {
    let (list, shortened) = within(before.list, now, seconds);
    let before = Before { list: &list, ..before };
    let active = |address: IpAddr| find(before.list, address).filter(|entry| entry.until > now);
    let ended = endings(before);
    let is_settled = |suspect: &&Suspect| {
        let address = suspect.client;
        active(address).is_none() && ended.get(&address).is_some_and(|ending| ending.settles(suspect))
    };
    let settled: BTreeSet<IpAddr> = detection.listed.iter().filter(is_settled).map(|suspect| suspect.client).collect();

    let mut after = before.list.clone();
    after.renew(detection, now, seconds, |address| settled.contains(&address) || exempt.contains(address));
    let Taken { adopted, let_in } = take_over(&mut after, before, &ended, exempt, now, seconds);

    let mut changes = Changes { left_out: leave_out(&mut after, before, detection, now), ..Changes::default() };
    for entry in &after.entries {
        let block = Block { address: entry.address, until: entry.until };
        match active(entry.address) {
            Some(old) if old.until == entry.until => changes.kept.push(block),
            Some(_) => changes.renewed.push(block),
            None if adopted.contains(&block) => {}
            None => changes.added.push(block),
        }
    }
    let is_over = |entry: &&Entry| entry.until <= now || find(&after, entry.address).is_none();
    let over =
        before.list.entries.iter().filter(is_over).map(|entry| Block { address: entry.address, until: entry.until });
    let (lifted, expired): (Vec<Block>, Vec<Block>) = over.partition(|block| exempt.contains(block.address));
    (changes.lifted, changes.expired) = (lifted.len(), expired);
    (changes.adopted, changes.let_in) = (adopted.into_iter().collect(), let_in);
    changes.settled = settled.into_iter().filter(|address| !exempt.contains(*address)).collect();
    let listed = detection.listed.iter().filter(|suspect| !exempt.allow.contains(suspect.client));
    changes.protected = listed
        .filter_map(|suspect| {
            Some(LeftAlone { address: suspect.client, reason: exempt.protected.why(suspect.client)? })
        })
        .collect();
    Plan { after, changes, lifted: lifted.iter().map(|block| block.address).collect(), shortened }
}

/// `list`, with no block that lasts for more than `seconds` from `now` on or begins later, as those do that were written
/// before the clock was set back; and whose block is shorter for that.
fn within(list: &Blocklist, now: i64, seconds: i64) -> (Blocklist, Vec<IpAddr>) {
    let (mut list, mut shortened) = (list.clone(), Vec::new());
    let latest = now.saturating_add(seconds);
    for entry in &mut list.entries {
        entry.since = entry.since.min(now);
        if entry.until > latest {
            entry.until = latest;
            shortened.push(entry.address);
        }
    }
    (list, shortened)
}

/// What becomes of those whom the enforcer keeps out and the blocklist does not know.
#[derive(Debug, Default)]
struct Taken {
    /// They stay out.
    adopted: BTreeSet<Block>,
    /// A person let them in.
    let_in: Vec<IpAddr>,
}

/// Takes over whom the enforcer keeps out and the blocklist does not know, for the time they have left there, and at
/// most for `seconds`; but not whom a person let in since.
fn take_over(
    after: &mut Blocklist,
    before: Before<'_>,
    ended: &HashMap<IpAddr, Ending>,
    exempt: Exempt<'_>,
    now: i64,
    seconds: i64,
) -> Taken {
    let (mut taken, mut new) = (Taken::default(), Vec::new());
    for block in before.enforced {
        let Block { address, until } = *block;
        // What has hardly any time left is over in the blocklist, and not quite in the kernel.
        if until <= now.saturating_add(TOLERANCE) || exempt.contains(address) || find(before.list, address).is_some() {
            continue;
        }
        if find(after, address).is_none() {
            if ended.get(&address).is_some_and(|ending| ending.undoes(*block, seconds)) {
                taken.let_in.push(address);
                continue;
            }
            let until = until.min(now.saturating_add(seconds));
            let reason = "it was kept out already, and the blocklist did not know why".to_owned();
            new.push(Entry { address, since: now, until, reason, evidence: None });
            taken.adopted.insert(Block { address, until });
        }
    }
    after.entries.extend(new);
    after.sort();
    taken
}

/// Takes out whoever is new and not kept out yet, the weakest evidence first, until the enforcer can keep out all; how many.
fn leave_out(after: &mut Blocklist, before: Before<'_>, detection: &Detection, now: i64) -> usize {
    let excess = after.entries.len().saturating_sub(before.most);
    if excess == 0 {
        return 0;
    }
    let enforced: BTreeSet<IpAddr> = before.enforced.iter().map(|block| block.address).collect();
    let is_new =
        |address: &IpAddr| find(after, *address).is_some_and(|entry| entry.since == now) && !enforced.contains(address);
    let weakest = detection.listed.iter().rev().map(|suspect| suspect.client).filter(is_new);
    let left_out: BTreeSet<IpAddr> = weakest.take(excess).collect();
    after.entries.retain(|entry| !left_out.contains(&entry.address));
    left_out.len()
}

/// How a block ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// Its time was over then.
    Expired(i64),
    /// A person took it away then.
    Removed(i64),
}

impl Ending {
    /// Whether all that `suspect` is listed for lies before the end, so that it is no reason for another block.
    ///
    /// Who has served their time is blocked again when they come again while the log still shows a flood. Whom a person
    /// let in may come again; only a flood that is new, and worse than the known one, blocks them.
    fn settles(self, suspect: &Suspect) -> bool {
        let evidence = &suspect.evidence;
        match self {
            Self::Expired(end) => evidence.last <= end,
            Self::Removed(end) => evidence.peak_ten_seconds.start < end,
        }
    }

    /// Whether a person meant `block`, too: one that ends later than any of `seconds` that was there then is a new one.
    fn undoes(self, block: Block, seconds: i64) -> bool {
        matches!(self, Self::Removed(end) if block.until <= end.saturating_add(seconds).saturating_add(TOLERANCE))
    }
}

/// How the last block of everybody ended who is not blocked any more.
fn endings(before: Before<'_>) -> HashMap<IpAddr, Ending> {
    let mut endings = HashMap::new();
    for record in holding(before.history) {
        let Some(address) = record.address else { continue };
        let ending = match record.action {
            Action::Expired => Ending::Expired(record.until.unwrap_or(record.time)),
            Action::Removed => Ending::Removed(record.time),
            Action::Added | Action::Renewed | Action::Adopted => {
                endings.remove(&address);
                continue;
            }
            Action::Applying | Action::Lifted | Action::RolledBack | Action::Failed => continue,
        };
        endings.insert(address, ending);
    }
    // Those that are over, and that no run has noticed yet.
    endings.extend(before.list.entries.iter().map(|entry| (entry.address, Ending::Expired(entry.until))));
    endings
}

fn find(list: &Blocklist, address: IpAddr) -> Option<&Entry> {
    let at = list.entries.binary_search_by_key(&address, |entry| entry.address).ok()?;
    list.entries.get(at)
}
