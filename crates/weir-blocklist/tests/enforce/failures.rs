//! Whatever fails, enforcer and blocklist are as before and agree.

use std::fs;

use weir_blocklist::enforce::EnforceError;
use weir_blocklist::state::Action;
use weir_contract::blocklist::Block;
use weir_contract::{Classify, ExitCode};
use weir_stage::Failure;

use crate::fake::{Fault, Host, address, listed};

/// A host that blocks one client already.
fn host() -> Host {
    let mut host = Host::new();
    host.enforce(&listed(&[("192.0.2.1", 980, 990)]), 1_000).unwrap();
    host
}

fn is_as_before(host: &Host) {
    assert_eq!((host.listed(), host.enforced()), (vec!["192.0.2.1 4600".to_owned()], host.listed()));
    assert_eq!(host.blocked_ips(), "192.0.2.1\n");
}

const MORE: &[(&str, i64, i64)] = &[("192.0.2.2", 1_010, 1_020), ("192.0.2.3", 1_010, 1_020)];

#[test]
fn a_change_that_is_half_done_is_undone() {
    let mut host = host();
    host.fake.fault = Some(Fault::HalfDone);
    let error = host.enforce(&listed(MORE), 1_100).unwrap_err();
    assert_eq!(error.to_string(), "fake failed: out of order");
    is_as_before(&host);
    assert_eq!(host.audit().last().unwrap().0, Action::RolledBack);
    host.enforce(&listed(MORE), 1_110).unwrap();
    assert_eq!(host.enforced().len(), 3, "the next run does it");
}

#[test]
fn an_enforcer_that_only_says_that_it_is_done_is_found_out() {
    let mut host = host();
    host.fake.fault = Some(Fault::Nothing);
    let error = host.enforce(&listed(MORE), 1_100).unwrap_err();
    assert!(error.to_string().ends_with("keeps out 1: 192.0.2.2 is missing"), "{error}");
    is_as_before(&host);
}

#[test]
fn what_cannot_be_undone_is_said() {
    let mut host = host();
    host.fake.fault = Some(Fault::Broken);
    let error = host.enforce(&listed(MORE), 1_100).unwrap_err();
    assert!(matches!(error, EnforceError::NotRestored { .. }), "{error}");
    assert_eq!(host.listed(), ["192.0.2.1 4600"]);
    assert_eq!(host.audit().last().unwrap().0, Action::Failed);
    host.fake.fault = None;
    host.enforce(&listed(&[]), 1_110).unwrap();
    assert_eq!(host.enforced(), ["192.0.2.1 4600"], "the next run puts the blocklist in force");
}

#[test]
fn a_state_directory_that_cannot_be_written_changes_nothing() {
    let mut host = host();
    // A directory in the place of a file keeps even root from writing it.
    let path = host.dir.path().join("audit.jsonl");
    let kept = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(host.enforce(&listed(MORE), 1_100).is_err());
    fs::remove_dir(&path).unwrap();
    fs::write(&path, kept).unwrap();
    is_as_before(&host);
    assert_eq!(host.fake.changes, 1, "the enforcer was not even told");
}

#[test]
fn a_blocklist_that_cannot_be_replaced_takes_the_block_back() {
    let mut host = Host::new();
    host.fake.sabotage = Some(host.dir.path().join("blocked_ips.txt"));
    let error = host.enforce(&listed(MORE), 1_100).unwrap_err();
    assert!(error.to_string().contains("blocked_ips.txt"), "{error}");
    assert!(host.enforced().is_empty() && host.listed().is_empty());
    assert_eq!((host.fake.changes, host.audit().last().unwrap().0), (2, Action::RolledBack));
}

#[test]
fn a_blocklist_that_is_corrupt_stops_the_run_before_it_begins() {
    let mut host = host();
    fs::write(host.dir.path().join("blocklist.json"), "{}").unwrap();
    assert!(host.enforce(&listed(MORE), 1_100).is_err());
    assert_eq!(host.enforced(), ["192.0.2.1 4600"]);
}

#[test]
fn a_corrupt_blocklist_keeps_nobody_out() {
    let mut host = host();
    fs::write(host.dir.path().join("blocklist.json"), "{").unwrap();
    let (removed, failures) = host.try_to_remove(None, 1_100);
    assert_eq!((removed, host.enforced()), (vec!["192.0.2.1".to_owned()], Vec::new()));
    assert_eq!((failures.len(), failures[0].exit_code()), (1, ExitCode::Input));
    let told = Failure::from(failures.into_iter().next().unwrap());
    assert!(
        told.message.starts_with("the blocklist does not say who was let in, and the next run may block them again: ")
    );
    assert!(told.message.contains("blocklist.json is corrupt"), "{told}");
    assert!(told.hint.unwrap().starts_with("move the file away"));
    fs::remove_file(host.dir.path().join("blocklist.json")).unwrap();
    host.enforce(&listed(&[("192.0.2.1", 980, 990)]), 1_200).unwrap();
    assert!(host.enforced().is_empty(), "the audit log knows whom a person let in");
}

#[test]
fn a_disk_that_takes_nothing_keeps_nobody_out() {
    let mut host = host();
    let path = host.dir.path().join("audit.jsonl");
    let kept = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let (removed, failures) = host.try_to_remove(Some(&[address("192.0.2.1")]), 1_100);
    assert_eq!((removed, host.enforced()), (vec!["192.0.2.1".to_owned()], Vec::new()));
    assert!(matches!(failures.as_slice(), [EnforceError::NotRecorded { .. }]), "{failures:?}");
    assert_eq!(host.listed(), ["192.0.2.1 4600"]);
    fs::remove_dir(&path).unwrap();
    fs::write(&path, kept).unwrap();
    assert_eq!(host.remove(Some(&[address("192.0.2.1")]), 1_200), ["192.0.2.1"], "the same command again");
    host.enforce(&listed(&[("192.0.2.1", 980, 990)]), 1_300).unwrap();
    assert!(host.enforced().is_empty() && host.listed().is_empty());
}

#[test]
fn a_state_directory_that_cannot_be_made_keeps_nobody_out() {
    let mut host = Host::new();
    host.fake.blocks = vec![Block { address: address("192.0.2.1"), until: 2_000 }];
    let path = host.dir.path().to_owned();
    fs::remove_dir(&path).unwrap();
    fs::write(&path, "no directory").unwrap();
    let (removed, failures) = host.try_to_remove(None, 1_000);
    fs::remove_file(&path).unwrap();
    assert_eq!((removed, host.enforced()), (vec!["192.0.2.1".to_owned()], Vec::new()));
    assert!(matches!(failures.as_slice(), [EnforceError::NotRecorded { .. }]), "{failures:?}");
}

#[test]
fn an_enforcer_that_cannot_be_told_is_told_by_the_next_run() {
    let mut host = host();
    host.fake.fault = Some(Fault::HalfDone);
    let (removed, failures) = host.try_to_remove(Some(&[address("192.0.2.1")]), 1_100);
    assert_eq!(removed, Vec::<String>::new());
    let told: Vec<String> = failures.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["fake let nobody in: fake failed: out of order"]);
    assert_eq!((host.enforced(), host.listed()), (vec!["192.0.2.1 4600".to_owned()], Vec::new()));
    host.enforce(&listed(&[("192.0.2.1", 980, 990)]), 1_200).unwrap();
    assert!(host.enforced().is_empty() && host.listed().is_empty());
}
