//! Who may use whom. The table below is the one of `crates/README.md`; cargo says what is the case.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Every crate with its level: it uses only crates of a lower level. Level 3 is the stages.
const LEVELS: [(&str, u8); 28] = [
    ("weir-contract", 0),
    ("weir-transform", 1),
    ("weir-models", 1),
    ("weir-artifact", 1),
    ("weir-stage", 1),
    ("weir-report", 1),
    ("weir-pipeline", 1),
    ("weir-http", 1),
    ("weir-decompress", 1),
    ("weir-flows", 2),
    ("weir-accesslog", 2),
    ("weir-tables", 2),
    ("weir-audit", 2),
    ("weir-store", 2),
    ("weir-bundle", 2),
    ("weir-expectations", 2),
    ("weir-simulate", 2),
    ("weir-fetch", 2),
    ("weir-features", STAGE),
    ("weir-training", STAGE),
    ("weir-selection", STAGE),
    ("weir-packaging", STAGE),
    ("weir-blocklist", STAGE),
    ("weir-serving", 4),
    ("weir-monitor", 4),
    ("weir-cluster", 4),
    ("weir", 5),
    (TESTKIT, TEST),
];

const STAGE: u8 = 3;
/// For tests: nothing but a dev-dependency may name it.
const TESTKIT: &str = "weir-testkit";
const TEST: u8 = 9;

/// The crates that may name a costly dependency, in any kind of dependency.
const ONLY_IN: [(&str, &[&str]); 3] = [
    ("polars", &["weir-tables"]),
    ("kube", &["weir-cluster"]),
    (
        "clap",
        &[
            "weir-stage",
            "weir-fetch",
            "weir-features",
            "weir-training",
            "weir-selection",
            "weir-packaging",
            "weir-serving",
            "weir-blocklist",
            "weir-monitor",
            "weir-cluster",
            "weir",
        ],
    ),
];

/// Crates that polars must not reach, not even through others: a predictor is made of them.
const WITHOUT_POLARS: [&str; 14] = [
    "weir-accesslog",
    "weir-audit",
    "weir-blocklist",
    "weir-bundle",
    "weir-cluster",
    "weir-expectations",
    "weir-fetch",
    "weir-http",
    "weir-models",
    "weir-packaging",
    "weir-selection",
    "weir-serving",
    "weir-store",
    "weir-transform",
];

#[test]
fn every_crate_is_in_the_table_and_is_called_as_its_folder() {
    let folders: BTreeSet<String> = std::fs::read_dir(crates())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("Cargo.toml").exists())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    let table: BTreeSet<String> = LEVELS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(folders, table, "folders of crates/ (left) and the table of this test (right)");

    for member in members() {
        let folder = member.manifest.parent().and_then(Path::file_name).unwrap();
        assert_eq!(folder.to_str(), Some(member.name.as_str()), "a crate is called as its folder");
    }
}

