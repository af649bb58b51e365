//! The pipeline for Kubeflow, held against the definition, the graph and the calls of a local run.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use weir_contract::{Family, Representation};
use weir_pipeline::kfp::{FLOWS_URI, Flows, Options, pipeline};
use weir_pipeline::yaml::to_yaml;
use weir_pipeline::{DagError, PARAMETERS, PipelineSpec, RETRIES, STEPS, local};

fn options(flows: Flows) -> Options {
    Options { spec: PipelineSpec::default(), registry: "registry:5000/weir".to_owned(), tag: "1.2.3".to_owned(), flows }
}

fn rendered(flows: Flows) -> Value {
    pipeline(&options(flows)).unwrap()
}

fn both() -> [Value; 2] {
    [rendered(Flows::Path), rendered(Flows::Imported)]
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, member)| (name.as_str(), member))
}

fn names(value: &Value) -> BTreeSet<&str> {
    members(value).map(|(name, _)| name).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(text).collect()
}

fn tasks(ir: &Value) -> &Value {
    &ir["root"]["dag"]["tasks"]
}

/// The tasks of the whole pipeline, each with the component that it runs and the graph it is in.
fn all_tasks(ir: &Value) -> Vec<(&str, &Value, &Value, &Value)> {
    let mut all = Vec::new();
    for graph in [&ir["root"], &ir["components"]["comp-deployment"]] {
        for (name, task) in members(&graph["dag"]["tasks"]) {
            all.push((name, task, &ir["components"][text(&task["componentRef"]["name"])], graph));
        }
    }
    all
}

fn container<'a>(ir: &'a Value, component: &Value) -> &'a Value {
    // A graph has none.
    let executor = component["executorLabel"].as_str().unwrap_or_default();
    &ir["deploymentSpec"]["executors"][executor]["container"]
}

