//! A package on a volume: a pod of a few seconds reads it and writes it to its log.

use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{DeleteParams, PostParams};
use serde_json::{Value, json};
use weir_stage::{Failure, Stage};

use super::export::Import;
use crate::cluster::{Cluster, Doing};
use crate::manifest::labels;
use crate::workflow::{Workflow, stream, trouble};

const CONTAINER: &str = "export";
/// Longest time until the pod runs.
const START: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(300);

/// Fetches what the packaging step of `run` left on the volume `weir` into `dir`.
///
/// # Errors
/// Failures of the cluster to run the pod; of input where the artifact is not on the volume.
pub(super) fn fetch(cluster: &Cluster, stage: &Stage, run: &Workflow, dir: &Path) -> Result<(), Failure> {
    let pod: Pod = serde_json::from_value(manifest(run, &cluster.namespace))
        .map_err(|error| Failure::usage(format!("the pod for fetching cannot be made: {error}")))?;
    let name = cluster.wait(stage, async {
        let created = cluster.api::<Pod>().create(&PostParams::default(), &pod).await;
        Ok(created.map_err(cluster.failed(Doing::new("create", "pods", "")))?.name_any())
    })?;
    stage.detail(format!("pod {name} reads the volume"));
    let read = cluster.wait(stage, read(cluster, stage, &name));
    // Also after Ctrl-C, when nothing is waited for any more.
    let removed = cluster.finish(cluster.api::<Pod>().delete(&name, &DeleteParams::background()));
    if let Err(error) = removed {
        stage.warn(format!("pod {name} is left behind: {}", weir_http::chain(&error)));
    }
    read?.unpack(dir)
}

async fn read(cluster: &Cluster, stage: &Stage, name: &str) -> Result<Import, Failure> {
    let pods = cluster.api::<Pod>();
    let asked = Instant::now();
    loop {
        let pod = pods.get(name).await.map_err(cluster.failed(Doing::new("get", "pods", name)))?;
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default();
        if matches!(phase, "Running" | "Succeeded" | "Failed") {
            break;
        }
        if asked.elapsed() >= START
            || trouble(&pod).is_some_and(|trouble| trouble.lasting && asked.elapsed() >= START / 4)
        {
            let why = trouble(&pod).map_or_else(|| format!("it is {phase}"), |trouble| trouble.text);
            return Err(Failure::retry(format!("pod {name}, which reads the volume, does not start: {why}")));
        }
        tokio::time::sleep(LOOK).await;
    }
    let failed = |error| cluster.failed(Doing::new("get", "pods/log", name))(error);
    let mut lines = stream(pods, name.to_owned(), CONTAINER, true).await.map_err(failed)?;
    let progress = stage.progress("fetch (bytes)", 0);
    let mut import = Import::default();
    while let Some(line) = lines.next().await {
        let line = line.map_err(|error| Failure::retry(format!("lost the connection to pod {name}: {error}")))?;
        let before = import.bytes();
        import.line(&line);
        progress.advance((import.bytes() - before) as u64);
    }
    let reason = import.words.iter().rev().find_map(|line| line.strip_prefix("error: "));
    match reason {
        Some(reason) => Err(Failure::input(reason.to_owned())),
        None => Ok(import),
    }
}

fn manifest(run: &Workflow, namespace: &str) -> Value {
    let name = &run.metadata.name;
    let parameter = |name: &str, default: &str| run.parameter(name).unwrap_or_else(|| default.to_owned());
    let registry = parameter("registry", "localhost:5000");
    let tag = parameter("tag", env!("CARGO_PKG_VERSION"));
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": "weir-export-", "namespace": namespace, "labels": labels(Some("export"))},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": false,
            "activeDeadlineSeconds": 600,
            "securityContext": {
                "runAsNonRoot": true,
                "runAsUser": 65532,
                "runAsGroup": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [{
                "name": CONTAINER,
                "image": format!("{registry}/weir-cluster:{tag}"),
                "command": ["/weir-cluster"],
                "args": ["export", format!("/weir/runs/{name}/package")],
                "resources": {
                    "requests": {"cpu": "50m", "memory": "64Mi"},
                    "limits": {"cpu": "1", "memory": "512Mi"},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": false,
                    "readOnlyRootFilesystem": true,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [{"name": "weir", "mountPath": "/weir", "readOnly": true}],
            }],
            "volumes": [{"name": "weir", "persistentVolumeClaim": {"claimName": "weir"}}],
        },
    })
}
