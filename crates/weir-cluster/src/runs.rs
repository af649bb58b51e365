//! `weir runs`.

use clap::Parser;
use k8s_openapi::jiff::Timestamp;
use kube::api::ListParams;
use serde::Serialize;
use weir_stage::{CommonArgs, Failure, Stage};

use crate::cluster::{Cluster, ClusterArgs, Doing, kinds};
use crate::workflow::{Workflow, between};

/// List the runs on a cluster, the newest first
#[derive(Debug, Clone, Parser)]
pub struct RunsArgs {
    /// Name of the workflow template that they are runs of
    #[arg(long, value_name = "NAME", default_value = "weir")]
    pub template: String,

    /// Show at most so many
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,

    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,

    /// Common options.
    #[command(flatten)]
    pub common: CommonArgs,
}

impl AsRef<CommonArgs> for RunsArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// A run, as it is listed.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Row {
    run: String,
    phase: String,
    /// Seconds since it was created.
    age: Option<i64>,
    /// Seconds it took, or takes until now.
    duration: Option<i64>,
    /// Steps done of all.
    progress: String,
    winner: Option<String>,
    accuracy: Option<String>,
    message: Option<String>,
}

/// Prints the runs of the namespace as a table, or with `--json` as a list.
///
/// # Errors
/// Failures of usage (exit 2) where the cluster is not set up or does not allow it; to be retried (exit 1) where it does
/// not answer.
pub fn runs_command(args: RunsArgs, stage: &Stage) -> Result<(), Failure> {
    let cluster = Cluster::connect(&args.cluster)?;
    let mut runs = cluster.wait(stage, list(&cluster, &args.template))?;
    runs.truncate(args.limit);
    let now = Timestamp::now();
    let rows: Vec<Row> = runs.iter().map(|run| row(run, now)).collect();
    if rows.is_empty() {
        stage.note(format!("there are no runs of template {} in namespace {}", args.template, cluster.namespace));
    }
    stage.result(&rows, || table(&rows))
}

/// The runs of `template`, the newest first.
///
/// # Errors
/// Failures of the cluster to tell.
pub(crate) async fn list(cluster: &Cluster, template: &str) -> Result<Vec<Workflow>, Failure> {
    let found = cluster.custom(&kinds::workflow()).list(&ListParams::default()).await;
    let found = found.map_err(cluster.failed(Doing::new("list", "workflows.argoproj.io", "")))?;
    let all = found.items.iter().map(Workflow::of);
    let of_template =
        |run: &Workflow| run.spec.workflow_template_ref.as_ref().is_some_and(|known| known.name == template);
    let mut runs: Vec<Workflow> = all.filter(of_template).collect();
    runs.sort_by(|a, b| {
        (&b.metadata.creation_timestamp, &a.metadata.name).cmp(&(&a.metadata.creation_timestamp, &b.metadata.name))
    });
    Ok(runs)
}

/// How long a run took, if it has ended.
pub(crate) fn seconds(run: &Workflow) -> Option<i64> {
    Some(between(run.status.started_at.as_ref()?, run.status.finished_at.as_ref()?.0))
}

fn row(run: &Workflow, now: Timestamp) -> Row {
    let status = &run.status;
    let phase = match (&run.spec.shutdown, status.phase.as_str()) {
        (_, "") => "Waiting".to_owned(),
        (Some(_), "Failed" | "Error") => "Stopped".to_owned(),
        (_, phase) => phase.to_owned(),
    };
    let end = status.finished_at.as_ref().map_or(now, |time| time.0);
    Row {
        run: run.metadata.name.clone(),
        phase,
        age: run.metadata.creation_timestamp.as_ref().map(|created| between(created, now)),
        duration: status.started_at.as_ref().map(|started| between(started, end)),
        progress: status.progress.clone(),
        winner: run.value("selection", "winner"),
        accuracy: run.value("selection", "accuracy"),
        message: Some(status.message.clone()).filter(|message| !message.is_empty()),
    }
}

fn table(rows: &[Row]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let time = |seconds: Option<i64>| seconds.map_or_else(|| "-".to_owned(), short);
    let word = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
    let head = ["RUN", "PHASE", "AGE", "DURATION", "STEPS", "WINNER", "ACCURACY"].map(str::to_owned);
    let body = rows.iter().map(|row| {
        let accuracy = row
            .accuracy
            .as_deref()
            .map(|text| text.parse().map_or_else(|_| text.to_owned(), |x: f64| format!("{x:.4}")));
        [
            row.run.clone(),
            row.phase.clone(),
            time(row.age),
            time(row.duration),
            word(&row.progress),
            word(row.winner.as_deref().unwrap_or_default()),
            word(accuracy.as_deref().unwrap_or_default()),
        ]
    });
    let lines: Vec<[String; 7]> = std::iter::once(head).chain(body).collect();
    let widths: [usize; 7] = std::array::from_fn(|i| lines.iter().map(|line| line[i].len()).max().unwrap_or(0));
    let line = |cells: &[String; 7]| {
        let padded: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A length of time in at most two units: `45s`, `3m20s`, `2h5m`, `4d3h`.
fn short(seconds: i64) -> String {
    let two = |big: i64, unit: &str, small: i64, lesser: &str| match small {
        0 => format!("{big}{unit}"),
        _ => format!("{big}{unit}{small}{lesser}"),
    };
    match seconds {
        ..60 => format!("{seconds}s"),
        60..3_600 => two(seconds / 60, "m", seconds % 60, "s"),
        3_600..86_400 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "m"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_two_units_at_most() {
        let shown = [0, 59, 60, 200, 3_600, 7_500, 86_400, 356_400].map(short);
        assert_eq!(shown, ["0s", "59s", "1m", "3m20s", "1h", "2h5m", "1d", "4d3h"]);
    }
}
