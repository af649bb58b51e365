//! What a notice says: who is blocked and why, what was done, how to undo it; or what failed.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use weir_contract::blocklist::{Block, Detection, Evidence, Suspect};
use weir_contract::files::{BLOCKED_IPS, REPORT};
use weir_report::moment;

use crate::enforce::Report;
use crate::state::Told;

/// Addresses named in the text; the rest is in the list that is attached.
const NAMED: usize = 20;
/// Addresses of a kind that programs are told; the rest is counted.
const FOR_PROGRAMS: usize = 1_000;
/// Bytes of list and report up to which the report is attached. As base64 in lines they are 10.13 MB; Postfix takes mails
/// of 10.24 MB unless somebody sets another limit.
const ATTACHED: usize = 7_400_000;
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
    /// Whether it says anything that was not told before.
    pub(super) is_news: bool,
    /// What is told with it of who is blocked and spared; none where it tells of a failure.
    pub(super) told: Option<Told>,
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
    /// Who was still kept out though a person had let them in, and no longer is.
    #[serde(default)]
    pub let_in: Vec<IpAddr>,
    /// How many are listed and not blocked because the enforcer has no room for them.
    #[serde(default)]
    pub left_out: usize,
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
    /// What was told last; none where that is not known.
    pub told: Option<Told>,
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

impl From<&Report> for Outcome {
    fn from(report: &Report) -> Self {
        let changes = &report.changes;
        Self {
            enforcer: report.enforcer.clone(),
            applied: report.applied,
            added: changes.added.clone(),
            renewed: changes.renewed.clone(),
            adopted: changes.adopted.clone(),
            kept: changes.kept.clone(),
            expired: changes.expired.clone(),
            lifted: changes.lifted as u64,
            let_in: changes.let_in.clone(),
            left_out: changes.left_out,
        }
    }
}

impl Outcome {
    /// Whether this run changed who is blocked, or would have.
    fn changes_anything(&self) -> bool {
        // Who goes on flooding is blocked for longer at every look: that is no news.
        let blocks = [&self.added, &self.adopted, &self.expired];
        self.lifted > 0 || !self.let_in.is_empty() || blocks.iter().any(|blocks| !blocks.is_empty())
    }

    /// Who is blocked afterwards, or would be.
    fn blocked(&self) -> impl Iterator<Item = IpAddr> {
        let blocks = [&self.added, &self.renewed, &self.adopted, &self.kept];
        blocks.into_iter().flatten().map(|block| block.address)
    }
}

/// What is told, looked at in the ways that the parts of a notice need.
struct Story<'a> {
    detection: &'a Detection,
    outcome: &'a Outcome,
    /// Who is listed, with the rank: the strongest evidence has 0.
    listed: HashMap<IpAddr, (usize, &'a Suspect)>,
    /// Who is blocked from now on, the strongest evidence first.
    added: Vec<Block>,
    /// Whether others are spared than those that somebody was told of.
    spares_others: bool,
    /// Whether anything is new.
    is_news: bool,
}

impl<'a> Story<'a> {
    fn new(detection: &'a Detection, outcome: &'a Outcome, told: Option<Told>, now: Told) -> Self {
        let spares_others = told.map_or(!detection.spared.is_empty(), |told| told.spared != now.spared);
        let is_news = match told {
            // Nothing of a dry run is done: the next one would change the same.
            Some(told) if !outcome.applied => told != now,
            _ => outcome.changes_anything() || spares_others,
        };
        let listed = detection.listed.iter().enumerate();
        let listed: HashMap<_, _> = listed.map(|(rank, suspect)| (suspect.client, (rank, suspect))).collect();
        let mut added = outcome.added.clone();
        added.sort_by_key(|block| listed.get(&block.address).map_or(usize::MAX, |(rank, _)| *rank));
        Self { detection, outcome, listed, added, spares_others, is_news }
    }

    fn suspect(&self, block: &Block) -> Option<&'a Suspect> {
        self.listed.get(&block.address).map(|(_, suspect)| *suspect)
    }
}

