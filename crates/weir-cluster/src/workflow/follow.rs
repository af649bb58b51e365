//! Watching a run until it ends, and telling what happens.
//!
//! The cluster is watched, not asked again and again. A lost connection, a watch that the cluster gives up (410) or one
//! that it closes after minutes is taken up again by kube's watcher; what was missed meanwhile is told then.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream, SelectAll};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DynamicObject, ListParams, ObjectList};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use weir_stage::{Failure, Stage};

use super::lines::MAIN;
use super::{Change, Changes, Step, Trouble, Verdict, Workflow, last_lines, node_of, trouble, verdict};
use crate::cluster::{Cluster, Doing, kinds};

/// Lines of a failed program that are shown.
const LAST_LINES: i64 = 20;
/// Time between two looks at the clock.
const TICK: Duration = Duration::from_millis(250);
/// The controller has looked at a new run by then.
const SILENCE: Duration = Duration::from_secs(20);
/// How long logs may be silent that still come when the run has ended.
const DRAIN: Duration = Duration::from_secs(5);

/// How a run is followed.
#[derive(Debug, Clone)]
pub(crate) struct Follow<'a> {
    pub(crate) run: &'a str,
    /// Show everything that the programs write, not only the end of those that fail.
    pub(crate) logs: bool,
    /// How long a pod may wait for what will not come by itself, such as an image that is not there.
    pub(crate) patience: Duration,
    pub(crate) timeout: Option<Duration>,
}

/// Follows a run until it ends, and gives its workflow.
///
/// # Errors
/// The failure of the run with the exit code of the step that is to blame; failures of the cluster to tell how it goes.
pub(crate) async fn follow(cluster: &Cluster, stage: &Stage, wanted: &Follow<'_>) -> Result<Workflow, Failure> {
    let mut follower = Follower {
        cluster,
        stage,
        wanted,
        started: Instant::now(),
        changes: Changes::default(),
        workflow: Workflow::default(),
        listed: false,
        lost: false,
        silent: false,
        blind: false,
        pods: BTreeMap::new(),
        waiting: BTreeMap::new(),
        told: BTreeSet::new(),
        errors: BTreeMap::new(),
        logs: 0,
        followed: BTreeSet::new(),
    };
    let mut news: SelectAll<BoxStream<'static, News>> = stream::select_all([
        watcher(
            cluster.custom(&kinds::workflow()),
            watcher::Config::default().fields(&format!("metadata.name={}", wanted.run)),
        )
        .default_backoff()
        .map(|event| News::Workflow(Box::new(event)))
        .boxed(),
        watcher(cluster.api::<Pod>(), watcher::Config::default().labels(&label(wanted.run)))
            .default_backoff()
            .map(|event| News::Pod(Box::new(event)))
            .boxed(),
        stream::unfold((), |()| async { Some((News::Tick, tokio::time::sleep(TICK).await)) }).boxed(),
    ]);
    // The end of the run, or what came of its logs since.
    let mut ended: Option<Instant> = None;
    while let Some(item) = news.next().await {
        match item {
            News::Workflow(event) => follower.on_workflow(*event).await?,
            News::Pod(event) => {
                if let Some(logs) = follower.on_pod(*event) {
                    news.push(logs);
                }
            }
            News::Line(step, line) => {
                stage.note(format!("{step} | {line}"));
                ended = ended.map(|_| Instant::now());
            }
            News::Pods(listed) => {
                follower.logs = follower.logs.saturating_sub(1);
                news.extend(follower.on_pods(listed));
                ended = ended.map(|_| Instant::now());
            }
            News::EndOfLog => follower.logs = follower.logs.saturating_sub(1),
            News::Tick if ended.is_none() => follower.on_tick()?,
            News::Tick => {}
        }
        if follower.workflow.is_finished() {
            let since = *ended.get_or_insert_with(|| {
                news.extend(follower.rest());
                Instant::now()
            });
            if follower.logs == 0 || since.elapsed() >= DRAIN {
                return follower.end();
            }
        }
    }
    Err(Failure::retry(format!("the cluster tells no more of run {}", wanted.run)))
}

