//! nftables, through `nft`: a table of our own, replaced in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use weir_contract::blocklist::Block;

use super::program::{self, Output};
use super::{EnforceError, Enforcer};
use crate::out;

const NFT: &str = "nft";
/// The sets of [`out::nftables`], with what they are of.
const SETS: [(&str, &str); 2] = [("blocked4", "ipv4_addr"), ("blocked6", "ipv6_addr")];
/// Its chain.
const CHAIN: &str = "drop_blocked";

/// Keeps addresses out by the table `inet weir`. Other tables are not touched.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nftables;

impl Enforcer for Nftables {
    fn name(&self) -> &str {
        "nftables"
    }

    fn current(&mut self, now: i64) -> Result<Vec<Block>, EnforceError> {
        let output = program::run(NFT, &["-j", "list", "table", "inet", "weir"], "")?;
        if is_no_table(&output) { Ok(Vec::new()) } else { blocks(&output.success()?, now) }
    }

    fn replace(&mut self, blocks: &[Block], now: i64) -> Result<(), EnforceError> {
        if !blocks.is_empty() {
            return program::run(NFT, &["-f", "-"], &out::nftables(blocks, now))?.success().map(drop);
        }
        let output = program::run(NFT, &["delete", "table", "inet", "weir"], "")?;
        if is_no_table(&output) { Ok(()) } else { output.success().map(drop) }
    }
}

fn is_no_table(output: &Output) -> bool {
    !output.succeeded() && output.stderr.contains("No such file or directory")
}

/// What stands for one thing in the answer of `nft -j`; libnftables-json(5).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Item {
    set: Option<Set>,
    chain: Option<Chain>,
    rule: Option<Rule>,
    /// Anything else by its kind.
    #[serde(flatten)]
    other: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Set {
    name: String,
    #[serde(rename = "type")]
    kind: Value,
    #[serde(default)]
    elem: Vec<Value>,
}

#[derive(Deserialize)]
struct Chain {
    name: String,
    hook: Option<String>,
}

#[derive(Deserialize)]
struct Rule {
    chain: String,
    expr: Vec<Value>,
}

/// Who is in a set that a rule of a hooked chain drops, in a table that is ours.
fn blocks(json: &str, now: i64) -> Result<Vec<Block>, EnforceError> {
    #[derive(Deserialize)]
    struct Answer {
        nftables: Vec<Item>,
    }
    let answer: Answer = serde_json::from_str(json).map_err(|error| answer(error.to_string()))?;
    if let Some(reason) = answer.nftables.iter().find_map(stranger) {
        return Err(EnforceError::Foreign { what: "the table inet weir of nftables".to_owned(), reason });
    }
    let hooked = |rule: &Rule| {
        let chains = answer.nftables.iter().filter_map(|item| item.chain.as_ref());
        chains.filter(|chain| chain.name == rule.chain).any(|chain| chain.hook.is_some())
    };
    let rules = answer.nftables.iter().filter_map(|item| item.rule.as_ref()).filter(|rule| hooked(rule));
    let dropped: BTreeSet<&str> = rules.filter_map(dropped_set).collect();
    let sets = answer.nftables.iter().filter_map(|item| item.set.as_ref());
    let sets = sets.filter(|set| dropped.contains(set.name.as_str()));
    sets.flat_map(|set| &set.elem).map(|element| block(element, now)).collect()
}

/// What makes a table of our name somebody else's: a thing that [`out::nftables`] does not put there.
fn stranger(item: &Item) -> Option<String> {
    let is_ours = |set: &str| SETS.iter().any(|(name, _)| *name == set);
    if let Some(set) =
        item.set.as_ref().filter(|set| !SETS.iter().any(|(name, kind)| set.name == *name && set.kind == *kind))
    {
        return Some(format!("it has a set {} of {}", set.name, set.kind));
    }
    if let Some(chain) = item.chain.as_ref().filter(|chain| chain.name != CHAIN) {
        return Some(format!("it has a chain {}", chain.name));
    }
    if let Some(rule) = item.rule.as_ref().filter(|rule| !dropped_set(rule).is_some_and(is_ours)) {
        return Some(format!("it has another rule in its chain {}", rule.chain));
    }
    let other = item.other.keys().find(|kind| !["metainfo", "table"].contains(&kind.as_str()));
    other.map(|kind| format!("it has a {kind}"))
}

