//! What is answered to whom.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use weir_contract::blocklist::Block;

use super::filter::Filter;
use super::keys::Keys;
use super::source::Source;
use crate::out::Decision;

/// For so many seconds after a timer a block is told again: the timer began when the answer had arrived.
const OVERLAP: i64 = 30;

/// Everything that answers depend on.
#[derive(Debug)]
pub(super) struct Api {
    keys: Keys,
    state: Mutex<Shared>,
}

#[derive(Debug)]
struct Shared {
    source: Source,
    /// What each bouncer, by its name, was told.
    told: HashMap<String, BTreeMap<IpAddr, Told>>,
    /// Why the list could not be read again, until somebody asks.
    trouble: Option<String>,
}

/// What a bouncer was told of an address.
#[derive(Debug, Clone, Copy)]
struct Told {
    until: i64,
    /// When the timer ends that it has set then. Not every firewall sets the timer of somebody anew who is in it already
    /// (nftables does not): what is renewed is told again once the timer is over.
    timer: i64,
}

impl Told {
    fn new(until: i64) -> Self {
        Self { until, timer: until }
    }

    fn is_over_too_soon(self, now: i64) -> bool {
        self.timer < self.until && self.timer <= now
    }
}

/// A question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    /// `X-Api-Key`.
    pub(super) key: Option<&'a str>,
    /// Seconds since 1970 UTC.
    pub(super) now: i64,
}

/// A status and a body in JSON.
pub(super) type Answer = (StatusCode, Value);

impl Api {
    pub(super) fn new(keys: Keys, source: Source) -> Self {
        Self { keys, state: Mutex::new(Shared { source, told: HashMap::new(), trouble: None }) }
    }

    pub(super) fn answer(&self, question: &Question<'_>) -> Answer {
        let is_known = matches!(question.path, "/health" | "/v1/decisions" | "/v1/decisions/stream");
        if !is_known {
            return refusal(StatusCode::NOT_FOUND, "there is nothing here");
        }
        if !matches!(*question.method, Method::GET | Method::HEAD) {
            return refusal(StatusCode::METHOD_NOT_ALLOWED, "decisions are only read here");
        }
        if question.path == "/health" {
            return (StatusCode::OK, json!({ "status": "up" }));
        }
        let Some(bouncer) = question.key.and_then(|key| self.keys.name(key)) else {
            return refusal(StatusCode::FORBIDDEN, "access forbidden");
        };
        let filter = match Filter::parse(question.query) {
            Ok(filter) => filter,
            Err(reason) => return refusal(StatusCode::BAD_REQUEST, &reason),
        };
        let mut state = self.state();
        state.refresh();
        if question.path == "/v1/decisions" {
            return (StatusCode::OK, state.decisions(&filter, question.now));
        }
        // Who only asks whether somebody is there has pulled nothing.
        if question.method == Method::HEAD {
            return (StatusCode::OK, Value::Null);
        }
        match state.stream(bouncer, &filter, question.now) {
            Ok(stream) => (StatusCode::OK, stream),
            Err(reason) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &reason),
        }
    }

    /// Whether `key` is that of a bouncer.
    pub(super) fn knows(&self, key: Option<&str>) -> bool {
        key.is_some_and(|key| self.keys.name(key).is_some())
    }

    /// Why the list could not be read again lately, once.
    pub(super) fn trouble(&self) -> Option<String> {
        self.state().trouble.take()
    }

    fn state(&self) -> MutexGuard<'_, Shared> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// A list that cannot be read again stays what it was: nobody is released because a file is broken.
    fn refresh(&mut self) {
        if let Err(error) = self.source.refresh() {
            self.trouble = Some(error.to_string());
        }
    }

    fn blocks(&self, filter: &Filter, now: i64) -> Vec<Block> {
        self.source.blocks(now).into_iter().filter(|block| filter.takes(block.address)).collect()
    }

    /// `null` for none, as CrowdSec says it.
    fn decisions(&self, filter: &Filter, now: i64) -> Value {
        let blocks = self.blocks(filter, now);
        match blocks.is_empty() {
            true => Value::Null,
            false => blocks.into_iter().map(|block| json!(Decision::active(block, now))).collect(),
        }
    }

    /// What is new and what is over since the last time; everything, and everybody who once was blocked, where there
    /// was no last time.
    fn stream(&mut self, bouncer: &str, filter: &Filter, now: i64) -> Result<Value, String> {
        let blocks = self.blocks(filter, now);
        let before = match self.told.get(bouncer).filter(|_| !filter.startup) {
            Some(told) => told.clone(),
            None => BTreeMap::new(),
        };
        let mut over: BTreeMap<IpAddr, i64> = before.iter().map(|(&address, told)| (address, told.until)).collect();
        if filter.startup || !self.told.contains_key(bouncer) {
            let ever = self.source.ever().map_err(|error| format!("failed to read the audit log: {error}"))?;
            // When the block of somebody ended who was blocked once is not asked.
            over.extend(ever.into_iter().filter(|&address| filter.takes(address)).map(|address| (address, now)));
        }
        let mut new = Vec::new();
        let mut told = BTreeMap::new();
        for block in blocks {
            over.remove(&block.address);
            let (is_news, now_told) = match before.get(&block.address) {
                None => (true, Told::new(block.until)),
                Some(&old) => {
                    let current = Told { until: block.until, timer: old.timer };
                    let late = current.is_over_too_soon(now);
                    let settled = late && now >= current.timer.saturating_add(OVERLAP);
                    (late || old.until != block.until, if settled { Told::new(block.until) } else { current })
                }
            };
            told.insert(block.address, now_told);
            if is_news {
                new.push(Decision::active(block, now));
            }
        }
        let deleted: Vec<Decision> =
            over.into_iter().map(|(address, until)| Decision::over(Block { address, until }, now)).collect();
        self.told.insert(bouncer.to_owned(), told);
        Ok(json!({ "new": new, "deleted": deleted }))
    }
}

fn refusal(status: StatusCode, message: &str) -> Answer {
    (status, json!({ "message": message }))
}

#[cfg(test)]
mod tests;
