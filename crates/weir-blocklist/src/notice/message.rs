//! What a notice says: who is blocked and why, what was done, how to undo it; or what failed.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use weir_contract::blocklist::{Detection, Entry, Evidence};
use weir_contract::files::{BLOCKED_IPS, REPORT};
use weir_report::moment;

/// Addresses named in the text; the rest is in the list that is attached.
const NAMED: usize = 20;
/// Longest subject, characters.
const SUBJECT: usize = 150;

/// What is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// In one line.
    pub subject: String,
    /// In full, for people: lines of plain text.
    pub text: String,
    /// Files with it.
    pub attachments: Vec<Attachment>,
    pub(super) succeeded: bool,
    /// Whether who is blocked changed, or would have.
    pub(super) changed: bool,
    /// For programs.
    pub(super) data: Value,
}

/// A file with a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name.
    pub name: &'static str,
    /// Its type, as in `text/plain; charset=utf-8`.
    pub content_type: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What enforcement did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// What enforces it: `nftables`, `ipset`, ..., or `none`.
    pub enforcer: String,
    /// Whether it was done; where not, this is what would be.
    pub applied: bool,
    /// Who is blocked since now.
    pub added: Vec<Entry>,
    /// Who no longer is.
    pub removed: Vec<Entry>,
    /// How many are blocked for longer than before.
    pub renewed: u64,
    /// How many are blocked as before.
    pub kept: u64,
}

/// A run that went well.
#[derive(Debug, Clone)]
pub struct Done<'a> {
    /// Name of the machine.
    pub host: String,
    /// What was detected.
    pub detection: &'a Detection,
    /// What was done.
    pub outcome: &'a Outcome,
    /// `blocked_ips.txt`.
    pub list: Vec<u8>,
    /// `report.html`.
    pub report: Option<Vec<u8>>,
}

/// A run that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// Name of the machine.
    pub host: String,
    /// The step that failed.
    pub step: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Notice {
    /// Of a run that went well.
    #[must_use]
    pub fn done(done: &Done<'_>) -> Self {
        let Done { host, detection, outcome, list, report } = done;
        let host = plain(host);
        let headline = headline(outcome);
        let list_bytes = list;
        let list = Attachment { name: BLOCKED_IPS, content_type: "text/plain; charset=utf-8", bytes: list.clone() };
        let report =
            report.clone().map(|bytes| Attachment { name: REPORT, content_type: "text/html; charset=utf-8", bytes });
        Self {
            subject: subject(&format!("weir on {host}: {headline}")),
            text: done_text(&host, &headline, detection, outcome),
            attachments: [list].into_iter().chain(report).collect(),
            succeeded: true,
            changed: !outcome.added.is_empty() || !outcome.removed.is_empty() || outcome.renewed > 0,
            data: json!({
                "status": "succeeded",
                "host": host,
                "reason": plain(&detection.reason),
                "enforcer": plain(&outcome.enforcer),
                "applied": outcome.applied,
                "blocked": outcome.added.iter().map(program_entry).collect::<Vec<_>>(),
                "unblocked": outcome.removed.iter().map(program_entry).collect::<Vec<_>>(),
                "renewed": outcome.renewed,
                "kept": outcome.kept,
                "blocked_ips": String::from_utf8_lossy(list_bytes),
            }),
        }
    }

    /// Of a run that failed. A step that fails leaves who is blocked as it was, and the notice says so.
    #[must_use]
    pub fn failed(failed: &Failed) -> Self {
        let [host, step, message] = [&failed.host, &failed.step, &failed.message].map(|text| plain(text));
        let hint = failed.hint.as_deref().map(plain);
        let hint_line = hint.as_ref().map_or_else(String::new, |hint| format!("What to do: {hint}\n"));
        let text = format!(
            "The step {step} of weir block on {host} has failed.\n\nError: {message}\n{hint_line}\n\
             Who is blocked was not changed by this run. To see who is: weir block list\n"
        );
        Self {
            subject: subject(&format!("weir on {host}: {step} has failed")),
            text,
            attachments: Vec::new(),
            succeeded: false,
            changed: false,
            data: json!({ "status": "failed", "host": host, "step": step, "message": message, "hint": hint }),
        }
    }
}

