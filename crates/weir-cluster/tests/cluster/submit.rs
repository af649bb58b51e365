//! `weir submit`: what is created, and how a run's end becomes an exit code.

use serde_json::{Value, json};

use crate::fixture::{RUN, World, failed, news, pod, retry, run, step, with_values, workflow};
use crate::server::{Piece, Reply, Server, forbidden, no_such_kind, refusal};

const SVC: &str = "training(0:model:svc,representation:baseline)";

/// Ends well after two steps.
fn good() -> World {
    let features = step("features", "Succeeded");
    let selection =
        with_values(step("selection", "Succeeded"), &[("winner", "baseline-svc-best"), ("accuracy", "0.987")]);
    let mut busy = step(SVC, "Running");
    busy["progress"] = json!("3/12");
    World::new(
        workflow(2, "Running", &[step("features", "Running")]),
        vec![vec![
            news(workflow(3, "Running", &[features.clone(), step(SVC, "Pending")])),
            news(workflow(4, "Running", &[features.clone(), busy])),
            news(workflow(5, "Succeeded", &[features, step(SVC, "Succeeded"), selection])),
            Piece::Hold,
        ]],
    )
}

#[test]
fn a_run_is_told_step_by_step_and_ends_with_its_winner() {
    let server = good().start();
    let output = run(&server, &["submit"]).ok();
    assert_eq!(
        output.stdout,
        format!("run {RUN} succeeded in 90 s\nwinner baseline-svc-best, accuracy 0.987 on test\n")
    );
    let told: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(
        told,
        [
            &*format!("run {RUN} in namespace weir"),
            "features started",
            "features done in 12 s",
            "training/baseline-svc started",
            "training/baseline-svc 3/12",
            "selection started",
            "selection done in 12 s",
            "training/baseline-svc done in 12 s",
        ]
    );
}

#[test]
fn the_template_is_applied_and_the_run_has_only_what_was_given() {
    let server = good().start();
    let args = [
        "submit",
        "--data=s3:in/flows.csv",
        "--models=knn",
        "--parts=2",
        "--registry=reg:5000/",
        "--set=seed=7",
        "--name=mine",
    ];
    run(&server, &args).ok();
    let applied = server.request("PATCH", "/workflowtemplates/weir");
    assert_eq!(applied.query.get("fieldManager").map(String::as_str), Some("weir"));
    assert_eq!(applied.query.get("force"), None);
    assert_eq!(applied.headers["content-type"], "application/apply-patch+yaml");
    assert_eq!(applied.body["kind"], "WorkflowTemplate");
    let mut created = server.request("POST", "/workflows").body;
    let parameters = created["spec"]["arguments"]["parameters"].as_array_mut().unwrap();
    let params = parameters.remove(1);
    assert!(params["name"] == "params" && params["value"].as_str().unwrap().starts_with("seed = 7\n"), "{params}");
    assert_eq!(
        created,
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
            "metadata": {"name": "mine", "namespace": "weir",
                "labels": {"app.kubernetes.io/name": "weir", "app.kubernetes.io/part-of": "weir"}},
            "spec": {
                "workflowTemplateRef": {"name": "weir"},
                "arguments": {
                    "parameters": [
                        {"name": "flows", "value": "/flows"},
                        {"name": "trials", "value": "[{\"representation\":\"baseline\",\"model\":\"knn\"},{\"representation\":\"autoencoder\",\"model\":\"knn\"}]"},
                        {"name": "parts", "value": "2"},
                        {"name": "registry", "value": "reg:5000"},
                    ],
                    "artifacts": [{"name": "flows", "s3": {"key": "in/flows.csv"}}],
                },
            },
        })
    );
}

#[test]
fn a_bucket_of_its_own_gets_the_address_and_secrets_of_the_clusters_store() {
    let world = good();
    let server = Server::start(move |request| match request.path.rsplit('/').next() {
        Some("artifact-repositories") => Reply::Json(
            200,
            json!({"metadata": {"name": "artifact-repositories", "annotations": {"workflows.argoproj.io/default-artifact-repository": "s3"}},
                "data": {"s3": "s3: {endpoint: 'minio:9000', bucket: weir, insecure: true, accessKeySecret: {name: weir-s3, key: accesskey}}"}}),
        ),
        _ => world.answer(request),
    });
    run(&server, &["submit", "--data=s3://lake/flows.csv", "--deploy"]).ok();
    let arguments = server.request("POST", "/workflows").body["spec"]["arguments"].clone();
    assert_eq!(
        arguments["artifacts"],
        json!([{"name": "flows", "s3": {"endpoint": "minio:9000", "bucket": "lake", "insecure": true, "key": "flows.csv",
            "accessKeySecret": {"name": "weir-s3", "key": "accesskey"}}}])
    );
    let parameters = arguments["parameters"].as_array().unwrap();
    assert!(parameters.contains(&json!({"name": "storage-uri", "value": "s3://weir"})), "{parameters:?}");
}

