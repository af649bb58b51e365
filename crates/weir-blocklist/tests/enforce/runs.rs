//! Runs without a fault.

use std::fs;

use ipnet::IpNet;
use weir_blocklist::allow::AllowList;
use weir_blocklist::state::Action;
use weir_contract::blocklist::Block;

use crate::fake::{Host, address, listed, shown};

#[test]
fn whoever_is_listed_is_blocked_for_a_while() {
    let mut host = Host::new();
    let report = host.enforce(&listed(&[("192.0.2.1", 980, 990), ("2001:db8::1", 980, 990)]), 1_000).unwrap();
    let expected = ["192.0.2.1 4600", "2001:db8::1 4600"];
    assert_eq!(shown(&report.changes.added), expected);
    assert_eq!((host.listed(), host.enforced()), (expected.map(str::to_owned).to_vec(), host.listed()));
    assert_eq!(host.blocked_ips(), "192.0.2.1\n2001:db8::1\n");
    let added = |text: &str| (Action::Added, text.to_owned());
    assert_eq!(host.audit(), [(Action::Applying, String::new()), added("192.0.2.1"), added("2001:db8::1")]);
}

#[test]
fn a_run_that_changes_nothing_writes_nothing() {
    let mut host = Host::new();
    let detection = listed(&[("192.0.2.1", 980, 990)]);
    host.enforce(&detection, 1_000).unwrap();
    let (audit, changes) = (host.audit(), host.fake.changes);
    let report = host.enforce(&detection, 1_060).unwrap();
    assert_eq!((shown(&report.changes.kept), report.told), (vec!["192.0.2.1 4600".to_owned()], false));
    assert_eq!((host.audit(), host.fake.changes), (audit, changes));
}

#[test]
fn a_preview_says_the_same_and_changes_nothing() {
    let mut host = Host::new();
    let detection = listed(&[("192.0.2.1", 980, 990)]);
    let preview = host.preview(&detection, 1_000);
    assert!(host.enforced().is_empty() && host.dir.path().read_dir().unwrap().next().is_none());
    let report = host.enforce(&detection, 1_000).unwrap();
    assert_eq!((preview.changes, preview.told, preview.applied), (report.changes, report.told, false));
}

#[test]
fn time_served_is_served_until_they_come_again() {
    let mut host = Host::new();
    host.enforce(&listed(&[("192.0.2.1", 980, 990)]), 1_000).unwrap();
    let report = host.enforce(&listed(&[("192.0.2.1", 980, 990)]), 4_700).unwrap();
    assert_eq!(
        (shown(&report.changes.expired), report.changes.settled),
        (vec!["192.0.2.1 4600".to_owned()], vec![address("192.0.2.1")])
    );
    assert!(host.listed().is_empty() && host.enforced().is_empty());
    host.enforce(&listed(&[("192.0.2.1", 980, 990)]), 4_800).unwrap();
    assert!(host.listed().is_empty(), "the same log once more, and the audit log remembers");
    host.enforce(&listed(&[("192.0.2.1", 980, 4_650)]), 4_900).unwrap();
    assert_eq!(host.listed(), ["192.0.2.1 8500"], "it came back before the run that noticed the end");
}

#[test]
fn whoever_was_let_in_by_hand_is_blocked_only_for_a_new_flood() {
    let mut host = Host::new();
    host.enforce(&listed(&[("192.0.2.1", 980, 990), ("192.0.2.10", 980, 990)]), 1_000).unwrap();
    assert_eq!(host.remove(Some(&[address("192.0.2.1"), address("192.0.2.99")]), 1_100), ["192.0.2.1"]);
    assert_eq!((host.enforced(), host.blocked_ips()), (vec!["192.0.2.10 4600".to_owned()], "192.0.2.10\n".to_owned()));
    host.enforce(&listed(&[("192.0.2.1", 980, 1_150)]), 1_200).unwrap();
    assert_eq!(host.listed(), ["192.0.2.10 4600"], "an ordinary request since, and the old flood in the log");
    host.enforce(&listed(&[("192.0.2.1", 1_210, 1_220)]), 1_230).unwrap();
    assert_eq!(host.listed(), ["192.0.2.1 4830", "192.0.2.10 4600"]);
    assert_eq!(host.remove(None, 1_300), ["192.0.2.1", "192.0.2.10"]);
    assert!(host.listed().is_empty() && host.enforced().is_empty());
}

