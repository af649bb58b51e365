//! Whoever is allowed is in no file of the artifact, whatever the log, the list and the method.

use std::fs;

use ipnet::IpNet;
use proptest::prelude::*;
use weir_blocklist::BlocklistParams;
use weir_blocklist::allow::AllowList;
use weir_contract::blocklist::Method;

use super::{detected, files, line, request};

/// Clients, among them some whose text is a part of another's.
const CLIENTS: [&str; 10] = [
    "10.0.0.1",
    "10.0.0.12",
    "110.0.0.1",
    "10.0.0.112",
    "192.0.2.7",
    "198.51.100.7",
    "2001:db8::1",
    "2001:db8::12",
    "2001:db8:0:1::1",
    "fe80::1",
];

/// Networks that hold none, one or several of them.
const NETWORKS: [&str; 6] =
    ["10.0.0.0/8", "10.0.0.0/28", "192.0.2.7/32", "::ffff:198.51.100.0/120", "2001:db8::/64", "203.0.113.0/24"];

/// What a client does: who, how many requests in how many seconds, their status, and whom path and agent speak of.
#[derive(Debug, Clone)]
struct Visit {
    client: usize,
    requests: u32,
    seconds: u32,
    status: u16,
    of: usize,
    garbage: bool,
}

fn visit() -> impl Strategy<Value = Visit> {
    let requests = prop_oneof![1..8u32, 60..160u32];
    let status = prop_oneof![Just(200u16), Just(404), Just(503)];
    (0..CLIENTS.len(), requests, 1..30u32, status, 0..CLIENTS.len(), prop::bool::weighted(0.1)).prop_map(
        |(client, requests, seconds, status, of, garbage)| Visit { client, requests, seconds, status, of, garbage },
    )
}

fn log(visits: &[Visit]) -> String {
    let mut lines = Vec::new();
    for visit in visits {
        let (client, of) = (CLIENTS[visit.client], CLIENTS[visit.of]);
        for request in 0..visit.requests {
            let (path, agent) = (format!("/go?to={of}&ip:{of}&n={}", request % 3), format!("spider (+http://{of}/)"));
            lines.push((request % visit.seconds, line(client, request % visit.seconds, &path, visit.status, &agent)));
        }
        if visit.garbage {
            lines.push((0, format!("{client} - - no time at all, {of}:80\n")));
        }
    }
    lines.sort_by_key(|(second, _)| *second);
    lines.into_iter().map(|(_, line)| line).collect()
}

/// Whether `address` is in `text` and not merely a part of another.
fn names(text: &str, address: &str) -> bool {
    let belongs = |c: char| c.is_ascii_hexdigit() || c == ':' || c == '.';
    text.match_indices(address).any(|(at, _)| {
        let before = &text[..at];
        // `ip:2001:db8::1` names it, `::2001:db8::1` would be another.
        !before.strip_suffix(':').unwrap_or(before).ends_with(belongs)
            && !text[at + address.len()..].starts_with(|c: char| c.is_ascii_hexdigit() || c == ':')
    })
}

#[test]
fn a_name_is_a_whole_one() {
    assert!(names("to=10.0.0.1&", "10.0.0.1") && names("\"10.0.0.1\"", "10.0.0.1") && names("10.0.0.1/32", "10.0.0.1"));
    assert!(names("ip:2001:db8::1", "2001:db8::1") && !names("::2001:db8::1", "2001:db8::1"));
    assert!(!names("110.0.0.1 10.0.0.12", "10.0.0.1"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_allowed_address_is_in_no_file(
        visits in prop::collection::vec(visit(), 1..24),
        single in prop::collection::vec(0..CLIENTS.len(), 0..3),
        networks in prop::collection::vec(0..NETWORKS.len(), 0..3),
        article in any::<bool>(),
        capped in any::<bool>(),
    ) {
        let single = single.iter().map(|&client| IpNet::from(CLIENTS[client].parse::<std::net::IpAddr>().unwrap()));
        let networks = networks.iter().map(|&network| NETWORKS[network].parse().unwrap());
        let allow = AllowList::new(single.chain(networks).collect());
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("access.log");
        fs::write(&path, log(&visits)).unwrap();
        let cap = if capped { 0.0 } else { 1.0 };
        let mut request = request(&[&path], &dir.path().join("detection"));
        request.allow = allow.clone();
        request.params = BlocklistParams {
            method: if article { Method::Article } else { Method::Robust },
            limit: 5,
            client_cap: cap,
            clients_always: 1,
            traffic_cap: cap,
            allow: vec!["10.0.0.1".to_owned()],
            ..BlocklistParams::default()
        };
        let (outcome, detection) = detected(&request).unwrap();
        let written = files(outcome.artifact.dir());
        prop_assert!(written.len() >= 10, "{:?}", written);
        let allowed = |client: &&&str| allow.contains(client.parse().unwrap());
        for file in &written {
            let text = String::from_utf8(fs::read(file).unwrap()).unwrap().replace(path.to_str().unwrap(), "");
            for client in CLIENTS.iter().filter(allowed) {
                prop_assert!(!names(&text, client), "{client} is in {}", file.display());
            }
        }
        let named = detection.listed.iter().map(|suspect| suspect.client);
        let named = named.chain(detection.spared.iter().map(|spared| spared.client));
        for client in named.chain(detection.top_clients.iter().map(|bar| bar.client)) {
            prop_assert!(!allow.contains(client), "{}", client);
        }
    }
}