#[test]
fn a_crate_uses_only_crates_of_a_lower_level() {
    let levels = BTreeMap::from(LEVELS);
    let mut wrong = Vec::new();
    for member in members() {
        for dependency in &member.dependencies {
            let (Some(own), Some(other)) = (levels.get(&*member.name), levels.get(&*dependency.name)) else { continue };
            // Tests may use what they like, but for stages other stages.
            let stages = *own == STAGE && *other == STAGE;
            if stages || !dependency.dev && own <= other {
                wrong.push(format!("{} (level {own}) uses {} (level {other})", member.name, dependency.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn costly_dependencies_stay_in_the_crates_made_for_them() {
    let mut wrong = Vec::new();
    for (costly, allowed) in ONLY_IN {
        for member in members() {
            let family =
                |name: &str| name == costly || name.strip_prefix(costly).is_some_and(|rest| rest.starts_with('-'));
            let named = member.dependencies.iter().any(|dependency| family(&dependency.name));
            if named && !allowed.contains(&member.name.as_str()) {
                wrong.push(format!("{} uses {costly}, which is for {}", member.name, allowed.join(", ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn polars_does_not_reach_the_crates_of_a_predictor() {
    let graph = Graph::read();
    // The walk works: polars does reach its own users.
    assert!(graph.path("weir-tables", "polars").is_some());
    let reached: Vec<String> =
        WITHOUT_POLARS.iter().filter_map(|name| graph.path(name, "polars")).map(|path| path.join(" -> ")).collect();
    assert!(reached.is_empty(), "{}", reached.join("\n"));
}

#[test]
fn every_direct_dependency_has_its_reason_in_the_readme() {
    let path = crates().join("README.md");
    // Without the file all of them are missing, and the message is the list to write.
    let readme = std::fs::read_to_string(&path).unwrap_or_default();
    let explained: BTreeSet<&str> = readme.lines().filter_map(row_name).collect();
    let own: BTreeSet<&str> = LEVELS.iter().map(|(name, _)| *name).collect();
    let members = members();
    let named = members.iter().flat_map(|member| &member.dependencies).map(|dependency| dependency.name.as_str());
    let missing: BTreeSet<&str> = named.filter(|name| !own.contains(name) && !explained.contains(name)).collect();
    assert!(missing.is_empty(), "{} has no row | `name` | for {missing:?}", path.display());
}

/// The name of a row that begins with `` | `name` | `` and goes on.
fn row_name(line: &str) -> Option<&str> {
    let (name, reason) = line.trim().strip_prefix("| `")?.split_once("` |")?;
    (!reason.trim_matches(['|', ' ']).is_empty()).then_some(name)
}

#[test]
fn a_row_counts_only_with_a_reason() {
    assert_eq!(row_name("| `serde` | what crosses a border is written with it |"), Some("serde"));
    assert_eq!(row_name("| `serde` | |"), None);
    assert_eq!(row_name("`serde` is used"), None);
}

/// A crate of the workspace, as its manifest describes it.
struct Member {
    name: String,
    manifest: PathBuf,
    dependencies: Vec<Dependency>,
}

struct Dependency {
    /// The package, also where the manifest renames it.
    name: String,
    dev: bool,
}

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn metadata(more: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--format-version", "1", "--offline"]).args(more).current_dir(crates());
    let output = command.output().unwrap();
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn members() -> Vec<Member> {
    let metadata = metadata(&["--no-deps"]);
    let dependency =
        |value: &Value| Dependency { name: text(&value["name"]), dev: value["kind"].as_str() == Some("dev") };
    let member = |package: &Value| Member {
        name: text(&package["name"]),
        manifest: PathBuf::from(text(&package["manifest_path"])),
        dependencies: list(&package["dependencies"]).iter().map(dependency).collect(),
    };
    list(&metadata["packages"]).iter().map(member).collect()
}

/// Which package is built from which others, without what only tests use.
struct Graph {
    names: BTreeMap<String, String>,
    uses: BTreeMap<String, Vec<String>>,
}

impl Graph {
    fn read() -> Self {
        // For this machine only: packages for other systems need not be here.
        let metadata = metadata(&["--filter-platform", "host-tuple"]);
        let package = |value: &Value| (text(&value["id"]), text(&value["name"]));
        let built = |dependency: &&Value| list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev");
        let node = |value: &Value| {
            let uses = list(&value["deps"]).iter().filter(built).map(|dependency| text(&dependency["pkg"]));
            (text(&value["id"]), uses.collect())
        };
        Self {
            names: list(&metadata["packages"]).iter().map(package).collect(),
            uses: list(&metadata["resolve"]["nodes"]).iter().map(node).collect(),
        }
    }

    /// A shortest way from one package to another, both included.
    fn path(&self, from: &str, to: &str) -> Option<Vec<&str>> {
        let start = self.names.iter().find(|(_, name)| *name == from).map(|(id, _)| id)?;
        let mut seen = BTreeSet::from([start]);
        let mut ways = vec![vec![start]];
        while !ways.is_empty() {
            let mut longer = Vec::new();
            for way in ways {
                for next in way.last().and_then(|&last| self.uses.get(last)).into_iter().flatten() {
                    if !seen.insert(next) {
                        continue;
                    }
                    let way = [way.as_slice(), &[next]].concat();
                    if self.names[next] == to {
                        return Some(way.iter().map(|&id| self.names[id].as_str()).collect());
                    }
                    longer.push(way);
                }
            }
            ways = longer;
        }
        None
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_else(|| panic!("expected a list, cargo says {value}"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("expected text, cargo says {value}")).to_owned()
}
