//! The block report: the reason first, who is listed and with what evidence, and hostile text that stays text.

use std::collections::BTreeMap;
use std::net::IpAddr;

use weir_contract::blocklist::{
    Basis, ClientBar, Detection, Evidence, FORMAT, Frequent, Group, Grouping, LogSummary, Method, Peak, SeparationTest,
    SpareReason, Spared, StatusCount, Stretch, Suspect, UnreadableLine,
};
use weir_report::{BlockReport, render_block};

use crate::{HOSTILE, html};

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn evidence(requests: u64) -> Evidence {
    let start = 1_604_412_309;
    let frequent = |text: &str, count, error| Frequent { text: text.to_owned(), count, error };
    Evidence {
        requests,
        surplus: requests / 2,
        share: 0.25,
        peak_second: Peak { count: 66, start },
        peak_ten_seconds: Peak { count: 655, start },
        peak_minute: Peak { count: requests, start },
        first: start,
        last: start + 3_600,
        paths: 3,
        user_agents: 812,
        statuses: vec![
            StatusCount { method: "GET".to_owned(), status: 200, count: requests - 7 },
            StatusCount { method: "GET".to_owned(), status: 503, count: 7 },
        ],
        top_paths: vec![frequent("/", requests, 0), frequent(HOSTILE, 3, 0)],
        top_user_agents: vec![frequent(HOSTILE, 12, 4), frequent("a\u{202e}b\u{7}", 1, 0), frequent("", 1, 0)],
    }
}

/// A flood by one client among a few.
fn flood() -> Detection {
    let suspect = Suspect { client: address("192.0.2.66"), basis: Basis::Group, evidence: evidence(6_553) };
    let bar = |client: &str, requests, listed| ClientBar { client: address(client), requests, listed };
    let group = |clients, requests, centre: f64| Group {
        clients,
        requests,
        centre: BTreeMap::from([("log surplus".to_owned(), centre), ("log share".to_owned(), -0.5)]),
    };
    let test = |name: &str, value, threshold| SeparationTest {
        name: name.to_owned(),
        value,
        threshold,
        passed: value >= threshold,
    };
    let stretch = |i: i64, requests, surplus| Stretch { start: 1_604_412_300 + 10 * i, requests, surplus };
    Detection {
        format: FORMAT,
        log: LogSummary {
            sources: vec!["logs/0001-access.log".to_owned(), HOSTILE.to_owned()],
            lines: 6_700,
            requests: 6_690,
            unreadable: 10,
            unreadable_examples: vec![UnreadableLine {
                source: "logs/0001-access.log".to_owned(),
                line: 17,
                reason: "no request".to_owned(),
                text: HOSTILE.to_owned(),
            }],
            outside: 0,
            clients: 4,
            missing: None,
            first: Some(1_604_412_300),
            last: Some(1_604_415_900),
            timeline: (0..60).map(|i| stretch(i, 3, 0)).chain((60..90).map(|i| stretch(i, 220, 215))).collect(),
            stretch_seconds: 10,
        },
        method: Method::Robust,
        grouping: Some(Grouping {
            two_groups: true,
            high: group(1, 6_553, 6.48),
            low: group(3, 137, 1.1),
            tests: vec![test("rate ratio", 6.7, 5.0), test("Ashman's D", 6.9, 2.0)],
            distortions: vec![0.81, 0.12, 0.07, 0.05],
        }),
        reason: "the clients are two groups: 192.0.2.66 made 655 surplus requests within ten seconds".to_owned(),
        listed: vec![suspect],
        spared: Vec::new(),
        top_clients: vec![
            bar("192.0.2.66", 6_553, true),
            bar("2001:db8:ffff:ffff:ffff:ffff:ffff:1", 90, false),
            bar("192.0.2.1", 46, false),
            bar("192.0.2.2", 1, false),
        ],
    }
}

/// The same log, where the flood's group does not stand apart.
fn quiet() -> Detection {
    let mut detection = flood();
    let grouping = detection.grouping.as_mut().expect("a grouping");
    grouping.two_groups = false;
    grouping.tests[0] = SeparationTest { name: "rate ratio".to_owned(), value: 2.5, threshold: 5.0, passed: false };
    detection.reason =
        "nobody is listed, because the clients are not two groups: rate ratio 2.5, at least 5 needed".to_owned();
    detection.listed.clear();
    detection.top_clients[0].listed = false;
    detection
}

fn page(detection: &Detection) -> String {
    let parameters = vec![("limit".to_owned(), "40".to_owned()), ("ratio".to_owned(), "5".to_owned())];
    let report = BlockReport { title: "Block report", version: "0.1.0", detection, parameters };
    let page = render_block(&report).expect("the sample renders");
    html::check(&page).expect("well-formed");
    page
}

