//! `weir logs`.

use std::io::{self, Write};
use std::time::Duration;

use clap::Parser;
use futures_util::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::ListParams;
use weir_stage::{CommonArgs, Failure, Stage};

use crate::cluster::{Cluster, ClusterArgs, Doing, kinds};
use crate::workflow::{Follow, MAIN, Step, Workflow, follow, label, node_of, stream};

/// Show what the steps of a run have written
#[derive(Debug, Clone, Parser)]
pub struct LogsArgs {
    /// The run [default: the newest]
    #[arg(value_name = "RUN")]
    pub run: Option<String>,

    /// A step, as in features or training/baseline-svc, or training for all of them [default: all]
    #[arg(value_name = "STEP")]
    pub step: Option<String>,

    /// Watch the run until it ends, as `weir submit` does
    #[arg(long, short, conflicts_with = "step")]
    pub follow: bool,

    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,

    /// Common options.
    #[command(flatten)]
    pub common: CommonArgs,
}

impl AsRef<CommonArgs> for LogsArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// Prints the logs of a run on stdout, step by step; with `--follow` watches it, and ends as it ends.
///
/// # Errors
/// Failures of usage (exit 2) where the cluster is not set up or does not allow it; of input (exit 3) where there is no
/// such run or step; to be retried (exit 1) where the cluster does not answer. With `--follow` those of the run.
pub fn logs_command(args: LogsArgs, stage: &Stage) -> Result<(), Failure> {
    let cluster = Cluster::connect(&args.cluster)?;
    cluster.wait(stage, async {
        let run = find(&cluster, args.run.as_deref()).await?;
        let name = run.metadata.name.clone();
        if args.follow {
            let patience = Duration::from_secs(120);
            let wanted = Follow { run: &name, logs: true, patience, timeout: None };
            return follow(&cluster, stage, &wanted).await.map(drop);
        }
        show(&cluster, stage, &run, args.step.as_deref()).await
    })
}

/// The run of this name, or the newest.
///
/// # Errors
/// A failure of input where there is none; failures of the cluster to tell.
pub(crate) async fn find(cluster: &Cluster, name: Option<&str>) -> Result<Workflow, Failure> {
    if let Some(name) = name {
        let object = cluster.custom(&kinds::workflow()).get(name).await;
        let object = object.map_err(cluster.failed(Doing::new("get", "workflows.argoproj.io", name)))?;
        return Ok(Workflow::of(&object));
    }
    let newest = crate::runs::list(cluster, "weir").await?.into_iter().next();
    newest.ok_or_else(|| Failure::input(format!("there is no run in namespace {}", cluster.namespace)))
}

async fn show(cluster: &Cluster, stage: &Stage, run: &Workflow, wanted: Option<&str>) -> Result<(), Failure> {
    let name = &run.metadata.name;
    let listed = cluster.api::<Pod>().list(&ListParams::default().labels(&label(name))).await;
    let mut pods = listed.map_err(cluster.failed(Doing::new("list", "pods", "")))?.items;
    pods.sort_by_key(|pod| (pod.creation_timestamp(), pod.name_any()));
    let mut shown = 0;
    for pod in &pods {
        let node = node_of(pod).and_then(|id| run.status.nodes.get(id));
        let step = node.map_or_else(|| Step::of(name, &pod.name_any()), |node| run.step(node));
        let matches = wanted.is_none_or(|wanted| step.name == wanted || step.name.starts_with(&format!("{wanted}/")));
        if !matches {
            continue;
        }
        shown += 1;
        match stream(cluster.api(), pod.name_any(), MAIN, false).await {
            Ok(mut lines) => {
                while let Some(Ok(line)) = lines.next().await {
                    write(&format!("{step} | {line}\n"))?;
                }
            }
            // One that waits has no log yet, which is no reason to keep the others.
            Err(kube::Error::Api(status)) if status.code == 400 || status.code == 404 => {
                stage.note(format!("{step} has no log: {}", status.message));
            }
            Err(error) => return Err(cluster.failed(Doing::new("get", "pods/log", &pod.name_any()))(error)),
        }
    }
    if shown > 0 {
        return Ok(());
    }
    let steps: Vec<String> =
        run.status.nodes.values().filter(|node| node.is_step()).map(|node| run.step(node).name).collect();
    match wanted {
        Some(wanted) if !steps.iter().any(|step| step.starts_with(wanted)) => {
            Err(Failure::input(format!("run {name} has no step {wanted}"))
                .hint(format!("its steps: {}", steps.join(", "))))
        }
        _ => {
            stage.note(format!(
                "the pods of run {name} are gone, and their logs with them; Argo keeps logs where its artifact \
                 repository says archiveLogs"
            ));
            Ok(())
        }
    }
}

fn write(text: &str) -> Result<(), Failure> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::retry(format!("failed to write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}
