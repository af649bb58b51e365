//! Templates that run other templates: the graph, and divided steps.

use serde_json::{Value, json};

use super::place::{FEATURES_KEY, MODEL, PIECE, REPRESENTATION, TRIALS_KEY};
use super::template::{self, Part};
use super::{NAME, Options, reference};
use crate::definition::STEPS;
use crate::step::{Argument, Divided, Fan, Step};

/// All templates: the graph first, then each step's, then the exit handler.
pub(super) fn templates(options: Options) -> Vec<Value> {
    let mut templates = vec![graph(options)];
    for step in STEPS {
        templates.push(template::of_step(step, Part::Whole, options));
        if let Some(divided) = step.divided {
            templates.push(around(step, divided, options));
            templates.extend(Part::DIVIDED.map(|part| template::of_step(step, part, options)));
        }
    }
    templates.push(template::notify());
    templates
}

/// The graph of a run.
fn graph(options: Options) -> Value {
    let mut tasks = Vec::new();
    for step in STEPS {
        match (step.divided, step.fan) {
            (None, _) => tasks.push(task(step, step.name.to_owned(), template::name(step, Part::Whole), options)),
            // One task around both ways: its result is what later tasks refer to.
            (Some(_), Fan::Once) => tasks.push(task(step, step.name.to_owned(), name_around(step), options)),
            (Some(divided), Fan::Trials) => {
                let whole = task(step, step.name.to_owned(), template::name(step, Part::Whole), options);
                let pieces = task(step, name_around(step), name_around(step), options);
                tasks.push(when(whole, undivided(divided)));
                tasks.push(when(pieces, is_divided(divided)));
            }
        }
    }
    json!({
        "name": NAME,
        "inputs": { "artifacts": [{ "name": "flows", "optional": true }] },
        "dag": { "tasks": tasks },
    })
}

/// The task `name` of the graph for `step`, by the template `template`.
fn task(step: &Step, name: String, template: String, options: Options) -> Value {
    let called = template_of(step, &template, options);
    let mut task = json!({ "name": name, "template": template, "arguments": arguments(&called, bound) });
    let before = before(step);
    if !before.is_empty() {
        task["depends"] = json!(before.join(" && "));
    }
    if step.fan == Fan::Trials {
        task["withParam"] = json!(reference::parameter("trials"));
    }
    match step.deployment && !follows_deployment(step) {
        true => when(task, format!("{} == true", reference::parameter("deploy"))),
        false => task,
    }
}

/// The template of `step` that is called `name`: around its parts, or of the whole.
fn template_of(step: &Step, name: &str, options: Options) -> Value {
    match step.divided {
        Some(divided) if name == name_around(step) => around(step, divided, options),
        _ => template::of_step(step, Part::Whole, options),
    }
}

/// The template around the parts of a divided step: for a step that runs once also around the whole of it, so that later
/// steps see one result, whichever way it came about.
fn around(step: &Step, divided: Divided, options: Options) -> Value {
    let [plan, piece, gather] = Part::DIVIDED.map(|part| part_task(step, part, options));
    let plan = match step.fan {
        Fan::Once => when(plan, is_divided(divided)),
        Fan::Trials => plan,
    };
    let mut tasks = vec![plan, pieces(piece, step, divided), after(gather, step, Part::Piece)];
    let mut template = json!({ "name": name_around(step), "dag": { "tasks": [] } });
    let values = step.values.iter().map(|value| (value.name, template::verb(step, Part::Gather)));
    template["outputs"]["parameters"] = match step.fan {
        Fan::Once => {
            tasks.insert(0, when(part_task(step, Part::Whole, options), undivided(divided)));
            values.map(|(name, gather)| either(name, step.name, gather)).collect()
        }
        Fan::Trials => values
            .map(
                |(name, gather)| json!({ "name": name, "valueFrom": { "parameter": reference::output(gather, name) } }),
            )
            .collect(),
    };
    let reads_flows = step.arguments.contains(&Argument::Parameter("flows"));
    template["inputs"]["artifacts"] = match reads_flows {
        true => json!([{ "name": "flows", "optional": true }]),
        false => json!([]),
    };
    if options.memoize {
        template["memoize"] = template::memoize(&match step.fan {
            Fan::Once => format!("{}-{}", step.name, reference::input(FEATURES_KEY)),
            Fan::Trials => template::trial_memo(step),
        });
    }
    template["dag"]["tasks"] = Value::Array(tasks);
    template::declared(template)
}

/// The task of one part, which passes on what the template around it was given.
fn part_task(step: &Step, part: Part, options: Options) -> Value {
    let called = template::of_step(step, part, options);
    let name = match part {
        Part::Whole => step.name,
        _ => template::verb(step, part),
    };
    let value = |name: &str| match name {
        PIECE => "{{item}}".to_owned(),
        name => reference::input(name),
    };
    json!({ "name": name, "template": called["name"], "arguments": arguments(&called, value) })
}

