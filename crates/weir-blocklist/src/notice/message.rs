//! What a notice says: who is blocked and why, what was done, how to undo it; or what failed.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use weir_contract::blocklist::{Block, Detection, Evidence, Suspect};
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

/// What enforcement did, or would do: what `weir block enforce --json` prints, as far as it is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What enforces it: `nftables`, `ipset`, ..., or `none`.
    pub enforcer: String,
    /// Whether it was done; where not, this is what would be.
    pub applied: bool,
    /// Who is blocked from now on.
    pub added: Vec<Block>,
    /// Who is blocked for longer.
    #[serde(default)]
    pub renewed: Vec<Block>,
    /// Who was kept out without being in the blocklist, and is in it now.
    #[serde(default)]
    pub adopted: Vec<Block>,
    /// Who is blocked as before.
    #[serde(default)]
    pub kept: Vec<Block>,
    /// Whose time is over.
    #[serde(default)]
    pub expired: Vec<Block>,
    /// How many were let in because they may not be blocked any more.
    #[serde(default)]
    pub lifted: u64,
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

impl Outcome {
    /// That of a report of enforcement, which has the same form.
    ///
    /// # Errors
    /// What serde_json says of a report of another form.
    pub fn of(report: &impl Serialize) -> serde_json::Result<Self> {
        serde_json::from_value(serde_json::to_value(report)?)
    }

    fn changes_anything(&self) -> bool {
        // Who goes on flooding is blocked for longer at every look: that is no news.
        let blocks = [&self.added, &self.adopted, &self.expired];
        self.lifted > 0 || blocks.iter().any(|blocks| !blocks.is_empty())
    }
}

impl Notice {
    /// Of a run that went well.
    #[must_use]
    pub fn done(done: &Done<'_>) -> Self {
        let Done { host, detection, outcome, list, report } = done;
        let host = plain(host);
        let headline = headline(outcome);
        let attached = Attachment { name: BLOCKED_IPS, content_type: "text/plain; charset=utf-8", bytes: list.clone() };
        let report =
            report.clone().map(|bytes| Attachment { name: REPORT, content_type: "text/html; charset=utf-8", bytes });
        Self {
            subject: subject(&format!("weir on {host}: {headline}")),
            text: done_text(&host, &headline, detection, outcome),
            attachments: [attached].into_iter().chain(report).collect(),
            succeeded: true,
            changed: outcome.changes_anything() || !detection.spared.is_empty(),
            data: json!({
                "status": "succeeded",
                "host": host,
                "reason": plain(&detection.reason),
                "enforcer": plain(&outcome.enforcer),
                "applied": outcome.applied,
                "blocked": outcome.added.iter().map(|block| program_block(block, detection)).collect::<Vec<_>>(),
                "renewed": outcome.renewed,
                "adopted": outcome.adopted,
                "unblocked": outcome.expired,
                "lifted": outcome.lifted,
                "kept": outcome.kept.len(),
                "blocked_ips": String::from_utf8_lossy(list),
            }),
        }
    }

    /// Of a run that failed. A step that fails leaves who is blocked as it was, but for an enforcer that can neither go
    /// on nor back; its error says so.
    #[must_use]
    pub fn failed(failed: &Failed) -> Self {
        let [host, step, message] = [&failed.host, &failed.step, &failed.message].map(|text| plain(text));
        let hint = failed.hint.as_deref().map(plain);
        let hint_line = hint.as_ref().map_or_else(String::new, |hint| format!("What to do: {hint}\n"));
        let text = format!(
            "The step {step} of weir block on {host} has failed.\n\nError: {message}\n{hint_line}\n\
             Unless the error says otherwise, who is blocked was not changed by this run. To see who is: weir block list\n"
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
    let counts = [
        (outcome.added.len() as u64, "blocked"),
        (outcome.renewed.len() as u64, "blocked for longer"),
        (outcome.adopted.len() as u64, "taken over"),
        (outcome.expired.len() as u64 + outcome.lifted, "unblocked"),
    ];
    let parts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", clients(*count)))
        .collect();
    match (parts.is_empty(), outcome.applied) {
        (true, _) => "nothing has changed".to_owned(),
        (false, true) => parts.join(", "),
        (false, false) => format!("dry run, not done: {}", parts.join(", ")),
    }
}

fn done_text(host: &str, headline: &str, detection: &Detection, outcome: &Outcome) -> String {
    let mut text = format!("weir block on {host}: {headline}.\n\n{}\n", sentence(&plain(&detection.reason)));
    if !outcome.applied {
        text.push_str("\nThis was a dry run: what follows would be done with --apply.\n");
    }
    let until = |block: &Block| format!("{} until {}", block.address, time(block.until));
    section(&mut text, &format!("Blocked, by {}", plain(&outcome.enforcer)), &outcome.added, |block| {
        let mut lines = vec![until(block)];
        if let Some(suspect) = suspect(block, detection) {
            lines.extend([format!("  {}", suspect.sentence()), format!("  {}", describe(&suspect.evidence))]);
        }
        lines
    });
    section(&mut text, "Blocked for longer", &outcome.renewed, |block| vec![until(block)]);
    section(&mut text, "Kept out already, and unknown to the blocklist", &outcome.adopted, |block| vec![until(block)]);
    section(&mut text, "No longer blocked, since the time is over", &outcome.expired, |block| {
        vec![block.address.to_string()]
    });
    if outcome.lifted > 0 {
        let _ = writeln!(text, "\nNo longer blocked, since they never may be: {}", clients(outcome.lifted));
    }
    let log = &detection.log;
    let _ = writeln!(
        text,
        "\nBlocked as before: {}. Spared by a cap: {}.\n\
         The log: {} requests of {}, {} lines that could not be read.\n\n\
         To unblock somebody: weir block remove ADDRESS\n\
         Never to block somebody: add the address or network to blocklist.allow of the parameters.",
        outcome.kept.len(),
        detection.spared.len(),
        log.requests,
        clients(log.clients),
        log.unreadable
    );
    text
}

/// A block without what its requests said.
fn program_block(block: &Block, detection: &Detection) -> Value {
    let reason = suspect(block, detection).map(Suspect::sentence);
    json!({ "address": block.address, "until": block.until, "reason": reason })
}

fn suspect<'a>(block: &Block, detection: &'a Detection) -> Option<&'a Suspect> {
    detection.listed.iter().find(|suspect| suspect.client == block.address)
}