#[test]
fn tasks_wait_for_each_other_as_the_nodes_of_the_graph_do() {
    let dag = PipelineSpec::default().dag().unwrap();
    let ir = rendered(Flows::Path);
    let mut expected: BTreeMap<String, BTreeSet<String>> = dag
        .nodes()
        .iter()
        .map(|node| {
            let from = node.inputs.iter().map(|edge| edge.from.as_str().replace('/', "-"));
            (node.id.as_str().replace('/', "-"), from.collect())
        })
        .collect();
    expected.insert("deployment".to_owned(), ["features", "packaging"].map(str::to_owned).into());
    let found: BTreeMap<String, BTreeSet<String>> = members(tasks(&ir))
        .map(|(name, task)| (name.to_owned(), texts(&task["dependentTasks"]).into_iter().map(str::to_owned).collect()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_task_is_given_what_its_component_takes_and_of_the_same_type() {
    for ir in &both() {
        for (name, task, component, graph) in all_tasks(ir) {
            for side in ["parameters", "artifacts"] {
                let taken = &component["inputDefinitions"][side];
                assert_eq!(names(&task["inputs"][side]), names(taken), "{side} of {name}");
                for (input, source) in members(&task["inputs"][side]) {
                    assert_eq!(given(ir, task, graph, source), (taken[input].clone(), true), "{input} of {name}");
                }
            }
        }
    }
}

/// What `source` gives, without what is for people, and whether the task waits for it.
fn given(ir: &Value, task: &Value, graph: &Value, source: &Value) -> (Value, bool) {
    let (kind, of) = members(source).next().unwrap();
    let waits = |producer: &Value| texts(&task["dependentTasks"]).contains(&text(producer));
    let written = |producer: &Value| {
        let component = &graph["dag"]["tasks"][text(producer)]["componentRef"]["name"];
        ir["components"][text(component)]["outputDefinitions"].clone()
    };
    let (definition, ready) = match kind {
        "componentInputParameter" => (graph["inputDefinitions"]["parameters"][text(of)].clone(), true),
        "componentInputArtifact" => (graph["inputDefinitions"]["artifacts"][text(of)].clone(), true),
        "taskOutputParameter" => {
            let producer = &of["producerTask"];
            (written(producer)["parameters"][text(&of["outputParameterKey"])].clone(), waits(producer))
        }
        "taskOutputArtifact" => {
            let producer = &of["producerTask"];
            (written(producer)["artifacts"][text(&of["outputArtifactKey"])].clone(), waits(producer))
        }
        other => panic!("unknown source {other}"),
    };
    let typed = members(&definition).filter(|(name, _)| name.ends_with("Type"));
    (typed.map(|(name, value)| (name.to_owned(), value.clone())).collect(), ready)
}

#[test]
fn arguments_name_only_what_the_component_declares() {
    for ir in &both() {
        for (name, _, component, _) in all_tasks(ir) {
            for argument in texts(&container(ir, component)["args"]) {
                let Some(([side, kind, of], rest)) = placeholder(argument) else {
                    assert!(!argument.contains("{{$."), "{argument} of {name}");
                    continue;
                };
                let declared = &component[format!("{side}Definitions")][kind][of];
                assert!(declared.is_object(), "{argument} of {name}");
                assert!(!rest.contains("{{"), "{argument} of {name}");
            }
        }
    }
}

/// The parts of the placeholder that `argument` begins with, and the rest: `{{$.inputs.artifacts['x'].path}}/y` are
/// input, artifacts, x and `/y`.
fn placeholder(argument: &str) -> Option<([&str; 3], &str)> {
    let (inside, rest) = argument.strip_prefix("{{$.")?.split_once("}}")?;
    let (before, after) = inside.split_once("['")?;
    let (side, kind) = before.split_once('.')?;
    let (name, _) = after.split_once("']")?;
    Some(([side.trim_end_matches('s'), kind, name], rest))
}

#[test]
fn programs_are_called_as_by_a_local_run() {
    let spec = PipelineSpec::default();
    let dag = spec.dag().unwrap();
    let ir = rendered(Flows::Path);
    let values = local::defaults(&spec, "1.2.3");
    // The directory of an artifact is that of the task that writes it.
    let calls = local::calls(&dag, &values, str::to_owned);
    let directory: BTreeMap<String, &str> =
        calls.iter().map(|call| (call.id.replace('/', "-"), call.output.as_str())).collect();
    for call in &calls {
        let name = call.id.replace('/', "-");
        let task = &tasks(&ir)[&name];
        let container = container(&ir, &ir["components"][text(&task["componentRef"]["name"])]);
        let mut command = texts(&container["command"]).into_iter().map(str::to_owned).collect::<Vec<_>>();
        for argument in texts(&container["args"]) {
            command.push(match placeholder(argument) {
                Some((["input", "parameters", of], _)) => values[of.replace('_', "-").as_str()].concat(),
                Some((["input", "artifacts", of], _)) => {
                    let from = &task["inputs"]["artifacts"][of]["taskOutputArtifact"]["producerTask"];
                    directory[text(from)].to_owned()
                }
                Some((["output", "artifacts", "report"], _)) => "report.html".to_owned(),
                Some((["output", ..], _)) => call.output.clone(),
                _ => argument.to_owned(),
            });
        }
        let mut expected = call.command.clone();
        if name == "packaging" {
            expected.extend(["--report-file", "report.html"].map(str::to_owned));
        }
        expected.extend(["--executor-input", "{{$}}"].map(str::to_owned));
        assert_eq!(command, expected);
        assert_eq!(container["image"], format!("registry:5000/weir/{}:1.2.3", call.image));
    }
}

#[test]
fn deployment_waits_for_the_parameter_and_validation_for_the_endpoint() {
    let ir = rendered(Flows::Path);
    let condition = &tasks(&ir)["deployment"]["triggerPolicy"]["condition"];
    assert_eq!(condition, "inputs.parameter_values['deploy'] == 'true'");
    let graph = &ir["components"]["comp-deployment"]["dag"]["tasks"];
    assert_eq!(names(graph), ["deploy", "validation"].into());
    assert_eq!(
        graph["validation"]["inputs"]["parameters"]["deploy_endpoint"],
        json!({"taskOutputParameter": {"producerTask": "deploy", "outputParameterKey": "endpoint"}})
    );
    assert_eq!(
        container(&ir, &ir["components"]["comp-deploy"])["args"],
        json!([
            "deploy",
            "--name",
            "{{$.inputs.parameters['model_name']}}",
            "--bundle-uri",
            "{{$.inputs.artifacts['package'].uri}}/bundle",
            "--expect",
            "{{$.inputs.parameters['packaging_bundle']}}",
            "--executor-input",
            "{{$}}"
        ])
    );
}

#[test]
fn parameters_are_those_of_the_definition_with_their_defaults() {
    let ir = rendered(Flows::Path);
    let found = &ir["root"]["inputDefinitions"]["parameters"];
    let values = local::defaults(&PipelineSpec::default(), "1.2.3");
    let mut left_out = Vec::new();
    for parameter in PARAMETERS {
        let definition = &found[parameter.name.replace('-', "_")];
        if definition.is_null() {
            left_out.push(parameter.name);
            continue;
        }
        assert_eq!(definition["defaultValue"], values[parameter.name].concat(), "{}", parameter.name);
        assert!(text(&definition["description"]).starts_with(parameter.about), "{}", parameter.name);
    }
    // Fixed in the rendering, without a form in the IR, or the artifact's own URI.
    assert_eq!(left_out, ["flows-digest", "trials", "parts", "shards", "storage-uri", "registry", "tag"]);
    assert_eq!(names(found).len() + left_out.len(), PARAMETERS.len());
}

#[test]
fn imported_flows_take_the_place_of_the_path() {
    let ir = rendered(Flows::Imported);
    let parameters = &ir["root"]["inputDefinitions"]["parameters"];
    assert_eq!(parameters["flows"], Value::Null);
    assert_eq!(parameters[FLOWS_URI]["isOptional"], Value::Null);
    assert_eq!(
        tasks(&ir)["features"]["inputs"]["artifacts"]["flows"],
        json!({"taskOutputArtifact": {"producerTask": "flows", "outputArtifactKey": "artifact"}})
    );
    let arguments = texts(&container(&ir, &ir["components"]["comp-features"])["args"]);
    assert_eq!(arguments[..2], ["--data", "{{$.inputs.artifacts['flows'].path}}"]);
}

#[test]
fn steps_hand_over_their_small_results() {
    let ir = rendered(Flows::Path);
    for step in STEPS {
        let component = match step.name {
            "training" => &ir["components"]["comp-training-autoencoder-knn"],
            name => &ir["components"][format!("comp-{name}")],
        };
        let expected: BTreeSet<&str> = step.values.iter().map(|value| value.name).collect();
        assert_eq!(names(&component["outputDefinitions"]["parameters"]), expected, "{}", step.name);
    }
}

#[test]
fn what_is_drawn_has_a_type_that_is_drawn() {
    let ir = rendered(Flows::Path);
    let written = |component: &str| -> BTreeMap<String, String> {
        members(&ir["components"][component]["outputDefinitions"]["artifacts"])
            .map(|(name, of)| (name.to_owned(), text(&of["artifactType"]["schemaTitle"]).to_owned()))
            .collect()
    };
    let typed = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, schema)| ((*name).to_owned(), format!("system.{schema}"))).collect()
    };
    assert_eq!(written("comp-features"), typed(&[("features", "Dataset")]));
    let trial = [("trials", "Model"), ("metrics", "Metrics"), ("confusion_matrix", "ClassificationMetrics")];
    assert_eq!(written("comp-training-baseline-svc"), typed(&trial));
    assert_eq!(written("comp-selection"), typed(&[("selection", "Artifact"), ("metrics", "Metrics")]));
    assert_eq!(written("comp-packaging"), typed(&[("package", "Model"), ("report", "HTML")]));
    assert_eq!(written("comp-validation"), typed(&[("validation", "Artifact"), ("metrics", "Metrics")]));
}

