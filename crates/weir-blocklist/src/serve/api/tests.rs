//! Without a socket: questions and answers.

use std::fs;
use std::path::Path;

use weir_contract::blocklist::{Blocklist, Entry};
use weir_contract::files::{BLOCK_AUDIT, BLOCKLIST};

use super::super::keys::tests::keys;
use super::*;
use crate::allow::AllowList;

const KEY: &str = "0123456789abcdef";
const OTHER: &str = "fedcba9876543210";

/// Replaces the list by one of `addresses`, each until then.
fn write(dir: &Path, addresses: &[(&str, i64)]) {
    let entry = |&(address, until): &(&str, i64)| Entry {
        address: address.parse().unwrap(),
        since: 1_000,
        until,
        reason: "a reason".to_owned(),
        evidence: None,
    };
    let list = Blocklist { entries: addresses.iter().map(entry).collect(), ..Blocklist::default() };
    let new = dir.join("new");
    fs::write(&new, serde_json::to_vec(&list).unwrap()).unwrap();
    fs::rename(new, dir.join(BLOCKLIST)).unwrap();
}

fn api(dir: &Path) -> Api {
    let allow = AllowList::new(vec!["198.51.100.0/24".parse().unwrap()]);
    let keys = keys(&format!("firewall:{KEY}\nproxy:{OTHER}")).unwrap();
    Api::new(keys, Source::open(dir.to_owned(), allow).unwrap())
}

fn ask(api: &Api, key: &str, path: &str, now: i64) -> Answer {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    api.answer(&Question { method: &Method::GET, path, query, key: Some(key), now })
}

/// Addresses of what is new and of what is over.
fn pull(api: &Api, key: &str, startup: bool, now: i64) -> (Vec<String>, Vec<String>) {
    let (status, body) = ask(api, key, &format!("/v1/decisions/stream?startup={startup}"), now);
    assert_eq!(status, StatusCode::OK);
    let addresses = |name: &str| {
        let decisions = body[name].as_array().unwrap().iter();
        decisions.map(|decision| decision["value"].as_str().unwrap().to_owned()).collect()
    };
    (addresses("new"), addresses("deleted"))
}

fn texts(addresses: &[&str]) -> Vec<String> {
    addresses.iter().map(|&address| address.to_owned()).collect()
}

#[test]
fn a_bouncer_that_starts_gets_all_and_then_what_changes() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("192.0.2.1", 5_000), ("2001:db8::1", 5_000)]);
    let api = api(dir.path());
    assert_eq!(pull(&api, KEY, true, 1_000), (texts(&["192.0.2.1", "2001:db8::1"]), texts(&[])));
    assert_eq!(pull(&api, KEY, false, 1_010), (texts(&[]), texts(&[])));
    write(dir.path(), &[("192.0.2.2", 5_000), ("2001:db8::1", 6_000)]);
    // Renewed is news: the bouncer's own timer runs out otherwise.
    let changed = (texts(&["192.0.2.2", "2001:db8::1"]), texts(&["192.0.2.1"]));
    assert_eq!(pull(&api, KEY, false, 1_020), changed);
    assert_eq!(pull(&api, KEY, false, 1_030), (texts(&[]), texts(&[])));
    let all = texts(&["192.0.2.2", "2001:db8::1"]);
    assert_eq!(pull(&api, OTHER, true, 1_030).0, all, "every key has its own pulls");
    assert_eq!(pull(&api, KEY, true, 1_040).0, all, "the bouncer starts again");
}

#[test]
fn a_block_that_was_renewed_is_told_again_when_the_first_timer_is_over() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("192.0.2.1", 1_100)]);
    let api = api(dir.path());
    let new = |now| pull(&api, KEY, false, now).0.len();
    assert_eq!([new(1_000), new(1_040)], [1, 0]);
    write(dir.path(), &[("192.0.2.1", 5_000)]);
    assert_eq!([new(1_050), new(1_099)], [1, 0]);
    // The timer may be a little late; then it is set anew.
    assert_eq!([new(1_100), new(1_110), new(1_130), new(1_140)], [1, 1, 1, 0]);
    assert_eq!([new(4_999), new(5_000)], [0, 0]);
}

#[test]
fn a_block_ends_although_nobody_writes_the_list() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("192.0.2.1", 1_100)]);
    let api = api(dir.path());
    assert_eq!(pull(&api, KEY, true, 1_099).0, ["192.0.2.1"]);
    assert_eq!(pull(&api, KEY, false, 1_100), (texts(&[]), texts(&["192.0.2.1"])));
    assert_eq!(ask(&api, KEY, "/v1/decisions", 1_100), (StatusCode::OK, Value::Null));
}

