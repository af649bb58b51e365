//! `weir block list`: who is blocked, and whether the enforcers agree.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::Parser;
use serde::Serialize;
use weir_contract::blocklist::{Block, Blocklist};
use weir_stage::{CommonArgs, Failure, Stage};

use super::args::{Others, find_all, now, span};
use crate::state::State;

/// Show who is blocked, for how long and why
#[derive(Debug, Clone, Parser)]
pub struct ListArgs {
    /// Directory that says who is blocked
    #[arg(long, value_name = "DIR", default_value = "weir-block")]
    pub state: PathBuf,

    /// What to ask whom it keeps out [default: nftables and ipset, where this host has them]
    #[arg(long, num_args = 1.., value_name = "NAME")]
    pub enforcer: Vec<String>,

    /// Common options.
    #[command(flatten)]
    pub common: CommonArgs,
}

impl AsRef<CommonArgs> for ListArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// Somebody who is blocked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Row {
    address: IpAddr,
    /// Since when; null for one that the blocklist does not know.
    since: Option<i64>,
    /// Until when; null for ever.
    until: Option<i64>,
    reason: String,
    /// Whether the blocklist has it.
    listed: bool,
    /// Who keeps it out.
    enforced: Vec<String>,
}

/// Prints who is blocked. Changes nothing.
///
/// # Errors
/// [`Failure`] for a state directory that cannot be read and for an unknown enforcer. One that cannot be asked is told
/// as a warning.
pub fn list_command(args: ListArgs, stage: &Stage, others: Others<'_>) -> Result<(), Failure> {
    let now = now()?;
    let list = State::read(&args.state)?;
    let mut answers = Vec::new();
    for mut enforcer in find_all(&args.enforcer, others)? {
        let name = enforcer.name().to_owned();
        match enforcer.current(now) {
            Ok(blocks) => answers.push((name, blocks)),
            Err(error) => stage.warn(format!("whom {name} keeps out is not known: {error}")),
        }
    }
    let rows = rows(&list, &answers, now);
    let asked: Vec<&str> = answers.iter().map(|(name, _)| name.as_str()).collect();
    let result = serde_json::json!({ "now": now, "asked": asked, "blocked": rows });
    stage.result(&result, || text(&rows, &asked, now))
}

fn rows(list: &Blocklist, answers: &[(String, Vec<Block>)], now: i64) -> Vec<Row> {
    let listed = list.entries.iter().filter(|entry| entry.until > now).map(|entry| {
        let (since, until) = (Some(entry.since), Some(entry.until));
        let reason = entry.reason.clone();
        (entry.address, Row { address: entry.address, since, until, reason, listed: true, enforced: Vec::new() })
    });
    let mut rows: BTreeMap<IpAddr, Row> = listed.collect();
    for (name, blocks) in answers {
        for Block { address, until } in blocks.iter().copied() {
            let until = (until != i64::MAX).then_some(until);
            let unknown = || {
                let reason = "the blocklist does not know it".to_owned();
                Row { address, since: None, until, reason, listed: false, enforced: Vec::new() }
            };
            rows.entry(address).or_insert_with(unknown).enforced.push(name.clone());
        }
    }
    rows.into_values().collect()
}

fn text(rows: &[Row], asked: &[&str], now: i64) -> String {
    if rows.is_empty() && asked.is_empty() {
        return "the blocklist names nobody; whom enforcers keep out is not known".to_owned();
    }
    if rows.is_empty() {
        return "nobody is blocked".to_owned();
    }
    let cells = |row: &Row| -> [String; 5] {
        let by = match (row.enforced.as_slice(), asked) {
            ([], []) => "?".to_owned(),
            ([], _) => "nobody".to_owned(),
            (names, _) => names.join(", "),
        };
        let since = row.since.map_or_else(|| "?".to_owned(), |since| format!("{} ago", span((now - since).max(0))));
        let rest = row.until.map_or_else(|| "ever".to_owned(), |until| span((until - now).max(0)));
        [row.address.to_string(), since, rest, by, row.reason.clone()]
    };
    let head = ["address", "since", "for another", "kept out by", "reason"].map(str::to_owned);
    let table: Vec<[String; 5]> = std::iter::once(head).chain(rows.iter().map(cells)).collect();
    let width = |column: usize| table.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3].map(width);
    let mut text = String::new();
    for [address, since, rest, by, reason] in &table {
        let [a, b, c, d] = widths;
        text += &format!("{address:<a$}  {since:<b$}  {rest:<c$}  {by:<d$}  {reason}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_contract::blocklist::Entry;

    #[test]
    fn where_blocklist_and_enforcer_differ_is_seen() {
        let entry = |address: &str, until: i64| Entry {
            address: address.parse().unwrap(),
            since: 400,
            until,
            reason: "900 requests".to_owned(),
            evidence: None,
        };
        let entries = vec![entry("192.0.2.1", 4_600), entry("192.0.2.2", 1_060), entry("192.0.2.3", 999)];
        let list = Blocklist { entries, ..Blocklist::default() };
        let block = |address: &str, until: i64| Block { address: address.parse().unwrap(), until };
        let blocks = vec![block("192.0.2.1", 4_600), block("2001:db8::1", i64::MAX)];
        let expected = "\
address      since       for another  kept out by  reason
192.0.2.1    10 min ago  1 h          nftables     900 requests
192.0.2.2    10 min ago  1 min        nobody       900 requests
2001:db8::1  ?           ever         nftables     the blocklist does not know it
";
        assert_eq!(text(&rows(&list, &[("nftables".to_owned(), blocks)], 1_000), &["nftables"], 1_000), expected);
        assert_eq!(text(&[], &["nftables"], 1_000), "nobody is blocked");
        assert_eq!(text(&[], &[], 1_000), "the blocklist names nobody; whom enforcers keep out is not known");
    }
}