/// The label of a run's pods.
pub(crate) fn label(run: &str) -> String {
    format!("workflows.argoproj.io/workflow={run}")
}

enum News {
    Workflow(Box<watcher::Result<Event<DynamicObject>>>),
    Pod(Box<watcher::Result<Event<Pod>>>),
    Pods(kube::Result<ObjectList<Pod>>),
    Line(Step, String),
    EndOfLog,
    Tick,
}

struct Follower<'a> {
    cluster: &'a Cluster,
    stage: &'a Stage,
    wanted: &'a Follow<'a>,
    started: Instant,
    changes: Changes,
    workflow: Workflow,
    /// Whether the list that begins a watch had the run.
    listed: bool,
    lost: bool,
    /// Whether it was told that the controller is silent.
    silent: bool,
    /// Whether it was told that pods cannot be watched.
    blind: bool,
    pods: BTreeMap<String, Pod>,
    /// Pods that wait for what will not come by itself, and since when.
    waiting: BTreeMap<String, (Instant, Trouble)>,
    /// What was warned of.
    told: BTreeSet<String>,
    /// What failed programs gave as their reason, by node.
    errors: BTreeMap<String, String>,
    /// Logs that are being read.
    logs: usize,
    followed: BTreeSet<String>,
}

impl Follower<'_> {
    async fn on_workflow(&mut self, event: watcher::Result<Event<DynamicObject>>) -> Result<(), Failure> {
        let event = match event {
            Ok(event) => event,
            Err(error) => return self.on_lost(&error),
        };
        if std::mem::take(&mut self.lost) {
            self.stage.note("the cluster answers again");
        }
        match event {
            Event::Init => self.listed = false,
            Event::InitApply(object) => {
                self.listed = true;
                self.look(Workflow::of(&object)).await;
            }
            Event::Apply(object) => self.look(Workflow::of(&object)).await,
            Event::InitDone if self.listed => {}
            Event::InitDone | Event::Delete(_) => {
                return Err(Failure::input(format!("run {} is no longer there", self.wanted.run))
                    .hint("somebody deleted it, or its time to live is over; `weir runs` lists what is there"));
            }
        }
        Ok(())
    }

    /// What will not get better by waiting ends the watch.
    fn on_lost(&mut self, error: &watcher::Error) -> Result<(), Failure> {
        let (verb, inner) = match error {
            watcher::Error::InitialListFailed(inner) => ("list", Some(inner)),
            watcher::Error::WatchStartFailed(inner) => ("watch", Some(inner)),
            // The cluster has forgotten where this watch was: the watcher lists again.
            watcher::Error::WatchError(status) if status.code == 410 => return Ok(()),
            _ => ("watch", None),
        };
        if let Some(kube::Error::Api(status)) = inner
            && (400..=404).contains(&status.code)
        {
            return Err(self.cluster.failed(Doing::new(verb, "workflows.argoproj.io", ""))(kube::Error::Api(
                status.clone(),
            )));
        }
        if !std::mem::replace(&mut self.lost, true) {
            self.stage.warn(format!("lost the connection to the cluster: {}; trying again", weir_http::chain(error)));
        }
        Ok(())
    }

    async fn look(&mut self, workflow: Workflow) {
        for change in self.changes.of(&workflow) {
            self.tell(&workflow, change).await;
        }
        self.workflow = workflow;
    }

    async fn tell(&mut self, workflow: &Workflow, change: Change) {
        let stage = self.stage;
        match change {
            Change::Started(step) => stage.note(format!("{step} started")),
            Change::Progress(step, progress) => stage.note(format!("{step} {progress}")),
            Change::Reused(step) => stage.note(format!("{step} is there already, from an earlier run")),
            Change::Succeeded(step, Some(seconds)) => stage.note(format!("{step} done in {seconds} s")),
            Change::Succeeded(step, None) => stage.note(format!("{step} done")),
            Change::Failed { step, node, message } => {
                let again = workflow.retry_around(&node).is_some_and(|retry| !retry.is_finished());
                let lines = self.end_of_log(workflow, &node).await;
                if !self.wanted.logs {
                    lines.iter().for_each(|line| stage.note(format!("{step} | {line}")));
                }
                let reason = lines.iter().rev().find_map(|line| line.strip_prefix("error: "));
                if let Some(reason) = reason {
                    self.errors.insert(node, reason.to_owned());
                }
                let message = if message.is_empty() { "no reason given".to_owned() } else { message };
                let then = if again { "; it is tried again" } else { "" };
                stage.warn(format!("{step} failed: {message}{then}"));
            }
        }
    }

    async fn end_of_log(&self, workflow: &Workflow, node: &str) -> Vec<String> {
        let named = self.pods.iter().find(|(_, pod)| node_of(pod) == Some(node)).map(|(name, _)| name.clone());
        let Some(pod) = named.or_else(|| pod_name(workflow, node)) else { return Vec::new() };
        last_lines(&self.cluster.api(), &pod, LAST_LINES).await
    }

    /// Remembers a pod; gives its log, if it is to be shown and begins now.
    fn on_pod(&mut self, event: watcher::Result<Event<Pod>>) -> Option<BoxStream<'static, News>> {
        let pod = match event {
            Ok(Event::Apply(pod) | Event::InitApply(pod)) => pod,
            Ok(Event::Delete(pod)) => {
                let name = pod.metadata.name.unwrap_or_default();
                self.waiting.remove(&name);
                self.pods.remove(&name);
                return None;
            }
            Ok(Event::Init | Event::InitDone) => return None,
            Err(watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error)) => {
                self.on_blind(error);
                return None;
            }
            Err(_) => return None,
        };
        let name = pod.metadata.name.clone().unwrap_or_default();
        self.consider(&name, &pod);
        let logs = self.log_of(&name, &pod);
        self.pods.insert(name, pod);
        logs
    }

    fn on_blind(&mut self, error: kube::Error) {
        if matches!(&error, kube::Error::Api(_)) && !std::mem::replace(&mut self.blind, true) {
            let failure = self.cluster.failed(Doing::new("watch", "pods", ""))(error);
            self.stage.warn(format!("{}; why a step does not start will not be told", failure.message));
        }
    }

    /// The log of a pod that is to be shown and is not yet.
    fn log_of(&mut self, name: &str, pod: &Pod) -> Option<BoxStream<'static, News>> {
        (self.wanted.logs && has_begun(pod) && self.followed.insert(name.to_owned())).then(|| {
            self.logs += 1;
            log(self.cluster.api(), name.to_owned(), self.step_of(name, pod))
        })
    }

    /// Asks for the pods once more where the run has ended: their watch may be behind that of the run.
    fn rest(&mut self) -> Option<BoxStream<'static, News>> {
        self.wanted.logs.then(|| {
            self.logs += 1;
            let (pods, params) = (self.cluster.api::<Pod>(), ListParams::default().labels(&label(self.wanted.run)));
            stream::once(async move { News::Pods(pods.list(&params).await) }).boxed()
        })
    }

    fn on_pods(&mut self, listed: kube::Result<ObjectList<Pod>>) -> Vec<BoxStream<'static, News>> {
        match listed {
            Ok(pods) => pods
                .into_iter()
                .filter_map(|pod| self.log_of(pod.metadata.name.as_deref().unwrap_or_default(), &pod))
                .collect(),
            Err(error) => {
                self.on_blind(error);
                Vec::new()
            }
        }
    }

    fn consider(&mut self, name: &str, pod: &Pod) {
        let Some(trouble) = trouble(pod) else {
            self.waiting.remove(name);
            return;
        };
        // Many pods may wait for the same, and a pull that failed and one that is put off take turns.
        let first = !self.waiting.contains_key(name) && self.told.insert(trouble.text.clone());
        if first {
            let step = self.step_of(name, pod);
            let hint = trouble.hint.as_ref().map_or_else(String::new, |hint| format!(" ({hint})"));
            self.stage.warn(format!("{step} waits: {}{hint}", trouble.text));
        }
        if trouble.lasting {
            self.waiting.entry(name.to_owned()).or_insert_with(|| (Instant::now(), trouble));
        } else {
            self.waiting.remove(name);
        }
    }

    fn step_of(&self, name: &str, pod: &Pod) -> Step {
        // The controller writes the workflow after it has made the pod; the pod knows the full name as well.
        let full = pod.metadata.annotations.as_ref().and_then(|all| all.get("workflows.argoproj.io/node-name"));
        Step::of(self.wanted.run, full.map_or(name, String::as_str))
    }

    fn on_tick(&mut self) -> Result<(), Failure> {
        let run = self.wanted.run;
        if self.wanted.timeout.is_some_and(|timeout| self.started.elapsed() >= timeout) {
            return Err(Failure::retry(format!("run {run} has not ended within --timeout")).hint(format!(
                "it goes on in the cluster: `weir logs {run} --follow` watches it, `weir stop {run}` ends it"
            )));
        }
        if self.workflow.status.phase.is_empty() && self.started.elapsed() >= SILENCE && !self.lost && !self.silent {
            self.silent = true;
            self.stage.warn(format!(
                "Argo's controller has not looked at run {run} yet: is it running, and does it watch namespace {}? \
                 (kubectl get pods -A -l app=workflow-controller)",
                self.cluster.namespace
            ));
        }
        let lasting = self.waiting.iter().find(|(_, (since, _))| since.elapsed() >= self.wanted.patience);
        let Some((name, (_, trouble))) = lasting else { return Ok(()) };
        let step = self.pods.get(name).map_or_else(|| Step::of(run, name), |pod| self.step_of(name, pod));
        let failure = Failure::retry(format!("step {} of run {run} cannot start: {}", step.name, trouble.text));
        let hint = trouble.hint.as_deref().unwrap_or("`kubectl describe pod` says more");
        Err(failure.hint(format!("{hint}; the run still waits, `weir stop {run}` ends it")))
    }

    fn end(self) -> Result<Workflow, Failure> {
        match verdict(&self.workflow) {
            Verdict::Failed(failure, node) => {
                let reason = node.and_then(|node| self.errors.get(&node));
                Err(match reason {
                    Some(reason) => Failure { message: format!("{}: {reason}", failure.message), ..failure },
                    None => failure,
                })
            }
            Verdict::Succeeded | Verdict::Running => Ok(self.workflow),
        }
    }
}

