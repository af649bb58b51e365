//! `detection.json`, which clients of an access log flood a server and why, and `blocklist.json`, who is blocked now.
//!
//! Times are whole seconds since 1970 UTC.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Version of `detection.json` and `blocklist.json` written by this build.
pub const FORMAT: u32 = 1;

/// What an access log says of its clients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// Version of this file.
    pub format: u32,
    /// What was read.
    pub log: LogSummary,
    /// How clients were told apart.
    pub method: Method,
    /// What the clustering found; null where there are fewer than two clients.
    pub grouping: Option<Grouping>,
    /// Why these clients are listed, or why nobody is: a sentence or two.
    pub reason: String,
    /// Who is to be blocked, the strongest evidence first.
    pub listed: Vec<Suspect>,
    /// Who would be, and why not, the strongest evidence first.
    pub spared: Vec<Spared>,
    /// The clients with the most requests, most first, at most [`TOP_CLIENTS`]: for the bar plot.
    pub top_clients: Vec<ClientBar>,
}

/// Length of [`Detection::top_clients`] at most.
pub const TOP_CLIENTS: usize = 50;

/// How clients are told apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// K-Means over the requests by log-scaled features of their clients, with a test whether there are two groups.
    #[default]
    Robust,
    /// K-Means over standardised counts per client, method and status, without a test: the original recipe, but for the
    /// cluster, which is named by its centre.
    Article,
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LogSummary {
    /// Names of the sources, in the order they were read.
    pub sources: Vec<String>,
    /// Lines that were read: requests, unreadable ones, and those out of the time asked for.
    pub lines: u64,
    /// Requests that were counted.
    pub requests: u64,
    /// Lines that are no request.
    pub unreadable: u64,
    /// The first of them.
    pub unreadable_examples: Vec<UnreadableLine>,
    /// Requests outside the time asked for.
    pub outside: u64,
    /// Clients that were counted.
    pub clients: u64,
    /// Where there were more clients than were counted exactly: how many requests of any one client may be missing at
    /// most; null where all counts are exact.
    pub missing: Option<u64>,
    /// Time of the first request; null without any.
    pub first: Option<i64>,
    /// Time of the last request.
    pub last: Option<i64>,
    /// Requests over time, in order, without empty stretches, at most 2,000.
    pub timeline: Vec<Stretch>,
    /// Length of a stretch of the timeline, seconds.
    pub stretch_seconds: u32,
}

/// A line that is no request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadableLine {
    /// Its source.
    pub source: String,
    /// Its number, counted from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
    /// Its first characters.
    pub text: String,
}

/// Requests of a stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// Its start.
    pub start: i64,
    /// All requests.
    pub requests: u64,
    /// Of these, surplus ones.
    pub surplus: u64,
}

/// What the clustering found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grouping {
    /// Whether there are two groups. Where not, it abstains.
    pub two_groups: bool,
    /// The attacking group: the one of the higher centre.
    pub high: Group,
    /// The other.
    pub low: Group,
    /// The tests that decide, with their values and thresholds; all have to pass. Empty for [`Method::Article`].
    pub tests: Vec<SeparationTest>,
    /// Mean distance to the next centre for k = 1, 2, 3, 4: the elbow curve. Shorter where there are fewer points.
    pub distortions: Vec<f64>,
}

/// A cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its clients.
    pub clients: u64,
    /// Their requests.
    pub requests: u64,
    /// Its centre by feature, in the feature's own unit.
    pub centre: BTreeMap<String, f64>,
}

/// A test whether two groups are two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeparationTest {
    /// Its name for people.
    pub name: String,
    /// Its value; larger is farther apart.
    pub value: f64,
    /// What it has to be at least.
    pub threshold: f64,
    /// Whether it is.
    pub passed: bool,
}

/// A client that is to be blocked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Suspect {
    /// Its address.
    pub client: IpAddr,
    /// What says so.
    pub basis: Basis,
    /// What it did.
    pub evidence: Evidence,
}