/// The task of all pieces: one each for 0, 1, 2 ...
fn pieces(task: Value, step: &Step, divided: Divided) -> Value {
    let mut task = after(task, step, Part::Plan);
    task["withSequence"] = json!({ "count": reference::parameter(divided.parameter) });
    task
}

/// `task`, if and when the task of `part` has succeeded: one that was skipped has not.
fn after(mut task: Value, step: &Step, part: Part) -> Value {
    task["depends"] = json!(format!("{}.Succeeded", template::verb(step, part)));
    task
}

fn when(mut task: Value, condition: String) -> Value {
    task["when"] = json!(condition);
    task
}

/// The result `name` of the one of two tasks that ran.
fn either(name: &str, whole: &str, gather: &str) -> Value {
    let expression = format!(
        "tasks.{whole}.status == 'Succeeded' ? tasks.{whole}.outputs.parameters.{name} : \
         tasks.{gather}.outputs.parameters.{name}"
    );
    json!({ "name": name, "valueFrom": { "expression": expression } })
}

fn undivided(divided: Divided) -> String {
    format!("{} == 1", reference::parameter(divided.parameter))
}

fn is_divided(divided: Divided) -> String {
    format!("{} != 1", reference::parameter(divided.parameter))
}

/// Name of the template around the parts of `step`.
fn name_around(step: &Step) -> String {
    step.divided.map_or_else(|| step.name.to_owned(), |divided| format!("{}-in-{}", step.name, divided.parameter))
}

/// The tasks that `step` waits for: they have succeeded, or were skipped because another took their place. What follows
/// a step of the deployment is there only if that one has succeeded; a condition would come too late, since Argo 4.0
/// waits forever for the result of a step that was skipped.
fn before(step: &Step) -> Vec<String> {
    let mut names = Vec::new();
    for from in steps_before(step) {
        let name = match from.deployment {
            true => format!("{}.Succeeded", from.name),
            false => from.name.to_owned(),
        };
        let in_pieces = (from.divided.is_some() && from.fan == Fan::Trials).then(|| name_around(from));
        for name in std::iter::once(name).chain(in_pieces) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

fn follows_deployment(step: &Step) -> bool {
    steps_before(step).any(|before| before.deployment)
}

/// The steps that `step` takes artifacts or results from.
fn steps_before(step: &Step) -> impl Iterator<Item = &'static Step> {
    let results = step.arguments.iter().filter_map(|argument| match argument {
        Argument::Value { of, .. } => Some(*of),
        _ => None,
    });
    let names = step.inputs.iter().map(|port| port.from).chain(results);
    names.filter_map(|name| STEPS.iter().find(|step| step.name == name))
}

/// The arguments of a call of the template `called`: for each of its inputs what `value` says.
fn arguments(called: &Value, value: impl Fn(&str) -> String) -> Value {
    let list = |kind: &str| called["inputs"][kind].as_array().into_iter().flatten();
    let mut arguments = json!({});
    let parameters: Vec<Value> = list("parameters")
        .filter_map(|parameter| parameter["name"].as_str())
        .map(|name| json!({ "name": name, "value": value(name) }))
        .collect();
    if !parameters.is_empty() {
        arguments["parameters"] = Value::Array(parameters);
    }
    // Other artifacts have their keys.
    if list("artifacts").any(|artifact| artifact["name"] == "flows") {
        arguments["artifacts"] = json!([{ "name": "flows", "from": "{{inputs.artifacts.flows}}", "optional": true }]);
    }
    arguments
}

/// What the graph gives for the input parameter `name` of a task's template.
fn bound(name: &str) -> String {
    let parameter = |name: &str| format!("workflow.parameters['{name}']");
    match name {
        FEATURES_KEY => {
            let flows = parameter("flows-digest");
            let others = ["flows", "format", "feature-set", "params", "tag"].map(parameter);
            reference::digest(Some(&flows), &[vec![flows.clone()], others.to_vec()].concat())
        }
        TRIALS_KEY => {
            let features = "tasks.features.outputs.parameters.digest".to_owned();
            let others = ["params", "trials", "tag"].map(parameter);
            reference::digest(None, &[vec![features], others.to_vec()].concat())
        }
        REPRESENTATION => format!("{{{{item.{REPRESENTATION}}}}}"),
        MODEL => format!("{{{{item.{MODEL}}}}}"),
        name => {
            // `packaging-bundle` is the result `bundle` of the step `packaging`.
            let (step, value) = name.split_once('-').unwrap_or((name, name));
            reference::output(step, value)
        }
    }
}