/// What happened, in a few words.
fn headline(outcome: &Outcome) -> String {
    let Outcome { applied, added, removed, renewed, .. } = outcome;
    let mut parts = Vec::new();
    for (count, what) in
        [(added.len() as u64, "blocked"), (*renewed, "blocked for longer"), (removed.len() as u64, "unblocked")]
    {
        if count > 0 {
            parts.push(format!("{} {what}", clients(count)));
        }
    }
    match (parts.is_empty(), applied) {
        (true, _) => "nothing has changed".to_owned(),
        (false, true) => parts.join(", "),
        (false, false) => format!("dry run, not done: {}", parts.join(", ")),
    }
}

fn done_text(host: &str, headline: &str, detection: &Detection, outcome: &Outcome) -> String {
    let mut text = format!("weir block on {host}: {headline}.\n\n{}\n", sentence(&plain(&detection.reason)));
    let tense = if outcome.applied { "Blocked now" } else { "Would be blocked" };
    section(&mut text, &format!("{tense}, by {}", plain(&outcome.enforcer)), &outcome.added, |text, entry| {
        let _ = writeln!(text, "  {} until {}", entry.address, moment(entry.until.saturating_mul(1000)));
        let _ = writeln!(text, "    {}", plain(&entry.reason));
        if let Some(evidence) = &entry.evidence {
            let _ = writeln!(text, "    {}", describe(evidence));
        }
    });
    let tense = if outcome.applied { "No longer blocked" } else { "Would no longer be blocked" };
    section(&mut text, tense, &outcome.removed, |text, entry| {
        let _ = writeln!(text, "  {} since {}", entry.address, moment(entry.since.saturating_mul(1000)));
    });
    let log = &detection.log;
    let _ = writeln!(
        text,
        "\nBlocked as before: {}. Blocked for longer: {}. Spared by a cap: {}.\n\
         The log: {} requests of {}, {} lines that could not be read.\n\n\
         To unblock somebody: weir block remove ADDRESS\n\
         Never to block somebody: add the address or network to blocklist.allow of the parameters.",
        outcome.kept,
        outcome.renewed,
        detection.spared.len(),
        log.requests,
        clients(log.clients),
        log.unreadable
    );
    text
}

/// An entry without what its requests said.
fn program_entry(entry: &Entry) -> Value {
    json!({ "address": entry.address, "since": entry.since, "until": entry.until, "reason": plain(&entry.reason) })
}

/// A heading and a few of `entries`; nothing where there are none.
fn section(text: &mut String, heading: &str, entries: &[Entry], each: impl Fn(&mut String, &Entry)) {
    if entries.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{heading}:");
    for entry in entries.iter().take(NAMED) {
        each(text, entry);
    }
    if entries.len() > NAMED {
        let _ = writeln!(text, "  and {} more", entries.len() - NAMED);
    }
}

fn describe(evidence: &Evidence) -> String {
    format!(
        "{:.1} % of all requests, from {} to {}; {} different paths, {} user agents",
        100.0 * evidence.share,
        moment(evidence.first.saturating_mul(1000)),
        moment(evidence.last.saturating_mul(1000)),
        evidence.paths,
        evidence.user_agents
    )
}

fn clients(count: u64) -> String {
    if count == 1 { "1 client".to_owned() } else { format!("{count} clients") }
}

/// With a large first letter and a full stop.
fn sentence(text: &str) -> String {
    let mut characters = text.trim().trim_end_matches('.').chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}

/// One line, without control characters: nothing in it can begin a header.
fn plain(text: &str) -> String {
    let shown = |character: char| if character.is_control() { ' ' } else { character };
    text.chars().map(shown).collect()
}

