//! `weir block enforce` by a policy: what it makes, what it refuses, and that the end of a block is known.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use weir_artifact::{Draft, Seal};
use weir_contract::blocklist::{Basis, Detection, Evidence, FORMAT, LogSummary, Method, Suspect};
use weir_contract::files::DETECTION;

use crate::fixture::{Home, list};
use crate::server::{Reply, Request, Server, refusal};

/// A cluster with pods and policies; it keeps the one that is applied.
#[derive(Default)]
struct Policies {
    others: Vec<Value>,
    applied: Arc<Mutex<Option<Value>>>,
}

impl Policies {
    fn start(self) -> Server {
        Server::start(move |request| self.answer(request))
    }

    fn answer(&self, request: &Request) -> Reply {
        let mut applied = self.applied.lock().unwrap();
        let last = request.path.rsplit('/').next().unwrap();
        match (request.method.as_str(), last) {
            ("GET", "pods") => {
                list("PodList", "v1", &[json!({"metadata": {"name": "web-1", "labels": {"app": "web"}}})])
            }
            ("GET", "networkpolicies") => list("NetworkPolicyList", "networking.k8s.io/v1", &self.others),
            ("GET", "weir-blocklist") => match &*applied {
                Some(policy) => Reply::Json(200, policy.clone()),
                None => not_found(),
            },
            ("PATCH", "weir-blocklist") => {
                *applied = Some(request.body.clone());
                Reply::Json(200, request.body.clone())
            }
            ("DELETE", "weir-blocklist") => match applied.take() {
                Some(policy) => Reply::Json(200, policy),
                None => not_found(),
            },
            other => panic!("{other:?} {}", request.path),
        }
    }
}

fn not_found() -> Reply {
    let details = json!({"name": "weir-blocklist", "group": "networking.k8s.io", "kind": "networkpolicies"});
    refusal(404, "NotFound", "networkpolicies.networking.k8s.io \"weir-blocklist\" not found", details)
}

/// A home with a detection that lists these.
fn home(server: &Server, listed: &[&str]) -> Home {
    let home = Home::of(server);
    let last = now() - 5;
    let suspect = |address: &&str| Suspect {
        client: address.parse().unwrap(),
        basis: Basis::Group,
        evidence: Evidence { requests: 900, surplus: 890, first: last, last, ..Evidence::default() },
    };
    let detection = Detection {
        format: FORMAT,
        log: LogSummary::default(),
        method: Method::Robust,
        grouping: None,
        reason: "two groups".to_owned(),
        listed: listed.iter().map(suspect).collect(),
        spared: Vec::new(),
        top_clients: Vec::new(),
    };
    let draft = Draft::begin(home.dir.path().join("detection")).unwrap();
    draft.write_json(DETECTION, &detection).unwrap();
    let seal = Seal {
        stage: "block-detect".to_owned(),
        build: "test".to_owned(),
        inputs: BTreeMap::new(),
        parameters: json!({}),
        seed: None,
        rows: BTreeMap::new(),
    };
    draft.commit(seal).unwrap();
    home
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

const BLOCK: [&str; 9] = [
    "block",
    "--detection=detection",
    "--state=state",
    "--namespace=shop",
    "--selector=app=web",
    "--enforcer",
    "network-policy",
    "--set",
    "blocklist.block_seconds=600",
];

fn args<'a>(more: &[&'a str]) -> Vec<&'a str> {
    BLOCK.iter().copied().chain(more.iter().copied()).collect()
}

#[test]
fn a_dry_run_asks_and_changes_nothing() {
    let server = Policies::default().start();
    let output = home(&server, &["192.0.2.7"]).run(&args(&[])).ok();
    assert!(output.stdout.starts_with("block 192.0.2.7: 900 requests"), "{}", output.stdout);
    assert!(server.asked().iter().all(|request| request.method == "GET"), "{:#?}", server.asked());
}

#[test]
fn the_listed_are_left_out_of_who_may_come_in() {
    let policies = Policies::default();
    let applied = Arc::clone(&policies.applied);
    let server = policies.start();
    home(&server, &["192.0.2.7", "2001:db8::7"]).run(&args(&["--apply"])).ok();
    let policy = applied.lock().unwrap().clone().unwrap();
    assert_eq!(policy["spec"]["ingress"][0]["from"][0]["ipBlock"]["except"], json!(["192.0.2.7/32"]));
    assert_eq!(policy["spec"]["ingress"][0]["from"][1]["ipBlock"]["except"], json!(["2001:db8::7/128"]));
    assert_eq!(server.request("PATCH", "weir-blocklist").query["fieldValidation"], "Strict");
    assert!(server.request("PATCH", "weir-blocklist").path.contains("/namespaces/shop/"));

    // Another pod, without the state of the first: who is blocked is known from the policy.
    let second = home(&server, &["198.51.100.9"]).run(&args(&["--apply=true"])).ok();
    assert!(second.stdout.contains("take over 192.0.2.7"), "{}", second.stdout);
    let policy = applied.lock().unwrap().clone().unwrap();
    let both = json!(["192.0.2.7/32", "198.51.100.9/32"]);
    assert_eq!(policy["spec"]["ingress"][0]["from"][0]["ipBlock"]["except"], both);
}

const UNBLOCK: [&str; 7] =
    ["unblock", "192.0.2.7", "--state=state", "--namespace=shop", "--selector=app=web", "--enforcer", "network-policy"];

