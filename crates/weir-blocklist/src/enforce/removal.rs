//! Letting somebody in: by the enforcers first, so that no file and no disk stands in the way, and then by the files.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use serde::Serialize;
use weir_contract::blocklist::Block;

use super::{EnforceError, Enforcer, apply};
use crate::state::{Action, Author, Record, State, StateError, holding};

/// Who was let in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Removal {
    /// Who was blocked, by the blocklist or an enforcer, and is not any more.
    pub removed: Vec<IpAddr>,
    /// Who was not.
    pub unknown: Vec<IpAddr>,
    /// Of those removed, by name of an enforcer that was not asked, whom that one blocked by the audit log: it may keep them
    /// out still.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub not_asked: BTreeMap<String, Vec<IpAddr>>,
}

/// Lets in `who`, in whatever form an address is written, or everybody where that is `None`: takes them from every one of
/// `enforcers`, and then from the blocklist.
///
/// Nothing that fails keeps the rest from being done, neither an enforcer that cannot be told nor a `state` that cannot be
/// opened, read or written. What failed comes second, nothing where all is done; after a failure only those are told as
/// removed whom an enforcer did let in. The files say that a person let somebody in even where an enforcer could not be
/// told: then the next run tells it.
pub fn remove(
    who: Option<&[IpAddr]>,
    state: Result<State, StateError>,
    enforcers: &mut [Box<dyn Enforcer>],
    by: &Author,
    now: i64,
) -> (Removal, Vec<EnforceError>) {
    let meant = Meant(who.map(|who| who.iter().map(IpAddr::to_canonical).collect()));
    let asked: Vec<String> = enforcers.iter().map(|enforcer| enforcer.name().to_owned()).collect();
    let (mut held, mut let_in, mut failures) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for (enforcer, name) in enforcers.iter_mut().zip(&asked) {
        let done = enforcer.current(now).and_then(|blocks| {
            let (out, rest): (Vec<Block>, Vec<Block>) = blocks.into_iter().partition(|block| meant.has(block.address));
            held.extend(out.iter().map(|block| block.address));
            // An empty table of earlier blocks goes, too, when everybody is let in.
            if !out.is_empty() || meant.is_everybody() {
                apply(enforcer.as_mut(), &rest, now)?;
            }
            let_in.extend(out.iter().map(|block| block.address));
            Ok(())
        });
        if let Err(cause) = done {
            failures.push(EnforceError::StillOut { enforcer: name.clone(), cause: Box::new(cause) });
        }
    }
    let but = failures.first().map_or_else(String::new, |failure| format!(", but {failure}"));
    let record = |action, address, reason: &str| Record {
        time: now,
        action,
        address,
        until: None,
        by: by.clone(),
        reason: format!("{reason}{but}"),
    };
    let forgotten = state.and_then(|state| forget(&state, &meant, held, record)).unwrap_or_else(|cause| {
        failures.push(EnforceError::NotRecorded { cause });
        Forgotten::default()
    });
    let removed = if failures.is_empty() { forgotten.addresses } else { let_in };
    let unknown = if failures.is_empty() { meant.but_for(&removed) } else { Vec::new() };
    let mut not_asked: BTreeMap<String, Vec<IpAddr>> = BTreeMap::new();
    for address in &removed {
        let by = forgotten.blocked_by.get(address).filter(|name| *name != "none" && !asked.contains(name));
        if let Some(enforcer) = by {
            not_asked.entry(enforcer.clone()).or_default().push(*address);
        }
    }
    (Removal { removed: removed.into_iter().collect(), unknown, not_asked }, failures)
}

/// Whom a person wants to be let in; everybody where that is `None`.
struct Meant(Option<BTreeSet<IpAddr>>);

impl Meant {
    fn is_everybody(&self) -> bool {
        self.0.is_none()
    }

    fn has(&self, address: IpAddr) -> bool {
        self.0.as_ref().is_none_or(|who| who.contains(&address.to_canonical()))
    }

    /// Those named that are not among `removed`.
    fn but_for(&self, removed: &BTreeSet<IpAddr>) -> Vec<IpAddr> {
        let removed: BTreeSet<IpAddr> = removed.iter().map(IpAddr::to_canonical).collect();
        self.0.iter().flatten().filter(|address| !removed.contains(address)).copied().collect()
    }
}

/// What the files knew.
#[derive(Default)]
struct Forgotten {
    /// Who was blocked, by them or by an enforcer.
    addresses: BTreeSet<IpAddr>,
    /// The enforcer that blocked each address last.
    blocked_by: HashMap<IpAddr, String>,
}

/// Takes those `meant` out of the blocklist, and has the audit log say so of them and of those `held` by an enforcer.
fn forget(
    state: &State,
    meant: &Meant,
    held: BTreeSet<IpAddr>,
    record: impl Fn(Action, Option<IpAddr>, &str) -> Record,
) -> Result<Forgotten, StateError> {
    let mut forgotten = Forgotten { addresses: held, blocked_by: blocked_by(&state.history()?) };
    let list = state.blocklist();
    let listed = list.iter().flat_map(|list| &list.entries).map(|entry| entry.address);
    forgotten.addresses.extend(listed.filter(|address| meant.has(*address)));
    if forgotten.addresses.is_empty() && !meant.is_everybody() {
        return list.map(|_| forgotten);
    }
    let intent = record(Action::Applying, None, &format!("{} to remove", forgotten.addresses.len()));
    let removed = forgotten.addresses.iter().map(|address| record(Action::Removed, Some(*address), "removed by hand"));
    let records: Vec<Record> = std::iter::once(intent).chain(removed).collect();
    let mut list = match list {
        Ok(list) => list,
        Err(error) => {
            // A list that is begun anew then blocks nobody for what they did before.
            state.record(&records)?;
            return Err(error);
        }
    };
    list.entries.retain(|entry| !meant.has(entry.address));
    let staged = state.stage(&list, |address| meant.has(address))?;
    let done = state.record(&records).and_then(|()| staged.commit());
    if let Err(error) = &done {
        // What matters is the error itself; a disk that is full may be its reason.
        let _ = state.record(&[record(Action::Failed, None, &error.to_string())]);
    }
    done.map(|()| forgotten)
}

fn blocked_by(history: &[Record]) -> HashMap<IpAddr, String> {
    let begun = |action| matches!(action, Action::Added | Action::Renewed | Action::Adopted);
    let begun = holding(history).into_iter().filter(|record| begun(record.action));
    begun.filter_map(|record| Some((record.address?, record.by.enforcer.clone()))).collect()
}