// Kubeflow lists a prefix in the store to download an artifact: one name that begins with another would bring both.
#[test]
fn no_artifact_of_a_step_is_the_beginning_of_another() {
    let ir = rendered(Flows::Path);
    for (name, _, component, _) in all_tasks(&ir) {
        let artifacts = names(&component["outputDefinitions"]["artifacts"]);
        for one in &artifacts {
            assert!(artifacts.iter().all(|other| one == other || !other.starts_with(one)), "{one} of {name}");
        }
    }
}

#[test]
fn only_what_is_told_the_digest_of_its_input_is_cached() {
    for ir in &both() {
        for (name, task, _, _) in all_tasks(ir) {
            let cached = task["cachingOptions"]["enableCache"] == true;
            assert_eq!(cached, name.starts_with("training-"), "{name}");
            let digest = &task["inputs"]["parameters"]["features_digest"]["taskOutputParameter"];
            assert_eq!(cached, digest["outputParameterKey"] == "digest", "{name}");
        }
    }
}

#[test]
fn programs_are_tried_again_for_as_long_as_all_tries_may_take() {
    let ir = rendered(Flows::Path);
    for step in STEPS {
        let of_step = all_tasks(&ir).into_iter().filter(|(name, ..)| name.split('-').next() == Some(step.name));
        let policies: Vec<&Value> = of_step.map(|(_, task, ..)| &task["retryPolicy"]).collect();
        assert!(!policies.is_empty(), "{}", step.name);
        for policy in policies {
            assert_eq!(policy["maxRetryCount"], RETRIES);
            assert_eq!(policy["backoffMaxDuration"], format!("{}s", (RETRIES + 1) * step.timeout));
        }
    }
}

