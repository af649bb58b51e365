//! What was written: the truth about a log.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::address::{Address, PARTIES, Party};
use super::params::ValidAccessLogParams;
use super::plan::Shape;
use super::request::{Request, Target};

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessLogSummary {
    /// Lines.
    pub lines: u64,
    /// Of these, lines that are no attack.
    pub ordinary: u64,
    /// Of these, lines whose request is garbage.
    pub garbage: u64,
    /// Clients that did not attack.
    pub clients: u64,
    /// Clients that attacked, in the order of their attacks.
    pub attackers: Vec<Attacker>,
}

/// A client that attacked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attacker {
    /// Its address.
    pub client: IpAddr,
    /// What it asked for.
    pub shape: Shape,
    /// Its requests.
    pub requests: u64,
    /// Time of the first, seconds since 1970 UTC.
    pub first: i64,
    /// Time of the last.
    pub last: i64,
}

/// Counts what is written.
pub(super) struct Tally {
    lines: u64,
    ordinary: u64,
    garbage: u64,
    /// A bit for each ordinary client that was seen.
    seen: Vec<u64>,
    attackers: Vec<Attacker>,
}

impl Tally {
    pub(super) fn new(params: &ValidAccessLogParams) -> Self {
        let numbers = (0..).map(|number| Address::of(Party::Attacker(number)).ip);
        let shapes = params.attacks().iter().flat_map(|plan| (0..plan.clients).map(|_| plan.shape));
        let attackers =
            shapes.zip(numbers).map(|(shape, client)| Attacker { client, shape, requests: 0, first: 0, last: 0 });
        let clients = 5 * PARTIES as usize + params.visitors() as usize;
        Self { lines: 0, ordinary: 0, garbage: 0, seen: vec![0; clients.div_ceil(64)], attackers: attackers.collect() }
    }

    pub(super) fn ordinary(&self) -> u64 {
        self.ordinary
    }

    /// `time` in seconds since 1970.
    pub(super) fn count(&mut self, request: &Request, time: i64) {
        self.lines += 1;
        if let Party::Attacker(number) = request.client.party {
            let attacker = &mut self.attackers[number as usize];
            if attacker.requests == 0 {
                attacker.first = time;
            }
            attacker.requests += 1;
            attacker.last = time;
        } else if let Some(number) = request.client.party.ordinary_number() {
            self.ordinary += 1;
            self.garbage += u64::from(matches!(request.target, Target::Garbage(_)));
            self.seen[number / 64] |= 1 << (number % 64);
        }
    }

    /// Attackers whose turn never came are left out.
    pub(super) fn finish(mut self) -> AccessLogSummary {
        self.attackers.retain(|attacker| attacker.requests > 0);
        AccessLogSummary {
            lines: self.lines,
            ordinary: self.ordinary,
            garbage: self.garbage,
            clients: self.seen.iter().map(|bits| u64::from(bits.count_ones())).sum(),
            attackers: self.attackers,
        }
    }
}
