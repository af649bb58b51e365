//! `weir deploy`: ready means that the new bundle is what is served.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::fixture::{Home, list, run, step, with_values, workflow};
use crate::server::{Reply, Request, Server, forbidden, no_such_kind, refusal};

const OLD: &str = "s3://weir/runs/old/package/bundle";
const NEW: &str = "s3://weir/runs/new/package/bundle";
const SOURCE: &str = "internal.serving.kserve.io/storage-initializer-sourceuri";

/// A cluster with KServe, where a rollout goes its way with every look.
struct KServe {
    /// (URI of the pods' template, replicas, updated, available)
    deployments: Vec<(&'static str, i32, i32, i32)>,
    pods: Vec<Value>,
    digest: &'static str,
    canary: bool,
    looks: AtomicUsize,
}

impl KServe {
    fn new(deployments: Vec<(&'static str, i32, i32, i32)>) -> Self {
        Self { deployments, pods: Vec::new(), digest: "d1", canary: false, looks: AtomicUsize::new(0) }
    }

    fn start(self) -> Server {
        Server::start(move |request| self.answer(request))
    }

    fn answer(&self, request: &Request) -> Reply {
        let last = request.path.rsplit('/').next().unwrap();
        match (request.method.as_str(), last) {
            ("PATCH", "weir") => Reply::Json(200, request.body.clone()),
            ("GET", "weir") if request.path.contains("/proxy/v2/models/") => {
                Reply::Json(200, json!({"name": "weir", "versions": ["1"], "parameters": {"digest": self.digest}}))
            }
            // Ready all the time: the old pods are.
            ("GET", "weir") => Reply::Json(
                200,
                json!({"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": {"name": "weir", "generation": 2},
                    "spec": {"predictor": {"model": {"storageUri": OLD}}},
                    "status": {"observedGeneration": 7, "conditions": [{"type": "Ready", "status": "True"}],
                        "address": {"url": "http://weir-predictor.weir.svc.cluster.local"}}}),
            ),
            ("GET", "deployments") => {
                let index = self.looks.fetch_add(1, Ordering::SeqCst).min(self.deployments.len() - 1);
                let (uri, all, updated, available) = self.deployments[index];
                let deployment = json!({
                    "metadata": {"name": "weir-predictor", "generation": 2},
                    "spec": {"replicas": 1, "selector": {}, "template": {"metadata": {"annotations": {SOURCE: uri}}}},
                    "status": {"observedGeneration": 2, "replicas": all, "updatedReplicas": updated, "availableReplicas": available},
                });
                list("DeploymentList", "apps/v1", &[deployment])
            }
            ("GET", "pods") => list("PodList", "v1", &self.pods),
            ("GET", "v1beta1") => {
                let spec = if self.canary { json!({"predictor": {}, "canary": {}}) } else { json!({"predictor": {}}) };
                let service = json!({"properties": {"spec": {"properties": spec}}});
                Reply::Json(
                    200,
                    json!({"components": {"schemas": {"io.kserve.serving.v1beta1.InferenceService": service}}}),
                )
            }
            other => panic!("{other:?} {}", request.path),
        }
    }
}

#[test]
fn a_rollout_is_waited_for_until_the_last_old_pod_is_gone() {
    let server =
        KServe::new(vec![(OLD, 1, 1, 1), (NEW, 1, 0, 1), (NEW, 2, 1, 0), (NEW, 2, 1, 1), (NEW, 1, 1, 1)]).start();
    let home = Home::of(&server);
    let output = home.run(&["deploy", "--bundle-uri", NEW, "--expect=d1", "--values=values"]).ok();
    assert_eq!(output.stdout, "weir is served at http://weir-predictor.weir.svc.cluster.local\ndigest d1\n");
    let told: Vec<&str> = output.stderr.lines().skip(1).collect();
    assert_eq!(
        told,
        [
            "KServe has not made a deployment for it yet",
            "0 of 1 new pods are made",
            "0 of 1 pods are ready",
            "1 old pods are ending"
        ]
    );
    let value = |name| std::fs::read_to_string(home.dir.path().join("values").join(name)).unwrap();
    assert_eq!(
        (value("endpoint"), value("digest")),
        ("http://weir-predictor.weir.svc.cluster.local".to_owned(), "d1".to_owned())
    );
    let applied = server.request("PATCH", "/inferenceservices/weir");
    assert_eq!(applied.query["force"], "true");
    assert_eq!(applied.body["spec"]["predictor"]["model"]["storageUri"], NEW);
    assert_eq!(applied.body["metadata"]["annotations"], json!({"serving.kserve.io/deploymentMode": "Standard"}));
}

#[test]
fn a_new_image_that_is_not_there_is_found_although_the_service_says_ready() {
    let mut kserve = KServe::new(vec![(NEW, 2, 1, 1)]);
    kserve.pods = vec![json!({
        "metadata": {"name": "weir-predictor-2", "annotations": {SOURCE: NEW}},
        "spec": {"containers": [{"name": "kserve-container", "image": "localhost:5000/weir-serving:9"}]},
        "status": {"phase": "Pending", "containerStatuses": [{"name": "kserve-container", "ready": false, "restartCount": 0, "image": "",
            "imageID": "", "state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}}]},
    })];
    let output = run(&kserve.start(), &["deploy", "--bundle-uri", NEW, "--patience=0"]);
    assert_eq!(output.code, Some(1));
    let text =
        "error: weir is not served: image localhost:5000/weir-serving:9 cannot be pulled (ErrImagePull): not found";
    assert!(output.stderr.contains(text), "{}", output.stderr);
}

#[test]
fn a_bundle_that_cannot_be_fetched_or_opened_is_found_as_well() {
    let mut kserve = KServe::new(vec![(NEW, 2, 1, 1)]);
    kserve.pods = vec![json!({
        "metadata": {"name": "weir-predictor-2", "annotations": {SOURCE: NEW}},
        "spec": {"containers": []},
        "status": {"phase": "Pending", "initContainerStatuses": [{"name": "storage-initializer", "ready": false, "restartCount": 3, "image": "",
            "imageID": "", "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"reason": "Error", "exitCode": 1}}}]},
    })];
    let output = run(&kserve.start(), &["deploy", "--bundle-uri", NEW, "--patience=0"]);
    assert_eq!(output.code, Some(1));
    assert!(
        output.stderr.contains("container storage-initializer ends again and again (last: Error, exit code 1)"),
        "{}",
        output.stderr
    );
}

#[test]
fn another_bundle_than_the_expected_one_is_a_gates_no() {
    let server = KServe::new(vec![(NEW, 1, 1, 1)]).start();
    let output = run(&server, &["deploy", "--bundle-uri", NEW, "--expect=d2", "--patience=0"]);
    assert_eq!(output.code, Some(4));
    assert!(output.stderr.contains("weir is not served: bundle d1 is served, and d2 is expected"), "{}", output.stderr);
}

#[test]
fn the_predictor_can_be_asked_at_an_address_of_its_own() {
    let predictor = Server::start(|_| Reply::Json(200, json!({"parameters": {"digest": "d1"}})));
    let server = KServe::new(vec![(NEW, 1, 1, 1)]).start();
    let args = ["deploy", "--bundle-uri", NEW, "--expect=d1", "--endpoint", &predictor.url, "--json"];
    let result: Value = serde_json::from_str(&run(&server, &args).ok().stdout).unwrap();
    assert_eq!((&result["endpoint"], &result["ready"]), (&json!(predictor.url), &json!(true)));
    predictor.request("GET", "/v2/models/weir");
    assert!(server.asked().iter().all(|asked| !asked.path.contains("/proxy/")));
}

#[test]
fn a_predictor_that_cannot_be_asked_is_not_taken_for_served() {
    let kserve = KServe::new(vec![(NEW, 1, 1, 1)]);
    let server = Server::start(move |request| match request.path.contains("/proxy/") {
        true => forbidden("get", "services/proxy", ""),
        false => kserve.answer(request),
    });
    let output = run(&server, &["deploy", "--bundle-uri", NEW, "--patience=0"]);
    assert_eq!(output.code, Some(1));
    assert!(
        output.stderr.contains("you may not get services/proxy") && output.stderr.contains("--endpoint"),
        "{}",
        output.stderr
    );
}

/// KServe 0.15 knows Standard mode as RawDeployment, and refuses changes of a service that says it otherwise than its status.
#[test]
fn standard_mode_gets_its_older_name_where_kserve_knows_no_other() {
    const MODE: &str = "/metadata/annotations/serving.kserve.io~1deploymentMode";
    let word = |request: &Request| request.body.pointer(MODE).and_then(Value::as_str).unwrap_or("none").to_owned();
    let kserve = KServe::new(vec![(NEW, 1, 1, 1)]);
    let said = std::sync::Mutex::new(String::new());
    let server = Server::start(move |request| {
        let mut said = said.lock().unwrap();
        match (request.method.as_str(), kserve.answer(request)) {
            ("PATCH", _) if *said == "RawDeployment" && word(request) != *said => refusal(
                403,
                "Forbidden",
                "admission webhook \"inferenceservice.kserve-webhook-server.validator\" denied the request: update rejected: \
                 deploymentMode cannot be changed from 'RawDeployment' to 'Standard'",
                json!({}),
            ),
            ("PATCH", reply) => {
                *said = word(request);
                reply
            }
            ("GET", Reply::Json(code, mut body)) if body["kind"] == "InferenceService" => {
                body["metadata"]["annotations"] = json!({"serving.kserve.io/deploymentMode": *said});
                body["status"]["deploymentMode"] = json!("RawDeployment");
                Reply::Json(code, body)
            }
            (_, reply) => reply,
        }
    });
    let applied = || {
        let asked = server.asked();
        let patches = asked.iter().filter(|request| request.method == "PATCH");
        patches.map(|request| request.body.pointer(MODE).unwrap().as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    run(&server, &["deploy", "--bundle-uri", NEW]).ok();
    assert_eq!(applied(), ["Standard", "RawDeployment"], "as soon as the status says so");
    run(&server, &["deploy", "--bundle-uri", NEW]).ok();
    assert_eq!(applied()[2..], ["Standard", "RawDeployment"], "refused, and said again");
}

#[test]
fn waiting_for_a_rollout_has_an_end() {
    let server = KServe::new(vec![(OLD, 1, 1, 1)]).start();
    let output = run(&server, &["deploy", "--bundle-uri", NEW, "--wait=1"]);
    assert_eq!(output.code, Some(1));
    assert!(
        output.stderr.contains("weir is not served after 1 s: KServe has not made a deployment"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_canary_is_beside_the_bundle_that_is_served() {
    let mut kserve = KServe::new(vec![(NEW, 1, 1, 1)]);
    kserve.canary = true;
    let server = kserve.start();
    run(&server, &["deploy", "--bundle-uri", NEW, "--canary=10"]).ok();
    let spec = server.request("PATCH", "/inferenceservices/weir").body["spec"].clone();
    assert_eq!(spec["predictor"]["model"]["storageUri"], OLD);
    assert_eq!(spec["canary"][0]["trafficPercent"], 10);
    let canary = &spec["canary"][0]["predictor"];
    assert_eq!((&canary["model"]["storageUri"], &canary["name"]), (&json!(NEW), &json!("canary")));
    assert_eq!(canary["model"]["name"], "kserve-container");
}

#[test]
fn a_cluster_without_a_canary_in_standard_mode_says_so() {
    let server = KServe::new(vec![(NEW, 1, 1, 1)]).start();
    let output = run(&server, &["deploy", "--bundle-uri", NEW, "--canary=10"]);
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("this cluster's KServe has no canary in Standard mode"), "{}", output.stderr);
    assert!(server.asked().iter().all(|asked| asked.method == "GET"), "nothing is changed");
}

#[test]
fn the_bundle_of_the_newest_run_that_succeeded_is_the_default() {
    let kserve = KServe::new(vec![(NEW, 1, 1, 1)]);
    let mut packaging = with_values(step("packaging", "Succeeded"), &[("bundle", "d1")]);
    packaging["outputs"]["artifacts"] = json!([{"name": "package", "s3": {"key": "runs/new/package"}}]);
    let mut good = workflow(3, "Succeeded", &[packaging]);
    good["status"]["artifactRepositoryRef"] =
        json!({"artifactRepository": {"s3": {"endpoint": "minio:9000", "bucket": "weir"}}});
    let mut newer = workflow(4, "Failed", &[]);
    newer["metadata"]["creationTimestamp"] = json!("2026-11-22T00:00:00Z");
    let server = Server::start(move |request| match request.path.ends_with("/workflows") {
        true => list("WorkflowList", "argoproj.io/v1alpha1", &[good.clone(), newer.clone()]),
        false => kserve.answer(request),
    });
    let output = run(&server, &["deploy"]).ok();
    assert!(output.stderr.contains(&format!("the bundle of run weir-x7k2p: {NEW}")), "{}", output.stderr);
    assert_eq!(
        server.request("PATCH", "/inferenceservices/weir").body["spec"]["predictor"]["model"]["storageUri"],
        NEW
    );
}

#[test]
fn a_cluster_that_cannot_serve_says_what_is_missing() {
    let refused = |reply: fn() -> Reply| {
        let output = run(&Server::start(move |_| reply()), &["deploy", "--bundle-uri", NEW]);
        assert_eq!(output.code, Some(2), "{}", output.stderr);
        output.stderr
    };
    assert!(refused(no_such_kind).contains("KServe is not installed in the cluster"));
    let told = refused(|| forbidden("patch", "inferenceservices", "serving.kserve.io"));
    assert!(
        told.contains("you may not patch inferenceservices.serving.kserve.io") && told.contains("weir-submit"),
        "{told}"
    );
    let told = refused(|| refusal(400, "BadRequest", "admission webhook denied the request: no", json!({})));
    assert!(told.contains("the cluster refuses it: admission webhook denied the request: no"), "{told}");
    assert_eq!(
        run(&Server::start(|_| no_such_kind()), &["deploy", "--bundle-uri", "/runs/x/package/bundle"]).code,
        Some(2)
    );
}

#[test]
fn dry_run_prints_the_service_and_asks_nobody() {
    let server = Server::start(|request| panic!("{request:?}"));
    let text = run(&server, &["deploy", "--dry-run", "--bundle-uri", NEW]).ok().stdout;
    let service: Value = serde_saphyr::from_str(text.trim_start_matches("---\n")).unwrap();
    assert_eq!((&service["kind"], &service["metadata"]["namespace"]), (&json!("InferenceService"), &json!("weir")));
    assert!(server.asked().is_empty());
}
