//! Against a counter that keeps everything.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use proptest::prelude::*;
use weir_accesslog::{Counter, Counts, Settings, Source, count};
use weir_contract::blocklist::{Evidence, Peak};

/// Where the random logs start: 2023-11-14 22:13:20 UTC.
const START: i64 = 1_700_000_000;

#[derive(Debug, Clone)]
struct Request {
    client: u8,
    time: i64,
    path: u16,
    status: u16,
    agent: u8,
}

impl Request {
    fn address(&self) -> String {
        if self.client.is_multiple_of(5) {
            format!("2001:db8::{}", self.client + 1)
        } else {
            format!("192.0.2.{}", self.client)
        }
    }

    fn line(&self) -> String {
        let seconds = self.time - START + 800;
        let (minute, second) = (seconds / 60, seconds % 60);
        let (client, path, status, agent) = (self.address(), self.path, self.status, self.agent);
        format!(
            "{client} - - [14/Nov/2023:{:02}:{:02}:{second:02} +0000] \"GET /{path}?{second} HTTP/1.1\" {status} 5 \"-\" \"agent {agent}\"\n",
            22 + minute / 60,
            minute % 60,
        )
    }
}

/// Requests over an hour, each written up to two minutes late.
fn requests(clients: u8, paths: u16) -> impl Strategy<Value = Vec<Request>> {
    let request =
        (0..clients, 0..3_600_i64, 0..paths, prop::sample::select(vec![200, 304, 404, 499]), 0..3_u8, 0..=120_i64);
    prop::collection::vec(request, 0..400).prop_map(|mut requests| {
        requests.sort_by_key(|(_, time, _, _, _, late)| time + late);
        (requests.into_iter())
            .map(|(client, time, path, status, agent, _)| Request { client, time: START + time, path, status, agent })
            .collect()
    })
}

fn log(requests: &[Request]) -> String {
    requests.iter().map(Request::line).collect()
}

fn counted(lines: &str) -> Counts {
    let mut counter = Counter::new(&Settings::default());
    counter.add(lines.as_bytes());
    counter.finish()
}

/// What `Evidence` says, counted from lists.
#[derive(Debug, Default, PartialEq)]
struct Expected {
    requests: u64,
    surplus: u64,
    second: u64,
    ten_seconds: Peak,
    minute: Peak,
    paths: u64,
    agents: u64,
    statuses: BTreeMap<u16, u64>,
    span: (i64, i64),
}

fn expected(requests: &[&Request]) -> Expected {
    let mut by_second: BTreeMap<i64, u64> = BTreeMap::new();
    let mut by_ten: BTreeMap<i64, u64> = BTreeMap::new();
    let mut by_minute: BTreeMap<i64, u64> = BTreeMap::new();
    let mut statuses = BTreeMap::new();
    let mut served: BTreeMap<(i64, u16), u32> = BTreeMap::new();
    let mut surplus = 0;
    let mut in_time_order = requests.to_vec();
    in_time_order.sort_by_key(|request| request.time);
    for request in &in_time_order {
        let ten = request.time - request.time.rem_euclid(10);
        *statuses.entry(request.status).or_default() += 1;
        *by_minute.entry(request.time - request.time.rem_euclid(60)).or_default() += 1;
        let refused = (400..499).contains(&request.status) && ![401, 407].contains(&request.status);
        let free = !refused && {
            let times = served.entry((ten, request.path)).or_default();
            *times += 1;
            *times <= 2
        };
        if !free {
            surplus += 1;
            *by_second.entry(request.time).or_default() += 1;
            *by_ten.entry(ten).or_default() += 1;
        }
    }
    let peak = |counts: BTreeMap<i64, u64>| {
        let count = counts.values().copied().max().unwrap_or(0);
        let start = counts.iter().find(|(_, other)| **other == count).map_or(0, |(start, _)| *start);
        Peak { count, start }
    };
    Expected {
        requests: requests.len() as u64,
        surplus,
        second: peak(by_second).count,
        ten_seconds: peak(by_ten),
        minute: peak(by_minute),
        paths: requests.iter().map(|request| request.path).collect::<BTreeSet<_>>().len() as u64,
        agents: requests.iter().map(|request| request.agent).collect::<BTreeSet<_>>().len() as u64,
        statuses,
        span: (in_time_order[0].time, in_time_order[requests.len() - 1].time),
    }
}

fn said(evidence: &Evidence) -> Expected {
    Expected {
        requests: evidence.requests,
        surplus: evidence.surplus,
        second: evidence.peak_second.count,
        ten_seconds: evidence.peak_ten_seconds,
        minute: evidence.peak_minute,
        paths: evidence.paths,
        agents: evidence.user_agents,
        statuses: evidence.statuses.iter().map(|status| (status.status, status.count)).collect(),
        span: (evidence.first, evidence.last),
    }
}