#[test]
fn both_forms_of_a_quantity_say_the_same() {
    let ir = rendered(Flows::Path);
    // 512 Mi and 2048 Mi in 10^9 bytes.
    assert_eq!(
        container(&ir, &ir["components"]["comp-features"])["resources"],
        json!({
            "cpuRequest": 1.0, "memoryRequest": 0.536870912, "memoryLimit": 2.147483648,
            "resourceCpuRequest": "1000m", "resourceMemoryRequest": "512Mi", "resourceMemoryLimit": "2048Mi",
        })
    );
}

#[test]
fn fewer_trials_are_fewer_tasks() {
    let spec = PipelineSpec { models: vec![Family::Knn], representations: vec![Representation::Baseline] };
    let ir = pipeline(&Options { spec, ..options(Flows::Path) }).unwrap();
    assert_eq!(names(tasks(&ir)), ["deployment", "features", "packaging", "selection", "training-baseline-knn"].into());
    let spec = PipelineSpec { models: vec![], representations: vec![Representation::Baseline] };
    assert_eq!(pipeline(&Options { spec, ..options(Flows::Path) }), Err(DagError::Nothing("model")));
}

#[test]
fn yaml_reads_back_as_what_was_written() {
    for ir in both() {
        let yaml = to_yaml(&ir).unwrap();
        assert_eq!(serde_saphyr::from_str::<Value>(&yaml).unwrap(), ir);
    }
    let awkward = json!({
        "words": ["true", "no", "null", "~", "1", "1.5", "1e3", "0x1f", "2026-11-21", "", " x ", "a: b", "# c", "- d"],
        "lines": "a = 1\n\n[b]\nc = \"d\"\n",
        "not ended": "a\nb",
        "long": "word ".repeat(60),
        "placeholder": "{{$.inputs.parameters['x']}}",
        "empty": {"list": [], "map": {}},
        "values": [true, null, 1, 1.5],
    });
    assert_eq!(serde_saphyr::from_str::<Value>(&to_yaml(&awkward).unwrap()).unwrap(), awkward);
}
