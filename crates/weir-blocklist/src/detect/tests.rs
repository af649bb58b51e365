//! Detection on made-up counts; real logs are in the folder `tests`.

use std::net::{IpAddr, Ipv4Addr};

use weir_contract::blocklist::{Peak, SpareReason, StatusCount, UnreadableLine};

use super::features::sample;
use super::*;

/// The client 192.0.2.`host`: all surplus comes within ten seconds, `second` of it within one.
fn client(host: u8, requests: u64, surplus: u64, second: u64) -> Client {
    let evidence = Evidence {
        requests,
        surplus,
        peak_second: Peak { count: second, start: 0 },
        peak_ten_seconds: Peak { count: surplus, start: 0 },
        paths: (requests - surplus).max(1),
        statuses: vec![StatusCount { method: "GET".to_owned(), status: 200, count: requests }],
        ..Evidence::default()
    };
    Client { address: Ipv4Addr::new(192, 0, 2, host).into(), evidence }
}

/// Visitors with 20 to 57 requests in ten minutes, of which up to 3 are surplus.
fn visitors(number: u8) -> impl Iterator<Item = Client> {
    (1..=number).map(|host| {
        let mut visitor = client(host, 20 + u64::from(host) * 7 % 38, u64::from(host % 4), 1);
        visitor.evidence.last = 600;
        visitor
    })
}

fn counts(clients: impl IntoIterator<Item = Client>) -> Counts {
    let mut clients: Vec<Client> = clients.into_iter().collect();
    clients.sort_by_key(|client| client.address);
    let requests = clients.iter().map(|client| client.evidence.requests).sum();
    let log = LogSummary { requests, lines: requests, clients: clients.len() as u64, ..LogSummary::default() };
    Counts { log, clients }
}

fn detected(counts: &Counts, params: &BlocklistParams) -> Detection {
    detect(counts, params, Seed(42), &AllowList::default())
}

fn hosts(detection: &Detection) -> Vec<u8> {
    let host = |address: IpAddr| address.to_string().rsplit('.').next().and_then(|host| host.parse().ok()).unwrap();
    detection.listed.iter().map(|suspect| host(suspect.client)).collect()
}

#[test]
fn flooders_are_a_group_of_their_own_and_the_worst_comes_first() {
    let all = counts(visitors(100).chain([client(201, 900, 850, 95), client(202, 4_000, 3_990, 410)]));
    let detection = detected(&all, &BlocklistParams::default());
    assert_eq!(hosts(&detection), [202, 201], "{}", detection.reason);
    assert!(detection.listed.iter().all(|suspect| suspect.basis == Basis::Group));
    let grouping = detection.grouping.unwrap();
    assert!(grouping.two_groups && grouping.tests.iter().all(|test| test.passed));
    assert_eq!((grouping.high.clients, grouping.low.clients), (2, 100));
    assert_eq!(grouping.high.requests, 4_900);
    assert_eq!(grouping.distortions.len(), 4);
    assert!(detection.reason.starts_with("The counts are two groups: "), "{}", detection.reason);
    assert!(detection.reason.contains("Of the upper group's 2 clients, all have the evidence"), "{}", detection.reason);
    assert_eq!(detection.top_clients.len(), 50);
    assert!(detection.top_clients[0].listed && !detection.top_clients[2].listed);
}

#[test]
fn of_visitors_nobody_is_listed_and_the_numbers_say_why() {
    let detection = detected(&counts(visitors(100)), &BlocklistParams::default());
    assert_eq!(hosts(&detection), [] as [u8; 0]);
    let grouping = detection.grouping.unwrap();
    assert!(!grouping.two_groups);
    let failed = grouping.tests.iter().find(|test| !test.passed).unwrap();
    assert_eq!((failed.name.as_str(), failed.threshold), ("rate ratio", 5.0));
    assert!(detection.reason.contains("the counts are not two groups: at peak"), "{}", detection.reason);
    assert!(detection.reason.contains("where two groups take 5"), "{}", detection.reason);
    assert!(
        detection
            .reason
            .contains("Nobody made 30 surplus requests (refused or repeated) within one second; the most was 1.")
    );
}

