//! Counts lines.

use memchr::memchr;
use rayon::prelude::*;
use weir_contract::blocklist::{LogSummary, UnreadableLine};

use crate::client::Request;
use crate::counts::{Client, Counts};
use crate::parse::{Unreadable, parse_line};
use crate::settings::Settings;
use crate::shard::{SHARDS, Shard, shard_of};
use crate::texts::cut;
use crate::timeline::Timeline;

/// Unreadable lines that are shown.
const EXAMPLES: usize = 5;
/// Characters of them.
const EXAMPLE_CHARACTERS: usize = 120;

/// Bytes of a block for which a shard has one request, roughly: 128 a line.
const SHARD_BYTES: usize = 128 * SHARDS;

/// Counts the lines of access logs by client.
///
/// All counts are exact but for different paths and user agents beyond 32 of a client, which are estimated, and for the
/// most frequent of them, whose errors are given. Three things are cut off:
///
/// - Peaks and surplus are counted in minutes and tens of seconds that a client keeps open while lines are out of order by
///   no more than two minutes (Apache writes the time at which a request began, nginx that at which it ended). What comes
///   later, or comes again from another log of the same time, opens them anew and is counted apart: peaks and surplus
///   are then lower than they were, never higher.
/// - Of the requests of a client in ten seconds 200 are not surplus at most; one beyond is.
/// - With more clients than [`Settings::maximum_clients`], the median of the clients' counters is taken from each, and
///   those without anything left are dropped with all that was counted of them (Misra, Gries 1982, with the decrement
///   of Anderson, Bevan, Lang, Liberty, Rhodes, Thaler 2017, as in Apache DataSketches). Clients that stay, or come
///   again, may lack the sum of all decrements, [`LogSummary::missing`], at most.
#[derive(Debug, Clone)]
pub struct Counter {
    settings: Settings,
    shards: Vec<Shard>,
    sources: Vec<String>,
    /// Of the source that is read.
    source: SourceLines,
    lines: u64,
    requests: u64,
    unreadable: u64,
    outside: u64,
    examples: Vec<UnreadableLine>,
    span: Option<(i64, i64)>,
    missing: u64,
}

/// How the lines of a source read.
#[derive(Debug, Clone, Default)]
pub(crate) struct SourceLines {
    name: String,
    pub(crate) lines: u64,
    pub(crate) unreadable: u64,
    /// The first of them: line and reason.
    pub(crate) examples: Vec<(u64, Unreadable)>,
}

