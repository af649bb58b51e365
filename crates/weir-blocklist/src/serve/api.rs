//! What is answered to whom.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use weir_contract::blocklist::Block;

use super::decision::Decision;
use super::filter::Filter;
use super::keys::Keys;
use super::source::Source;

/// Everything that answers depend on.
#[derive(Debug)]
pub(super) struct Api {
    keys: Keys,
    state: Mutex<Shared>,
}

#[derive(Debug)]
struct Shared {
    source: Source,
    /// What each bouncer, by its name, was told to block, and until when.
    told: HashMap<String, BTreeMap<IpAddr, i64>>,
    /// Why the list could not be read again, until somebody asks.
    trouble: Option<String>,
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
        let current: BTreeMap<IpAddr, i64> =
            self.blocks(filter, now).into_iter().map(|block| (block.address, block.until)).collect();
        let told = self.told.get(bouncer).filter(|_| !filter.startup);
        let before: BTreeMap<IpAddr, i64> = match told {
            Some(told) => told.clone(),
            // When the block of somebody ended who was blocked once is not asked.
            None => {
                let ever = self.source.ever().map_err(|error| format!("failed to read the audit log: {error}"))?;
                ever.into_iter().filter(|&address| filter.takes(address)).map(|address| (address, now)).collect()
            }
        };
        let is_news = |address: &IpAddr, until: &i64| told.is_none() || before.get(address) != Some(until);
        let block = |(&address, &until): (&IpAddr, &i64)| Block { address, until };
        let new: Vec<Decision> = current
            .iter()
            .filter(|(address, until)| is_news(address, until))
            .map(|entry| Decision::active(block(entry), now))
            .collect();
        let deleted: Vec<Decision> = before
            .iter()
            .filter(|(address, _)| !current.contains_key(address))
            .map(|entry| Decision::over(block(entry), now))
            .collect();
        self.told.insert(bouncer.to_owned(), current);
        Ok(json!({ "new": new, "deleted": deleted }))
    }
}

fn refusal(status: StatusCode, message: &str) -> Answer {
    (status, json!({ "message": message }))
}

#[cfg(test)]
mod tests;
