//! A request and its answer, without its text.

use super::address::Address;
use crate::random::Random;

/// A line to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    pub(super) client: Address,
    pub(super) method: &'static str,
    pub(super) target: Target,
    pub(super) status: u16,
    /// Bytes of the answer's body.
    pub(super) bytes: u32,
    pub(super) referer: Referer,
    pub(super) agent: &'static str,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    Fixed(&'static str),
    Page(u16),
    /// An asset that all pages have.
    SharedAsset(u8),
    /// An asset of one page.
    Asset(u16, u8),
    /// A page that is no more.
    Gone(u16),
    /// The front page with a query made of these bits.
    RandomQuery(u64),
    /// A path made of these bits.
    RandomPath(u64),
    /// A search for something made of these bits.
    Search(u64),
    /// No request at all, but these bytes as servers write them.
    Garbage(&'static str),
}

/// Where a client says that it comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Referer {
    None,
    Page(u16),
    SearchEngine(u64),
}

impl Request {
    /// A GET that is answered.
    pub(super) fn get(client: Address, target: Target, bytes: u32, agent: &'static str) -> Self {
        Self { client, method: "GET", target, status: 200, bytes, referer: Referer::None, agent }
    }

    pub(super) fn from(self, referer: Referer) -> Self {
        Self { referer, ..self }
    }

    pub(super) fn answered(self, status: u16, bytes: u32) -> Self {
        Self { status, bytes, ..self }
    }
}

/// The server, which answers only so many requests per second.
pub(super) struct Server {
    capacity: Option<u32>,
    second: u64,
    requests: u32,
}

impl Server {
    pub(super) fn new(capacity: Option<u32>) -> Self {
        Self { capacity, second: 0, requests: 0 }
    }

    /// The request as it is answered at `now`, and whether that is as it should be. Beyond the capacity the server says
    /// so with 503, or the client has hung up before the answer, which nginx notes as 499.
    pub(super) fn answer(&mut self, request: Request, now: u64, random: &mut Random) -> (Request, bool) {
        let Some(capacity) = self.capacity else { return (request, true) };
        let second = now / 1_000_000_000;
        if self.second != second {
            (self.second, self.requests) = (second, 0);
        }
        self.requests = self.requests.saturating_add(1);
        if self.requests <= capacity {
            return (request, true);
        }
        let failed = if random.chance(0.7) { request.answered(503, 299) } else { request.answered(499, 0) };
        (failed, false)
    }
}
