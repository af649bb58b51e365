//! Argo's schema does not see a reference that leads nowhere; its controller does, in the middle of a run.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use weir_pipeline::argo::{Artifacts, NAME};

use crate::{Form, forms, list, names, tasks, text, usual};

#[test]
fn every_reference_leads_somewhere() {
    for form in forms() {
        let parameters: BTreeSet<&str> = names(&form.spec()["arguments"]["parameters"]).into_iter().collect();
        for template in form.templates() {
            let at = text(&template["name"]);
            let inputs = names(&template["inputs"]["parameters"]);
            for tag in tags(template) {
                let known = match tag.split('.').collect::<Vec<_>>()[..] {
                    ["workflow", "parameters", name] => parameters.contains(name),
                    ["workflow", "name"] => true,
                    ["workflow", "status" | "failures" | "duration"] => form.spec()["onExit"] == at,
                    ["inputs", "parameters", name] => inputs.contains(&name),
                    ["inputs", "artifacts", name] => names(&template["inputs"]["artifacts"]).contains(&name),
                    // Of a task: looked at with its task.
                    ["tasks", ..] | ["item", ..] => !tasks(template).is_empty(),
                    _ => expression_is_known(&tag, &parameters),
                };
                assert!(known, "{at} refers to {{{{{tag}}}}}");
            }
        }
    }
}

#[test]
fn every_task_calls_a_template_with_what_it_takes() {
    for form in forms() {
        for template in form.templates() {
            for task in tasks(template) {
                let called = form.template(text(&task["template"]));
                let given = &task["arguments"];
                assert_eq!(names(&given["parameters"]), names(&called["inputs"]["parameters"]), "{task}");
                let others =
                    list(&called["inputs"]["artifacts"]).iter().filter(|artifact| artifact.get("s3").is_none());
                let wanted: Vec<&str> = others.map(|artifact| text(&artifact["name"])).collect();
                assert_eq!(names(&given["artifacts"]), wanted, "{task}");
            }
        }
    }
}

#[test]
fn tasks_refer_to_results_of_tasks_before_them() {
    for form in forms() {
        for template in form.templates() {
            let before = ancestors(template);
            for task in tasks(template) {
                let name = text(&task["name"]);
                for tag in tags(task) {
                    for (from, result) in results(&tag) {
                        assert!(before[name].contains(from), "{name} does not wait for {from}");
                        assert!(has_result(&form, template, from, result), "{from} has no {result}");
                    }
                    if let Some(member) = tag.strip_prefix("item") {
                        assert!(item_has(&form, task, member), "{name} has no {tag}");
                    }
                }
            }
            let own = list(&template["outputs"]["parameters"]).iter().filter(|_| !tasks(template).is_empty());
            for output in own {
                let from = &output["valueFrom"];
                let source = from["expression"].as_str().or(from["parameter"].as_str()).expect("a source");
                let found = results(source);
                assert!(!found.is_empty(), "{output}");
                for (from, result) in found {
                    assert!(has_result(&form, template, from, result), "{output}");
                }
            }
        }
    }
}

#[test]
fn what_a_template_takes_another_has_written() {
    let form = usual(Artifacts::S3);
    let mut written: Vec<String> = Vec::new();
    let mut taken: Vec<String> = Vec::new();
    follow(&form, NAME, &BTreeMap::new(), &mut written, &mut taken);
    let trials: Vec<Value> = serde_json::from_str(form.parameter("trials")).unwrap();
    let of_trial = |key: &String, trial: &Value| {
        let fill = |key: String, name: &str| key.replace(&format!("{{{{item.{name}}}}}"), text(&trial[name]));
        fill(fill(key.clone(), "representation"), "model")
    };
    let of_trials: BTreeSet<String> =
        written.iter().flat_map(|key| trials.iter().map(move |trial| of_trial(key, trial))).collect();
    let there = |key: &str| of_trials.iter().any(|found| found == key || found.starts_with(&format!("{key}/")));
    let all_there = |key: &String| trials.iter().all(|trial| there(&of_trial(key, trial)));
    let missing: Vec<&String> = taken.iter().filter(|key| !all_there(key)).collect();
    assert!(missing.is_empty(), "{missing:?} of {written:#?}");
    // Features and trials, each whole or as plan, pieces and what gathers them; selection, package, validation.
    assert_eq!(written.len(), 4 + 4 + 3, "{written:#?}");
    let keys: BTreeSet<&String> = written.iter().collect();
    assert_eq!(keys.len(), 3 + 3 + 3, "both ways lead to the same features and trials: {written:#?}");
    let around = |outer: &&String| keys.iter().any(|inner| inner.starts_with(&format!("{outer}/")));
    assert_eq!(keys.iter().find(|outer| around(outer)), None, "one artifact inside another: {keys:#?}");
}