#[test]
fn the_listed_come_with_their_evidence() {
    let page = page(&flood());
    let glance = html::text(html::section(&page, "glance"));
    assert!(glance.contains("1 client is listed The clients are two groups: 192.0.2.66 made 655"), "{glance}");
    assert!(glance.contains("rate ratio: 6.7, at least 5 needed ✓ passed"), "{glance}");
    let listed = html::text(html::section(&page, "listed"));
    for shown in [
        "192.0.2.66 attacking group 6\u{202f}553 25.0 % 3\u{202f}276 (50.0 %) 655 66 6\u{202f}553",
        "2020-11-03 14:05:09 UTC 2020-11-03 15:05:09 UTC",
        "6\u{202f}546 × GET 200, 7 × GET 503",
        "812 different",
    ] {
        assert!(listed.contains(shown), "{shown:?} is not in {listed}");
    }
    assert!(page.contains("6\u{202f}553 listed</text>"), "the bar is marked by a word");
}

#[test]
fn where_nobody_is_listed_the_reason_comes_first() {
    let page = page(&quiet());
    let glance = html::text(html::section(&page, "glance"));
    assert!(glance.contains("Nobody is listed Nobody is listed, because the clients are not two groups"), "{glance}");
    assert!(glance.contains("The clustering abstains"), "{glance}");
    let groups = html::text(html::section(&page, "groups"));
    assert!(groups.contains("higher centre") && !groups.contains("attacking group"), "{groups}");
    assert!(groups.contains("rate ratio 2.5 5 ✗ no") && groups.contains("Ashman's D 6.9 2 ✓ yes"), "{groups}");
    assert!(!page.contains("id=\"listed\"") && !page.contains("listed</text>"));
}

#[test]
fn whoever_is_spared_is_shown_with_the_reason() {
    let mut detection = quiet();
    let client = address("192.0.2.66");
    detection.spared = vec![Spared { client, reason: SpareReason::TrafficCap, evidence: evidence(6_553) }];
    let page = page(&detection);
    let spared = html::text(html::section(&page, "spared"));
    assert!(
        spared.contains("192.0.2.66 with the others, more of the ordinary requests than one run may block"),
        "{spared}"
    );
    assert!(html::text(html::section(&page, "glance")).contains("1 client spared by a cap."));
}

#[test]
fn of_a_botnet_the_strongest_are_shown_and_the_others_counted() {
    let mut detection = quiet();
    let clients = (0..1_002u32).map(|i| IpAddr::from([10, 0, (i / 256) as u8, (i % 256) as u8]));
    let suspect = |client| Suspect { client, basis: Basis::Group, evidence: evidence(6_553) };
    detection.listed = clients.clone().map(suspect).collect();
    let spared = |client| Spared { client, reason: SpareReason::ClientCap, evidence: evidence(60) };
    detection.spared = clients.take(1_001).map(spared).collect();
    let page = page(&detection);
    assert!(html::text(html::section(&page, "glance")).contains("1\u{202f}002 clients are listed"));
    for (section, more) in [("listed", "2 more clients with weaker"), ("spared", "1 more client with weaker")] {
        let text = html::text(html::section(&page, section));
        assert!(text.contains(more) && text.contains("10.0.3.231") && !text.contains("10.0.3.232"), "{section}");
    }
}

#[test]
fn the_page_says_what_a_surplus_request_is() {
    let page = page(&flood());
    let glance = html::text(html::section(&page, "glance"));
    for part in ["status 400 to 498, except 401 and 407", "queries apart", "at least for the third time", "ten seconds"]
    {
        assert!(glance.contains(part), "{part:?} is not in {glance}");
    }
}

#[test]
fn text_from_requests_stays_text() {
    let page = page(&flood());
    assert!(!page.contains("<script") && !page.contains("alert(\"x\")"));
    for (section, times) in [("listed", 2), ("log", 2)] {
        assert_eq!(html::text(html::section(&page, section)).matches(HOSTILE).count(), times, "{section}");
    }
    assert!(!page.contains('\u{202e}') && !page.contains('\u{7}'));
    assert!(page.contains("a\\u{202e}b\\u{7}"), "what is not seen is written out");
}

#[test]
fn a_count_that_may_be_too_high_says_so() {
    let listed = html::text(html::section(&page(&flood()), "listed"));
    assert!(listed.contains("8 to 12 <script>"), "{listed}");
}

#[test]
fn an_empty_log_has_a_page() {
    let mut detection = quiet();
    detection.log = LogSummary::default();
    detection.grouping = None;
    detection.top_clients.clear();
    let page = page(&detection);
    for section in ["clients", "groups", "time"] {
        assert!(!page.contains(&format!("id=\"{section}\"")), "{section}");
    }
    assert!(page.contains("No clustering"));
}

#[test]
fn the_same_detection_has_the_same_bytes_and_loads_nothing() {
    let first = page(&flood());
    assert_eq!(first, page(&flood()));
    for reference in ["http:", "https:", "src=", "url(", "@import", "<link", "<iframe"] {
        assert!(!first.contains(reference), "{reference}");
    }
    for (at, text) in first.match_indices("href=\"#") {
        let target = first[at + text.len()..].split('"').next().unwrap_or_default();
        assert!(first.contains(&format!("id=\"{target}\"")), "{target}");
    }
}