#[test]
fn dry_run_prints_manifests_and_asks_nobody() {
    let server = Server::start(|request| panic!("{request:?}"));
    let output = run(&server, &["submit", "--dry-run", "--artifacts=volume", "--deploy", "-n", "lab"]).ok();
    let documents: Vec<Value> = output
        .stdout
        .split("---\n")
        .filter(|text| !text.is_empty())
        .map(|text| serde_saphyr::from_str(text).unwrap())
        .collect();
    let kinds: Vec<&str> = documents.iter().map(|document| document["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["WorkflowTemplate", "Workflow"]);
    assert!(documents.iter().all(|document| document["metadata"]["namespace"] == "lab"));
    let parameters = &documents[1]["spec"]["arguments"]["parameters"];
    assert_eq!(
        *parameters,
        json!([{"name": "deploy", "value": "true"}, {"name": "storage-uri", "value": "pvc://weir"}])
    );
    assert!(server.asked().is_empty());
}

#[test]
fn a_run_can_be_left_alone() {
    let server = good().start();
    let output = run(&server, &["submit", "--detach", "--no-apply"]).ok();
    assert_eq!(output.stdout, format!("{RUN}\n"));
    assert_eq!(server.asked().len(), 1);
}

/// A run whose last step ends so; how the command ends.
fn ends(nodes: &[Value], log: &'static str) -> (Option<i32>, String) {
    let mut world =
        World::new(workflow(2, "Running", &[]), vec![vec![news(workflow(3, "Failed", nodes)), Piece::Hold]]);
    world.log = log;
    let output = run(&world.start(), &["submit"]);
    (output.code, output.stderr)
}

#[test]
fn the_exit_code_of_the_failed_step_is_that_of_the_command() {
    for (code, end) in [(2, 2), (3, 3), (4, 4), (1, 1), (137, 1), (64, 1)] {
        let node = failed("features", code, &format!("Error (exit code {code})"));
        assert_eq!(ends(&[node], "").0, Some(end), "exit code {code} of a step");
    }
}

#[test]
fn a_failed_step_shows_the_end_of_its_log_and_its_reason() {
    let node = failed("features", 3, "Error (exit code 3)");
    let (code, told) = ends(&[node], "reading\nerror: flows.csv:7 has 3 columns\nhint: there are 12\n");
    assert_eq!(code, Some(3));
    for line in [
        "features | reading".to_owned(),
        "features | hint: there are 12".to_owned(),
        "warning: features failed: Error (exit code 3)".to_owned(),
        format!("error: step features of run {RUN} failed with exit code 3: flows.csv:7 has 3 columns"),
    ] {
        assert!(told.lines().any(|told| told == line), "{line}\nis not in\n{told}");
    }
}

#[test]
fn the_step_that_failed_for_good_is_to_blame_not_one_that_was_made_good() {
    let (first, second) = (failed("features(0)", 1, "Error (exit code 1)"), step("features(1)", "Succeeded"));
    let around = retry("features", "Succeeded", &[&first, &second]);
    let gate = failed("validation", 4, "Error (exit code 4)");
    let (code, told) = ends(&[first, second, around, gate], "");
    assert_eq!(code, Some(4), "{told}");
    assert!(told.contains(&format!("step validation of run {RUN} failed with exit code 4")), "{told}");
}

#[test]
fn the_last_attempt_says_how_the_step_ended() {
    let (first, second) =
        (failed("features(0)", 1, "Error (exit code 1)"), failed("features(1)", 3, "Error (exit code 3)"));
    let around = retry("features", "Failed", &[&first, &second]);
    assert_eq!(ends(&[first, second, around], "").0, Some(3));
}

#[test]
fn what_ended_a_pod_from_outside_is_named_with_a_remedy() {
    for (message, code, what, remedy) in [
        ("The node was low on resource: memory. Pod was evicted", 0, "its pod was evicted", "short of memory or disk"),
        (
            "OOMKilled (exit code 137)",
            137,
            "it ran out of memory (OOMKilled)",
            "--parts (features) or --shards (training)",
        ),
        (
            "Pod was active on the node longer than the specified deadline",
            0,
            "longer than it may",
            "activeDeadlineSeconds",
        ),
    ] {
        let (end, told) = ends(&[failed("features", code, message)], "");
        assert_eq!(end, Some(1));
        assert!(told.contains(what) && told.contains(remedy), "{told}");
    }
}

#[test]
fn a_run_that_somebody_stopped_says_so() {
    let mut stopped = workflow(3, "Failed", &[failed("features", 0, "workflow shutdown with strategy:  Stop")]);
    stopped["spec"]["shutdown"] = json!("Stop");
    let output =
        run(&World::new(workflow(2, "Running", &[]), vec![vec![news(stopped), Piece::Hold]]).start(), &["submit"]);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains(&format!("run {RUN} was stopped by someone")), "{}", output.stderr);
}

#[test]
fn an_image_that_cannot_be_pulled_ends_the_wait_and_is_named() {
    let node = step("features", "Pending");
    let mut world = World::new(workflow(2, "Running", std::slice::from_ref(&node)), vec![]);
    world.pods = vec![pod(
        &node,
        json!({"phase": "Pending", "containerStatuses": [{"name": "main", "ready": false, "restartCount": 0,
        "image": "x", "imageID": "", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}}]}),
    )];
    let output = run(&world.start(), &["submit", "--patience=0"]);
    assert_eq!(output.code, Some(1));
    let text = "error: step features of run weir-x7k2p cannot start: image localhost:5000/weir-features:0.1.0 cannot be pulled (ImagePullBackOff)";
    assert!(output.stderr.contains(text) && output.stderr.contains("--registry and --tag"), "{}", output.stderr);
}

