//! Deterministic access logs of a web server: ordinary visitors, crawlers, and clients that flood it.
//!
//! [`simulate`] writes the combined format of Apache and nginx in time order, in memory that grows with the visits under way
//! and the attackers, not with the log. The summary is the truth: who attacked, and how.
//!
//! Overload reaches everybody: with a [`AccessLogParams::capacity`], requests beyond it fail for visitors, too, which is what
//! makes a real attack hard to tell apart.
//!
//! ```text
//! params     what to simulate, checked once
//! plan       an attack: shape, clients, rate, time
//! site       pages, assets, and what else is asked for
//! request    a request and its answer, without its text
//! ordinary   visits, crawlers, pollers, health checks, scanners
//! attack     clients that flood
//! address    who has which address
//! agent      user agents
//! line       a request as a line
//! summary    what was written
//! ```

mod address;
mod agent;
mod attack;
mod line;
mod ordinary;
mod params;
mod plan;
mod request;
mod site;
mod summary;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::io::{self, Write};

pub use params::{
    AccessLogError, AccessLogParams, MAX_ATTACKERS, MAX_LINES, MAX_SECONDS, MAX_VISITORS, ValidAccessLogParams,
};
pub use plan::{AttackPlan, Shape};
pub use summary::{AccessLogSummary, Attacker};

use self::line::LineWriter;
use self::ordinary::{Ordinary, VISIT_LINES};
use self::request::{Request, Server};
use self::site::Site;
use self::summary::Tally;
use crate::random::Random;

const SECOND_NS: f64 = 1e9;

/// Writes the log to `out`. It ends with the last of `params.lines` lines that are no attack; without any, with the last
/// attack.
///
/// # Errors
/// What `out` returns.
pub fn simulate(params: &ValidAccessLogParams, out: &mut impl Write) -> io::Result<AccessLogSummary> {
    let mut random = Random::new(params.seed());
    let site = Site::new(&mut random);
    let mut server = Server::new(params.capacity());
    let mut tally = Tally::new(params);
    let mut actors = Actors::default();
    for (first_ns, actor) in ordinary::steady(params, &mut random) {
        actors.start(first_ns, Actor::Ordinary(actor));
    }
    for (first_ns, attacker) in attack::attackers(params, &mut random) {
        actors.start(first_ns, Actor::Attacker(attacker));
    }
    // Steady clients make their share, visits the rest.
    let visit_gap_ns = SECOND_NS * VISIT_LINES / (params.lines_per_second() * (1.0 - ordinary::STEADY_SHARE));
    // A gap as long as the longest log is as good as any longer one.
    let visit_gap_ns = visit_gap_ns.min(SECOND_NS * MAX_SECONDS);
    let mut visit_ns = if params.lines() > 0 { random.exponential_ns(visit_gap_ns) } else { u64::MAX };
    let mut lines = LineWriter::new(out, params.start());
    loop {
        if params.lines() > 0 && tally.ordinary() == params.lines() {
            break;
        }
        match actors.next() {
            Some((now, slot)) if now < visit_ns => {
                let (request, next) = actors.step(slot, now, &mut random, &site, &mut server);
                lines.write(now, &request, &site)?;
                tally.count(&request, params.start() / 1_000 + (now / 1_000_000_000) as i64);
                actors.go_on(slot, next);
            }
            _ if visit_ns < u64::MAX => {
                actors.start(visit_ns, Actor::Ordinary(Ordinary::visit(params, &mut random)));
                visit_ns = visit_ns.saturating_add(random.exponential_ns(visit_gap_ns));
            }
            _ => break,
        }
    }
    lines.finish()?;
    Ok(tally.finish())
}

/// Somebody who makes one request after the other.
enum Actor {
    Ordinary(Ordinary),
    Attacker(attack::Attacker),
}

/// All of them, by the time of their next request.
#[derive(Default)]
struct Actors {
    /// (time of the next request, place in `actors`)
    queue: BinaryHeap<Reverse<(u64, usize)>>,
    actors: Vec<Actor>,
    free: Vec<usize>,
}

impl Actors {
    fn start(&mut self, first_ns: u64, actor: Actor) {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.actors[slot] = actor;
                slot
            }
            None => {
                self.actors.push(actor);
                self.actors.len() - 1
            }
        };
        self.queue.push(Reverse((first_ns, slot)));
    }

    fn next(&self) -> Option<(u64, usize)> {
        self.queue.peek().map(|Reverse(next)| *next)
    }

    /// The request that is due, and when the next one is; none when it was the last.
    fn step(
        &mut self,
        slot: usize,
        now: u64,
        random: &mut Random,
        site: &Site,
        server: &mut Server,
    ) -> (Request, Option<u64>) {
        match &mut self.actors[slot] {
            Actor::Ordinary(ordinary) => ordinary.step(now, random, site, server),
            Actor::Attacker(attacker) => attacker.step(now, random, site, server),
        }
    }

    /// Moves the actor whose turn it was.
    fn go_on(&mut self, slot: usize, next: Option<u64>) {
        let Some(mut due) = self.queue.peek_mut() else { return };
        match next {
            Some(time) => due.0.0 = time,
            None => {
                PeekMut::pop(due);
                self.free.push(slot);
            }
        }
    }
}
