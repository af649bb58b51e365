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

/// What an expression makes of its values: SHA-256, in hexadecimal digits, of their JSON list. An argument stands as in
/// expressions, without braces.
pub(super) fn digest(values: &[String]) -> String {
    format!("{{{{=sprig.sha256sum(toJson([{}]))}}}}", values.join(", "))
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