#[test]
fn the_allow_list_wins_over_a_block_that_is_there() {
    let mut host = Host::new();
    host.enforce(&listed(&[("192.0.2.1", 980, 990), ("198.51.100.9", 980, 990)]), 1_000).unwrap();
    host.allow = AllowList::new(vec!["192.0.2.0/24".parse::<IpNet>().unwrap()]);
    let report = host.enforce(&listed(&[("192.0.2.1", 980, 1_050), ("192.0.2.2", 980, 1_050)]), 1_100).unwrap();
    assert_eq!(report.changes.lifted, 1);
    assert!(!serde_json::to_string(&report).unwrap().contains("192.0.2."), "an allowed address is not named");
    assert_eq!((host.listed(), host.enforced()), (vec!["198.51.100.9 4600".to_owned()], host.listed()));
    assert_eq!(host.blocked_ips(), "198.51.100.9\n");
}

#[test]
fn the_host_and_the_session_stay_in_reach() {
    let mut host = Host::new();
    let all = ["127.0.0.1", "192.0.2.254", "198.51.100.1", "203.0.113.5"].map(|client| (client, 980, 990));
    let report = host.enforce(&listed(&all), 1_000).unwrap();
    assert_eq!(host.enforced(), ["203.0.113.5 4600"]);
    let alone: Vec<String> = report.changes.protected.iter().map(|alone| alone.address.to_string()).collect();
    assert_eq!(alone, ["127.0.0.1", "192.0.2.254", "198.51.100.1"]);
}

#[test]
fn without_its_state_directory_a_host_takes_over_what_is_enforced() {
    let mut host = Host::new();
    let block = |text: &str, until| Block { address: address(text), until };
    host.fake.blocks = vec![block("192.0.2.1", 2_000), block("192.0.2.2", i64::MAX), block("127.0.0.1", 2_000)];
    let report = host.enforce(&listed(&[]), 1_000).unwrap();
    let expected = ["192.0.2.1 2000", "192.0.2.2 4600"];
    assert_eq!(shown(&report.changes.adopted), expected, "for the rest of its time, and never for ever");
    assert_eq!((host.listed(), host.enforced()), (expected.map(str::to_owned).to_vec(), host.listed()));
}

#[test]
fn whom_a_person_let_in_is_let_in_by_an_enforcer_that_was_not_asked() {
    let mut host = Host::new();
    let all = [("192.0.2.1", 980, 990), ("192.0.2.2", 980, 990)];
    host.enforce(&listed(&all), 1_000).unwrap();
    let removal = host.remove_without_enforcer(address("192.0.2.1"), 1_100);
    assert_eq!(removal.not_asked["fake"], [address("192.0.2.1")]);
    assert_eq!(host.enforced().len(), 2);
    let preview = host.preview(&listed(&all), 1_200);
    let report = host.enforce(&listed(&all), 1_200).unwrap();
    assert_eq!((&report.changes.let_in, &preview.changes), (&vec![address("192.0.2.1")], &report.changes));
    assert!(report.changes.adopted.is_empty());
    assert_eq!((host.listed(), host.enforced()), (vec!["192.0.2.2 4600".to_owned()], host.listed()));
}

#[test]
fn a_block_that_was_set_after_a_person_let_somebody_in_is_taken_over() {
    let mut host = Host::new();
    host.enforce(&listed(&[("192.0.2.1", 980, 990)]), 1_000).unwrap();
    host.remove(None, 1_100);
    // By hand, or by a run with another state directory.
    host.fake.blocks = vec![Block { address: address("192.0.2.1"), until: 5_000 }];
    let report = host.enforce(&listed(&[]), 1_400).unwrap();
    assert_eq!((shown(&report.changes.adopted), host.listed()), (vec!["192.0.2.1 5000".to_owned()], host.enforced()));
}

#[test]
fn a_blocklist_that_is_lost_after_a_new_flood_is_taken_over_whoever_was_let_in_before() {
    let mut host = Host::new();
    host.enforce(&listed(&[("192.0.2.1", 980, 990)]), 1_000).unwrap();
    host.remove(None, 1_100);
    host.enforce(&listed(&[("192.0.2.1", 1_110, 1_120)]), 1_130).unwrap();
    std::fs::remove_file(host.dir.path().join("blocklist.json")).unwrap();
    host.enforce(&listed(&[]), 1_140).unwrap();
    assert_eq!(host.listed(), ["192.0.2.1 4730"]);
}