/// Collects the keys of all artifacts below `name`, with the values that the tasks around give.
fn follow(
    form: &Form,
    name: &str,
    values: &BTreeMap<String, String>,
    written: &mut Vec<String>,
    taken: &mut Vec<String>,
) {
    let template = form.template(name);
    let fill = |text: &str| {
        values.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{{inputs.parameters.{name}}}}}"), value)
        })
    };
    let keys = |group: &str| {
        let artifacts = list(&template[group]["artifacts"]).iter();
        artifacts.filter_map(|artifact| artifact["s3"]["key"].as_str()).map(fill).collect::<Vec<_>>()
    };
    written.extend(keys("outputs"));
    taken.extend(keys("inputs"));
    for task in tasks(template) {
        let given = list(&task["arguments"]["parameters"]).iter();
        let given = given.map(|given| (text(&given["name"]).to_owned(), fill(text(&given["value"])))).collect();
        follow(form, text(&task["template"]), &given, written, taken);
    }
}

/// The names of the tasks that each task waits for, and those that these wait for.
pub(crate) fn ancestors(template: &Value) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut before: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for task in tasks(template) {
        let depends = task["depends"].as_str().unwrap_or_default();
        let mut all = BTreeSet::new();
        for name in depends.split(" && ").filter(|name| !name.is_empty()) {
            let name = name.split('.').next().unwrap_or_default();
            all.insert(name);
            all.extend(before.get(name).unwrap_or_else(|| panic!("{name} comes later or not at all")));
        }
        before.insert(text(&task["name"]), all);
    }
    before
}

/// What stands between braces in any text of `value`, without the `=` of expressions.
fn tags(value: &Value) -> BTreeSet<String> {
    let text = value.to_string();
    let inside = |rest: &str| rest.split_once("}}").expect("braces close").0.trim_start_matches('=').to_owned();
    text.split("{{").skip(1).map(inside).collect()
}

/// `tasks.FROM.outputs.parameters.RESULT` in an expression or a reference.
fn results(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for rest in text.split("tasks.").skip(1) {
        let Some((from, rest)) = rest.split_once('.') else { continue };
        let Some(rest) = rest.strip_prefix("outputs.parameters.") else { continue };
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '-')).unwrap_or(rest.len());
        found.push((from, &rest[..end]));
    }
    found
}

fn has_result(form: &Form, template: &Value, task: &str, result: &str) -> bool {
    let task = tasks(template).iter().find(|found| found["name"] == task).expect(task);
    names(&form.template(text(&task["template"]))["outputs"]["parameters"]).contains(&result)
}

/// Whether each item that `task` runs for has `member`, such as `.model`.
fn item_has(form: &Form, task: &Value, member: &str) -> bool {
    match (task["withParam"].as_str(), member.strip_prefix('.')) {
        (Some(_), Some(member)) => {
            let items: Vec<Value> = serde_json::from_str(form.parameter("trials")).unwrap();
            items.iter().all(|item| item[member].is_string())
        }
        (None, None) => task.get("withSequence").is_some(),
        _ => false,
    }
}

/// Whether an expression is a condition, a digest of what there is, and the run's id otherwise. Argo 3.6 cuts an expression
/// in two at its first `?`, so there is one.
fn expression_is_known(expression: &str, parameters: &BTreeSet<&str>) -> bool {
    let Some((condition, rest)) = expression.split_once(" ? ") else { return false };
    let values = rest.strip_prefix("sprig.sha256sum(toJson([").and_then(|rest| rest.strip_suffix("])) : workflow.uid"));
    let known = |value: &str| match value.strip_prefix("workflow.parameters['").and_then(|rest| rest.strip_suffix("']"))
    {
        Some(name) => parameters.contains(name),
        None => !results(value).is_empty(),
    };
    let condition_is_known = match condition.strip_prefix("'sha256sum' in sprig") {
        Some("") => true,
        Some(more) => more.strip_prefix(" and ").and_then(|more| more.strip_suffix(" != ''")).is_some_and(known),
        None => false,
    };
    condition_is_known && !rest.contains('?') && values.is_some_and(|values| values.split(", ").all(known))
}
