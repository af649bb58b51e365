//! Which clients flood: counts in, [`Detection`] out.
//!
//! [`detect`] is a function of its arguments: it reads no clock and no file, and gives the same bytes for any number of
//! threads.
//!
//! ```text
//! features     what is looked at of a client; requests as points
//! robust       K-Means over requests, and the limit where it finds no two groups
//! separation   whether two groups are two
//! article      K-Means over counts per client, method and status: the original recipe
//! caps         how much one run may block
//! reason       sentences for people
//! run          logs in, artifact out
//! time         since when, and until when
//! command      arguments of `detect`, and what it prints
//! ```

mod article;
mod caps;
mod command;
mod features;
mod reason;
mod robust;
mod run;
mod separation;
#[cfg(test)]
mod tests;
mod time;

use std::cmp::Reverse;

use weir_accesslog::{Client, Counts};
use weir_contract::Seed;
use weir_contract::blocklist::{
    Basis, ClientBar, Detection, Evidence, FORMAT, Frequent, Grouping, LogSummary, Method, SpareReason, Spared,
    Suspect, TOP_CLIENTS,
};

use crate::BlocklistParams;
use crate::allow::AllowList;
use caps::Capped;

pub use command::{DetectArgs, LookArgs, detect_command};
pub use run::{Logs, Outcome, REPORT, Request, STAGE, run};

pub(crate) use command::text;
pub(crate) use run::{commit, settings};
pub(crate) use time::now;

/// Who floods, by `counts`, among the clients that `allow` does not name.
///
/// An allowed client is left out before anything is computed: it is in no group, counts for no cap, and no field names
/// it; where a stranger's text (a path, a user agent, an unreadable line) has its address, `[allowed]` is in its place.
/// Totals and timeline of the log, which name nobody, stay as they were read.
#[must_use]
pub fn detect(counts: &Counts, params: &BlocklistParams, seed: Seed, allow: &AllowList) -> Detection {
    let counted = |client: &&Client| client.evidence.requests > 0 && !allow.contains(client.address);
    let clients: Vec<&Client> = counts.clients.iter().filter(counted).collect();
    let mut found = match params.method {
        Method::Robust => robust::find(&clients, params, seed),
        Method::Article => article::find(&clients, seed),
    };
    found.suspects.sort_by_key(|(client, _)| strength(client));
    let Capped { listed, spared, sentences } = caps::capped(found.suspects, &clients, params);
    let evidence = |client: &Client| shown(&client.evidence, allow);
    let suspect =
        |(client, basis): (&Client, Basis)| Suspect { client: client.address, basis, evidence: evidence(client) };
    let spare = |(client, reason): (&Client, SpareReason)| Spared {
        client: client.address,
        reason,
        evidence: evidence(client),
    };
    let listed: Vec<Suspect> = listed.into_iter().map(suspect).collect();
    let spared = spared.into_iter().map(spare).collect();
    Detection {
        format: FORMAT,
        log: summary(&counts.log, allow),
        method: params.method,
        grouping: found.grouping,
        reason: [found.reason].into_iter().chain(sentences).collect::<Vec<_>>().join(" "),
        top_clients: top_clients(&clients, &listed),
        listed,
        spared,
    }
}

/// What a method found, before caps.
struct Found<'a> {
    grouping: Option<Grouping>,
    suspects: Vec<(&'a Client, Basis)>,
    reason: String,
}

/// Sorts the strongest evidence first.
fn strength(client: &Client) -> impl Ord + use<> {
    let Evidence { peak_ten_seconds, surplus, requests, .. } = &client.evidence;
    (Reverse((peak_ten_seconds.count, *surplus, *requests)), client.address)
}

/// `evidence` without allowed addresses in what strangers wrote.
fn shown(evidence: &Evidence, allow: &AllowList) -> Evidence {
    let redact = |texts: &[Frequent]| -> Vec<Frequent> {
        texts.iter().map(|text| Frequent { text: allow.redact(&text.text).into_owned(), ..*text }).collect()
    };
    let (top_paths, top_user_agents) = (redact(&evidence.top_paths), redact(&evidence.top_user_agents));
    Evidence { top_paths, top_user_agents, ..evidence.clone() }
}

/// `log` without allowed addresses in its unreadable lines.
fn summary(log: &LogSummary, allow: &AllowList) -> LogSummary {
    let mut log = log.clone();
    for source in &mut log.sources {
        *source = allow.redact(source).into_owned();
    }
    for line in &mut log.unreadable_examples {
        line.source = allow.redact(&line.source).into_owned();
        line.text = allow.redact(&line.text).into_owned();
        line.reason = allow.redact(&line.reason).into_owned();
    }
    log
}

/// The clients with the most requests.
fn top_clients(clients: &[&Client], listed: &[Suspect]) -> Vec<ClientBar> {
    let mut sorted = clients.to_vec();
    sorted.sort_by_key(|client| (Reverse(client.evidence.requests), client.address));
    sorted.truncate(TOP_CLIENTS);
    let bar = |client: &&Client| ClientBar {
        client: client.address,
        requests: client.evidence.requests,
        listed: listed.iter().any(|suspect| suspect.client == client.address),
    };
    sorted.iter().map(bar).collect()
}