proptest! {
    #[test]
    fn counts_are_those_of_a_counter_that_keeps_everything(requests in requests(6, 20)) {
        let counts = counted(&log(&requests));
        let mut by_client: BTreeMap<IpAddr, Vec<&Request>> = BTreeMap::new();
        for request in &requests {
            by_client.entry(request.address().parse().unwrap()).or_default().push(request);
        }
        prop_assert_eq!(counts.log.requests, requests.len() as u64);
        prop_assert_eq!(counts.clients.len(), by_client.len());
        for (client, (address, requests)) in counts.clients.iter().zip(&by_client) {
            prop_assert_eq!(client.address, *address);
            prop_assert_eq!(said(&client.evidence), expected(requests));
            let mut top: BTreeMap<String, u64> = BTreeMap::new();
            for request in requests {
                *top.entry(format!("/{}", request.path)).or_default() += 1;
            }
            for frequent in &client.evidence.top_paths {
                prop_assert_eq!((frequent.count, frequent.error), (top[&frequent.text], 0));
            }
        }
        let timeline = &counts.log.timeline;
        prop_assert_eq!(timeline.iter().map(|stretch| stretch.requests).sum::<u64>(), counts.log.requests);
        let surplus: u64 = counts.clients.iter().map(|client| client.evidence.surplus).sum();
        prop_assert_eq!(timeline.iter().map(|stretch| stretch.surplus).sum::<u64>(), surplus);
    }

    #[test]
    fn wherever_lines_are_cut_the_counts_are_the_same(requests in requests(4, 60), cuts in prop::collection::vec(0..400_usize, 0..6)) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(requests.len())).collect();
        cuts.sort_unstable();
        let mut counter = Counter::new(&Settings::default());
        let mut from = 0;
        for cut in cuts.into_iter().chain([requests.len()]) {
            counter.add(log(&requests[from..cut]).as_bytes());
            from = cut;
        }
        prop_assert_eq!(counter.finish(), counted(&log(&requests)));
    }

    #[test]
    fn counters_of_different_minutes_merge_to_that_of_all(requests in requests(4, 30), minute in 0..60_i64) {
        let cut = START - START.rem_euclid(60) + 60 * minute;
        let (early, late): (Vec<Request>, Vec<Request>) = requests.iter().cloned().partition(|request| request.time < cut);
        let of = |requests: &[Request]| {
            let mut counter = Counter::new(&Settings::default());
            counter.add(log(requests).as_bytes());
            counter
        };
        for (mut one, other) in [(of(&early), of(&late)), (of(&late), of(&early))] {
            one.merge(other);
            let (merged, all) = (one.finish(), counted(&log(&requests)));
            prop_assert_eq!(&merged.log, &all.log);
            for (merged, all) in merged.clients.iter().zip(&all.clients) {
                prop_assert_eq!(said(&merged.evidence), said(&all.evidence));
            }
        }
    }

    #[test]
    fn with_too_many_clients_none_misses_more_than_is_said(requests in requests(60, 5), maximum in 1..60_usize) {
        let settings = Settings { maximum_clients: maximum, ..Settings::default() };
        let mut counter = Counter::new(&settings);
        for few in requests.chunks(7) {
            counter.add(log(few).as_bytes());
        }
        let counts = counter.finish();
        let all = counted(&log(&requests));
        prop_assert!(counts.clients.len() <= maximum);
        prop_assert_eq!(counts.log.requests, all.log.requests);
        let missing = counts.log.missing.unwrap_or(0);
        for client in &all.clients {
            let left = counts.clients.iter().find(|other| other.address == client.address);
            let left = left.map_or(0, |client| client.evidence.requests);
            prop_assert!(left <= client.evidence.requests && client.evidence.requests <= left + missing);
        }
        if all.clients.len() <= maximum {
            prop_assert_eq!(counts, all);
        }
    }

    #[test]
    fn any_bytes_are_lines_and_every_line_is_counted(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let mut counter = Counter::new(&Settings::default());
        counter.add(&bytes);
        let log = counter.finish().log;
        let lines = bytes.split_inclusive(|byte| *byte == b'\n').count() as u64;
        prop_assert_eq!(log.lines, lines);
        prop_assert_eq!(log.requests + log.unreadable, lines);
    }
}

#[test]
fn a_path_that_makes_a_tenth_of_the_requests_is_among_the_first_and_its_count_within_its_error() {
    let mut requests = Vec::new();
    for number in 0..20_000 {
        let path = if number % 10 == 0 { 7 } else { 100 + number % 5_000 };
        requests.push(Request { client: 1, time: START + i64::from(number) / 10, path, status: 200, agent: 0 });
    }
    let counts = counted(&log(&requests));
    let evidence = &counts.clients[0].evidence;
    let first = &evidence.top_paths[0];
    assert_eq!(first.text, "/7");
    assert!(first.count >= 2_000 && first.count - first.error <= 2_000, "{first:?}");
    let different = requests.iter().map(|request| request.path).collect::<BTreeSet<_>>().len() as u64;
    assert!(evidence.paths.abs_diff(different) < different / 8, "{} of {different}", evidence.paths);
    assert_eq!(evidence.user_agents, 1);
}

#[test]
fn beyond_200_paths_in_ten_seconds_a_path_counts_as_asked_for_before() {
    let requests: Vec<Request> =
        (0..1_000).map(|path| Request { client: 1, time: START, path, status: 200, agent: 0 }).collect();
    let counts = counted(&log(&requests));
    assert_eq!(counts.clients[0].evidence.surplus, 1_000 - 200);
    let fewer = counted(&log(&requests[..200]));
    assert_eq!(fewer.clients[0].evidence.surplus, 0);
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let requests: Vec<Request> = (0..60_000_u32)
        .map(|number| {
            let mixed = number.wrapping_mul(2_654_435_761) >> 8;
            let (client, path) = ((mixed % 250) as u8, (mixed % 997) as u16);
            Request { client, time: START + i64::from(number) / 20, path, status: 200, agent: (mixed % 50) as u8 }
        })
        .collect();
    let text = log(&requests);
    let settings = Settings { maximum_clients: 100, ..Settings::default() };
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| count(vec![Source::stream("log", text.as_bytes())], &settings, |_| true).unwrap())
    };
    let one = with(1);
    assert!(one.log.missing.is_some());
    assert_eq!(one, with(2));
    assert_eq!(one, with(5));
}
