//! Runs as Argo reports them, and the commands as their user starts them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use weir_testkit::Output;

use crate::server::{Piece, Reply, Request, Server, refusal};

pub(crate) const RUN: &str = "weir-x7k2p";

/// The program with the commands, which cargo builds beside the tests.
pub(crate) fn commands() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join("examples/commands");
    assert!(path.exists(), "{} is built by `cargo test -p weir-cluster`", path.display());
    path
}

/// A home directory with a kubeconfig for a server.
pub(crate) struct Home {
    pub(crate) dir: TempDir,
}

impl Home {
    pub(crate) fn of(server: &Server) -> Self {
        let cluster = json!({"server": server.url});
        Self::with(&cluster, &json!({}))
    }

    pub(crate) fn with(cluster: &Value, user: &Value) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [{"name": "here", "cluster": cluster}],
            "users": [{"name": "me", "user": user}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        });
        // JSON is YAML.
        std::fs::write(dir.path().join("config"), config.to_string()).unwrap();
        Self { dir }
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(commands());
        command.args(args).arg("--kubeconfig").arg(self.dir.path().join("config"));
        command.env_clear().env("HOME", self.dir.path()).current_dir(self.dir.path());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        let output = self.command(args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Output { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// Runs a command against a server, and holds what it asked against the permissions in the README.
pub(crate) fn run(server: &Server, args: &[&str]) -> Output {
    let output = Home::of(server).run(args);
    let permitted = permissions();
    for request in server.asked() {
        if let Some(asked) = permission(&request) {
            assert!(permitted.contains(&asked), "README.md does not list {asked:?}");
        }
    }
    output
}

/// (resource, verb) of the README's table.
pub(crate) fn permissions() -> BTreeSet<(String, String)> {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| `")).filter_map(|row| row.split_once("` | "));
    let mut permissions = BTreeSet::new();
    for (resource, rest) in rows {
        let verbs = rest.split(" | ").next().unwrap();
        permissions.extend(verbs.split(", ").map(|verb| (resource.to_owned(), verb.to_owned())));
    }
    assert!(permissions.len() > 15, "the table of README.md was not found");
    permissions
}

/// What RBAC calls a request; none for what everybody may read.
fn permission(request: &Request) -> Option<(String, String)> {
    let parts: Vec<&str> = request.path.trim_matches('/').split('/').collect();
    let (group, rest) = match parts.as_slice() {
        ["api", "v1", "namespaces", _, rest @ ..] => ("", rest),
        ["apis", group, _, "namespaces", _, rest @ ..] => (*group, rest),
        ["openapi", ..] => return None,
        other => panic!("{other:?} is no path of a namespace"),
    };
    let (resource, name) = match rest {
        [resource] => ((*resource).to_owned(), None),
        [resource, name] => ((*resource).to_owned(), Some(name)),
        [resource, name, sub, ..] => (format!("{resource}/{sub}"), Some(name)),
        [] => panic!("{} names no resource", request.path),
    };
    let verb = match (request.method.as_str(), name) {
        ("GET", None) if request.query.contains_key("watch") => "watch",
        ("GET", None) => "list",
        ("GET", Some(_)) => "get",
        ("POST", _) => "create",
        ("PATCH", _) => "patch",
        ("DELETE", _) => "delete",
        other => panic!("{other:?} is not expected"),
    };
    let resource = if group.is_empty() { resource } else { format!("{resource}.{group}") };
    Some((resource, verb.to_owned()))
}

/// A step as Argo reports it.
pub(crate) fn step(task: &str, phase: &str) -> Value {
    let id = format!(
        "{RUN}-{}",
        task.bytes().map(u32::from).fold(7, |hash: u32, byte| hash.wrapping_mul(31).wrapping_add(byte))
    );
    let ended = matches!(phase, "Succeeded" | "Failed" | "Error");
    json!({
        "id": id, "name": format!("{RUN}.{task}"), "displayName": task, "type": "Pod",
        "templateName": task.split('(').next().unwrap(), "phase": phase, "progress": if ended { "1/1" } else { "0/1" },
        "startedAt": "2026-11-21T10:00:00Z", "finishedAt": if ended { json!("2026-11-21T10:00:12Z") } else { Value::Null },
    })
}

/// `node` that ended so.
pub(crate) fn failed(task: &str, code: u8, message: &str) -> Value {
    let mut node = step(task, "Failed");
    node["message"] = json!(message);
    if code > 0 {
        node["outputs"] = json!({"exitCode": code.to_string()});
    }
    node
}

/// What tries again and again; around its attempts.
pub(crate) fn retry(task: &str, phase: &str, attempts: &[&Value]) -> Value {
    let mut node = step(task, phase);
    node["id"] = json!(format!("{RUN}-retry-{task}"));
    node["type"] = json!("Retry");
    node["children"] = attempts.iter().map(|attempt| attempt["id"].clone()).collect();
    node
}

/// A step with small results.
pub(crate) fn with_values(mut node: Value, values: &[(&str, &str)]) -> Value {
    let parameters = values.iter().map(|(name, value)| json!({"name": name, "value": value}));
    node["outputs"]["parameters"] = parameters.collect();
    node
}

/// The run in a phase with these steps, as version `version`.
pub(crate) fn workflow(version: u32, phase: &str, steps: &[Value]) -> Value {
    let nodes: serde_json::Map<String, Value> =
        steps.iter().map(|step| (step["id"].as_str().unwrap().to_owned(), step.clone())).collect();
    let ended = matches!(phase, "Succeeded" | "Failed" | "Error");
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
        "metadata": {"name": RUN, "namespace": "weir", "resourceVersion": version.to_string(), "uid": "u1",
            "creationTimestamp": "2026-11-21T09:59:58Z"},
        "spec": {"workflowTemplateRef": {"name": "weir"}},
        "status": {"phase": phase, "startedAt": "2026-11-21T10:00:00Z",
            "finishedAt": if ended { json!("2026-11-21T10:01:30Z") } else { Value::Null }, "progress": "1/2", "nodes": nodes},
    })
}