/// The set of a rule that drops whoever comes from it.
fn dropped_set(rule: &Rule) -> Option<&str> {
    match rule.expr.as_slice() {
        [condition, verdict] if verdict.get("drop").is_some() => {
            let condition = condition.get("match")?;
            let is_source = condition.pointer("/left/payload/field")? == "saddr" && condition.get("op")? == "==";
            condition.get("right")?.as_str()?.strip_prefix('@').filter(|_| is_source)
        }
        _ => None,
    }
}

/// `{"elem": {"val": "192.0.2.1", "timeout": 60, "expires": 59}}`, or an address alone, which never ends.
fn block(element: &Value, now: i64) -> Result<Block, EnforceError> {
    let inner = element.get("elem");
    let address = inner.map_or(Some(element), |inner| inner.get("val")).and_then(Value::as_str);
    let address = address.and_then(|text| text.parse().ok());
    let address = address.ok_or_else(|| answer(format!("{element} is no address")))?;
    let expires = inner.and_then(|inner| inner.get("expires")).and_then(Value::as_i64);
    Ok(Block { address, until: expires.map_or(i64::MAX, |seconds| now.saturating_add(seconds)) })
}

fn answer(reason: String) -> EnforceError {
    EnforceError::Answer { program: NFT, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As nft 1.0.6 lists the table, without what is not looked at.
    const LISTED: &str = r#"{"nftables": [
        {"metainfo": {"version": "1.0.6", "json_schema_version": 1}},
        {"table": {"family": "inet", "name": "weir", "handle": 2}},
        {"set": {"family": "inet", "name": "blocked4", "table": "weir", "type": "ipv4_addr", "flags": ["timeout"],
            "elem": [{"elem": {"val": "192.0.2.1", "timeout": 60, "expires": 59}}, "192.0.2.2"]}},
        {"set": {"family": "inet", "name": "blocked6", "table": "weir", "type": "ipv6_addr", "flags": ["timeout"],
            "elem": [{"elem": {"val": "2001:db8::1", "timeout": 60, "expires": 1}}]}},
        {"chain": {"family": "inet", "table": "weir", "name": "drop_blocked", "type": "filter", "hook": "prerouting"}},
        {"rule": {"family": "inet", "table": "weir", "chain": "drop_blocked", "expr": [
            {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "@blocked4"}},
            {"drop": null}]}}]}"#;

    fn listed(json: &str) -> Vec<(String, i64)> {
        blocks(json, 1_000).unwrap().iter().map(|block| (block.address.to_string(), block.until)).collect()
    }

    #[test]
    fn only_a_set_that_a_rule_drops_keeps_anybody_out() {
        let expected = [("192.0.2.1".to_owned(), 1_059), ("192.0.2.2".to_owned(), i64::MAX)];
        assert_eq!(listed(LISTED), expected);
    }

    #[test]
    fn a_chain_that_nothing_reaches_drops_nobody() {
        assert_eq!(listed(&LISTED.replace(r#", "hook": "prerouting""#, "")), []);
    }

    #[test]
    fn a_table_with_anything_else_is_somebody_elses() {
        for (ours, other, reason) in [
            ("blocked4\", \"table", "office\", \"table", "it has a set office of \"ipv4_addr\""),
            ("ipv4_addr", "ether_addr", "it has a set blocked4 of \"ether_addr\""),
            ("drop_blocked\", \"type", "input\", \"type", "it has a chain input"),
            ("saddr", "daddr", "it has another rule in its chain drop_blocked"),
            ("{\"drop\": null}", "{\"accept\": null}", "it has another rule in its chain drop_blocked"),
            ("{\"chain\"", "{\"counter\": {\"name\": \"hits\"}}, {\"chain\"", "it has a counter"),
        ] {
            let json = LISTED.replacen(ours, other, 1);
            assert_ne!(json, LISTED);
            let error = blocks(&json, 0).unwrap_err();
            assert_eq!(error.to_string(), format!("the table inet weir of nftables is not weir's: {reason}"));
        }
        let emptied = r#"{"nftables": [{"table": {"family": "inet", "name": "weir", "handle": 2}}]}"#;
        assert_eq!(listed(emptied), [], "another program flushed it");
    }

    #[test]
    fn an_answer_of_another_form_is_an_error_and_not_an_empty_list() {
        for json in ["", "{}", r#"{"nftables": {}}"#, &LISTED.replace("192.0.2.2", "nobody")] {
            assert!(matches!(blocks(json, 0), Err(EnforceError::Answer { .. })), "{json}");
        }
    }
}