#[test]
fn whom_a_person_let_in_the_next_run_does_not_block_again() {
    let policies = Policies::default();
    let applied = Arc::clone(&policies.applied);
    let server = policies.start();
    let home = home(&server, &["192.0.2.7", "198.51.100.9"]);
    home.run(&args(&["--apply"])).ok();
    assert_eq!(home.run(&UNBLOCK).ok().stdout, "let in 192.0.2.7\n");
    let kept_out =
        || applied.lock().unwrap().clone().unwrap()["spec"]["ingress"][0]["from"][0]["ipBlock"]["except"].clone();
    assert_eq!(kept_out(), json!(["198.51.100.9/32"]));
    let next = home.run(&args(&["--apply"])).ok();
    assert!(next.stdout.contains("leave 192.0.2.7: nothing new"), "{}", next.stdout);
    assert_eq!(kept_out(), json!(["198.51.100.9/32"]));
}

#[test]
fn a_person_who_did_not_ask_the_policy_is_told_so_and_the_next_run_asks_it() {
    let policies = Policies::default();
    let applied = Arc::clone(&policies.applied);
    let server = policies.start();
    let home = home(&server, &["192.0.2.7"]);
    home.run(&args(&["--apply"])).ok();
    let removal = home.run(&["unblock", "192.0.2.7", "--state=state", "--enforcer", "none"]).ok();
    let command = "weir block remove 192.0.2.7 --enforcer network-policy --state state";
    assert!(removal.stderr.contains(command), "{}", removal.stderr);
    assert!(applied.lock().unwrap().is_some());
    let next = home.run(&args(&["--apply"])).ok();
    assert!(next.stdout.contains("let in 192.0.2.7, as a person did"), "{}", next.stdout);
    assert_eq!(*applied.lock().unwrap(), None);
}

#[test]
fn a_second_try_of_a_step_tells_what_the_first_did() {
    let server = Policies::default().start();
    let home = home(&server, &["192.0.2.7"]);
    let outcome =
        || -> Value { serde_json::from_slice(&std::fs::read(home.dir.path().join("outcome.json")).unwrap()).unwrap() };
    let added = |outcome: Value| outcome["added"].as_array().unwrap().len();
    for _ in 0..2 {
        home.run(&args(&["--apply", "--run=one", "--outcome=outcome.json"])).ok();
        assert_eq!(added(outcome()), 1);
    }
    home.run(&args(&["--apply", "--run=another", "--outcome=outcome.json"])).ok();
    assert_eq!(added(outcome()), 0);
}

#[test]
fn a_block_that_is_over_ends_with_the_next_run_and_the_last_takes_the_policy_along() {
    let policies = Policies::default();
    let applied = Arc::clone(&policies.applied);
    let server = policies.start();
    home(&server, &["192.0.2.7"]).run(&args(&["--apply"])).ok();
    // As if it were later.
    let text = applied.lock().unwrap().clone().unwrap().to_string();
    let blocked: Value = serde_json::from_str(
        serde_json::from_str::<Value>(&text).unwrap()["metadata"]["annotations"]["weir/blocked"].as_str().unwrap(),
    )
    .unwrap();
    let until = blocked[0]["until"].as_i64().unwrap();
    assert!((until - now() - 600).abs() < 60, "{until}");
    let over = text.replace(&until.to_string(), &(now() - 1).to_string());
    *applied.lock().unwrap() = Some(serde_json::from_str(&over).unwrap());
    home(&server, &[]).run(&args(&["--apply"])).ok();
    assert_eq!(*applied.lock().unwrap(), None);
}

#[test]
fn of_more_than_a_policy_can_name_those_with_the_strongest_evidence_are_kept_out() {
    let policies = Policies::default();
    let applied = Arc::clone(&policies.applied);
    let server = policies.start();
    // The strongest first.
    let all: Vec<String> = (0..3_010).rev().map(|each| format!("198.51.{}.{}", each / 256, each % 256)).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let output = home(&server, &all).run(&args(&["--apply"])).ok();
    assert!(output.stderr.contains("10 that are listed are left out"), "{}", output.stderr);
    let policy = applied.lock().unwrap().clone().unwrap();
    let except = policy["spec"]["ingress"][0]["from"][0]["ipBlock"]["except"].as_array().unwrap().clone();
    assert_eq!((except.len(), &except[0]), (3_000, &json!("198.51.0.10/32")));
}

#[test]
fn beside_another_policy_of_the_same_pods_nobody_is_blocked() {
    let others =
        vec![json!({"metadata": {"name": "default-deny"}, "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}})];
    let policies = Policies { others, ..Policies::default() };
    let applied = Arc::clone(&policies.applied);
    let server = policies.start();
    let output = home(&server, &["192.0.2.7"]).run(&args(&["--apply"]));
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("default-deny in namespace shop says who may reach app=web"), "{}", output.stderr);
    assert_eq!(*applied.lock().unwrap(), None);
}

#[test]
fn a_policy_that_somebody_changed_is_not_overwritten() {
    let policies = Policies::default();
    let applied = Arc::clone(&policies.applied);
    let foreign =
        json!({"metadata": {"name": "weir-blocklist"}, "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}});
    *applied.lock().unwrap() = Some(foreign.clone());
    let server = policies.start();
    let output = home(&server, &["192.0.2.7"]).run(&args(&["--apply"]));
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    assert!(output.stderr.contains("is not as weir left it"), "{}", output.stderr);
    assert_eq!(*applied.lock().unwrap(), Some(foreign));
}

#[test]
fn without_pods_to_protect_nothing_is_asked() {
    let server = Policies::default().start();
    let output = home(&server, &["192.0.2.7"]).run(&["block", "--detection=detection", "--enforcer=cilium"]);
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("--selector"), "{}", output.stderr);
    assert!(server.asked().is_empty());
}
