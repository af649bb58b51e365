//! What is counted of a client.

use std::net::IpAddr;

use weir_contract::blocklist::{Evidence, StatusCount};
use xxhash_rust::xxh3::xxh3_64;

use crate::bins::{Minutes, Peaks};
use crate::parse::{Entry, Method};
use crate::texts::Texts;
use crate::timeline::Timeline;

/// Counts of a client; its memory is bounded, whatever it does.
#[derive(Debug, Clone)]
pub(crate) struct ClientCounts {
    pub(crate) address: IpAddr,
    requests: u64,
    /// Its counter in the sense of Misra and Gries: what is left of its requests after all decrements.
    credit: u64,
    peaks: Peaks,
    first: i64,
    last: i64,
    statuses: Vec<(Method, u16, u64)>,
    paths: Texts,
    user_agents: Texts,
    minutes: Minutes,
}

/// A request with what is needed of it more than once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) entry: Entry<'a>,
    path_hash: u64,
    user_agent_hash: u64,
}

impl<'a> Request<'a> {
    pub(crate) fn new(entry: Entry<'a>) -> Self {
        Self { entry, path_hash: xxh3_64(entry.path), user_agent_hash: entry.user_agent.map_or(0, xxh3_64) }
    }
}

impl ClientCounts {
    pub(crate) fn new(address: IpAddr, time: i64) -> Self {
        Self {
            address,
            requests: 0,
            credit: 0,
            peaks: Peaks::default(),
            first: time,
            last: time,
            statuses: Vec::with_capacity(1),
            paths: Texts::default(),
            user_agents: Texts::default(),
            minutes: Minutes::default(),
        }
    }

    pub(crate) fn add(&mut self, request: &Request, timeline: &mut Timeline) {
        let Request { entry, path_hash, user_agent_hash } = *request;
        self.requests += 1;
        self.credit += 1;
        self.first = self.first.min(entry.time);
        self.last = self.last.max(entry.time);
        self.count_status(entry.method, entry.status, 1);
        self.paths.add(path_hash, entry.path, self.requests);
        if let Some(user_agent) = entry.user_agent {
            self.user_agents.add(user_agent_hash, user_agent, self.requests);
        }
        // What a server cannot answer, or wants a login for, is no fault of the client.
        let excused = entry.status < 400 || matches!(entry.status, 401 | 407 | 499 | 500..);
        let asked = excused.then_some(path_hash);
        self.minutes.add(entry.time, asked, &mut self.peaks, timeline);
    }

    /// Closes the minutes that are farther than `seconds` from `now`.
    pub(crate) fn close_far(&mut self, now: i64, seconds: u64, timeline: &mut Timeline) {
        self.minutes.close_far(now, seconds, &mut self.peaks, timeline);
    }

    /// Closes all minutes.
    pub(crate) fn close(&mut self, timeline: &mut Timeline) {
        self.minutes.close(&mut self.peaks, timeline);
    }

    /// Takes in the counts of the same client over another time. Minutes have to be closed.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.credit += other.credit;
        self.peaks.merge(&other.peaks);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        for (method, status, count) in &other.statuses {
            self.count_status(*method, *status, *count);
        }
        self.paths.merge(&other.paths);
        self.user_agents.merge(&other.user_agents);
    }

    pub(crate) fn credit(&self) -> u64 {
        self.credit
    }

    /// Takes from its credit; whether something is left.
    pub(crate) fn debit(&mut self, decrement: u64) -> bool {
        self.credit = self.credit.saturating_sub(decrement);
        self.credit > 0
    }

    /// What it comes to, of `all` requests. Minutes have to be closed.
    pub(crate) fn evidence(mut self, all: u64) -> Evidence {
        self.statuses.sort_unstable_by_key(|(method, status, _)| (method.name(), *status));
        let statuses = self.statuses.into_iter();
        Evidence {
            requests: self.requests,
            surplus: self.peaks.surplus,
            share: self.requests as f64 / all as f64,
            peak_second: self.peaks.second,
            peak_ten_seconds: self.peaks.ten_seconds,
            peak_minute: self.peaks.minute,
            first: self.first,
            last: self.last,
            paths: self.paths.different(),
            user_agents: self.user_agents.different(),
            statuses: statuses
                .map(|(method, status, count)| StatusCount { method: method.name().to_owned(), status, count })
                .collect(),
            top_paths: self.paths.top(),
            top_user_agents: self.user_agents.top(),
        }
    }

    fn count_status(&mut self, method: Method, status: u16, count: u64) {
        match self.statuses.iter_mut().find(|known| (known.0, known.1) == (method, status)) {
            Some(known) => known.2 += count,
            None => self.statuses.push((method, status, count)),
        }
    }
}