/// What says that a client floods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// It is in the attacking group.
    Group,
    /// There are no two groups, and it made as many surplus requests in one second as the limit, or more.
    Limit,
}

/// A client that would be listed, but is not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spared {
    /// Its address.
    pub client: IpAddr,
    /// Why it is not.
    pub reason: SpareReason,
    /// What it did.
    pub evidence: Evidence,
}

/// Why a client is not listed although the clustering or the limit says that it floods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "because")]
pub enum SpareReason {
    /// More clients than one run may block.
    ClientCap,
    /// The clients together made more of the ordinary requests than one run may block.
    TrafficCap,
    /// It made so many ordinary requests that it looks like a proxy, or another address that many stand behind.
    Gateway,
}

/// A client in the bar plot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientBar {
    /// Its address.
    pub client: IpAddr,
    /// Its requests.
    pub requests: u64,
    /// Whether it is listed.
    pub listed: bool,
}

/// What a client did.
///
/// A *surplus* request is one that was refused for what it asked (status 400 to 498, but for a login's 401 and 407), or that asked for a path, queries
/// apart, which the same client had asked for twice within the same ten seconds. Loading a page and reloading it makes few
/// of them, however much is on it and even where the server no longer answers; a flood makes nothing else.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Its requests.
    pub requests: u64,
    /// Of these, surplus ones.
    pub surplus: u64,
    /// Its share of all requests.
    pub share: f64,
    /// Surplus requests in its worst second.
    pub peak_second: Peak,
    /// Surplus requests in its worst ten seconds, cut at multiples of ten.
    pub peak_ten_seconds: Peak,
    /// Requests in its busiest minute, cut at full minutes.
    pub peak_minute: Peak,
    /// Time of its first request.
    pub first: i64,
    /// Time of its last request.
    pub last: i64,
    /// Different paths, queries apart; an estimate beyond a few.
    pub paths: u64,
    /// Different user agents; an estimate beyond a few.
    pub user_agents: u64,
    /// Requests by method and status, sorted.
    pub statuses: Vec<StatusCount>,
    /// What it asked for most, most first. A count is too high by `error` at most.
    pub top_paths: Vec<Frequent>,
    /// Its most frequent user agents.
    pub top_user_agents: Vec<Frequent>,
}

/// The most within a stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peak {
    /// How many.
    pub count: u64,
    /// When the stretch began.
    pub start: i64,
}

/// Requests with a method and a status.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StatusCount {
    /// The method; `-` where the request line has none, `other` beyond the usual ones.
    pub method: String,
    /// The status; 0 where the line has none.
    pub status: u16,
    /// How many.
    pub count: u64,
}

/// A text and how often it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frequent {
    /// The text, cut to 200 characters.
    pub text: String,
    /// How often, at most.
    pub count: u64,
    /// By how much the count may be too high.
    pub error: u64,
}

/// Who is blocked, sorted by address: `blocklist.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Blocklist {
    /// Version of this file.
    pub format: u32,
    /// Who.
    pub entries: Vec<Entry>,
}

/// Somebody who is blocked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The address.
    pub address: IpAddr,
    /// Since when.
    pub since: i64,
    /// Until when.
    pub until: i64,
    /// Why, in a sentence.
    pub reason: String,
    /// What it did, where that is known.
    pub evidence: Option<Evidence>,
}

/// An address that an enforcer keeps out, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Block {
    /// The address.
    pub address: IpAddr,
    /// Until when.
    pub until: i64,
}

impl Default for Blocklist {
    fn default() -> Self {
        Self { format: FORMAT, entries: Vec::new() }
    }
}