/// Argo calls a pod after run, template and the last part of its node's id (`POD_NAMES=v2`, its default).
fn pod_name(workflow: &Workflow, node: &str) -> Option<String> {
    let template = &workflow.status.nodes.get(node)?.template_name;
    let (_, hash) = node.rsplit_once('-')?;
    Some(format!("{}-{template}-{hash}", workflow.metadata.name))
}

/// Whether the program of a pod has begun, and so has a log.
fn has_begun(pod: &Pod) -> bool {
    let status = pod.status.as_ref();
    let containers = status.into_iter().flat_map(|status| status.container_statuses.iter().flatten());
    let mut states =
        containers.filter(|container| container.name == MAIN).filter_map(|container| container.state.as_ref());
    states.any(|state| state.running.is_some() || state.terminated.is_some())
}

fn log(pods: kube::Api<Pod>, pod: String, step: Step) -> BoxStream<'static, News> {
    stream::once(super::stream(pods, pod, MAIN, true))
        .flat_map(|lines| match lines {
            Ok(lines) => lines,
            Err(error) => stream::iter([Err(std::io::Error::other(error))]).boxed(),
        })
        .filter_map(move |line| {
            let step = step.clone();
            async move { line.ok().map(|line| News::Line(step, line)) }
        })
        .chain(stream::iter([News::EndOfLog]))
        .boxed()
}
