//! Visits, crawlers, pollers, health checks, scanners.

use super::SECOND_NS;
use super::address::{Address, PARTIES, Party};
use super::agent;
use super::params::ValidAccessLogParams;
use super::request::{Referer, Request, Server, Target};
use super::site::{PAGES, SHARED_ASSETS, Site};
use crate::random::Random;

/// Mean lines of a visit; measured, see the test that the log is as long as was asked for.
pub(super) const VISIT_LINES: f64 = 35.8;
/// Share of the ordinary lines that crawlers, pollers, health checks and scanners make.
pub(super) const STEADY_SHARE: f64 = CRAWLED + POLLED + CHECKED;
const CRAWLED: f64 = 0.08;
const POLLED: f64 = 0.05;
const CHECKED: f64 = 0.02;

/// Share of the visits that come from addresses which many visitors share.
const SHARED_VISITS: f64 = 0.1;
/// Share of the pages that are reloaded with all that is on them.
const RELOADED: f64 = 0.003;
/// Visitors behind such an address.
const VISITORS_PER_SHARED: u32 = 200;

const GARBAGE: [&str; 4] = [
    r"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03\xA2\x5E",
    r"\x03\x00\x00\x13\x0E\xE0\x00\x00\x00\x00\x00\x01\x00\x08",
    "-",
    r#"GET / \"\x00"#,
];

/// Somebody who floods nothing.
pub(super) enum Ordinary {
    Visit(Visit),
    Steady(Steady),
}

impl Ordinary {
    /// Somebody who comes to the site.
    pub(super) fn visit(params: &ValidAccessLogParams, random: &mut Random) -> Self {
        let visitors = params.visitors();
        let client = if visitors > 4 && random.chance(SHARED_VISITS) {
            Party::Shared(random.below(visitors.div_ceil(VISITORS_PER_SHARED).min(PARTIES)))
        } else {
            // Some come more often than others.
            let place = random.unit();
            Party::Visitor((place * libm::sqrt(place) * f64::from(visitors)) as u32)
        };
        let mut pages = 1;
        while pages < 30 && random.chance(0.6) {
            pages += 1;
        }
        Self::Visit(Visit {
            client: Address::of(client),
            agent: agent::browser(random),
            referer: if random.chance(0.4) { Referer::SearchEngine(random.bits()) } else { Referer::None },
            cached: random.chance(0.3),
            read: 0,
            pages,
            page: 0,
            again: Again::No,
            assets: None,
        })
    }

    pub(super) fn step(
        &mut self,
        now: u64,
        random: &mut Random,
        site: &Site,
        server: &mut Server,
    ) -> (Request, Option<u64>) {
        match self {
            Self::Visit(visit) => visit.step(now, random, site, server),
            Self::Steady(steady) => {
                let request = steady.request(random, site);
                // A program keeps to its clock, within a tenth.
                let next =
                    now.saturating_add((steady.period_ns * (0.9 + 0.2 * random.unit())) as u64).saturating_add(1);
                (server.answer(request, now, random).0, Some(next))
            }
        }
    }
}

/// Somebody reading page after page.
pub(super) struct Visit {
    client: Address,
    agent: &'static str,
    referer: Referer,
    /// Whether the browser has the shared assets of an earlier visit.
    cached: bool,
    /// The pages that were read, a bit for those of the same number modulo 64: the browser has their assets.
    read: u64,
    /// Pages that are left, with this one.
    pages: u8,
    page: u16,
    /// Why the page is asked for once more.
    again: Again,
    /// Assets of the page that are left: shared ones and the page's own. None before the page itself.
    assets: Option<(u8, u8)>,
}

/// Why a page is asked for once more.
#[derive(Clone, Copy, PartialEq)]
enum Again {
    No,
    /// So many tries failed.
    Failed(u8),
    /// The visitor reloads it, whereupon some browsers ask for every asset whether it has changed.
    Reload,
}

impl Visit {
    fn step(&mut self, now: u64, random: &mut Random, site: &Site, server: &mut Server) -> (Request, Option<u64>) {
        let Some((shared, own)) = self.assets else { return self.load(now, random, site, server) };
        let get = |target| Request::get(self.client, target, asset_bytes(target), self.agent);
        let (request, left, cached) = if shared > 0 {
            (get(Target::SharedAsset(SHARED_ASSETS - shared)), (shared - 1, own), self.cached)
        } else {
            (get(Target::Asset(self.page, site.assets(self.page) - own)), (0, own - 1), false)
        };
        let request = if cached || self.again == Again::Reload { request.answered(304, 0) } else { request };
        self.assets = Some(left);
        let request = server.answer(request.from(Referer::Page(self.page)), now, random).0;
        (request, self.after(left, now, random))
    }