impl Notice {
    /// Of a run that went well. It is news where the run changed who is blocked, or where others are spared than was told
    /// last; of a dry run, where others would be blocked than was told last.
    #[must_use]
    pub fn done(done: &Done<'_>) -> Self {
        let Done { host, detection, outcome, list, report, told } = done;
        let now = Told::of(outcome.blocked(), detection.spared.iter().map(|spared| spared.client));
        let story = Story::new(detection, outcome, *told, now);
        let host = plain(host);
        let headline = headline(&story);
        let mut text = done_text(&host, &headline, &story);
        let mut attachments =
            vec![Attachment { name: BLOCKED_IPS, content_type: "text/plain; charset=utf-8", bytes: list.clone() }];
        match report {
            Some(bytes) if list.len() + bytes.len() > ATTACHED => {
                let _ = writeln!(
                    text,
                    "\nThe report is too large for a mail: see {REPORT} in the folder of the detection."
                );
            }
            Some(bytes) => {
                let (content_type, bytes) = ("text/html; charset=utf-8", bytes.clone());
                attachments.push(Attachment { name: REPORT, content_type, bytes });
            }
            None => {}
        }
        Self {
            subject: subject(&format!("weir on {host}: {headline}")),
            text,
            attachments,
            succeeded: true,
            is_news: story.is_news,
            told: Some(now),
            data: program_data(&host, &story, list),
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
            is_news: true,
            told: None,
            data: json!({ "status": "failed", "host": host, "step": step, "message": message, "hint": hint }),
        }
    }
}

/// What happened, in a few words.
fn headline(story: &Story<'_>) -> String {
    let Story { detection, outcome, .. } = story;
    let counts = [
        (outcome.added.len() as u64, "blocked"),
        (outcome.renewed.len() as u64, "blocked for longer"),
        (outcome.adopted.len() as u64, "taken over"),
        (outcome.expired.len() as u64 + outcome.lifted + outcome.let_in.len() as u64, "unblocked"),
    ];
    let mut parts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", clients(*count)))
        .collect();
    let is_changed = !parts.is_empty();
    match detection.spared.len() as u64 {
        0 if story.spares_others => parts.push("nobody spared by a cap any more".to_owned()),
        0 => {}
        spared => parts.push(format!("{} spared by a cap", clients(spared))),
    }
    if parts.is_empty() && story.is_news {
        // A dry run that would no longer block somebody who was told of.
        parts.push(match outcome.kept.len() as u64 {
            0 => "nobody would be blocked any more".to_owned(),
            kept => format!("{} blocked as before", clients(kept)),
        });
    }
    match (parts.is_empty(), outcome.applied, is_changed) {
        (true, ..) => "nothing has changed".to_owned(),
        (false, true, _) => parts.join(", "),
        (false, false, true) => format!("dry run, not done: {}", parts.join(", ")),
        (false, false, false) => format!("dry run: {}", parts.join(", ")),
    }
}

