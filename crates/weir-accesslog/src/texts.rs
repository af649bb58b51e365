//! The texts of one kind that a client sent, its paths or its user agents: how many different ones, and the most frequent.
//!
//! Up to 32 different texts are counted exactly. Beyond, the 32 counters go on as Space-Saving (Metwally, Agrawal, El
//! Abbadi 2005): a new text takes the place of the least frequent and inherits its count, which is then by how much the
//! new one's may be too high. A text that makes more than a 32nd of the requests is always among them. Different
//! texts are then estimated.

use std::cmp::Reverse;

use weir_contract::blocklist::Frequent;

use crate::hyperloglog::HyperLogLog;

/// Texts that are counted exactly.
const COUNTERS: usize = 32;
/// From this request of a client on its texts are kept; until then, and for most clients that is all, only their hashes.
const KEPT_FROM: u64 = 16;
/// Characters of a text that are shown.
const CHARACTERS: usize = 200;
/// Bytes of a text that are kept: enough for these characters.
const BYTES: usize = 4 * CHARACTERS;
/// Texts that are kept at a time: those that are certainly the most frequent, as far as they have come again.
const KEPT: usize = 8;
/// Texts that are shown.
const SHOWN: usize = 5;

#[derive(Debug, Clone, Default)]
pub(crate) struct Texts {
    counters: Vec<Counter>,
    /// What most clients never need.
    more: Option<Box<More>>,
}

#[derive(Debug, Clone, Default)]
struct More {
    /// Texts of counters.
    kept: Vec<Kept>,
    /// Once there are more texts than counters.
    beyond: Option<Box<Beyond>>,
}

#[derive(Debug, Clone, Copy)]
struct Counter {
    hash: u64,
    count: u64,
}

#[derive(Debug, Clone)]
struct Kept {
    /// The place of the counter.
    at: usize,
    text: Vec<u8>,
}

#[derive(Debug, Clone)]
struct Beyond {
    different: HyperLogLog,
    errors: [u64; COUNTERS],
}

impl Texts {
    /// Counts a text with its hash, sent with the client's request of this number, counted from 1.
    pub(crate) fn add(&mut self, hash: u64, text: &[u8], request: u64) {
        if let Some(beyond) = self.more.as_mut().and_then(|more| more.beyond.as_mut()) {
            beyond.different.add(hash);
        }
        let at = match self.place(hash) {
            Some(at) => {
                self.counters[at].count += 1;
                at
            }
            None if self.counters.len() < COUNTERS => self.push(Counter { hash, count: 1 }),
            None => {
                let inherited = self.counters[self.smallest()].count;
                self.take_place(hash, inherited + 1, inherited)
            }
        };
        if request >= KEPT_FROM {
            self.keep(at, text);
        }
    }

    /// Different texts; estimated beyond 32.
    pub(crate) fn different(&self) -> u64 {
        self.seen_beyond().map_or(self.counters.len() as u64, |beyond| beyond.different.estimate())
    }

    /// The most frequent texts that were kept, most first.
    pub(crate) fn top(&self) -> Vec<Frequent> {
        let mut top: Vec<(u64, u64, &[u8])> = (self.kept().iter())
            .map(|kept| (self.counters[kept.at].count, self.error(kept.at), kept.text.as_slice()))
            .collect();
        // By what is certain.
        top.sort_unstable_by(|a, b| (b.0 - b.1).cmp(&(a.0 - a.1)).then(b.0.cmp(&a.0)).then(a.2.cmp(b.2)));
        top.truncate(SHOWN);
        top.into_iter().map(|(count, error, text)| Frequent { text: cut(text, CHARACTERS), count, error }).collect()
    }

    /// Takes in what was counted elsewhere. Exact as long as both together have no more than 32 texts; beyond, counts are
    /// too high by their error at most, as before (Agarwal, Cormode, Huang, Phillips, Wei, Yi 2012): a text that one side
    /// has no counter for came there no more often than that side's least frequent one.
    pub(crate) fn merge(&mut self, other: &Self) {
        let (least, other_least) = (self.least(), other.least());
        let mut merged: Vec<(Counter, u64)> = Vec::new();
        for (at, counter) in self.counters.iter().enumerate() {
            let there = other.place(counter.hash);
            let count = counter.count + there.map_or(other_least, |at| other.counters[at].count);
            let error = self.error(at) + there.map_or(other_least, |at| other.error(at));
            merged.push((Counter { hash: counter.hash, count }, error));
        }
        for (at, counter) in other.counters.iter().enumerate() {
            if self.place(counter.hash).is_none() {
                merged.push((Counter { hash: counter.hash, count: counter.count + least }, other.error(at) + least));
            }
        }
        if let Some(other) = other.seen_beyond() {
            self.beyond().different.merge(&other.different);
        }
        if merged.len() > COUNTERS || self.seen_beyond().is_some() {
            let different = &mut self.beyond().different;
            merged.iter().for_each(|(counter, _)| different.add(counter.hash));
        }
        merged.sort_unstable_by_key(|(counter, _)| (Reverse(counter.count), counter.hash));
        merged.truncate(COUNTERS);
        let mut texts: Vec<(u64, Vec<u8>)> = Vec::new();
        for side in [&*self, other] {
            texts.extend(side.kept().iter().map(|kept| (side.counters[kept.at].hash, kept.text.clone())));
        }
        self.counters = merged.iter().map(|(counter, _)| *counter).collect();
        if self.seen_beyond().is_some() {
            let errors = &mut self.beyond().errors;
            errors.iter_mut().zip(&merged).for_each(|(mine, (_, error))| *mine = *error);
        }
        if let Some(more) = &mut self.more {
            more.kept.clear();
        }
        for (hash, text) in texts {
            if let Some(at) = self.place(hash) {
                self.keep(at, &text);
            }
        }
    }

