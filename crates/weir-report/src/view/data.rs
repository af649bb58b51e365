//! Where every input row went, and which classes and attacks the splits hold.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use weir_contract::statistics::{RowAccount, SplitStatistics, Statistics};

use crate::text;

/// Attacks listed; the rest is one row.
const ATTACKS: usize = 40;

#[derive(Debug, Serialize)]
pub(crate) struct Data {
    splits: Vec<Split>,
    attack_splits: Vec<String>,
    attacks: Vec<Attack>,
    attacks_omitted: usize,
    event_time: Option<(String, String)>,
    collisions: String,
    has_collisions: bool,
    /// Rows of train that pictures and quantiles were computed from, where these are not all.
    sampled: Option<String>,
}

#[derive(Debug, Serialize)]
struct Split {
    name: String,
    rows: String,
    share: String,
    benign: String,
    malicious: String,
    malicious_share: String,
    /// Widths of the bar, percent of the largest split.
    benign_width: f64,
    malicious_width: f64,
}

#[derive(Debug, Serialize)]
struct Attack {
    name: String,
    rows: Vec<String>,
    total: String,
    share: String,
    width: f64,
}

/// A part of the input rows.
#[derive(Debug, Serialize)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) rows: String,
    pub(crate) share: String,
    pub(crate) width: f64,
    pub(crate) kind: &'static str,
}

pub(crate) fn view(statistics: &Statistics) -> Data {
    let (attacks, attacks_omitted) = attacks(&statistics.splits);
    let is_sample = statistics.splits.first().is_some_and(|train| statistics.sampled < train.benign + train.malicious);
    Data {
        splits: splits(&statistics.splits),
        attack_splits: statistics.splits.iter().map(|split| split.split.clone()).collect(),
        attacks,
        attacks_omitted,
        event_time: statistics.event_time.map(|(first, last)| (text::moment(first), text::moment(last))),
        collisions: text::count(statistics.address_collisions),
        has_collisions: statistics.address_collisions > 0,
        sampled: is_sample.then(|| text::count(statistics.sampled)),
    }
}

/// The rows of the input by what became of them.
pub(crate) fn parts(rows: &RowAccount) -> Vec<Part> {
    let part = |name: &str, count: u64, kind| Part {
        name: name.to_owned(),
        rows: text::count(count),
        share: text::percent(count, rows.input),
        width: width(count, rows.input),
        kind,
    };
    let mut parts = vec![
        part("kept", rows.kept, "kept"),
        part("quarantined", rows.quarantined, "quarantined"),
        part("deduplicated", rows.deduplicated, "deduplicated"),
    ];
    parts.extend(rows.excluded.iter().map(|(rule, &count)| part(&format!("excluded: {rule}"), count, "excluded")));
    parts
}

fn splits(splits: &[SplitStatistics]) -> Vec<Split> {
    let size = |split: &SplitStatistics| split.benign + split.malicious;
    let total: u64 = splits.iter().map(size).sum();
    let largest = splits.iter().map(size).max().unwrap_or(0);
    splits
        .iter()
        .map(|split| Split {
            name: split.split.clone(),
            rows: text::count(size(split)),
            share: text::percent(size(split), total),
            benign: text::count(split.benign),
            malicious: text::count(split.malicious),
            malicious_share: text::percent(split.malicious, size(split)),
            benign_width: width(split.benign, largest),
            malicious_width: width(split.malicious, largest),
        })
        .collect()
}

/// Attacks by number of rows, the most frequent first, and how many were left out.
fn attacks(splits: &[SplitStatistics]) -> (Vec<Attack>, usize) {
    let names: BTreeSet<&String> = splits.iter().flat_map(|split| split.attacks.keys()).collect();
    let rows = |split: &SplitStatistics, name: &String| split.attacks.get(name).copied().unwrap_or(0);
    let totals: BTreeMap<&String, u64> =
        names.iter().map(|&name| (name, splits.iter().map(|split| rows(split, name)).sum())).collect();
    let malicious: u64 = totals.values().sum();
    let most = totals.values().copied().max().unwrap_or(0);
    let mut order: Vec<(&String, u64)> = totals.into_iter().collect();
    order.sort_by_key(|&(name, total)| (std::cmp::Reverse(total), name));
    let omitted = order.len().saturating_sub(ATTACKS);
    order.truncate(ATTACKS);
    let attacks = order.into_iter().map(|(name, total)| Attack {
        name: name.clone(),
        rows: splits.iter().map(|split| text::count(rows(split, name))).collect(),
        total: text::count(total),
        share: text::percent(total, malicious),
        width: width(total, most),
    });
    (attacks.collect(), omitted)
}

/// Percent of `whole` with two decimals, for the width of a bar.
fn width(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64 * 1e4).round() / 100.0 }
}