impl Blocklist {
    /// Takes out, at `now`, who has served their time and whoever `allowed` names, and adds who is listed, for
    /// `seconds` from now. Somebody who is blocked already stays so; the time starts again only where the last request
    /// came after it last started, since an old log proves nothing new.
    pub fn renew(&mut self, detection: &Detection, now: i64, seconds: i64, allowed: impl Fn(IpAddr) -> bool) {
        self.entries.retain(|entry| entry.until > now && !allowed(entry.address));
        let mut new = Vec::new();
        for suspect in &detection.listed {
            if allowed(suspect.client) {
                continue;
            }
            let reason = suspect.sentence();
            let evidence = Some(suspect.evidence.clone());
            match self.entries.binary_search_by_key(&suspect.client, |entry| entry.address) {
                Ok(at) => {
                    let entry = &mut self.entries[at];
                    if suspect.evidence.last > entry.since.max(entry.until - seconds) {
                        *entry = Entry { until: entry.until.max(now + seconds), reason, evidence, ..entry.clone() };
                    }
                }
                Err(_) => {
                    new.push(Entry { address: suspect.client, since: now, until: now + seconds, reason, evidence });
                }
            }
        }
        self.entries.extend(new);
        self.sort();
    }

    /// Puts the entries in the order of their addresses, in which they are looked up, and keeps the first of each.
    pub fn sort(&mut self) {
        self.entries.sort_by_key(|entry| entry.address);
        self.entries.dedup_by_key(|entry| entry.address);
    }

    /// Who is to be kept out.
    #[must_use]
    pub fn blocks(&self) -> Vec<Block> {
        self.entries.iter().map(|entry| Block { address: entry.address, until: entry.until }).collect()
    }
}

impl Suspect {
    /// Why, in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Evidence { requests, surplus, peak_ten_seconds, .. } = &self.evidence;
        format!(
            "{requests} requests, of these {surplus} refused or repeated, {} of them within ten seconds",
            peak_ten_seconds.count
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(address: &str, last: i64) -> Detection {
        let evidence = Evidence { last, ..Evidence::default() };
        Detection {
            format: FORMAT,
            log: LogSummary::default(),
            method: Method::Robust,
            grouping: None,
            reason: String::new(),
            listed: vec![Suspect { client: address.parse().unwrap(), basis: Basis::Limit, evidence }],
            spared: Vec::new(),
            top_clients: Vec::new(),
        }
    }

    fn until(list: &Blocklist) -> Vec<(String, i64)> {
        list.entries.iter().map(|entry| (entry.address.to_string(), entry.until)).collect()
    }

    #[test]
    fn a_block_ends_and_an_old_log_does_not_renew_it() {
        let mut list = Blocklist::default();
        list.renew(&listed("192.0.2.7", 990), 1_000, 60, |_| false);
        assert_eq!(until(&list), [("192.0.2.7".to_owned(), 1_060)]);
        list.renew(&listed("192.0.2.7", 990), 1_030, 60, |_| false);
        assert_eq!(until(&list), [("192.0.2.7".to_owned(), 1_060)], "the same log again");
        list.renew(&listed("192.0.2.7", 1_020), 1_030, 60, |_| false);
        assert_eq!(until(&list), [("192.0.2.7".to_owned(), 1_090)], "it came again while it was blocked");
        list.renew(&listed("192.0.2.7", 1_020), 1_040, 60, |_| false);
        assert_eq!(until(&list), [("192.0.2.7".to_owned(), 1_090)], "and the log that shows it proves it once");
        list.renew(&listed("192.0.2.1", 1_085), 1_090, 60, |_| false);
        assert_eq!(until(&list), [("192.0.2.1".to_owned(), 1_150)], "its time is over");
    }

    #[test]
    fn whoever_is_allowed_is_never_on_the_list() {
        let address: IpAddr = "2001:db8::1".parse().unwrap();
        let mut list = Blocklist::default();
        list.renew(&listed("2001:db8::1", 1), 1_000, 60, |other| other == address);
        assert_eq!(list, Blocklist::default());
        list.renew(&listed("2001:db8::1", 1), 1_000, 60, |_| false);
        assert_eq!(list.blocks(), [Block { address, until: 1_060 }]);
        list.renew(&listed("192.0.2.1", 1), 1_000, 60, |other| other == address);
        assert_eq!(list.blocks(), [Block { address: "192.0.2.1".parse().unwrap(), until: 1_060 }]);
    }
}
