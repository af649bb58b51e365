//! Waiting until the new bundle is what is served.
//!
//! The condition `Ready` of an InferenceService stays true over the old pods when the new ones cannot start, and its
//! `observedGeneration` is that of the Deployment. So the Deployment is looked at itself, its pods, and what answers.

use std::time::{Duration, Instant};

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{DynamicObject, ListParams};
use serde_json::Value;
use weir_stage::{Failure, Stage};

use super::served::{Served, ask};
use super::service;
use crate::cluster::{Cluster, Doing, kinds};
use crate::workflow::{Trouble, trouble};

/// Where KServe writes down which bundle a pod was made for.
const SOURCE: &str = "internal.serving.kserve.io/storage-initializer-sourceuri";
const FIRST_LOOK: Duration = Duration::from_millis(200);
const LATER_LOOKS: Duration = Duration::from_secs(2);

/// What is waited for.
pub(super) struct Rollout<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) stage: &'a Stage,
    pub(super) name: &'a str,
    pub(super) uri: &'a str,
    pub(super) manifest: &'a Value,
    pub(super) canary: bool,
    pub(super) expect: Option<&'a str>,
    pub(super) endpoint: Option<&'a str>,
    pub(super) wait: Duration,
    pub(super) patience: Duration,
}

/// How a rollout stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    /// All pods are new and ready.
    Done,
    /// For this.
    Waiting(String),
    /// Something that seldom gets better by itself.
    Stuck(Trouble),
}

/// What the cluster shows at one moment.
struct Look {
    service: DynamicObject,
    deployments: Vec<Deployment>,
    pods: Vec<Pod>,
}

impl Rollout<'_> {
    /// Waits until the bundle is served.
    ///
    /// # Errors
    /// To be retried when it is not in time, or is stuck for longer than patience; of a gate when another bundle answers.
    pub(super) async fn wait(&self) -> Result<Served, Failure> {
        let started = Instant::now();
        let mut stuck: Option<Instant> = None;
        let mut told = String::new();
        let mut pause = FIRST_LOOK;
        let mut renamed = false;
        loop {
            let look = self.look().await?;
            if !renamed && service::is_in_newer_words(&look.service) {
                super::apply(self.cluster, self.name, &service::in_older_words(self.manifest)).await?;
                renamed = true;
                continue;
            }
            let standing = match standing(&look, self.uri, self.canary) {
                Standing::Done => match self.answer(&look).await? {
                    Ok(served) => return Ok(served),
                    Err(standing) => standing,
                },
                other => other,
            };
            let (text, trouble) = match standing {
                Standing::Waiting(text) => (text, None),
                Standing::Stuck(trouble) => (trouble.text.clone(), Some(trouble)),
                Standing::Done => (String::new(), None),
            };
            if text != told {
                self.stage.note(&text);
                told.clone_from(&text);
            }
            match trouble {
                None => stuck = None,
                Some(trouble) if stuck.get_or_insert_with(Instant::now).elapsed() >= self.patience => {
                    return Err(self.given_up(&trouble));
                }
                Some(_) => {}
            }
            if started.elapsed() >= self.wait {
                let seconds = self.wait.as_secs();
                return Err(Failure::retry(format!("{} is not served after {seconds} s: {told}", self.name))
                    .hint("--wait gives it longer; `kubectl describe inferenceservice` says more"));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LATER_LOOKS);
        }
    }

    fn given_up(&self, trouble: &Trouble) -> Failure {
        let text = format!("{} is not served: {}", self.name, trouble.text);
        let failure = if trouble.text.starts_with(OTHER) { Failure::gate(text) } else { Failure::retry(text) };
        match &trouble.hint {
            Some(hint) => failure.hint(hint.clone()),
            None => failure,
        }
    }

    async fn look(&self) -> Result<Look, Failure> {
        let (cluster, name) = (self.cluster, self.name);
        let get = Doing::new("get", "inferenceservices.serving.kserve.io", name);
        let service = cluster.custom(&kinds::inference_service()).get(name).await.map_err(cluster.failed(get))?;
        let label = ListParams::default().labels(&format!("serving.kserve.io/inferenceservice={name}"));
        let deployments = cluster.api::<Deployment>().list(&label).await;
        let mut deployments = deployments.map_err(cluster.failed(Doing::new("list", "deployments.apps", "")))?.items;
        if deployments.is_empty() {
            let name = format!("{name}-predictor");
            let found = cluster.api::<Deployment>().get_opt(&name).await;
            deployments.extend(found.map_err(cluster.failed(Doing::new("get", "deployments.apps", &name)))?);
        }
        let pods = cluster.api::<Pod>().list(&label).await;
        let pods = pods.map_err(cluster.failed(Doing::new("list", "pods", "")))?.items;
        Ok(Look { service, deployments, pods })
    }

    /// Asks the predictor which bundle it has. Of a canary that shares its address nothing can be told so.
    async fn answer(&self, look: &Look) -> Result<Result<Served, Standing>, Failure> {
        let address = look.service.data.pointer("/status/address/url").and_then(Value::as_str);
        let served = match ask(self.cluster, self.name, self.endpoint, address).await {
            Ok(served) => served,
            Err(reason) => {
                let (text, hint) = (
                    format!("the predictor does not answer: {reason}"),
                    "--endpoint asks it at another address, such as that of `kubectl port-forward`; a network policy may \
                     keep the API server away from it",
                );
                return Ok(Err(Standing::Stuck(Trouble { text, hint: Some(hint.to_owned()), lasting: true })));
            }
        };
        let Some(expect) = self.expect.filter(|_| !self.canary || self.endpoint.is_some()) else {
            return Ok(Ok(served));
        };
        Ok(match &served.digest {
            Some(digest) if digest == expect => Ok(served),
            Some(digest) => Err(Standing::Stuck(Trouble {
                text: format!("{OTHER} {digest} is served, and {expect} is expected"),
                hint: Some(
                    "the files at the URI are not those of the run: is the store the one that the run wrote to?"
                        .to_owned(),
                ),
                lasting: true,
            })),
            None => Err(Standing::Stuck(Trouble {
                text: format!("{OTHER} of unknown digest is served, and {expect} is expected"),
                hint: Some("the predictor is not Weir's: is the runtime weir-predictor?".to_owned()),
                lasting: true,
            })),
        })
    }
}