/// A heading and a few of `blocks`; nothing where there are none.
fn section(text: &mut String, heading: &str, blocks: &[Block], lines: impl Fn(&Block) -> Vec<String>) {
    if blocks.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{heading}:");
    for line in blocks.iter().take(NAMED).flat_map(lines) {
        let _ = writeln!(text, "  {line}");
    }
    if blocks.len() > NAMED {
        let _ = writeln!(text, "  and {} more", blocks.len() - NAMED);
    }
}

/// Seconds since 1970 as a date in UTC.
fn time(seconds: i64) -> String {
    moment(seconds.saturating_mul(1000))
}

fn describe(evidence: &Evidence) -> String {
    format!(
        "{:.1} % of all requests, from {} to {}; {} different paths, {} user agents",
        100.0 * evidence.share,
        time(evidence.first),
        time(evidence.last),
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
    use weir_contract::blocklist::{Basis, FORMAT, Frequent, LogSummary, Method, Peak};

    fn block(address: &str) -> Block {
        Block { address: address.parse().unwrap(), until: 1_604_416_600 }
    }

    fn suspect(address: &str) -> Suspect {
        let evidence = Evidence {
            requests: 6_553,
            surplus: 3_276,
            share: 0.98,
            peak_ten_seconds: Peak { count: 655, start: 0 },
            first: 1_604_412_309,
            last: 1_604_412_999,
            paths: 3,
            user_agents: 812,
            top_paths: vec![Frequent { text: "/<script>".to_owned(), count: 1, error: 0 }],
            ..Evidence::default()
        };
        Suspect { client: address.parse().unwrap(), basis: Basis::Group, evidence }
    }

    pub(crate) fn detection() -> Detection {
        Detection {
            format: FORMAT,
            log: LogSummary { requests: 6_690, clients: 4, unreadable: 10, ..LogSummary::default() },
            method: Method::Robust,
            grouping: None,
            reason: "the clients are two groups".to_owned(),
            listed: vec![suspect("192.0.2.66")],
            spared: Vec::new(),
            top_clients: Vec::new(),
        }
    }

    pub(crate) fn outcome(added: &[&str], expired: &[&str]) -> Outcome {
        let blocks = |addresses: &[&str]| addresses.iter().map(|address| block(address)).collect();
        Outcome {
            enforcer: "nftables".to_owned(),
            applied: true,
            added: blocks(added),
            expired: blocks(expired),
            kept: blocks(&["192.0.2.3", "192.0.2.4"]),
            ..Outcome::default()
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
             Blocked, by nftables:\n\
             \x20 192.0.2.66 until 2020-11-03 15:16:40 UTC\n\
             \x20   6553 requests, of these 3276 refused or repeated, 655 of them within ten seconds\n\
             \x20   98.0 % of all requests, from 2020-11-03 14:05:09 UTC to 2020-11-03 14:16:39 UTC; \
             3 different paths, 812 user agents\n\n\
             No longer blocked, since the time is over:\n\
             \x20 2001:db8::7\n\n\
             Blocked as before: 2. Spared by a cap: 0.\n\
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
        assert!(notice.text.contains("This was a dry run: what follows would be done"), "{}", notice.text);
    }

    #[test]
    fn only_what_changes_who_is_blocked_is_a_change() {
        let nothing = outcome(&[], &[]);
        assert!(!done(&nothing).changed && done(&nothing).subject == "weir on web-1: nothing has changed");
        for change in
            [Outcome { adopted: vec![block("192.0.2.7")], ..nothing.clone() }, Outcome { lifted: 1, ..nothing.clone() }]
        {
            assert!(done(&change).changed, "{change:?}");
        }
        let renewed = Outcome { renewed: vec![block("192.0.2.7")], ..nothing.clone() };
        assert!(!done(&renewed).changed, "who goes on flooding is no news");
        assert!(done(&Outcome { lifted: 1, ..nothing }).subject.ends_with(": 1 client unblocked"));
    }

    #[test]
    fn a_report_of_enforcement_is_an_outcome() {
        let report = json!({
            "applied": true, "enforcer": "ipset", "told": true, "added": [{"address": "192.0.2.1", "until": 7}],
            "renewed": [], "adopted": [], "kept": [], "expired": [], "lifted": 2, "settled": ["192.0.2.9"], "protected": [],
        });
        let outcome = Outcome::of(&report).unwrap();
        assert_eq!((outcome.added[0].until, outcome.lifted, outcome.enforcer.as_str()), (7, 2, "ipset"));
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
             Unless the error says otherwise, who is blocked was not changed by this run. To see who is: weir block list\n"
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