#[test]
fn whoever_was_released_while_the_server_was_down_is_released() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("192.0.2.1", 5_000)]);
    let by = r#"{"uid":0,"enforcer":"none"}"#;
    let line = |address: &str| {
        format!("{{\"time\":1,\"action\":\"added\",\"address\":\"{address}\",\"by\":{by},\"reason\":\"\"}}\n")
    };
    fs::write(dir.path().join(BLOCK_AUDIT), line("192.0.2.1") + &line("192.0.2.9") + "{\"torn\n").unwrap();
    // The server has started again: to it, the bouncer is a new one.
    let api = api(dir.path());
    assert_eq!(pull(&api, KEY, false, 1_000), (texts(&["192.0.2.1"]), texts(&["192.0.2.9"])));
    assert_eq!(pull(&api, KEY, false, 1_010), (texts(&[]), texts(&[])));
}

#[test]
fn whoever_is_allowed_is_in_no_decision() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("192.0.2.1", 5_000), ("198.51.100.7", 5_000)]);
    let api = api(dir.path());
    assert_eq!(pull(&api, KEY, true, 1_000).0, ["192.0.2.1"]);
    let (_, body) = ask(&api, KEY, "/v1/decisions", 1_000);
    assert!(!body.to_string().contains("198.51.100.7"), "{body}");
    assert_eq!(ask(&api, KEY, "/v1/decisions?ip=198.51.100.7", 1_000).1, Value::Null);
}

#[test]
fn a_question_about_an_address_is_answered_with_its_decision() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("192.0.2.1", 4_600)]);
    let api = api(dir.path());
    let (status, body) = ask(&api, KEY, "/v1/decisions?ip=192.0.2.1", 1_000);
    assert_eq!((status, body[0]["duration"].as_str()), (StatusCode::OK, Some("1h0m0s")));
    assert_eq!(ask(&api, KEY, "/v1/decisions?ip=192.0.2.2", 1_000), (StatusCode::OK, Value::Null));
    let (status, body) = ask(&api, KEY, "/v1/decisions?ip=nobody.example", 1_000);
    assert_eq!((status, body["message"].as_str()), (StatusCode::BAD_REQUEST, Some("nobody.example is no address")));
}

#[test]
fn without_a_key_of_the_file_nothing_is_told() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("192.0.2.1", 5_000)]);
    let api = api(dir.path());
    for key in [None, Some(""), Some("0123456789abcdeg"), Some("firewall")] {
        for path in ["/v1/decisions", "/v1/decisions/stream"] {
            let (status, body) =
                api.answer(&Question { method: &Method::GET, path, query: "startup=true", key, now: 1_000 });
            assert_eq!((status, body), (StatusCode::FORBIDDEN, json!({ "message": "access forbidden" })));
        }
    }
    let health = api.answer(&Question { method: &Method::GET, path: "/health", query: "", key: None, now: 0 });
    assert_eq!(health.0, StatusCode::OK);
}

#[test]
fn a_look_at_the_stream_is_no_pull_and_nothing_is_written_here() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("192.0.2.1", 5_000)]);
    let api = api(dir.path());
    let ask = |method: &Method, path| api.answer(&Question { method, path, query: "", key: Some(KEY), now: 1_000 }).0;
    assert_eq!(ask(&Method::HEAD, "/v1/decisions/stream"), StatusCode::OK);
    assert_eq!(pull(&api, KEY, false, 1_000).0, ["192.0.2.1"]);
    assert_eq!(ask(&Method::DELETE, "/v1/decisions"), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(ask(&Method::GET, "/v1/alerts"), StatusCode::NOT_FOUND);
}

#[test]
fn a_broken_list_releases_nobody() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &[("192.0.2.1", 5_000)]);
    let api = api(dir.path());
    assert_eq!(pull(&api, KEY, true, 1_000).0, ["192.0.2.1"]);
    fs::write(dir.path().join(BLOCKLIST), "{").unwrap();
    assert_eq!(pull(&api, KEY, false, 1_010), (texts(&[]), texts(&[])));
    assert!(api.trouble().unwrap().contains(BLOCKLIST) && api.trouble().is_none());
    write(dir.path(), &[]);
    assert_eq!(pull(&api, KEY, false, 1_020), (texts(&[]), texts(&["192.0.2.1"])));
}
