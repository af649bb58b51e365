//! References in templates: `{{workflow.parameters.tag}}`, and what a template refers to.

use std::collections::BTreeSet;

use serde_json::Value;

/// The value of the workflow's parameter `name`.
pub(super) fn parameter(name: &str) -> String {
    format!("{{{{workflow.parameters.{name}}}}}")
}

/// The value of the template's own input parameter `name`.
pub(super) fn input(name: &str) -> String {
    format!("{{{{inputs.parameters.{name}}}}}")
}

/// The output parameter `name` of `task`.
pub(super) fn output(task: &str, name: &str) -> String {
    format!("{{{{tasks.{task}.outputs.parameters.{name}}}}}")
}

/// A digest of `values`, each as expressions have it, without braces: SHA-256 of their JSON list, in hexadecimal digits.
/// Where the value `known` is empty, or Argo lacks the function (its developers have once taken out most of sprig, and
/// mean to again), it is the run's own id: then what lies under it is of this run alone.
pub(super) fn digest(known: Option<&str>, values: &[String]) -> String {
    let known = known.map(|value| format!(" and {value} != ''")).unwrap_or_default();
    let values = values.join(", ");
    format!("{{{{='sha256sum' in sprig{known} ? sprig.sha256sum(toJson([{values}])) : workflow.uid}}}}")
}

/// The names of all input parameters that `template` refers to.
pub(super) fn inputs(template: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    texts(template, &mut |text| {
        for rest in text.split("{{inputs.parameters.").skip(1) {
            if let Some((name, _)) = rest.split_once("}}") {
                names.insert(name.to_owned());
            }
        }
    });
    names
}

fn texts(value: &Value, look: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => look(text),
        Value::Array(values) => values.iter().for_each(|value| texts(value, look)),
        Value::Object(members) => members.values().for_each(|value| texts(value, look)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
