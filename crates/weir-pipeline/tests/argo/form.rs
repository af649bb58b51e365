//! What a cluster asks of every template.

use serde_json::{Value, json};
use weir_pipeline::STEPS;
use weir_pipeline::argo::{Artifacts, NAME, Options};

use crate::{form, forms, list, names, tasks, text, usual};

#[test]
fn every_program_says_what_it_is_needs_and_may() {
    for form in forms() {
        let programs: Vec<&Value> = form.templates().iter().filter(|template| tasks(template).is_empty()).collect();
        assert_eq!(programs.len(), STEPS.len() + 3 + 3 + 1);
        for template in programs {
            let container = &template["container"];
            let image = text(&container["image"]);
            let program = image.rsplit_once('/').unwrap().1.split_once(':').unwrap().0;
            // An image without a registry to ask has no entrypoint that Argo could look up.
            assert_eq!(container["command"], json!([format!("/{program}")]), "{template}");
            assert!(!list(&container["args"]).is_empty());
            for needs in ["/requests/cpu", "/requests/memory", "/limits/memory"] {
                assert!(container["resources"].pointer(needs).is_some_and(Value::is_string), "{needs} of {template}");
            }
            assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
            assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false);
            assert_eq!(container["securityContext"]["capabilities"], json!({ "drop": ["ALL"] }));
            assert!(template["activeDeadlineSeconds"].as_u64().is_some_and(|seconds| seconds > 0));
            assert!(template["metadata"]["labels"]["app.kubernetes.io/component"].is_string());
            assert_eq!(template["retryStrategy"]["limit"], "2");
            assert_eq!(template["retryStrategy"]["expression"], "asInt(lastRetry.exitCode) not in [2, 3, 4]");
            let mounted: Vec<&str> = names(&container["volumeMounts"]);
            assert_eq!(names(&template["volumes"]), mounted);
        }
    }
}

#[test]
fn pods_hold_to_the_restricted_standard() {
    for form in forms() {
        let pod = &form.spec()["securityContext"];
        assert_eq!((&pod["runAsNonRoot"], &pod["runAsUser"]), (&json!(true), &json!(65532)));
        assert_eq!(pod["seccompProfile"]["type"], "RuntimeDefault");
        // Of a container's own context, what Argo's containers have none of.
        let patch: Value = serde_json::from_str(text(&form.spec()["podSpecPatch"])).unwrap();
        for (kind, name) in [("initContainers", "init"), ("containers", "wait")] {
            assert_eq!(names(&patch[kind]), [name], "a container that is not there would be added");
            let security = &patch[kind][0]["securityContext"];
            assert_eq!(security["allowPrivilegeEscalation"], false);
            assert_eq!(security["capabilities"], json!({ "drop": ["ALL"] }));
        }
    }
}

#[test]
fn only_the_deploy_step_may_change_what_is_served() {
    for form in forms() {
        assert_eq!(form.spec()["serviceAccountName"], "weir-workflow");
        let others: Vec<&Value> =
            form.templates().iter().filter(|template| template.get("serviceAccountName").is_some()).collect();
        assert_eq!(others.len(), 1);
        assert_eq!(others[0], form.template("deploy"));
        assert_eq!(others[0]["serviceAccountName"], "weir-deploy");
    }
}

#[test]
fn a_volume_has_all_artifacts_but_flows_that_come_with_the_run() {
    let form = usual(Artifacts::Volume);
    assert!(form.spec().get("archiveLogs").is_none());
    for template in form.templates() {
        assert!(names(&template["inputs"]["artifacts"]).iter().all(|&name| name == "flows"), "{template}");
        assert!(template["outputs"].get("artifacts").is_none(), "{template}");
        // What runs share a volume share: small results and flows of a run are not on it.
        for parameter in list(&template["outputs"]["parameters"]) {
            let path = parameter["valueFrom"]["path"].as_str().unwrap_or("/tmp/");
            assert!(path.starts_with("/tmp/"), "{path}");
        }
        for artifact in list(&template["inputs"]["artifacts"]) {
            assert!(artifact["path"].as_str().unwrap_or("/flows") == "/flows");
        }
    }
}

#[test]
fn results_are_remembered_only_where_asked_for() {
    for artifacts in [Artifacts::S3, Artifacts::Volume] {
        let plain = usual(artifacts);
        assert!(plain.templates().iter().all(|template| template.get("memoize").is_none()));
        let form = form(Options { artifacts, memoize: true });
        let with: Vec<&Value> = form.templates().iter().filter(|template| template.get("memoize").is_some()).collect();
        let of: Vec<&str> = with.iter().map(|template| text(&template["name"])).collect();
        assert_eq!(of, ["features-in-parts", "training", "training-in-shards"]);
        for template in with {
            let key = text(&template["memoize"]["key"]);
            // Keys and names are digests and words: what is left are letters and hyphens, as Argo wants them.
            let fixed: String =
                key.split("{{").map(|piece| piece.split_once("}}").map_or(piece, |(_, rest)| rest)).collect();
            assert!(fixed.starts_with(|c: char| c.is_ascii_alphanumeric()), "{key}");
            assert!(fixed.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{key}");
            assert!(!list(&template["outputs"]["parameters"]).is_empty(), "nothing to remember");
        }
    }
}

#[test]
fn steps_that_divide_are_there_only_when_asked_for() {
    let form = usual(Artifacts::S3);
    let when = |template: &str, task: &str| {
        let tasks = tasks(form.template(template));
        tasks.iter().find(|found| found["name"] == task).expect(task)["when"].as_str().map(str::to_owned)
    };
    let parameter = |name: &str, condition: &str| Some(format!("{{{{workflow.parameters.{name}}}}} {condition}"));
    assert_eq!(when("features-in-parts", "features"), parameter("parts", "== 1"));
    assert_eq!(when("features-in-parts", "plan"), parameter("parts", "!= 1"));
    assert_eq!(when(NAME, "training"), parameter("shards", "== 1"));
    assert_eq!(when(NAME, "training-in-shards"), parameter("shards", "!= 1"));
    assert_eq!(when(NAME, "deploy"), parameter("deploy", "== true"));
    assert_eq!(when(NAME, "selection"), None);
    // Not by a condition of its own: Argo 4.0 would look for the endpoint first, and wait for it.
    assert_eq!(when(NAME, "validation"), None);
    let validation = tasks(form.template(NAME)).iter().find(|task| task["name"] == "validation").unwrap();
    assert!(text(&validation["depends"]).contains("deploy.Succeeded"));
    for (template, verb) in [("features-in-parts", "run-part"), ("training-in-shards", "run-shard")] {
        let depends = |name: &str| {
            let task = tasks(form.template(template)).iter().find(|task| task["name"] == name).expect(name);
            task["depends"].clone()
        };
        // Not merely `plan`: that would hold where the plan was skipped.
        assert_eq!(depends(verb), "plan.Succeeded");
        assert_eq!(depends("gather"), format!("{verb}.Succeeded"));
    }
}