impl Counter {
    /// A counter that has seen nothing.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self {
            settings: settings.clone(),
            shards: vec![Shard::default(); SHARDS],
            sources: Vec::new(),
            source: SourceLines::default(),
            lines: 0,
            requests: 0,
            unreadable: 0,
            outside: 0,
            examples: Vec::new(),
            span: None,
            missing: 0,
        }
    }

    /// Says that the lines from here on are those of a source, from its first line on.
    pub fn begin_source(&mut self, name: &str) {
        if !self.sources.iter().any(|known| known == name) {
            self.sources.push(name.to_owned());
        }
        self.source = SourceLines { name: name.to_owned(), ..SourceLines::default() };
    }

    /// Counts whole lines; the last may lack its line end.
    pub fn add(&mut self, lines: &[u8]) {
        let parsed = Parsed::new(lines, &self.settings);
        for (shard, requests) in self.shards.iter_mut().zip(&parsed.requests) {
            requests.iter().for_each(|request| shard.add(request));
        }
        self.add_lines(&parsed);
        self.limit_clients();
    }

    /// Counts blocks of whole lines, one after the other, with all threads of the pool.
    pub(crate) fn add_blocks(&mut self, blocks: &[Vec<u8>]) {
        let parsed: Vec<Parsed> = blocks.par_iter().map(|block| Parsed::new(block, &self.settings)).collect();
        self.shards.par_iter_mut().enumerate().for_each(|(at, shard)| {
            for block in &parsed {
                block.requests[at].iter().for_each(|request| shard.add(request));
            }
        });
        parsed.iter().for_each(|block| self.add_lines(block));
        self.limit_clients();
    }

    /// How the lines of the last source read.
    pub(crate) fn source_lines(&self) -> &SourceLines {
        &self.source
    }

    /// Takes in what was counted elsewhere, of another time: what both have of the same minute counts apart for peaks
    /// and surplus.
    pub fn merge(&mut self, mut other: Self) {
        for (shard, mut other) in self.shards.iter_mut().zip(other.shards) {
            shard.close();
            other.close();
            shard.merge(other);
        }
        for source in other.sources {
            if !self.sources.contains(&source) {
                self.sources.push(source);
            }
        }
        self.source = other.source;
        self.lines += other.lines;
        self.requests += other.requests;
        self.unreadable += other.unreadable;
        self.outside += other.outside;
        self.examples.append(&mut other.examples);
        self.examples.truncate(EXAMPLES);
        self.span = join(self.span, other.span);
        self.missing += other.missing;
        self.limit_clients();
    }

    /// What was counted.
    #[must_use]
    pub fn finish(mut self) -> Counts {
        self.shards.par_iter_mut().for_each(Shard::close);
        let mut timeline = Timeline::default();
        let mut counted = Vec::new();
        for shard in self.shards {
            let (clients, shard_timeline) = shard.finish();
            timeline.merge(shard_timeline);
            counted.extend(clients);
        }
        counted.sort_unstable_by_key(|client| client.address);
        let clients: Vec<Client> = (counted.into_iter())
            .map(|client| Client { address: client.address, evidence: client.evidence(self.requests) })
            .collect();
        let (timeline, stretch_seconds) = timeline.finish();
        let log = LogSummary {
            sources: self.sources,
            lines: self.lines,
            requests: self.requests,
            unreadable: self.unreadable,
            unreadable_examples: self.examples,
            outside: self.outside,
            clients: clients.len() as u64,
            missing: (self.missing > 0).then_some(self.missing),
            first: self.span.map(|(first, _)| first),
            last: self.span.map(|(_, last)| last),
            timeline,
            stretch_seconds,
        };
        Counts { log, clients }
    }

    fn add_lines(&mut self, parsed: &Parsed) {
        for (line, reason, text) in &parsed.examples {
            let line = self.source.lines + line;
            if self.source.examples.len() < EXAMPLES {
                self.source.examples.push((line, *reason));
            }
            if self.examples.len() < EXAMPLES {
                let source = self.source.name.clone();
                let text = cut(text, EXAMPLE_CHARACTERS);
                self.examples.push(UnreadableLine { source, line, reason: reason.to_string(), text });
            }
        }
        self.source.lines += parsed.lines;
        self.source.unreadable += parsed.unreadable;
        self.lines += parsed.lines;
        self.unreadable += parsed.unreadable;
        self.outside += parsed.outside;
        self.requests += parsed.requests.iter().map(|requests| requests.len() as u64).sum::<u64>();
        self.span = join(self.span, parsed.span);
    }

    fn limit_clients(&mut self) {
        while self.shards.iter().map(Shard::clients).sum::<usize>() > self.settings.maximum_clients {
            let mut credits: Vec<u64> = self.shards.iter().flat_map(Shard::credits).collect();
            let middle = credits.len() / 2;
            let (_, median, _) = credits.select_nth_unstable(middle);
            let decrement = *median;
            self.shards.par_iter_mut().for_each(|shard| shard.debit(decrement));
            self.missing += decrement;
        }
    }
}

/// The lines of a block.
struct Parsed<'a> {
    /// By shard.
    requests: Vec<Vec<Request<'a>>>,
    lines: u64,
    unreadable: u64,
    outside: u64,
    /// The first unreadable lines, numbered from 1.
    examples: Vec<(u64, Unreadable, &'a [u8])>,
    span: Option<(i64, i64)>,
}

impl<'a> Parsed<'a> {
    fn new(mut bytes: &'a [u8], settings: &Settings) -> Self {
        let mut parsed = Self {
            requests: (0..SHARDS).map(|_| Vec::with_capacity(bytes.len() / SHARD_BYTES)).collect(),
            lines: 0,
            unreadable: 0,
            outside: 0,
            examples: Vec::new(),
            span: None,
        };
        while !bytes.is_empty() {
            let end = memchr(b'\n', bytes).unwrap_or(bytes.len());
            let line = &bytes[..end];
            bytes = bytes.get(end + 1..).unwrap_or_default();
            parsed.lines += 1;
            match parse_line(line, settings.client_field, &settings.trusted_proxies) {
                Ok(entry) if settings.takes(entry.time) => {
                    parsed.span = join(parsed.span, Some((entry.time, entry.time)));
                    parsed.requests[shard_of(entry.client)].push(Request::new(entry));
                }
                Ok(_) => parsed.outside += 1,
                Err(reason) => {
                    parsed.unreadable += 1;
                    if parsed.examples.len() < EXAMPLES {
                        parsed.examples.push((parsed.lines, reason, line));
                    }
                }
            }
        }
        parsed
    }
}

fn join(one: Option<(i64, i64)>, other: Option<(i64, i64)>) -> Option<(i64, i64)> {
    match (one, other) {
        (Some((first, last)), Some((other_first, other_last))) => Some((first.min(other_first), last.max(other_last))),
        _ => one.or(other),
    }
}