fn subject(text: &str) -> String {
    if text.chars().count() <= SUBJECT {
        text.to_owned()
    } else {
        text.chars().take(SUBJECT - 1).chain(['…']).collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use weir_contract::blocklist::{FORMAT, LogSummary, Method};

    pub(crate) fn entry(address: &str) -> Entry {
        let evidence = Evidence {
            share: 0.98,
            first: 1_604_412_309,
            last: 1_604_412_999,
            paths: 3,
            user_agents: 812,
            ..Evidence::default()
        };
        Entry {
            address: address.parse().unwrap(),
            since: 1_604_413_000,
            until: 1_604_416_600,
            reason: "6553 requests, of these 3276 failed or repeated, 655 of them within ten seconds".to_owned(),
            evidence: Some(evidence),
        }
    }

    pub(crate) fn detection() -> Detection {
        Detection {
            format: FORMAT,
            log: LogSummary { requests: 6_690, clients: 4, unreadable: 10, ..LogSummary::default() },
            method: Method::Robust,
            grouping: None,
            reason: "the clients are two groups".to_owned(),
            listed: Vec::new(),
            spared: Vec::new(),
            top_clients: Vec::new(),
        }
    }

    pub(crate) fn outcome(added: &[&str], removed: &[&str]) -> Outcome {
        let entries = |addresses: &[&str]| addresses.iter().map(|address| entry(address)).collect();
        Outcome {
            enforcer: "nftables".to_owned(),
            applied: true,
            added: entries(added),
            removed: entries(removed),
            renewed: 0,
            kept: 2,
        }
    }

    pub(crate) fn done(outcome: &Outcome) -> Notice {
        let (detection, list) = (detection(), b"192.0.2.66\n".to_vec());
        let host = "web-1".to_owned();
        Notice::done(&Done { host, detection: &detection, outcome, list, report: Some(b"<!DOCTYPE html>".to_vec()) })
    }

    #[test]
    fn a_run_that_blocks_says_whom_why_until_when_and_how_to_undo_it() {
        let notice = done(&outcome(&["192.0.2.66"], &["2001:db8::7"]));
        assert_eq!(notice.subject, "weir on web-1: 1 client blocked, 1 client unblocked");
        assert_eq!(
            notice.text,
            "weir block on web-1: 1 client blocked, 1 client unblocked.\n\n\
             The clients are two groups.\n\n\
             Blocked now, by nftables:\n\
             \x20 192.0.2.66 until 2020-11-03 15:16:40 UTC\n\
             \x20   6553 requests, of these 3276 failed or repeated, 655 of them within ten seconds\n\
             \x20   98.0 % of all requests, from 2020-11-03 14:05:09 UTC to 2020-11-03 14:16:39 UTC; \
             3 different paths, 812 user agents\n\n\
             No longer blocked:\n\
             \x20 2001:db8::7 since 2020-11-03 14:16:40 UTC\n\n\
             Blocked as before: 2. Blocked for longer: 0. Spared by a cap: 0.\n\
             The log: 6690 requests of 4 clients, 10 lines that could not be read.\n\n\
             To unblock somebody: weir block remove ADDRESS\n\
             Never to block somebody: add the address or network to blocklist.allow of the parameters.\n"
        );
        let names: Vec<&str> = notice.attachments.iter().map(|attachment| attachment.name).collect();
        assert_eq!(names, ["blocked_ips.txt", "report.html"]);
    }

    #[test]
    fn a_dry_run_does_not_say_that_anything_was_done() {
        let dry = Outcome { applied: false, ..outcome(&["192.0.2.66"], &["192.0.2.7"]) };
        let notice = done(&dry);
        assert_eq!(notice.subject, "weir on web-1: dry run, not done: 1 client blocked, 1 client unblocked");
        assert!(notice.text.contains("Would be blocked, by nftables:"), "{}", notice.text);
        assert!(!notice.text.contains("Blocked now") && notice.text.contains("Would no longer be blocked:"));
    }

    #[test]
    fn a_long_list_names_the_first_and_counts_the_rest() {
        let addresses: Vec<String> = (0..100).map(|i| format!("192.0.2.{i}")).collect();
        let added: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let notice = done(&outcome(&added, &[]));
        assert!(notice.text.contains("192.0.2.19 until") && !notice.text.contains("192.0.2.20 until"));
        assert!(notice.text.contains("  and 80 more\n"));
    }

    #[test]
    fn a_run_that_fails_says_where_and_that_nothing_was_changed() {
        let notice = Notice::failed(&Failed {
            host: "web-1".to_owned(),
            step: "enforce".to_owned(),
            message: "nft says no".to_owned(),
            hint: Some("run it as root".to_owned()),
        });
        assert_eq!(notice.subject, "weir on web-1: enforce has failed");
        assert_eq!(
            notice.text,
            "The step enforce of weir block on web-1 has failed.\n\nError: nft says no\nWhat to do: run it as root\n\n\
             Who is blocked was not changed by this run. To see who is: weir block list\n"
        );
    }

    #[test]
    fn no_text_begins_a_line_of_its_own() {
        let evil = "x\r\nBcc: all@example.org\r\n\r\nbody".to_owned();
        let notice = Notice::failed(&Failed { host: evil.clone(), step: evil.clone(), message: evil, hint: None });
        assert!(!notice.subject.contains(['\r', '\n']));
        assert!(!notice.text.lines().any(|line| line.starts_with("Bcc")), "{}", notice.text);
        assert!(notice.subject.chars().count() <= SUBJECT);
    }
}