#[test]
fn a_member_of_the_upper_group_without_evidence_is_not_listed() {
    let all = counts(visitors(100).chain([client(201, 900, 850, 95), client(202, 60, 60, 20)]));
    assert_eq!(hosts(&detected(&all, &BlocklistParams::default())), [201, 202]);
    for (minimum_requests, minimum_surplus) in [(61, 30), (30, 61)] {
        let strict = BlocklistParams { minimum_requests, minimum_surplus, ..BlocklistParams::default() };
        let detection = detected(&all, &strict);
        assert_eq!(hosts(&detection), [201]);
        assert!(
            detection.reason.contains("Of the upper group's 2 clients, 1 has the evidence"),
            "{}",
            detection.reason
        );
    }
}

#[test]
fn a_single_client_is_judged_by_the_limit_alone() {
    let alone = |second| counts([client(1, 70, 70, second)]);
    let detection = detected(&alone(30), &BlocklistParams::default());
    assert_eq!(hosts(&detection), [1]);
    assert_eq!((detection.listed[0].basis, detection.grouping), (Basis::Limit, None));
    assert_eq!(
        detection.reason,
        "The clustering abstains: there is one client, and two groups take at least two. 1 client made 30 or more surplus \
         requests (refused or repeated) within one second; of these, all have the evidence asked for, 30 requests, 40 \
         surplus ones within ten seconds (20 where 10 clients or more make them), and 50 % of all surplus."
    );
    assert!(hosts(&detected(&alone(29), &BlocklistParams::default())).is_empty());
    let off = BlocklistParams { limit: 0, ..BlocklistParams::default() };
    let detection = detected(&alone(70), &off);
    assert!(detection.listed.is_empty() && detection.reason.contains("blocklist.limit is 0"), "{}", detection.reason);
}

#[test]
fn clients_that_are_all_alike_are_one_group() {
    let detection = detected(&counts((1..=9).map(|host| client(host, 50, 35, 4))), &BlocklistParams::default());
    let grouping = detection.grouping.unwrap();
    assert!(!grouping.two_groups && detection.listed.is_empty());
    assert_eq!((grouping.high.clients, grouping.low.clients, grouping.distortions.len()), (0, 9, 1));
    assert!(detection.reason.starts_with("The clustering abstains: all clients are alike."), "{}", detection.reason);
}

#[test]
fn a_log_without_clients_is_fine() {
    for method in [Method::Robust, Method::Article] {
        let params = BlocklistParams { method, ..BlocklistParams::default() };
        let detection = detected(&Counts::default(), &params);
        assert!(detection.listed.is_empty() && detection.grouping.is_none() && !detection.reason.is_empty());
        assert_eq!(serde_json::from_str::<Detection>(&serde_json::to_string(&detection).unwrap()).unwrap(), detection);
    }
}

#[test]
fn of_more_clients_than_the_cap_the_strongest_are_listed() {
    let all = counts(visitors(20).chain((201..=206).map(|host| client(host, 900, 900, 90))));
    // 50 % of 26 clients are 13, 20 % are 5.
    assert_eq!(hosts(&detected(&all, &BlocklistParams::default())).len(), 6);
    let strict = BlocklistParams { client_cap: 0.2, ..BlocklistParams::default() };
    let detection = detected(&all, &strict);
    assert_eq!(hosts(&detection), [201, 202, 203, 204, 205]);
    let [spared] = detection.spared.as_slice() else { panic!("{}", detection.reason) };
    assert_eq!(spared.reason, SpareReason::ClientCap);
    let why = "1 client is spared all the same: all together would be 6 clients of 26, and one run may list 5";
    assert!(detection.reason.contains(why), "{}", detection.reason);
    assert_eq!(detection.top_clients.iter().filter(|bar| bar.listed).count(), 5);
}

