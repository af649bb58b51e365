//! Tasks: where their inputs come from, when they run and how often they are tried.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::kfp::FLOWS_URI;
use crate::kfp::component::{artifact, definitions};
use crate::kfp::unit::{FLOWS, Link, Source, Unit, name};
use crate::step::{RETRIES, RETRY_SECONDS};

/// The task that holds the steps of the deployment.
pub(super) const DEPLOYMENT: &str = "deployment";
/// The parameter on which they depend.
pub(super) const CONDITION: &str = "deploy";

/// The task of `unit`.
pub(super) fn of(unit: &Unit) -> Value {
    within(unit, |_| true)
}

/// The task that imports flows.
pub(super) fn importer() -> Value {
    json!({
        "taskInfo": {"name": FLOWS},
        "componentRef": {"name": format!("comp-{FLOWS}")},
        "cachingOptions": {},
        "inputs": {"parameters": {"uri": {"componentInputParameter": FLOWS_URI}}},
    })
}

/// The graph of `units` as a component, and the task that runs it where [`CONDITION`] is `true`.
pub(super) fn deployment(units: &[Unit]) -> (Value, Value) {
    let inside = |task: &str| units.iter().any(|unit| unit.name == task);
    let mut given = Map::new();
    let mut parameters = Map::new();
    let mut artifacts = Map::new();
    let mut from = BTreeSet::new();
    parameters.insert(name(CONDITION), run(CONDITION));
    for unit in units {
        for parameter in unit.parameters() {
            match &parameter.source {
                Source::Run(of) => parameters.insert(name(of), run(of)),
                Source::Result { task, .. } if inside(task) => continue,
                Source::Result { task, value } => {
                    from.insert(task.clone());
                    parameters.insert(parameter.name.clone(), result(task, value))
                }
            };
        }
        for link in unit.inputs.iter().filter(|link| !inside(&link.from)) {
            from.insert(link.from.clone());
            given.insert(handed(link), artifact(link.schema));
            artifacts.insert(handed(link), produced(link));
        }
    }
    let text = |name: &String| (name.clone(), json!({"parameterType": "STRING"}));
    let tasks: Map<_, _> = units.iter().map(|unit| (unit.name.clone(), within(unit, inside))).collect();
    let group = json!({
        "dag": {"tasks": tasks},
        "inputDefinitions": definitions(parameters.keys().map(text).collect(), given),
    });
    let task = json!({
        "taskInfo": {"name": DEPLOYMENT},
        "componentRef": {"name": format!("comp-{DEPLOYMENT}")},
        "dependentTasks": from,
        "inputs": definitions(parameters, artifacts),
        "triggerPolicy": {"condition": format!("inputs.parameter_values['{}'] == 'true'", name(CONDITION))},
    });
    (group, task)
}

/// The task of `unit` in a graph that holds the tasks of which `inside` is true; everything else is handed to the graph
/// as an input of its own.
fn within(unit: &Unit, inside: impl Fn(&str) -> bool) -> Value {
    let mut from = BTreeSet::new();
    let mut parameters = Map::new();
    for parameter in unit.parameters() {
        let source = match &parameter.source {
            Source::Run(of) => run(of),
            Source::Result { task, value } if inside(task) => {
                from.insert(task.clone());
                result(task, value)
            }
            Source::Result { .. } => json!({"componentInputParameter": parameter.name}),
        };
        parameters.insert(parameter.name, source);
    }
    let mut artifacts = Map::new();
    for link in &unit.inputs {
        let source = if inside(&link.from) {
            from.insert(link.from.clone());
            produced(link)
        } else {
            json!({"componentInputArtifact": handed(link)})
        };
        artifacts.insert(link.name.clone(), source);
    }
    let mut task = json!({
        "taskInfo": {"name": unit.name},
        "componentRef": {"name": unit.component()},
        "cachingOptions": if unit.cached() { json!({"enableCache": true}) } else { json!({}) },
        "inputs": definitions(parameters, artifacts),
        "retryPolicy": {
            "maxRetryCount": RETRIES,
            "backoffDuration": format!("{RETRY_SECONDS}s"),
            "backoffFactor": 2.0,
            // A cluster counts it from the first try, the time of all tries included.
            "backoffMaxDuration": format!("{}s", (RETRIES + 1) * unit.step.timeout),
        },
    });
    if !from.is_empty() {
        task["dependentTasks"] = json!(from);
    }
    task
}

fn run(parameter: &str) -> Value {
    json!({"componentInputParameter": name(parameter)})
}

fn result(task: &str, value: &str) -> Value {
    json!({"taskOutputParameter": {"producerTask": task, "outputParameterKey": name(value)}})
}

fn produced(link: &Link) -> Value {
    json!({"taskOutputArtifact": {"producerTask": link.from, "outputArtifactKey": link.key}})
}

/// What a graph calls an artifact that it is handed.
fn handed(link: &Link) -> String {
    name(&format!("{}_{}", link.from, link.key))
}
