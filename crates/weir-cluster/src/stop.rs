//! `weir stop`.

use clap::Parser;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use weir_stage::{CommonArgs, Failure, Stage};

use crate::cluster::{Cluster, ClusterArgs, Doing, kinds};
use crate::logs::find;

/// Stop a run on a cluster
///
/// Its steps are ended; what notifies about the end of a run still runs, unless --terminate is given.
#[derive(Debug, Clone, Parser)]
pub struct StopArgs {
    /// The run
    #[arg(value_name = "RUN")]
    pub run: String,

    /// Do not even run what a run does at its end
    #[arg(long)]
    pub terminate: bool,

    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,

    /// Common options.
    #[command(flatten)]
    pub common: CommonArgs,
}

impl AsRef<CommonArgs> for StopArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// Asks the controller to stop a run; one that has ended is left as it is.
///
/// # Errors
/// Failures of usage (exit 2) where the cluster is not set up or does not allow it; of input (exit 3) where there is no
/// such run; to be retried (exit 1) where the cluster does not answer.
pub fn stop_command(args: StopArgs, stage: &Stage) -> Result<(), Failure> {
    let cluster = Cluster::connect(&args.cluster)?;
    let run = args.run.as_str();
    let how = if args.terminate { "Terminate" } else { "Stop" };
    let ended = cluster.wait(stage, async {
        let found = find(&cluster, Some(run)).await?;
        if found.is_finished() {
            return Ok(Some(found.status.phase));
        }
        let patch = Patch::Merge(json!({"spec": {"shutdown": how}}));
        let patched = cluster.custom(&kinds::workflow()).patch(run, &PatchParams::default(), &patch).await;
        patched.map_err(cluster.failed(Doing::new("patch", "workflows.argoproj.io", run)))?;
        Ok(None)
    })?;
    let result = json!({"run": run, "stopped": ended.is_none(), "phase": ended});
    stage.result(&result, || match &ended {
        Some(phase) => format!("run {run} has ended already: {phase}"),
        None => format!("run {run} is being stopped"),
    })
}