#[test]
fn a_proxy_that_carries_the_visitors_is_spared_and_the_reason_says_what_to_do() {
    let detection = detected(&counts([client(1, 90_000, 9_000, 60)]), &BlocklistParams::default());
    assert!(detection.listed.is_empty() && detection.spared.is_empty(), "most of it is ordinary: {}", detection.reason);
    let detection = detected(&counts([client(1, 90_000, 80_000, 60)]), &BlocklistParams::default());
    assert!(detection.listed.is_empty(), "{}", detection.reason);
    assert_eq!(detection.spared[0].reason, SpareReason::Gateway);
    let why = "1 client is spared all the same, since proxies and load balancers look so: 2 or more ordinary requests per second";
    assert!(detection.reason.contains(why), "{}", detection.reason);
    assert!(detection.reason.contains("--trusted-proxy") && detection.reason.contains("--client-header-field"));
}

#[test]
fn of_several_proxies_none_is_listed_whatever_the_share_of_each() {
    let reasons = |detection: &Detection| -> Vec<SpareReason> {
        detection.spared.iter().map(|spared| spared.reason.clone()).collect()
    };
    // Two with 48 % of the ordinary requests each.
    let two = counts(visitors(10).chain([client(201, 9_000, 6_000, 60), client(202, 9_000, 6_000, 60)]));
    let detection = detected(&two, &BlocklistParams::default());
    assert!(detection.listed.is_empty(), "{}", detection.reason);
    assert_eq!(reasons(&detection), [SpareReason::Gateway, SpareReason::Gateway]);
    // Twenty with 4.9 %.
    let many = counts(visitors(1).chain((201..=220).map(|host| client(host, 900, 700, 60))));
    let detection = detected(&many, &BlocklistParams { limit: 30, ..BlocklistParams::default() });
    assert!(detection.listed.is_empty(), "{}", detection.reason);
    assert_eq!(reasons(&detection), vec![SpareReason::Gateway; 20]);
    // A few who flood many pages are not taken for proxies beside visitors enough.
    let few = counts(visitors(100).chain((201..=202).map(|host| client(host, 900, 700, 60))));
    assert_eq!(hosts(&detected(&few, &BlocklistParams::default())), [201, 202]);
}

#[test]
fn of_more_ordinary_requests_than_the_cap_the_strongest_are_listed() {
    // 15 ordinary requests of each of 20, and 96 of the visitors.
    let all = counts(visitors(3).chain((201..=220).map(|host| client(host, 900, 885, 90))));
    let params = BlocklistParams { client_cap: 1.0, ..BlocklistParams::default() };
    let detection = detected(&all, &params);
    assert_eq!((detection.listed.len(), detection.spared.len()), (13, 7), "{}", detection.reason);
    assert!(detection.spared.iter().all(|spared| spared.reason == SpareReason::TrafficCap));
    assert!(
        detection.reason.contains("of the requests that were neither refused nor repeated would be cut off"),
        "{}",
        detection.reason
    );
    let all_of_it = BlocklistParams { traffic_cap: 1.0, ..params };
    assert_eq!(detected(&all, &all_of_it).listed.len(), 20);
}

#[test]
fn a_few_requests_per_second_are_a_flood_only_of_many() {
    let slow = |number: u8| counts(visitors(100).chain((201..=200 + number).map(|host| client(host, 300, 300, 4))));
    let with_peaks = |mut counts: Counts| {
        for client in &mut counts.clients {
            client.evidence.peak_ten_seconds.count = client.evidence.peak_ten_seconds.count.min(30);
        }
        counts
    };
    let params = BlocklistParams::default();
    assert!(detected(&with_peaks(slow(9)), &params).listed.is_empty());
    assert_eq!(detected(&with_peaks(slow(10)), &params).listed.len(), 10);
}