#[test]
fn a_full_cluster_is_waited_for_and_a_missing_volume_is_not() {
    let node = step("features", "Pending");
    let unschedulable = |message: &str| {
        pod(
            &node,
            json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}]}),
        )
    };
    let mut full = World::new(
        workflow(2, "Running", std::slice::from_ref(&node)),
        vec![vec![Piece::Cut], vec![news(workflow(3, "Succeeded", &[step("features", "Succeeded")])), Piece::Hold]],
    );
    full.pods = vec![unschedulable("0/1 nodes are available: 1 Insufficient cpu.")];
    let output = run(&full.start(), &["submit", "--patience=0"]).ok();
    assert!(
        output
            .stderr
            .contains("warning: features waits: no node takes the pod: 0/1 nodes are available: 1 Insufficient cpu.")
    );

    let mut missing = World::new(workflow(2, "Running", std::slice::from_ref(&node)), vec![]);
    missing.pods = vec![unschedulable("0/1 nodes are available: persistentvolumeclaim \"weir\" not found.")];
    let output = run(&missing.start(), &["submit", "--patience=0"]);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("hint: k8s/overlays/local makes the volume"), "{}", output.stderr);
}

/// How the command ends when the cluster answers the request of this method so.
fn refused(method: &'static str, reply: impl Fn() -> Reply + Send + Sync + 'static) -> (Option<i32>, String) {
    let world = good();
    let server = Server::start(move |request| if request.method == method { reply() } else { world.answer(request) });
    let output = run(&server, &["submit"]);
    (output.code, output.stderr)
}

#[test]
fn a_cluster_that_is_not_set_up_says_what_is_missing() {
    let details = json!({"name": "weir", "kind": "namespaces"});
    let (code, told) =
        refused("PATCH", move || refusal(404, "NotFound", "namespaces \"weir\" not found", details.clone()));
    assert_eq!(code, Some(2));
    assert!(told.contains("there is no namespace weir") && told.contains("kubectl apply -k k8s/overlays"), "{told}");

    let (code, told) = refused("PATCH", no_such_kind);
    assert_eq!(code, Some(2));
    assert!(
        told.contains("Argo Workflows is not installed in the cluster") && told.contains("hint: install it"),
        "{told}"
    );

    let (code, told) = refused("POST", || forbidden("create", "workflows", "argoproj.io"));
    assert_eq!(code, Some(2));
    assert!(
        told.contains("you may not create workflows.argoproj.io in namespace weir")
            && told.contains("--role=weir-submit"),
        "{told}"
    );

    let (code, told) = refused("GET", || forbidden("list", "workflows", "argoproj.io"));
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("you may not list workflows.argoproj.io"), "{told}");

    let (code, told) = refused("POST", || refusal(422, "Invalid", "spec.entrypoint: Invalid value: \"x\"", json!({})));
    assert_eq!(code, Some(2));
    assert!(told.contains("the cluster refuses it: spec.entrypoint: Invalid value"), "{told}");
}

#[test]
fn a_template_that_somebody_else_changed_is_not_overwritten_unasked() {
    let conflict = "Apply failed with 1 conflict: conflict with \"kubectl\": .spec.templates";
    let (code, told) = refused("PATCH", || refusal(409, "Conflict", conflict, json!({})));
    assert_eq!(code, Some(2));
    assert!(
        told.contains("conflict with \"kubectl\"") && told.contains("--no-apply") && told.contains("--force"),
        "{told}"
    );
}