    fn place(&self, hash: u64) -> Option<usize> {
        self.counters.iter().position(|counter| counter.hash == hash)
    }

    /// Gives the place of the least frequent text to another.
    fn take_place(&mut self, hash: u64, count: u64, error: u64) -> usize {
        let at = self.smallest();
        let beyond = self.beyond();
        beyond.different.add(hash);
        beyond.errors[at] = error;
        self.counters[at] = Counter { hash, count };
        if let Some(more) = &mut self.more {
            more.kept.retain(|kept| kept.at != at);
        }
        at
    }

    fn push(&mut self, counter: Counter) -> usize {
        if self.counters.is_empty() {
            // Most clients have no second.
            self.counters.reserve_exact(1);
        }
        self.counters.push(counter);
        self.counters.len() - 1
    }

    fn smallest(&self) -> usize {
        let smallest = self.counters.iter().enumerate().min_by_key(|(_, counter)| counter.count);
        smallest.map_or(0, |(at, _)| at)
    }

    fn beyond(&mut self) -> &mut Beyond {
        let counters = &self.counters;
        self.more.get_or_insert_default().beyond.get_or_insert_with(|| {
            let mut different = HyperLogLog::new();
            counters.iter().for_each(|counter| different.add(counter.hash));
            Box::new(Beyond { different, errors: [0; COUNTERS] })
        })
    }

    /// How often a text without a counter may have come.
    fn least(&self) -> u64 {
        if self.seen_beyond().is_none() { 0 } else { self.counters[self.smallest()].count }
    }

    fn error(&self, at: usize) -> u64 {
        self.seen_beyond().map_or(0, |beyond| beyond.errors[at])
    }

    fn seen_beyond(&self) -> Option<&Beyond> {
        self.more.as_ref().and_then(|more| more.beyond.as_deref())
    }

    fn kept(&self) -> &[Kept] {
        self.more.as_ref().map_or(&[], |more| &more.kept)
    }

    fn certain(&self, at: usize) -> u64 {
        self.counters[at].count - self.error(at)
    }

    fn keep(&mut self, at: usize, text: &[u8]) {
        let kept = self.kept();
        // What came once takes nobody's place.
        if (kept.len() == KEPT && self.certain(at) <= 1) || kept.iter().any(|kept| kept.at == at) {
            return;
        }
        let weakest = self.kept().iter().enumerate().min_by_key(|(_, kept)| self.certain(kept.at));
        let weakest = weakest.map(|(place, kept)| (place, self.certain(kept.at) < self.certain(at)));
        let kept = &mut self.more.get_or_insert_default().kept;
        let text = &text[..text.len().min(BYTES)];
        match weakest {
            Some((place, is_weaker)) if kept.len() == KEPT => {
                if is_weaker {
                    kept[place].at = at;
                    kept[place].text.clear();
                    kept[place].text.extend_from_slice(text);
                }
            }
            _ => kept.push(Kept { at, text: text.to_vec() }),
        }
    }
}

/// The first characters of a text, with `\u{..}` for control characters and a replacement for what is no UTF-8.
pub(crate) fn cut(text: &[u8], characters: usize) -> String {
    let text = String::from_utf8_lossy(text);
    let mut shown = String::new();
    let mut length = 0;
    for character in text.chars() {
        let escaped = character.is_control().then(|| character.escape_default().to_string());
        length += escaped.as_ref().map_or(1, String::len);
        if length > characters {
            break;
        }
        match escaped {
            Some(escaped) => shown.push_str(&escaped),
            None => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use xxhash_rust::xxh3::xxh3_64;

    use super::*;

    fn count(numbers: &[u32]) -> Texts {
        let mut texts = Texts::default();
        for number in numbers {
            let text = number.to_string();
            texts.add(xxh3_64(text.as_bytes()), text.as_bytes(), KEPT_FROM);
        }
        texts
    }

    /// Small numbers are frequent, and there are more than there are counters.
    fn numbers() -> impl Strategy<Value = Vec<u32>> {
        prop::collection::vec((0..90_u32, 0..90_u32).prop_map(|(a, b)| a * b / 90), 0..400)
    }

    proptest! {
        #[test]
        fn counts_are_within_their_errors_and_whoever_is_frequent_has_one(parts in prop::collection::vec(numbers(), 1..5)) {
            let mut texts = Texts::default();
            parts.iter().for_each(|part| texts.merge(&count(part)));
            let mut expected: BTreeMap<String, u64> = BTreeMap::new();
            for number in parts.iter().flatten() {
                *expected.entry(number.to_string()).or_default() += 1;
            }
            let least = texts.least();
            for (text, expected) in &expected {
                match texts.place(xxh3_64(text.as_bytes())) {
                    Some(at) => {
                        let (count, certain) = (texts.counters[at].count, texts.certain(at));
                        prop_assert!(certain <= *expected && *expected <= count, "{text}: {expected}, {certain} to {count}");
                    }
                    None => prop_assert!(*expected <= least, "{text}: {expected}, {least}"),
                }
            }
            for frequent in texts.top() {
                let expected = expected[&frequent.text];
                prop_assert!(frequent.count - frequent.error <= expected && expected <= frequent.count);
            }
            if expected.len() <= COUNTERS {
                prop_assert_eq!(texts.different(), expected.len() as u64);
                prop_assert_eq!(least, 0);
            } else if let [part] = &parts[..] {
                prop_assert!(least <= part.len() as u64 / COUNTERS as u64);
            }
        }
    }
}