fn done_text(host: &str, headline: &str, story: &Story<'_>) -> String {
    let Story { detection, outcome, .. } = story;
    let mut text = format!("weir block on {host}: {headline}.\n\n{}\n", sentence(&plain(&detection.reason)));
    if !outcome.applied {
        text.push_str("\nThis was a dry run: what follows would be done with --apply.\n");
    }
    let until = |block: &Block| format!("{} until {}", block.address, time(block.until));
    section(&mut text, &format!("Blocked, by {}", plain(&outcome.enforcer)), &story.added, |block| {
        let mut lines = vec![until(block)];
        if let Some(suspect) = story.suspect(block) {
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
    section(&mut text, "No longer blocked, since a person let them in", &outcome.let_in, |address| {
        vec![address.to_string()]
    });
    if outcome.left_out > 0 {
        let (left_out, enforcer) = (clients(outcome.left_out as u64), plain(&outcome.enforcer));
        let _ = writeln!(text, "\nListed and not blocked: {left_out}, for which {enforcer} has no room.");
    }
    section(&mut text, "Spared by a cap, though they would be listed", &detection.spared, |spared| {
        vec![format!(
            "{}: {} requests, of these {} surplus",
            spared.client, spared.evidence.requests, spared.evidence.surplus
        )]
    });
    let log = &detection.log;
    let _ = writeln!(
        text,
        "\nBlocked as before: {}. Spared by a cap: {}.\n\
         The log: {} requests of {}, {} lines that could not be read.\n\n\
         To unblock somebody: {}\n\
         Never to block somebody: add the address or network to blocklist.allow of the parameters.",
        outcome.kept.len(),
        detection.spared.len(),
        log.requests,
        clients(log.clients),
        log.unreadable,
        to_unblock(&plain(&outcome.enforcer))
    );
    text
}

/// How somebody is let in again whom `enforcer` keeps out. nftables and ipset are asked anyway; a policy is put in force
/// again by whoever has its state, so that has to be told, too.
fn to_unblock(enforcer: &str) -> String {
    match enforcer {
        "nftables" | "ipset" | "none" => "weir block remove ADDRESS".to_owned(),
        other => format!(
            "weir block remove ADDRESS --enforcer {other}, with --state, --namespace and --selector of the run; where that was \
             the workflow weir-block, its entrypoint remove with the parameter address"
        ),
    }
}

/// The same for programs, without what requests said. Of each kind the first, and how many there are: what takes calls
/// refuses long ones.
fn program_data(host: &str, story: &Story<'_>, list: &[u8]) -> Value {
    let Story { detection, outcome, added, .. } = story;
    let first = |blocks: &[Block]| blocks.iter().take(FOR_PROGRAMS).copied().collect::<Vec<_>>();
    let with_reason = |block: &Block| {
        let reason = story.suspect(block).map(Suspect::sentence);
        json!({ "address": block.address, "until": block.until, "reason": reason })
    };
    let spared = detection.spared.iter().take(FOR_PROGRAMS).map(|spared| spared.client);
    let list = String::from_utf8_lossy(list);
    json!({
        "status": "succeeded",
        "host": host,
        "reason": plain(&detection.reason),
        "enforcer": plain(&outcome.enforcer),
        "applied": outcome.applied,
        "blocked": added.iter().take(FOR_PROGRAMS).map(with_reason).collect::<Vec<_>>(),
        "renewed": first(&outcome.renewed),
        "adopted": first(&outcome.adopted),
        "unblocked": first(&outcome.expired),
        "spared": spared.collect::<Vec<_>>(),
        "lifted": outcome.lifted,
        "let_in": outcome.let_in.iter().take(FOR_PROGRAMS).collect::<Vec<_>>(),
        "left_out": outcome.left_out,
        "kept": outcome.kept.len(),
        "blocked_ips": list.split_inclusive('\n').take(FOR_PROGRAMS).collect::<String>(),
        "counts": {
            "blocked": added.len(),
            "renewed": outcome.renewed.len(),
            "adopted": outcome.adopted.len(),
            "unblocked": outcome.expired.len(),
            "spared": detection.spared.len(),
            "blocked_ips": list.lines().count(),
        },
    })
}

/// A heading and a few of `entries`; nothing where there are none.
fn section<T>(text: &mut String, heading: &str, entries: &[T], lines: impl Fn(&T) -> Vec<String>) {
    if entries.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{heading}:");
    for line in entries.iter().take(NAMED).flat_map(lines) {
        let _ = writeln!(text, "  {line}");
    }
    if entries.len() > NAMED {
        let _ = writeln!(text, "  and {} more", entries.len() - NAMED);
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
    use crate::enforce::Changes;
    use weir_contract::blocklist::{Basis, FORMAT, Frequent, LogSummary, Method, Peak, SpareReason, Spared};

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
        let report = Some(b"<!DOCTYPE html>".to_vec());
        Notice::done(&Done { host, detection: &detection, outcome, list, report, told: None })
    }

    /// Of a run that spares these, when `told` was told last.
    fn after(told: Option<Told>, outcome: &Outcome, spared: &[&str]) -> Notice {
        let mut detection = detection();
        let reason = SpareReason::TrafficCap;
        let spare = |client: &&str| {
            let Suspect { client, evidence, .. } = suspect(client);
            Spared { client, reason: reason.clone(), evidence }
        };
        detection.spared = spared.iter().map(spare).collect();
        let (host, list) = ("web-1".to_owned(), Vec::new());
        Notice::done(&Done { host, detection: &detection, outcome, list, report: None, told })
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
    fn the_command_that_unblocks_names_an_enforcer_that_is_not_asked_otherwise() {
        let of =
            |enforcer: &str| done(&Outcome { enforcer: enforcer.to_owned(), ..outcome(&["192.0.2.66"], &[]) }).text;
        assert!(of("ipset").contains("To unblock somebody: weir block remove ADDRESS\n"));
        assert!(of("cilium").contains("weir block remove ADDRESS --enforcer cilium, with --state"), "{}", of("cilium"));
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
        assert!(!done(&nothing).is_news && done(&nothing).subject == "weir on web-1: nothing has changed");
        for change in
            [Outcome { adopted: vec![block("192.0.2.7")], ..nothing.clone() }, Outcome { lifted: 1, ..nothing.clone() }]
        {
            assert!(done(&change).is_news, "{change:?}");
        }
        let renewed = Outcome { renewed: vec![block("192.0.2.7")], ..nothing.clone() };
        assert!(!done(&renewed).is_news, "who goes on flooding is no news");
        assert!(done(&Outcome { lifted: 1, ..nothing }).subject.ends_with(": 1 client unblocked"));
    }

    #[test]
    fn whoever_is_spared_is_told_of_until_others_are() {
        let nothing = outcome(&[], &[]);
        let first = after(None, &nothing, &["192.0.2.7"]);
        assert!(first.is_news);
        assert_eq!(first.subject, "weir on web-1: 1 client spared by a cap");
        assert!(first.text.contains("listed:\n  192.0.2.7: 6553 requests, of these 3276 surplus\n"), "{}", first.text);
        assert_eq!(first.data["spared"], json!(["192.0.2.7"]));
        assert!(!after(first.told, &nothing, &["192.0.2.7"]).is_news);
        let other = after(first.told, &nothing, &["192.0.2.8"]);
        assert!(other.is_news, "as many, but another");
        let nobody = after(other.told, &nothing, &[]);
        assert!(nobody.is_news);
        assert_eq!(nobody.subject, "weir on web-1: nobody spared by a cap any more");
        assert!(!after(nobody.told, &nothing, &[]).is_news);
        let both = after(first.told, &outcome(&["192.0.2.66"], &[]), &["192.0.2.7"]);
        assert_eq!(both.subject, "weir on web-1: 1 client blocked, 1 client spared by a cap");
    }

    #[test]
    fn a_dry_run_is_told_of_once_for_the_same_clients() {
        let dry = |added: &[&str]| Outcome { applied: false, kept: Vec::new(), ..outcome(added, &[]) };
        let first = after(None, &dry(&["192.0.2.66"]), &[]);
        assert!(first.is_news && !after(first.told, &dry(&["192.0.2.66"]), &[]).is_news);
        let other = after(first.told, &dry(&["192.0.2.67"]), &[]);
        assert!(other.is_news && other.subject == first.subject, "as many, but another");
        let over = after(other.told, &dry(&[]), &[]);
        assert!(over.is_news);
        assert_eq!(over.subject, "weir on web-1: dry run: nobody would be blocked any more");
        let fewer = Outcome { kept: vec![block("192.0.2.66")], ..dry(&[]) };
        let fewer = after(after(None, &dry(&["192.0.2.66", "192.0.2.67"]), &[]).told, &fewer, &[]);
        assert_eq!(fewer.subject, "weir on web-1: dry run: 1 client blocked as before");
        let spared = after(None, &dry(&[]), &["192.0.2.7"]);
        assert_eq!(spared.subject, "weir on web-1: dry run: 1 client spared by a cap");
        assert!(after(first.told, &outcome(&["192.0.2.66"], &[]), &[]).is_news, "now it is done");
    }

    #[test]
    fn a_report_of_enforcement_is_an_outcome_directly_and_by_its_file() {
        let blocks = |address: &str| vec![block(address)];
        let report = Report {
            applied: true,
            enforcer: "ipset".to_owned(),
            told: true,
            changes: Changes {
                added: blocks("192.0.2.1"),
                renewed: blocks("192.0.2.2"),
                adopted: blocks("192.0.2.3"),
                kept: blocks("192.0.2.4"),
                expired: blocks("192.0.2.5"),
                lifted: 2,
                settled: vec!["192.0.2.9".parse().unwrap()],
                let_in: vec!["192.0.2.8".parse().unwrap()],
                protected: Vec::new(),
                left_out: 3,
            },
        };
        let outcome = Outcome::from(&report);
        assert_eq!((outcome.expired[0].until, outcome.lifted, outcome.enforcer.as_str()), (1_604_416_600, 2, "ipset"));
        assert_eq!((outcome.let_in.as_slice(), outcome.left_out), (report.changes.let_in.as_slice(), 3));
        let file = serde_json::to_value(&report).unwrap();
        assert_eq!(serde_json::from_value::<Outcome>(file).unwrap(), outcome);
    }

    #[test]
    fn of_a_botnet_the_strongest_are_told_and_everybody_is_in_the_list() {
        let address = |i: u32| IpAddr::from([10, 0, (i / 256) as u8, (i % 256) as u8]);
        let mut detection = detection();
        // The strongest has the highest address.
        let suspects = (0..3_000).rev().map(|i| Suspect { client: address(i), ..suspect("10.0.0.0") });
        detection.listed = suspects.collect();
        let added = (0..3_000).map(|i| Block { address: address(i), until: 1_604_416_600 }).collect();
        let outcome = Outcome { added, ..outcome(&[], &[]) };
        let list: String = detection.listed.iter().map(|suspect| format!("{}\n", suspect.client)).collect();
        let report = Some(vec![b'-'; ATTACHED - list.len() + 1]);
        let (host, list) = ("web-1".to_owned(), list.into_bytes());
        let done = Done { host, detection: &detection, outcome: &outcome, list: list.clone(), report, told: None };
        let notice = Notice::done(&done);
        assert!(notice.text.contains("10.0.11.183 until") && notice.text.contains("  and 2980 more\n"));
        assert!(notice.text.contains("The report is too large for a mail: see report.html"), "{}", notice.text);
        let [attached] = &notice.attachments[..] else { panic!("{:?}", notice.attachments.len()) };
        assert_eq!((attached.name, &attached.bytes), (BLOCKED_IPS, &list));
        let data = &notice.data;
        assert_eq!(
            (&data["blocked"][0]["address"], &data["counts"]["blocked"]),
            (&json!("10.0.11.183"), &json!(3_000))
        );
        assert_eq!(data["blocked"].as_array().unwrap().len(), FOR_PROGRAMS);
        assert!(data.to_string().len() < 300_000, "{}", data.to_string().len());

        let smaller =
            Notice::done(&Done { report: done.report.clone().map(|bytes| bytes[1..].to_vec()), ..done.clone() });
        assert_eq!(smaller.attachments.len(), 2, "a report that fits goes with it");
    }

    #[test]
    fn a_long_list_names_the_first_and_counts_the_rest() {
        let addresses: Vec<String> = (0..100).map(|i| format!("192.0.2.{i}")).collect();
        let added: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let notice = done(&outcome(&added, &[]));
        // The one with the evidence comes first.
        assert!(notice.text.contains("nftables:\n  192.0.2.66 until"), "{}", notice.text);
        assert!(notice.text.contains("192.0.2.18 until") && !notice.text.contains("192.0.2.19 until"));
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
