//! Real logs, from `$WEIR_SHARED_DATA/weblogs`.

use std::path::PathBuf;

use weir_contract::blocklist::{Basis, Detection};

use super::{detected, request};

#[expect(clippy::print_stderr, reason = "a test that looked at nothing has to say so")]
fn real(name: &str) -> Option<Detection> {
    let Some(data) = std::env::var_os("WEIR_SHARED_DATA") else {
        eprintln!("SKIPPED: {name} is not read, since WEIR_SHARED_DATA is not set");
        return None;
    };
    let dir = tempfile::tempdir().unwrap();
    let log = PathBuf::from(data).join("weblogs").join(name);
    Some(detected(&request(&[&log], &dir.path().join("detection"))).unwrap().1)
}

fn listed(detection: &Detection) -> Vec<String> {
    detection.listed.iter().map(|suspect| suspect.client.to_string()).collect()
}

#[test]
fn in_ten_thousand_lines_without_a_flood_nobody_is_listed() {
    let Some(detection) = real("elastic_apache_logs.log") else { return };
    assert_eq!((detection.log.requests, detection.log.clients, detection.log.unreadable), (10_000, 1_753, 0));
    assert_eq!(listed(&detection), [] as [&str; 0]);
    assert!(detection.spared.is_empty());
    let grouping = detection.grouping.as_ref().unwrap();
    assert!(!grouping.two_groups);
    let ratio = &grouping.tests[0];
    assert!(ratio.name == "rate ratio" && (2.0..3.0).contains(&ratio.value), "{}", detection.reason);
    assert!(detection.reason.contains("the most was 2."), "{}", detection.reason);
}

#[test]
fn of_the_flood_exactly_the_flooding_client_is_listed() {
    let Some(detection) = real("ddoser_access.log") else { return };
    assert_eq!(listed(&detection), ["192.236.195.162"], "{}", detection.reason);
    let [suspect] = detection.listed.as_slice() else { panic!("{}", detection.reason) };
    assert_eq!((suspect.basis, suspect.evidence.peak_ten_seconds.count), (Basis::Group, 653));
    let grouping = detection.grouping.as_ref().unwrap();
    assert!(grouping.two_groups && grouping.high.clients == 1, "{}", detection.reason);
}

#[test]
fn attack_tools_are_listed() {
    let Some(detection) = real("crowdsec_http_dos_random_uri.log") else { return };
    assert_eq!(listed(&detection), ["127.0.0.1"], "{}", detection.reason);
    let Some(detection) = real("crowdsec_http_dos_bypass_cache.log") else { return };
    let seconds: Vec<u64> = detection.listed.iter().map(|suspect| suspect.evidence.peak_second.count).collect();
    assert_eq!(seconds.len(), 4, "{}", detection.reason);
    assert!(seconds.iter().all(|&count| count >= 39), "{seconds:?}");
}
