//! Real logs, where `WEIR_SHARED_DATA` says they are.

use weir_accesslog::{Counts, Settings, Source, count};
use weir_testkit::shared_data;

/// A log by its name; nothing without the data.
fn counted(name: &str) -> Option<Counts> {
    let path = shared_data()?.join("weblogs").join(name);
    Some(count(vec![Source::file(&path)], &Settings::default(), |_| true).unwrap())
}

/// Lines, unreadable ones, clients.
fn size(counts: &Counts) -> (u64, u64, usize) {
    (counts.log.lines, counts.log.unreadable, counts.clients.len())
}

/// The clients' surplus in their worst ten seconds, most first.
fn peaks(counts: &Counts) -> Vec<u64> {
    let mut peaks: Vec<u64> = counts.clients.iter().map(|client| client.evidence.peak_ten_seconds.count).collect();
    peaks.sort_unstable_by(|a, b| b.cmp(a));
    peaks
}

#[test]
fn ten_thousand_lines_without_a_flood_have_little_surplus() {
    let Some(counts) = counted("elastic_apache_logs.log") else { return };
    assert_eq!(size(&counts), (10_000, 0, 1_753));
    assert_eq!(peaks(&counts)[..2], [5, 3]);
    assert_eq!(counts.clients.iter().map(|client| client.evidence.peak_second.count).max(), Some(2));
    let busiest = counts.clients.iter().max_by_key(|client| client.evidence.requests).unwrap();
    assert_eq!((busiest.address.to_string().as_str(), busiest.evidence.requests), ("66.249.73.135", 482));
}

#[test]
fn a_flood_is_surplus() {
    let Some(counts) = counted("ddoser_access.log") else { return };
    assert_eq!(size(&counts), (858, 0, 5));
    assert_eq!(peaks(&counts), [653, 100, 97, 0, 0]);
    let flooder = counts.clients.iter().find(|client| client.address.to_string() == "192.236.195.162").unwrap();
    let evidence = &flooder.evidence;
    assert_eq!((evidence.requests, evidence.paths, evidence.user_agents), (655, 1, 2));
    let top = &evidence.top_paths[0];
    assert_eq!((&*top.text, top.count, top.error), ("/", 655, 0));
}

#[test]
fn attack_tools_with_random_queries_and_random_paths_make_surplus() {
    let Some(queries) = counted("crowdsec_http_dos_bypass_cache.log") else { return };
    assert_eq!(size(&queries), (356, 0, 14));
    assert_eq!(peaks(&queries)[..6], [67, 58, 48, 42, 27, 20]);
    let Some(paths) = counted("crowdsec_http_dos_random_uri.log") else { return };
    assert_eq!(size(&paths), (66, 0, 1));
    assert_eq!(paths.clients[0].evidence.peak_second.count, 66);
}

#[test]
fn lines_of_error_logs_among_requests_are_told_apart() {
    for (name, lines) in [("crowdsec_apache2-logs.log", vec![8, 9]), ("crowdsec_nginx_http-logs.log", vec![9])] {
        let Some(counts) = counted(name) else { return };
        let unreadable: Vec<u64> = counts.log.unreadable_examples.iter().map(|example| example.line).collect();
        assert_eq!(unreadable, lines, "{name}");
        assert!(counts.log.unreadable_examples.iter().all(|example| example.reason == "a line of an error log"));
    }
}
