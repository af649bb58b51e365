//! Clients that flood.

use super::SECOND_NS;
use super::address::{Address, Party};
use super::agent;
use super::params::ValidAccessLogParams;
use super::plan::{AttackPlan, Shape};
use super::request::{Referer, Request, Server, Target};
use super::site::{PAGES, Site};
use crate::random::Random;

/// Deviation of the logarithm of the clients' rates.
const RATE_DEVIATION: f64 = 0.4;
/// Clients join within this share of an attack's time.
const JOINING: f64 = 0.1;

/// One of the clients of an attack.
pub(super) struct Attacker {
    client: Address,
    shape: Shape,
    /// Whether random URLs are paths that do not exist, and not queries.
    paths: bool,
    agent: &'static str,
    page: u16,
    gap_ns: f64,
    end_ns: u64,
}

/// All attackers with the times of their first requests.
pub(super) fn attackers(params: &ValidAccessLogParams, random: &mut Random) -> Vec<(u64, Attacker)> {
    let mut attackers = Vec::new();
    for plan in params.attacks() {
        let start = plan.start.unwrap_or(if params.lines() == 0 { 0.0 } else { params.seconds() / 3.0 });
        for _ in 0..plan.clients {
            let attacker = Attacker::new(plan, attackers.len() as u32, start, random);
            let joins_ns = (SECOND_NS * (start + plan.seconds * JOINING * random.unit())) as u64;
            attackers.push((joins_ns + random.exponential_ns(attacker.gap_ns.min(SECOND_NS)), attacker));
        }
    }
    attackers
}

impl Attacker {
    fn new(plan: &AttackPlan, number: u32, start: f64, random: &mut Random) -> Self {
        Self {
            client: Address::of(Party::Attacker(number)),
            shape: plan.shape,
            paths: random.chance(0.5),
            agent: match plan.shape {
                Shape::SameUrl => random.pick(&agent::FLOOD_TOOLS),
                _ => agent::browser(random),
            },
            page: random.below(PAGES) as u16,
            gap_ns: SECOND_NS / random.log_normal(plan.rate, RATE_DEVIATION),
            end_ns: (SECOND_NS * (start + plan.seconds)) as u64,
        }
    }

    pub(super) fn step(
        &mut self,
        now: u64,
        random: &mut Random,
        site: &Site,
        server: &mut Server,
    ) -> (Request, Option<u64>) {
        let get = |target, bytes| Request::get(self.client, target, bytes, self.agent);
        let request = match self.shape {
            Shape::RandomUrl => {
                let (bits, from) = (random.bits(), random.bits());
                let request = if self.paths {
                    get(Target::RandomPath(bits), 0).answered(404, 196)
                } else {
                    get(Target::RandomQuery(bits), site.bytes(0))
                };
                let referer = match from % 3 {
                    0 => Referer::Page((from >> 8) as u16 % PAGES as u16),
                    _ => Referer::SearchEngine(from),
                };
                Request { agent: random.pick(&agent::BROWSERS), ..request.from(referer) }
            }
            Shape::RandomPath => get(Target::RandomPath(random.bits()), site.bytes(0)),
            Shape::SameUrl => get(Target::Page(self.page), site.bytes(self.page)),
            Shape::ValidPages => {
                let page = random.below(PAGES) as u16;
                get(Target::Page(page), site.bytes(page))
            }
            Shape::Slow => get(Target::Search(random.bits()), 40_000 + random.below(20_000)),
        };
        let next = now + random.exponential_ns(self.gap_ns);
        (server.answer(request, now, random).0, (next < self.end_ns).then_some(next))
    }
}