    /// The page itself, or a link that leads nowhere, or a form that is sent.
    fn load(&mut self, now: u64, random: &mut Random, site: &Site, server: &mut Server) -> (Request, Option<u64>) {
        if self.again == Again::No {
            self.page = site.popular(random);
        }
        let request = Request::get(self.client, Target::Page(self.page), site.bytes(self.page), self.agent);
        let request = match random.below(100) {
            0..2 => Request { target: Target::Gone(self.page), ..request.answered(404, 196) },
            2..4 => Request { method: "POST", target: Target::Fixed("/comments"), ..request.answered(303, 0) },
            _ => request,
        };
        let (request, served) = server.answer(request.from(self.referer), now, random);
        if !served {
            let tries = if let Again::Failed(tries) = self.again { tries + 1 } else { 1 };
            self.again = Again::Failed(tries);
            let next = now + random.log_normal(4.0 * SECOND_NS, 0.5) as u64;
            return (request, (tries < 3).then_some(next));
        }
        let mut left = (0, 0);
        if request.status == 200 {
            let reload = self.again == Again::Reload;
            let first = !matches!(self.referer, Referer::Page(_));
            let known = self.read & 1 << (self.page % 64) != 0;
            left.0 = if first || reload { SHARED_ASSETS } else { 0 };
            left.1 = if known && !reload { 0 } else { site.assets(self.page) };
            self.read |= 1 << (self.page % 64);
            self.referer = Referer::Page(self.page);
        }
        self.assets = Some(left);
        (request, self.after(left, now, random))
    }

    /// When the next request is due: at once while the page has assets, then after reading.
    fn after(&mut self, left: (u8, u8), now: u64, random: &mut Random) -> Option<u64> {
        if left != (0, 0) {
            return Some(now + random.exponential_ns(0.012 * SECOND_NS));
        }
        self.assets = None;
        if self.again != Again::Reload && random.chance(RELOADED) {
            self.again = Again::Reload;
            return Some(now + random.log_normal(3.0 * SECOND_NS, 0.5) as u64);
        }
        self.again = Again::No;
        self.pages -= 1;
        (self.pages > 0).then(|| now + random.log_normal(15.0 * SECOND_NS, 0.9) as u64)
    }
}

/// A size that belongs to the asset.
fn asset_bytes(target: Target) -> u32 {
    match target {
        Target::SharedAsset(asset) => 1_500 + 7_919 * u32::from(asset),
        Target::Asset(page, asset) => 4_000 + (u32::from(page) * 2_473 + u32::from(asset) * 9_241) % 90_000,
        _ => 0,
    }
}

/// A program that asks on and on.
pub(super) struct Steady {
    client: Address,
    agent: &'static str,
    period_ns: f64,
    asked: u64,
}

/// All of them with the times of their first requests: as many as make [`STEADY_SHARE`] of the lines, and garbage.
pub(super) fn steady(params: &ValidAccessLogParams, random: &mut Random) -> Vec<(u64, Ordinary)> {
    let mut all = Vec::new();
    let mut add = |share: f64, usual_period: f64, party: fn(u32) -> Party| {
        let rate = share * params.lines_per_second();
        if rate == 0.0 {
            return;
        }
        // Those with a mean period of `usual_period` seconds; a single slow one where that is too often.
        let count = (rate * usual_period).clamp(1.0, f64::from(PARTIES)) as u32;
        for number in 0..count {
            let agent = match party(number) {
                Party::Crawler(_) => agent::CRAWLERS[number as usize % agent::CRAWLERS.len()],
                Party::HealthCheck(_) => agent::HEALTH_CHECK,
                Party::Poller(_) => agent::POLLER,
                _ => "-",
            };
            let period_ns = SECOND_NS * f64::from(count) / rate;
            let steady = Steady { client: Address::of(party(number)), agent, period_ns, asked: 0 };
            let first_ns = (period_ns * random.unit()) as u64;
            all.push((first_ns, Ordinary::Steady(steady)));
        }
    };
    add(CRAWLED, 4.0, Party::Crawler);
    add(POLLED, 8.0, Party::Poller);
    add(CHECKED, 10.0, Party::HealthCheck);
    add(params.garbage().get(), 600.0, Party::Scanner);
    all
}

impl Steady {
    fn request(&mut self, random: &mut Random, site: &Site) -> Request {
        self.asked += 1;
        let get = |target, bytes| Request::get(self.client, target, bytes, self.agent);
        match self.client.party {
            Party::HealthCheck(_) => get(Target::Fixed("/healthz"), 2),
            Party::Poller(number) if number % 2 == 0 => get(Target::Fixed("/api/v1/notifications?unread=1"), 17),
            Party::Poller(_) => get(Target::Fixed("/api/v1/status"), 0).answered(304, 0),
            Party::Scanner(_) => get(Target::Garbage(random.pick(&GARBAGE)), 0).answered(400, 157),
            // Once in 1,000 requests a crawler asks what it may; the pages it takes in turn, from a place of its own.
            _ if self.asked % 1_000 == 1 => get(Target::Fixed("/robots.txt"), 68),
            party => {
                let place = party.ordinary_number().unwrap_or(0) as u64 * 97 + self.asked;
                let page = (place % u64::from(PAGES)) as u16;
                get(Target::Page(page), site.bytes(page))
            }
        }
    }
}
