//! What the simulated access logs promise to those who judge a detection by them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use sha2::{Digest, Sha256};
use weir_contract::Seed;
use weir_simulate::access_log::{AccessLogParams, AccessLogSummary, AttackPlan, MAX_SECONDS, Shape, simulate};

#[test]
fn a_log_has_the_bytes_it_always_had() {
    let digest = |seed| {
        let params = AccessLogParams { lines: 2_000, seed: Seed(seed), attacks: every_shape(), ..Default::default() };
        let (text, summary) = run(params);
        let written = format!("{text}{}", serde_json::to_string(&summary).unwrap());
        Sha256::digest(written).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    assert_eq!(digest(42), "a8106372810de4d5875e897192f06c5b272cba87f01a939ce351cead0068f271");
    assert_ne!(digest(42), digest(43));
}

#[test]
fn the_log_has_the_lines_and_about_the_length_asked_for() {
    for (lines, seconds) in [(1, 1.0), (1_000, 100.0), (200_000, 2_000.0), (100_000, 50_000.0)] {
        let (text, summary) = run(AccessLogParams { lines, seconds: Some(seconds), ..Default::default() });
        assert_eq!((text.lines().count() as u64, summary.lines, summary.ordinary), (lines, lines, lines));
        if lines >= 100_000 {
            let entries = entries(&text);
            let took = (entries[entries.len() - 1].time - entries[0].time) as f64;
            assert!((0.93..1.07).contains(&(took / seconds)), "{took} of {seconds} s");
        }
    }
}

#[test]
fn a_few_lines_may_take_years() {
    for garbage in [0.0, 1e-12] {
        let params = AccessLogParams { lines: 3, seconds: Some(MAX_SECONDS), garbage, ..Default::default() };
        assert_eq!(run(params).1.lines, 3);
    }
}

#[test]
fn times_ascend_from_the_start() {
    let (text, _) = run(AccessLogParams { attacks: every_shape(), ..Default::default() });
    let entries = entries(&text);
    assert!(entries.is_sorted_by_key(|entry| entry.time));
    assert!((0..60).contains(&(entries[0].time - 1_772_438_400)));
}

#[test]
fn the_truth_is_what_the_log_has() {
    let (text, summary) =
        run(AccessLogParams { attacks: every_shape(), capacity: Some(60), garbage: 0.02, ..Default::default() });
    let mut clients: BTreeMap<&str, (u64, i64, i64)> = BTreeMap::new();
    for entry in entries(&text) {
        let client = clients.entry(entry.client).or_insert((0, entry.time, entry.time));
        *client = (client.0 + 1, client.1, entry.time);
    }
    assert_eq!(clients.values().map(|client| client.0).sum::<u64>(), summary.lines);
    for attacker in &summary.attackers {
        let counted = clients.remove(attacker.client.to_string().as_str()).unwrap();
        assert_eq!(counted, (attacker.requests, attacker.first, attacker.last));
    }
    assert_eq!(clients.len() as u64, summary.clients);
    assert_eq!(clients.values().map(|client| client.0).sum::<u64>(), summary.ordinary);
    let garbage = entries(&text).iter().filter(|entry| entry.method.is_none()).count() as u64;
    assert_eq!(garbage, summary.garbage);
    assert!((0.01..0.03).contains(&(garbage as f64 / summary.ordinary as f64)), "{garbage}");
}

/// Reloading a page with all that is on it, and visitors who share an address, make the largest.
#[test]
fn hardly_anybody_ordinary_looks_like_a_flood() {
    for (lines, seconds) in [(20_000, 2_000.0), (200_000, 20_000.0), (200_000, 2_000.0)] {
        let (text, summary) = run(AccessLogParams { lines, seconds: Some(seconds), ..Default::default() });
        let worst = worst_surplus(&entries(&text));
        let above = |surplus| worst.values().filter(|&&most| most >= surplus).count() as f64 / summary.clients as f64;
        assert!(above(30) < 0.005 && above(150) == 0.0, "{} {}", above(30), above(150));
    }
}

#[test]
fn ordinary_traffic_is_of_many_kinds() {
    let (text, summary) = run(AccessLogParams::default());
    let entries = entries(&text);
    let share = |is: &dyn Fn(&Entry) -> bool| entries.iter().filter(|entry| is(entry)).count() as f64 / 20_000.0;
    assert!((0.1..0.3).contains(&share(&|entry| entry.status == 304)));
    assert!((0.001..0.02).contains(&share(&|entry| entry.status == 404)));
    assert!((0.0005..0.02).contains(&share(&|entry| entry.method == Some("POST"))));
    assert!((0.05..0.15).contains(&share(&|entry| entry.agent.contains("+http"))), "crawlers");
    assert!((0.03..0.07).contains(&share(&|entry| entry.path.starts_with("/api/"))), "pollers");
    assert!((0.01..0.03).contains(&share(&|entry| entry.path == "/healthz")));
    assert!((0.05..0.15).contains(&share(&|entry| entry.client.starts_with("203.0.113."))), "shared addresses");
    assert!((0.05..0.2).contains(&share(&|entry| entry.client.contains(':'))), "IPv6");
    assert!(entries.iter().any(|entry| entry.path == "/robots.txt"));
    assert!(entries.iter().any(|entry| entry.agent.contains(r#"\""#)), "an escaped quote");
    assert!(summary.clients > 200, "{}", summary.clients);
}

#[test]
fn every_address_belongs_to_nobody() {
    let (text, _) = run(AccessLogParams { attacks: every_shape(), ..Default::default() });
    for entry in entries(&text) {
        let reserved = match entry.client.parse().unwrap() {
            IpAddr::V4(v4) => {
                let benchmark = v4.octets()[0] == 198 && [18, 19].contains(&v4.octets()[1]);
                v4.is_private() || v4.is_documentation() || benchmark
            }
            IpAddr::V6(v6) => v6.segments()[..2] == [0x2001, 0xdb8],
        };
        assert!(reserved, "{}", entry.client);
    }
}

#[test]
fn a_flood_of_random_urls_changes_everything_with_each_request() {
    let (requests, worst) = flood("random-url:4:50:20");
    let distinct = |of: &dyn Fn(&Entry) -> String| requests.iter().map(of).collect::<BTreeSet<_>>().len();
    assert!(distinct(&|entry| entry.path.to_owned()) > requests.len() * 9 / 10);
    assert!(distinct(&|entry| entry.referer.to_owned()) > requests.len() / 2);
    assert!(distinct(&|entry| entry.agent.to_owned()) > 10);
    assert_eq!(requests.iter().map(|entry| entry.status).collect::<BTreeSet<_>>(), BTreeSet::from([200, 404]));
    assert!(worst > 200, "{worst}");
}

#[test]
fn a_flood_of_random_paths_is_served() {
    let (requests, _) = flood("random-path:2:20:20");
    let paths: BTreeSet<&str> = requests.iter().map(|entry| entry.path).collect();
    assert!(paths.len() > requests.len() * 9 / 10 && requests.iter().all(|entry| entry.status == 200));
}

#[test]
fn a_flood_of_one_page_asks_for_nothing_else() {
    let (requests, worst) = flood("same-url:1:50:20");
    assert_eq!(requests.iter().map(|entry| entry.path).collect::<BTreeSet<_>>().len(), 1);
    assert!(worst > 200, "{worst}");
}

#[test]
fn a_flood_of_valid_pages_asks_for_all_of_them() {
    let (requests, _) = flood("valid-pages:2:50:20");
    let paths: BTreeSet<&str> = requests.iter().map(|entry| entry.path).collect();
    assert!(paths.len() > 300 && requests.iter().all(|entry| entry.status == 200), "{}", paths.len());
}

#[test]
fn slow_clients_stay_under_every_rate() {
    let (requests, worst) = flood("slow:3:0.3:3600");
    assert!(requests.iter().all(|entry| entry.path.starts_with("/search?q=")));
    assert!((1_500..6_000).contains(&requests.len()), "{}", requests.len());
    assert!(worst < 20, "{worst}");
}

#[test]
fn rates_scatter_about_the_one_asked_for_and_the_attack_lasts_as_long() {
    let attacks = vec!["same-url:200:5:100:50".parse().unwrap()];
    let (_, summary) = run(AccessLogParams { lines: 0, attacks, ..Default::default() });
    let mut counts: Vec<u64> = summary.attackers.iter().map(|attacker| attacker.requests).collect();
    counts.sort_unstable();
    assert_eq!(counts.len(), 200);
    // They join within the first ten of the hundred seconds: 475 requests of the median client.
    assert!((420..540).contains(&counts[100]), "{}", counts[100]);
    assert!(counts[180] as f64 > 1.4 * counts[100] as f64 && (counts[20] as f64) < counts[100] as f64 / 1.4);
    let start = 1_772_438_400;
    assert!(summary.attackers.iter().all(|attacker| attacker.first >= start + 50 && attacker.last < start + 150));
}

#[test]
fn beyond_its_capacity_the_server_fails_everybody() {
    let attacks: Vec<AttackPlan> = vec!["same-url:5:40:60:60".parse().unwrap()];
    let (text, summary) = run(AccessLogParams { lines: 5_000, attacks, capacity: Some(50), ..Default::default() });
    let attackers: BTreeSet<String> = summary.attackers.iter().map(|attacker| attacker.client.to_string()).collect();
    let mut served: BTreeMap<i64, u32> = BTreeMap::new();
    let (mut innocent, mut guilty) = (0, 0);
    for entry in entries(&text) {
        if [503, 499].contains(&entry.status) {
            *if attackers.contains(entry.client) { &mut guilty } else { &mut innocent } += 1;
        } else {
            *served.entry(entry.time).or_default() += 1;
        }
    }
    assert_eq!(served.values().max(), Some(&50));
    assert!(innocent > 20 && guilty > 1_000, "{innocent} {guilty}");
}

#[test]
fn what_cannot_be_simulated_is_refused_by_name() {
    let attack = |text: &str| {
        AccessLogParams { attacks: vec![text.parse().unwrap()], ..Default::default() }.check().unwrap_err().to_string()
    };
    let refused = |params: AccessLogParams| params.check().unwrap_err().to_string();
    let default = AccessLogParams::default;
    assert_eq!(attack("slow:0:1:1"), "attack: clients: expected 1 to 100000, received 0");
    assert_eq!(attack("slow:1:0:1"), "attack: rate: expected 0.001 to 100000, received 0");
    assert_eq!(attack("slow:1:NaN:1"), "attack: rate: expected 0.001 to 100000, received NaN");
    assert_eq!(attack("slow:1:1:0"), "attack: seconds: expected 0.1 to 315360000, received 0");
    assert_eq!(attack("slow:1:1:1:-1"), "attack: start: expected 0 to 315360000, received -1");
    assert!(refused(AccessLogParams { lines: 0, ..default() }).starts_with("lines: expected at least 1"));
    assert!(refused(AccessLogParams { lines: u64::MAX, ..default() }).starts_with("lines: expected at most"));
    assert!(refused(AccessLogParams { seconds: Some(0.0), ..default() }).starts_with("seconds: expected 0.1 to"));
    assert!(refused(AccessLogParams { visitors: Some(0), ..default() }).starts_with("visitors: expected 1 to"));
    assert!(refused(AccessLogParams { capacity: Some(0), ..default() }).starts_with("capacity: expected 1 to"));
    assert!(refused(AccessLogParams { garbage: 0.6, ..default() }).starts_with("garbage: expected a share"));
    assert!(refused(AccessLogParams { start: -1, ..default() }).starts_with("start: expected 0 to"));
}

fn every_shape() -> Vec<AttackPlan> {
    Shape::ALL.into_iter().map(|shape| format!("{shape}:3:5:60:20").parse().unwrap()).collect()
}

fn run(params: AccessLogParams) -> (String, AccessLogSummary) {
    let mut text = Vec::new();
    let summary = simulate(&params.check().unwrap(), &mut text).unwrap();
    (String::from_utf8(text).unwrap(), summary)
}

/// All requests of an attack on its own, and the most surplus ones of a client in ten seconds.
fn flood(plan: &str) -> (Vec<Entry<'static>>, u64) {
    let attacks = vec![plan.parse().unwrap()];
    let (text, _) = run(AccessLogParams { lines: 0, attacks, ..Default::default() });
    let requests = entries(text.leak());
    let worst = worst_surplus(&requests).into_values().max().unwrap();
    (requests, worst)
}

struct Entry<'a> {
    client: &'a str,
    time: i64,
    /// None where the request is garbage.
    method: Option<&'a str>,
    path: &'a str,
    status: u16,
    referer: &'a str,
    agent: &'a str,
}

/// Reads the combined format by its quotes. Times are of March 2026 or later the same year, as the default start has it.
fn entries(text: &str) -> Vec<Entry<'_>> {
    text.lines()
        .map(|line| {
            let (client, rest) = line.split_once(" - - [").unwrap();
            let (time, rest) = rest.split_once("] \"").unwrap();
            let (request, rest) = rest.split_once("\" ").unwrap();
            let (answer, rest) = rest.split_once(" \"").unwrap();
            let (referer, agent) = rest.split_once("\" \"").unwrap();
            let (status, bytes) = answer.split_once(' ').unwrap();
            assert!(bytes.parse::<u32>().is_ok(), "{line}");
            let parts: Vec<&str> = request.split(' ').collect();
            let whole = parts.len() == 3 && parts[2] == "HTTP/1.1";
            Entry {
                client,
                time: seconds(time),
                method: whole.then(|| parts[0]),
                path: if whole { parts[1] } else { request },
                status: status.parse().unwrap(),
                referer,
                agent: agent.strip_suffix('"').unwrap(),
            }
        })
        .collect()
}

/// Seconds since 1970 of `02/Mar/2026:08:00:00 +0000`, in March 2026.
fn seconds(time: &str) -> i64 {
    assert!(time[2..].starts_with("/Mar/2026:") && time.ends_with(" +0000"), "{time}");
    let part = |range: std::ops::Range<usize>| time[range].parse::<i64>().unwrap();
    // 1 March 2026 begins at this second.
    1_772_323_200 + (part(0..2) - 1) * 86_400 + part(12..14) * 3_600 + part(15..17) * 60 + part(18..20)
}

/// The most surplus requests of each client in ten seconds: those that were refused, and those for a path (without its query)
/// that the client had asked for twice within the same ten seconds.
fn worst_surplus<'a>(entries: &[Entry<'a>]) -> BTreeMap<&'a str, u64> {
    let mut served: BTreeMap<_, u32> = BTreeMap::new();
    let mut surplus: BTreeMap<(&str, i64), u64> = BTreeMap::new();
    for entry in entries {
        let bin = (entry.client, entry.time / 10);
        let path = entry.path.split('?').next().unwrap();
        let times = served.entry((bin, path)).or_default();
        let refused = (400..499).contains(&entry.status) && ![401, 407].contains(&entry.status);
        *times += u32::from(!refused);
        let again = refused || *times > 2;
        *surplus.entry(bin).or_default() += u64::from(again);
    }
    let mut worst = BTreeMap::new();
    for ((client, _), count) in surplus {
        let most = worst.entry(client).or_insert(0);
        *most = count.max(*most);
    }
    worst
}