/// How the trouble begins that is a gate's no.
const OTHER: &str = "bundle";

fn standing(look: &Look, uri: &str, canary: bool) -> Standing {
    let new: Vec<&Deployment> =
        look.deployments.iter().filter(|deployment| is_for(source_of(deployment), uri)).collect();
    if let Some(trouble) = invalid(&look.service) {
        return Standing::Stuck(trouble);
    }
    // Pods of the old bundle may be in whatever state they were.
    let pods = look.pods.iter().filter(|pod| is_for(pod.annotations().get(SOURCE), uri));
    if let Some(trouble) = pods.filter_map(trouble).find(|trouble| trouble.lasting) {
        return Standing::Stuck(trouble);
    }
    if new.is_empty() {
        return Standing::Waiting("KServe has not made a deployment for it yet".to_owned());
    }
    let deployments = if canary { look.deployments.iter().collect() } else { new };
    for deployment in deployments {
        if let Some(standing) = unfinished(deployment) {
            return standing;
        }
    }
    match ready(&look.service) {
        (true, _) => Standing::Done,
        (false, message) => Standing::Waiting(format!("it is not ready yet{message}")),
    }
}

/// Older and other versions of KServe leave no mark: then the pods that there are have to be the right ones.
fn is_for(source: Option<&String>, uri: &str) -> bool {
    source.is_none_or(|source| source == uri)
}

fn source_of(deployment: &Deployment) -> Option<&String> {
    let template = &deployment.spec.as_ref()?.template;
    template.metadata.as_ref()?.annotations.as_ref()?.get(SOURCE)
}

/// As `kubectl rollout status`, which does not believe availability alone either.
fn unfinished(deployment: &Deployment) -> Option<Standing> {
    let name = deployment.name_any();
    let waiting = |text: String| Some(Standing::Waiting(text));
    let Some(status) = &deployment.status else { return waiting(format!("deployment {name} has not begun")) };
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    if status.observed_generation < deployment.metadata.generation {
        return waiting(format!("deployment {name} has not begun"));
    }
    let mut conditions = status.conditions.iter().flatten();
    let late = conditions.find(|condition| condition.reason.as_deref() == Some("ProgressDeadlineExceeded"));
    if let Some(late) = late {
        let text = format!("deployment {name}: {}", late.message.as_deref().unwrap_or("it makes no progress"));
        return Some(Standing::Stuck(Trouble { text, hint: None, lasting: true }));
    }
    let count = |count: Option<i32>| count.unwrap_or(0);
    let (all, updated, available) =
        (count(status.replicas), count(status.updated_replicas), count(status.available_replicas));
    if updated < wanted {
        return waiting(format!("{updated} of {wanted} new pods are made"));
    }
    if available < updated {
        return waiting(format!("{available} of {updated} pods are ready"));
    }
    if all > updated {
        return waiting(format!("{} old pods are ending", all - updated));
    }
    None
}

fn ready(service: &DynamicObject) -> (bool, String) {
    let conditions = service.data.pointer("/status/conditions").and_then(Value::as_array);
    let mut conditions = conditions.into_iter().flatten();
    let Some(ready) = conditions.find(|condition| condition["type"] == "Ready") else { return (false, String::new()) };
    let message = ready["message"].as_str().or(ready["reason"].as_str()).unwrap_or_default();
    (ready["status"] == "True", if message.is_empty() { String::new() } else { format!(": {message}") })
}

/// A specification that KServe can do nothing with, such as one with a runtime that is not there.
fn invalid(service: &DynamicObject) -> Option<Trouble> {
    let status = service.data.pointer("/status/modelStatus")?;
    if status["transitionStatus"] != "InvalidSpec" {
        return None;
    }
    let info = &status["lastFailureInfo"];
    let text = |name: &str| info[name].as_str().unwrap_or_default();
    Some(Trouble {
        text: format!("KServe refuses the service: {} {}", text("reason"), text("message")).trim_end().to_owned(),
        hint: Some(
            "k8s/ has the ServingRuntime weir-predictor: `kubectl get servingruntimes` shows what is there".to_owned(),
        ),
        lasting: true,
    })
}