#[test]
fn a_second_try_of_a_run_reports_what_the_first_did() {
    let mut host = Host::new();
    host.enforce(&listed(&[("192.0.2.1", 980, 990), ("192.0.2.2", 980, 990)]), 1_000).unwrap();
    host.allow = AllowList::new(vec!["192.0.2.2/32".parse::<IpNet>().unwrap()]);
    let detection = listed(&[("192.0.2.3", 4_590, 4_600)]);
    let first = host.enforce_for(Some("one"), &detection, 4_700).unwrap();
    assert_eq!((first.changes.added.len(), first.changes.expired.len(), first.changes.lifted), (1, 1, 1));
    let second = host.enforce_for(Some("one"), &detection, 4_710).unwrap();
    assert_eq!((second.changes, second.told), (first.changes, false));
    let other = host.enforce_for(Some("another"), &detection, 4_720).unwrap();
    assert_eq!((other.changes.added.len(), shown(&other.changes.kept)), (0, vec!["192.0.2.3 8300".to_owned()]));
}

#[test]
fn where_there_is_no_room_for_all_the_strongest_evidence_comes_first() {
    let mut host = Host::new();
    host.fake.most = Some(3);
    host.enforce(&listed(&[("192.0.2.9", 980, 990)]), 1_000).unwrap();
    // The strongest first; who is blocked already stays so.
    let all = ["192.0.2.5", "192.0.2.8", "192.0.2.1", "192.0.2.2", "192.0.2.9"].map(|client| (client, 980, 990));
    let report = host.enforce(&listed(&all), 1_100).unwrap();
    assert_eq!((shown(&report.changes.added).len(), report.changes.left_out), (2, 2));
    assert_eq!(host.enforced(), ["192.0.2.5 4700", "192.0.2.8 4700", "192.0.2.9 4600"]);
    assert_eq!(host.listed(), host.enforced());
}

#[test]
fn what_another_program_flushed_is_enforced_again() {
    let mut host = Host::new();
    host.enforce(&listed(&[("192.0.2.1", 980, 990)]), 1_000).unwrap();
    host.fake.blocks.clear();
    let report = host.enforce(&listed(&[]), 1_100).unwrap();
    assert!(report.told);
    assert_eq!(host.enforced(), ["192.0.2.1 4600"]);
}

#[test]
fn a_block_of_a_few_seconds_is_a_block() {
    let mut host = Host::new();
    host.seconds = 3;
    assert!(host.enforce(&listed(&[("192.0.2.1", 980, 990)]), 1_000).unwrap().told);
    assert_eq!(host.enforced(), ["192.0.2.1 1003"]);
}

#[test]
fn no_block_is_longer_than_new_ones_after_the_clock_was_set_back() {
    let mut host = Host::new();
    let day = 86_400;
    host.enforce(&listed(&[("192.0.2.1", 980, 990)]), 1_000 + day).unwrap();
    let report = host.enforce(&listed(&[]), 1_000).unwrap();
    assert_eq!((host.listed(), host.enforced()), (vec!["192.0.2.1 4600".to_owned()], host.listed()));
    assert_eq!((report.told, report.changes.kept.len()), (true, 1));
    let audit = fs::read_to_string(host.dir.path().join("audit.jsonl")).unwrap();
    assert!(audit.contains("shorten, as after the clock was set back, 192.0.2.1"), "{audit}");
    host.enforce(&listed(&[("192.0.2.1", 1_005, 1_006)]), 1_010).unwrap();
    assert_eq!(host.listed(), ["192.0.2.1 4610"], "it came again by that clock");
}

#[test]
fn an_address_is_let_in_however_it_is_written() {
    let mut host = Host::new();
    host.enforce(&listed(&[("192.0.2.1", 980, 990), ("2001:db8::1", 980, 990)]), 1_000).unwrap();
    let written = [address("::ffff:192.0.2.1"), address("2001:DB8:0::0:1")];
    assert_eq!(host.remove(Some(&written), 1_100), ["192.0.2.1", "2001:db8::1"]);
    assert!(host.listed().is_empty() && host.enforced().is_empty());
}
