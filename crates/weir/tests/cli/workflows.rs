//! The workflows that lie in the repository: they are what the pipeline renders to, and programs take what they are given.

use std::path::{Path, PathBuf};

use clap::Parser;
use serde_json::Value;
use weir_blocklist::enforce::{EnforceArgs, RemoveArgs};
use weir_cluster::WithPolicy;

use crate::weir;

/// Files, from the root of the repository, and how `make render` makes them.
const RENDERED: [(&str, &[&str]); 7] = [
    ("k8s/overlays/local/workflow-template.yaml", &["argo", "--artifacts", "volume"]),
    ("k8s/overlays/local/cron-workflow.yaml", &["argo", "--artifacts", "volume", "--cron"]),
    ("k8s/overlays/s3/workflow-template.yaml", &["argo", "--artifacts", "s3"]),
    ("k8s/overlays/s3/cron-workflow.yaml", &["argo", "--artifacts", "s3", "--cron"]),
    ("pipeline/kfp/weir.yaml", &["kfp"]),
    ("pipeline/kfp/weir-imported.yaml", &["kfp", "--import"]),
    ("pipeline/local.yaml", &["local"]),
];

/// The workflow beside the main one, which is written by hand.
const BLOCKLIST: &str = "k8s/components/blocklist/workflow-template.yaml";

#[test]
fn rendered_files_are_up_to_date() {
    for (file, form) in RENDERED {
        let rendered = weir(["pipeline", "render"].into_iter().chain(form.iter().copied())).ok();
        let kept = std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(kept == rendered.stdout, "{file} is stale: make -C pipeline render");
    }
}

#[test]
fn programs_take_the_arguments_that_workflows_call_them_with() {
    let mut calls = 0;
    for file in RENDERED.map(|(file, _)| file).into_iter().chain([BLOCKLIST]) {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        let workflow: Value = serde_saphyr::from_str(&text).unwrap();
        let mut found = Vec::new();
        containers(&workflow, &mut found);
        for (program, arguments) in found {
            let arguments: Vec<String> = arguments.iter().map(|argument| filled_in(argument)).collect();
            if let Err(error) = parse(&program, &arguments) {
                panic!("{file}: {program} {arguments:?}: {error}");
            }
            calls += 1;
        }
    }
    // Twice each: features, training as a whole, in three parts; selection, packaging, deploy, validation, notify. Twice:
    // features, 8 trainings, selection, packaging, deploy, validation. Once: a local run; fetch, detect, block, unblock,
    // notify.
    assert_eq!(calls, 2 * 13 + 2 * 13 + 11 + 5);
}

#[test]
fn an_argument_that_a_program_does_not_take_is_noticed() {
    let wrong = |program: &str, arguments: &[&str]| {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        parse(program, &arguments).is_err()
    };
    assert!(wrong("/weir-selection", &["--trial", "x"]));
    assert!(wrong("/weir-features", &["--data", "x", "--format", "none"]));
    assert!(wrong("/weir-training", &["--features", "x"]));
    assert!(wrong("/weir-cluster", &["deploys"]));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every object with a command, wherever it is: program and arguments.
fn containers(value: &Value, found: &mut Vec<(String, Vec<String>)>) {
    let texts = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    match value {
        Value::Object(object) => {
            if let Some(command) = object.get("command").filter(|command| command.is_array()) {
                let mut call = texts(command);
                call.extend(object.get("args").map(texts).unwrap_or_default());
                found.push((call.remove(0), call));
            }
            object.values().for_each(|value| containers(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| containers(value, found)),
        _ => {}
    }
}

/// `argument` with a value of the right kind for each of its placeholders, which end with the name of what they stand for.
fn filled_in(argument: &str) -> String {
    let mut text = argument.to_owned();
    while let Some(start) = text.find("{{") {
        let end = start + text[start..].find("}}").expect("a placeholder ends") + 2;
        let name = text[start + 2..end - 2].rsplit(['.', '\'']).find(|part| !part.is_empty() && *part != "]");
        let value = match name.unwrap_or_default() {
            "representation" => "baseline",
            "model" => "svc",
            "parts" | "shards" | "piece" | "duration" => "2",
            "minimum-accuracy" | "minimum_accuracy" => "0",
            "params" | "format" | "feature-set" | "feature_set" => "",
            "packaging-bundle" | "packaging_bundle" => "00".repeat(32).leak(),
            "deploy-endpoint" | "deploy_endpoint" => "http://weir-predictor.weir",
            "storage-uri" | "uri" => "s3://bucket/key",
            "status" => "Succeeded",
            "selector" => "app=web",
            "apply" => "true",
            "since" => "15m",
            "enforcer" => "cilium",
            "address" => "192.0.2.7",
            _ => "name",
        };
        text.replace_range(start..end, value);
    }
    text
}

/// Whether a program takes `arguments`: by the very types that its binary parses into.
fn parse(program: &str, arguments: &[String]) -> Result<(), String> {
    fn by<T: Parser>(call: impl Iterator<Item = String>) -> Result<(), String> {
        T::try_parse_from(call).map(drop).map_err(|error| error.to_string())
    }
    let call = || std::iter::once(program.to_owned()).chain(arguments.iter().cloned());
    let subcommand = || arguments.iter().cloned();
    match (program, arguments.first().map(String::as_str)) {
        ("/weir-features", _) => by::<weir_features::Args>(call()),
        ("/weir-training", _) => by::<weir_training::Args>(call()),
        ("/weir-selection", _) => by::<weir_selection::Args>(call()),
        ("/weir-packaging", _) => by::<weir_packaging::Args>(call()),
        ("/weir-monitor", Some("validate")) => by::<weir_monitor::ValidateArgs>(subcommand()),
        ("/weir-cluster", Some("deploy")) => by::<weir_cluster::DeployArgs>(subcommand()),
        ("/weir-blocklist", Some("fetch")) => by::<weir_blocklist::fetch::FetchArgs>(subcommand()),
        ("/weir-blocklist", Some("detect")) => by::<weir_blocklist::detect::DetectArgs>(subcommand()),
        ("/weir-blocklist", Some("notify")) => by::<weir_blocklist::notice::NotifyArgs>(subcommand()),
        ("/weir-cluster", Some("block")) => by::<WithPolicy<EnforceArgs>>(subcommand()),
        ("/weir-cluster", Some("unblock")) => by::<WithPolicy<RemoveArgs>>(subcommand()),
        ("/weir-cluster", Some("notify")) => by::<weir_cluster::NotifyArgs>(subcommand()),
        _ => Err(format!("there is no {program}")),
    }
}