/// A pod of the run.
pub(crate) fn pod(node: &Value, status: Value) -> Value {
    let name = format!(
        "{RUN}-{}-{}",
        node["templateName"].as_str().unwrap(),
        node["id"].as_str().unwrap().rsplit('-').next().unwrap()
    );
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "weir", "resourceVersion": "5", "creationTimestamp": "2026-11-21T10:00:00Z",
            "labels": {"workflows.argoproj.io/workflow": RUN},
            "annotations": {"workflows.argoproj.io/node-id": node["id"], "workflows.argoproj.io/node-name": node["name"]}},
        "spec": {"containers": [{"name": "main", "image": "localhost:5000/weir-features:0.1.0"}]},
        "status": status,
    })
}

/// A cluster in which one run goes its way.
#[derive(Default)]
pub(crate) struct World {
    /// What lists of the run give, one after the other; the last again and again.
    pub(crate) lists: Vec<Value>,
    /// What watches of it give, one after the other, an error for an empty one; then nothing more comes.
    pub(crate) watches: Mutex<Vec<Vec<Piece>>>,
    pub(crate) pods: Vec<Value>,
    /// What every program writes.
    pub(crate) log: &'static str,
    pub(crate) listed: AtomicUsize,
    /// Whether the pods are watched, so that those of the list before are known.
    pub(crate) pods_watched: AtomicBool,
}

impl World {
    pub(crate) fn new(first: Value, watches: Vec<Vec<Piece>>) -> Self {
        Self { lists: vec![first], watches: Mutex::new(watches), ..Self::default() }
    }

    pub(crate) fn start(self) -> Server {
        Server::start(move |request| self.answer(request))
    }

    pub(crate) fn answer(&self, request: &Request) -> Reply {
        let last = request.path.rsplit('/').next().unwrap();
        let watch = request.query.contains_key("watch");
        match (request.method.as_str(), last) {
            ("PATCH", "weir") => Reply::Json(200, request.body.clone()),
            ("POST", "workflows") => Reply::Json(201, self.lists[0].clone()),
            ("GET", "workflows") if watch => {
                self.wait_for_pods();
                let mut watches = self.watches.lock().unwrap();
                match if watches.is_empty() { vec![Piece::Hold] } else { watches.remove(0) } {
                    none if none.is_empty() => refusal(503, "ServiceUnavailable", "the server is starting", json!({})),
                    pieces => Reply::Stream(pieces),
                }
            }
            ("GET", "workflows") => {
                let index = self.listed.fetch_add(1, Ordering::SeqCst).min(self.lists.len() - 1);
                list("WorkflowList", "argoproj.io/v1alpha1", &self.lists[index..=index])
            }
            ("GET", RUN) => Reply::Json(200, self.lists.last().unwrap().clone()),
            ("PATCH", RUN) => Reply::Json(200, self.lists[0].clone()),
            ("GET", "pods") if watch => {
                self.pods_watched.store(true, Ordering::SeqCst);
                Reply::Stream(vec![Piece::Hold])
            }
            ("GET", "pods") => list("PodList", "v1", &self.pods),
            ("GET", "log") => Reply::Text(200, self.log.to_owned()),
            other => panic!("{other:?} {}", request.path),
        }
    }

    /// The run goes on once its pods are known, so that tests that tell of both do not race.
    fn wait_for_pods(&self) {
        for _ in 0..1000 {
            if self.pods.is_empty() || self.pods_watched.load(Ordering::SeqCst) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

pub(crate) fn list(kind: &str, version: &str, items: &[Value]) -> Reply {
    Reply::Json(200, json!({"kind": kind, "apiVersion": version, "metadata": {"resourceVersion": "1"}, "items": items}))
}

/// News of a watch.
pub(crate) fn news(object: Value) -> Piece {
    Piece::Event("MODIFIED", object)
}