#[test]
fn an_allowed_client_is_as_if_it_had_never_come() {
    let mut flooder = client(201, 900, 850, 95);
    flooder.evidence.top_paths = vec![Frequent { text: "/?for=192.0.2.250".to_owned(), count: 1, error: 0 }];
    let mut all = counts(visitors(100).chain([flooder, client(250, 4_000, 3_990, 410)]));
    all.log.unreadable_examples = vec![UnreadableLine {
        source: "access.log".to_owned(),
        line: 3,
        reason: "no time".to_owned(),
        text: "192.0.2.250 - -".to_owned(),
    }];
    let allow = AllowList::new(vec!["192.0.2.248/29".parse().unwrap()]);
    let detection = detect(&all, &BlocklistParams::default(), Seed(42), &allow);
    assert_eq!(hosts(&detection), [201]);
    assert_eq!(detection.listed[0].evidence.top_paths[0].text, "/?for=[allowed]");
    assert_eq!(detection.log.unreadable_examples[0].text, "[allowed] - -");
    assert!(!serde_json::to_string(&detection).unwrap().contains("192.0.2.250"));

    all.clients.retain(|client| !allow.contains(client.address));
    let without = detected(&all, &BlocklistParams::default());
    assert_eq!((without.grouping, without.reason), (detection.grouping, detection.reason));
}

#[test]
fn the_original_recipe_finds_somebody_among_visitors() {
    let params = BlocklistParams { method: Method::Article, ..BlocklistParams::default() };
    let mut busy = client(20, 300, 0, 0);
    busy.evidence.last = 600;
    let all = counts((1..=19).map(|host| client(host, 10, 0, 0)).chain([busy]));
    let detection = detected(&all, &BlocklistParams { traffic_cap: 1.0, ..params.clone() });
    assert_eq!(hosts(&detection), [20]);
    let grouping = detection.grouping.unwrap();
    assert_eq!((grouping.tests.len(), grouping.distortions.len()), (0, 2), "there are two different counts");
    assert!((grouping.high.centre["requests per method and status"] - 300.0).abs() < 1e-9);
    // 300 of 490 requests are more than half: the caps hold for it as well.
    assert_eq!(detected(&all, &params).spared[0].reason, SpareReason::TrafficCap);
}

#[test]
fn the_original_recipe_leaves_out_requests_without_a_method() {
    let mut clients: Vec<Client> = (1..=9).map(|host| client(host, u64::from(host), 0, 0)).collect();
    clients[0].evidence.statuses[0] = StatusCount { method: "-".to_owned(), status: 400, count: 5_000 };
    let params =
        BlocklistParams { method: Method::Article, client_cap: 1.0, traffic_cap: 1.0, ..BlocklistParams::default() };
    // 2 to 9: 2 to 5 and 6 to 9.
    let mut listed = hosts(&detected(&counts(clients), &params));
    listed.sort_unstable();
    assert_eq!(listed, [6, 7, 8, 9]);
}

#[test]
fn clients_are_in_the_sample_as_often_as_their_requests_say() {
    let clients = [client(1, 3, 0, 0), client(2, 1, 0, 0), client(3, 2, 0, 0)];
    assert_eq!(sample(&clients.each_ref()), [0, 0, 0, 1, 2, 2]);
    let clients = [client(1, 75_000, 0, 0), client(2, 25_000, 0, 0)];
    let sample = sample(&clients.each_ref());
    assert_eq!((sample.len(), sample.iter().filter(|&&at| at == 0).count()), (8_192, 6_144));
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let all = counts(visitors(200).chain([client(201, 90_000, 85_000, 95), client(202, 4_000, 3_990, 410)]));
    for method in [Method::Robust, Method::Article] {
        let params = BlocklistParams { method, ..BlocklistParams::default() };
        let bytes = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            serde_json::to_string(&pool.install(|| detected(&all, &params))).unwrap()
        };
        assert_eq!(bytes(1), bytes(3));
    }
}
