//! Programs are called as in a run on one machine.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use weir_pipeline::argo::{Artifacts, NAME};
use weir_pipeline::{Argument, Step};
use weir_pipeline::{PipelineSpec, STEPS, local};

use crate::references::ancestors;
use crate::{Form, list, tasks, text, usual};

#[test]
fn tasks_wait_for_the_steps_that_they_take_from() {
    let form = usual(Artifacts::S3);
    let graph = form.template(NAME);
    let before = ancestors(graph);
    for step in STEPS {
        let of_values = step.arguments.iter().filter_map(|argument| match argument {
            Argument::Value { of, .. } => Some(*of),
            _ => None,
        });
        let expected: BTreeSet<&str> = step.inputs.iter().map(|port| port.from).chain(of_values).collect();
        let task = tasks(graph).iter().find(|task| task["name"] == step.name).expect("a task for every step");
        let depends = task["depends"].as_str().unwrap_or_default();
        // Either way to the trials is the training step.
        let found = depends.split(" && ").map(|name| name.trim_end_matches(".Succeeded"));
        let found = found.filter(|name| !name.is_empty() && *name != "training-in-shards");
        assert_eq!(found.collect::<BTreeSet<_>>(), expected, "{}", step.name);
        let waits_for_both = before[step.name].contains("training") == before[step.name].contains("training-in-shards");
        assert!(waits_for_both, "{}", step.name);
    }
    let own = |name: &str| tasks(graph).iter().find(|task| task["name"] == name).unwrap()["depends"].clone();
    assert_eq!(own("training"), own("training-in-shards"));
}

#[test]
fn calls_are_those_of_a_run_on_one_machine() {
    let spec = PipelineSpec::default();
    let calls =
        local::calls(&spec.dag().unwrap(), &local::defaults(&spec, "1.2.3"), |output| format!("/weir/run/{output}"));
    let form = usual(Artifacts::S3);
    let mut seen = 0;
    for call in calls {
        let (step, trial) =
            call.id.split_once('/').map_or((call.id.as_str(), None), |(step, trial)| (step, Some(trial)));
        let item = trial.and_then(|trial| trial.split_once('-'));
        let inputs = item.map(|(representation, model)| [("representation", representation), ("model", model)]);
        let found = command(&form, step, &inputs.into_iter().flatten().collect());
        // A directory of trials stands for those in it.
        let mut expected: Vec<&str> = Vec::new();
        for argument in &call.command {
            let argument = match argument.strip_prefix("/weir/run/trials/") {
                Some(_) if trial.is_none() => "/weir/run/trials",
                _ => argument,
            };
            if argument != "/weir/run/trials" || expected.last() != Some(&argument) {
                expected.push(argument);
            }
        }
        expected.extend(["--values", "/tmp/values"]);
        assert_eq!(found, expected, "{}", call.id);
        seen += 1;
    }
    assert_eq!(seen, 1 + 8 + 2);
}

#[test]
fn a_bundle_is_deployed_from_where_packaging_put_it() {
    for (artifacts, features) in [(Artifacts::S3, "/weir/run/features"), (Artifacts::Volume, "/weir/features/F")] {
        let form = usual(artifacts);
        let inputs = [("packaging-bundle", "B"), ("deploy-endpoint", "http://E"), ("features-key", "F")].into();
        let uri = format!("{}/runs/{{{{workflow.name}}}}/package/bundle", form.parameter("storage-uri"));
        let deploy = ["/weir-cluster", "deploy", "--name", "weir", "--bundle-uri", &uri, "--expect", "B"];
        assert_eq!(command(&form, "deploy", &inputs)[..8], deploy);
        let validate = command(&form, "validation", &inputs).join(" ");
        let expected = format!("/weir-monitor validate --endpoint http://E --model weir --features {features} ");
        assert!(validate.starts_with(&expected), "{validate}");
    }
    let form = usual(Artifacts::S3);
    let key = &form.template("packaging")["outputs"]["artifacts"][0]["s3"]["key"];
    assert_eq!(key, "runs/{{workflow.name}}/package");
}

#[test]
fn divided_steps_are_called_as_they_say() {
    for artifacts in [Artifacts::S3, Artifacts::Volume] {
        let form = usual(artifacts);
        for step in STEPS {
            let Some(divided) = step.divided else { continue };
            for arguments in [divided.plan, divided.piece, divided.gather] {
                let Argument::Text(verb) = arguments[0] else { panic!("no subcommand") };
                let template = form.template(&format!("{}-{verb}", step.name));
                let found = list(&template["container"]["args"]).iter().map(text);
                let found: Vec<&str> =
                    found.filter(|argument| !matches!(*argument, "--values" | "/tmp/values")).collect();
                assert_eq!(found.len(), arguments.len(), "{template}");
                for (found, argument) in found.into_iter().zip(arguments) {
                    assert!(is(step, *argument, found, &form), "{verb}: {found} for {argument:?}");
                }
            }
        }
    }
}

/// Whether `found` is what `argument` of a divided step means.
fn is(step: &Step, argument: Argument, found: &str, form: &Form) -> bool {
    let name = |name: &str| format!("{{{{workflow.parameters.{name}}}}}");
    match argument {
        Argument::Text(expected) => found == expected,
        Argument::Parameter(parameter) => found == name(parameter),
        Argument::Pieces => step.divided.is_some_and(|divided| found == name(divided.parameter)),
        Argument::Representation => found == "{{inputs.parameters.representation}}",
        Argument::Model => found == "{{inputs.parameters.model}}",
        Argument::Piece => found == "{{inputs.parameters.piece}}",
        Argument::PieceOutput => found.starts_with("/weir/") && found.ends_with("/{{inputs.parameters.piece}}"),
        _ => match form.options.artifacts {
            Artifacts::S3 => found.starts_with("/weir/") && !found.contains("-key"),
            Artifacts::Volume => found.starts_with("/weir/") && found.contains("{{"),
        },
    }
}

/// Program and arguments of the template `name`, with the default parameters and the given inputs.
fn command(form: &Form, name: &str, inputs: &BTreeMap<&str, &str>) -> Vec<String> {
    let container = &form.template(name)["container"];
    let words = list(&container["command"]).iter().chain(list(&container["args"]));
    words.map(|word: &Value| fill(form, text(word), inputs)).collect()
}

fn fill(form: &Form, word: &str, inputs: &BTreeMap<&str, &str>) -> String {
    let filled = inputs
        .iter()
        .fold(word.to_owned(), |word, (name, value)| word.replace(&format!("{{{{inputs.parameters.{name}}}}}"), value));
    weir_pipeline::PARAMETERS.iter().fold(filled, |word, parameter| {
        word.replace(&format!("{{{{workflow.parameters.{}}}}}", parameter.name), form.parameter(parameter.name))
    })
}
