//! `weir submit`.

mod data;
mod repository;
mod request;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use weir_contract::{Family, Representation};
use weir_pipeline::PipelineSpec;
use weir_pipeline::argo::{Artifacts, Options, workflow_template};
use weir_stage::{CommonArgs, Failure, ParamsArgs, Stage};

use crate::cluster::{Cluster, ClusterArgs, Doing, MANAGER, kinds};
use crate::fetch::{self, Fetched};
use crate::manifest;
use crate::workflow::{Follow, Workflow, follow};
pub use data::Data;
use request::Request;

/// Run the pipeline on a cluster and watch it until it ends
///
/// Applies the workflow template, starts a run of it and tells how its steps get on. Ends with the exit code of the step
/// that failed, if one did. Ctrl-C stops watching; the run goes on.
#[derive(Debug, Clone, Parser)]
pub struct SubmitArgs {
    /// Labelled flows: s3://bucket/key, s3:key in the cluster's own bucket, http(s)://..., or a path that the features
    /// step sees, such as /weir/flows.csv on the volume [default: the sample in the image]
    #[arg(long, value_name = "DATA")]
    pub data: Option<Data>,

    /// SHA-256 of the flows, so that features made of them once are taken again
    #[arg(long, value_name = "DIGEST")]
    pub data_digest: Option<String>,

    /// Format of the flows [default: recognised by their first bytes]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,

    /// Feature set: default, report or no-identity
    #[arg(long, value_name = "NAME")]
    pub feature_set: Option<String>,

    /// Parameters.
    #[command(flatten)]
    pub params: ParamsArgs,

    /// Model families [default: all]
    #[arg(long, value_delimiter = ',', value_name = "MODEL")]
    pub models: Vec<Family>,

    /// What the models see [default: baseline,autoencoder]
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub representations: Vec<Representation>,

    /// Into how many parts reading the flows is divided
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub parts: Option<u32>,

    /// Into how many shards each search is divided
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub shards: Option<u32>,

    /// Deploy the winner and validate what is served
    #[arg(long)]
    pub deploy: bool,

    /// Accuracy below which the deployed predictor fails its validation
    #[arg(long, value_name = "SHARE", requires = "deploy")]
    pub minimum_accuracy: Option<f64>,

    /// Name of the InferenceService [default: weir]
    #[arg(long, value_name = "NAME")]
    pub model_name: Option<String>,

    /// Where the predictor finds artifacts, such as s3://bucket or pvc://weir [default: where the run leaves them]
    #[arg(long, value_name = "URI")]
    pub storage_uri: Option<String>,

    /// Registry of the images, as the cluster's nodes see it
    #[arg(long, value_name = "HOST[:PORT][/PATH]")]
    pub registry: Option<String>,

    /// Tag of the images
    #[arg(long, value_name = "TAG")]
    pub tag: Option<String>,

    /// Where steps leave their artifacts: in the cluster's artifact repository or on the volume `weir`
    #[arg(long, value_enum, value_name = "WHERE", default_value_t)]
    pub artifacts: ArtifactsArg,

    /// Name of the run [default: weir- and five random characters]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Let Argo remember features and trials by what they are made of, for later runs to take; its controller needs the
    /// right to write the ConfigMap weir-memo
    #[arg(long)]
    pub memoize: bool,

    /// Name of the workflow template
    #[arg(long, value_name = "NAME", default_value = "weir")]
    pub template: String,

    /// Use the template that is in the cluster
    #[arg(long)]
    pub no_apply: bool,

    /// Directory for the report and the bundle; they are fetched when the run is done
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Show everything that the steps write
    #[arg(long)]
    pub follow: bool,

    /// Start the run and do not wait for it
    #[arg(long, conflicts_with_all = ["out", "follow"])]
    pub detach: bool,

    /// Print the manifests as YAML and ask no cluster
    #[arg(long, conflicts_with_all = ["out", "follow", "detach"])]
    pub dry_run: bool,

    /// Seconds after which waiting ends; the run goes on
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: Option<u64>,

    /// Seconds that a step may wait for what is not there, such as its image or its volume
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub patience: u64,

    /// Address of the object store as seen from here, to fetch from [default: AWS_ENDPOINT_URL, else the cluster's]
    #[arg(long, value_name = "URL")]
    pub s3_endpoint: Option<String>,

    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,

    /// Common options.
    #[command(flatten)]
    pub common: CommonArgs,
}

impl AsRef<CommonArgs> for SubmitArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// Where steps leave their artifacts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ArtifactsArg {
    /// In the artifact repository of the namespace.
    #[default]
    S3,
    /// On the PersistentVolumeClaim `weir`.
    Volume,
}

impl From<ArtifactsArg> for Artifacts {
    fn from(artifacts: ArtifactsArg) -> Self {
        match artifacts {
            ArtifactsArg::S3 => Self::S3,
            ArtifactsArg::Volume => Self::Volume,
        }
    }
}

/// Starts a run and watches it; prints the run, and what came of it, on stdout.
///
/// # Errors
/// Failures of usage (exit 2) for arguments that do not hold, for a cluster that is not set up or does not allow it, and
/// for steps that end so; of input (exit 3) and of a gate (exit 4) where a step ends so; to be retried (exit 1) for
/// everything else. Interrupted (exit 130) by Ctrl-C, while the run goes on.
pub fn submit_command(args: SubmitArgs, stage: &Stage) -> Result<(), Failure> {
    let template = (!args.no_apply).then(|| template(&args));
    let request = Request::new(&args)?;
    if args.dry_run {
        return print(&args, template, &request, stage);
    }
    let cluster = Cluster::connect(&args.cluster)?;
    let submitted = cluster.wait(stage, start(&cluster, stage, &args, template, request))?;
    if args.detach {
        let result = json!({"run": submitted, "namespace": cluster.namespace});
        return stage.result(&result, || submitted.clone());
    }
    let watched = cluster.wait(stage, watch(&cluster, stage, &args, &submitted));
    let workflow = watched.map_err(|failure| interrupted_hint(failure, &submitted, stage))?;
    let fetched = match &args.out {
        Some(out) => Some(fetch::fetch(&cluster, stage, &workflow, out, args.s3_endpoint.as_deref())?),
        None => None,
    };
    report(&workflow, &cluster.namespace, fetched.as_ref(), stage)
}

/// The template as the cluster shall have it.
fn template(args: &SubmitArgs) -> Value {
    let options = Options { artifacts: args.artifacts.into(), memoize: args.memoize };
    let mut manifest = workflow_template(&PipelineSpec::default(), env!("CARGO_PKG_VERSION"), options);
    manifest["metadata"]["name"] = json!(args.template);
    manifest["metadata"]["namespace"] = json!(args.cluster.namespace());
    manifest
}

fn print(args: &SubmitArgs, template: Option<Value>, request: &Request, stage: &Stage) -> Result<(), Failure> {
    if request.needs_repository() {
        stage.note(
            "where the cluster keeps artifacts is filled in from its ConfigMap artifact-repositories at submission",
        );
    }
    let workflow = request.workflow(args.cluster.namespace());
    let manifests: Vec<Value> = template.into_iter().chain([workflow]).collect();
    manifest::print(&manifests, stage)
}

/// Applies the template and creates the run; gives its name.
async fn start(
    cluster: &Cluster,
    stage: &Stage,
    args: &SubmitArgs,
    template: Option<Value>,
    mut request: Request,
) -> Result<String, Failure> {
    if request.needs_repository() {
        let repository = repository::default(cluster).await?;
        request.fill_in(repository.as_ref())?;
    }
    if let Some(template) = template {
        apply(cluster, stage, &args.template, template).await?;
    }
    let workflow: DynamicObject = manifest::object(request.workflow(&cluster.namespace))?;
    let doing = Doing::new("create", "workflows.argoproj.io", request.name().unwrap_or_default());
    let created = cluster.custom(&kinds::workflow()).create(&PostParams::default(), &workflow).await;
    let created = created.map_err(|error| match &error {
        kube::Error::Api(status) if status.is_already_exists() => {
            Failure::usage(format!("there is a run {} already", request.name().unwrap_or_default()))
                .hint("leave out --name for a name of its own")
        }
        _ => cluster.failed(doing)(error),
    })?;
    let name = created.metadata.name.unwrap_or_default();
    stage.note(format!("run {name} in namespace {}", cluster.namespace));
    Ok(name)
}

/// Somebody else's changes to the template are kept, unless the user says otherwise.
async fn apply(cluster: &Cluster, stage: &Stage, name: &str, mut manifest: Value) -> Result<(), Failure> {
    manifest["metadata"]["namespace"] = json!(cluster.namespace);
    let params = PatchParams { force: stage.common().force, ..PatchParams::apply(MANAGER) };
    let applied = cluster.custom(&kinds::workflow_template()).patch(name, &params, &Patch::Apply(&manifest)).await;
    match applied {
        Ok(_) => {
            stage.detail(format!("applied WorkflowTemplate {name}"));
            Ok(())
        }
        Err(kube::Error::Api(status)) if status.code == 409 => {
            let said = status.message.lines().collect::<Vec<_>>().join(", ");
            Err(Failure::usage(format!("WorkflowTemplate {name} in the cluster has changes of somebody else: {said}"))
                .hint("--no-apply runs it as it is there, --force replaces it"))
        }
        Err(error) => Err(cluster.failed(Doing::new("patch", "workflowtemplates.argoproj.io", name))(error)),
    }
}

async fn watch(cluster: &Cluster, stage: &Stage, args: &SubmitArgs, run: &str) -> Result<Workflow, Failure> {
    let wanted = Follow {
        run,
        logs: args.follow || stage.common().verbose,
        patience: Duration::from_secs(args.patience),
        timeout: args.timeout.map(Duration::from_secs),
    };
    follow(cluster, stage, &wanted).await
}

fn interrupted_hint(failure: Failure, run: &str, stage: &Stage) -> Failure {
    if !stage.is_cancelled() {
        return failure;
    }
    Failure::interrupted()
        .context(format!("no longer watching run {run}, which goes on"))
        .hint(format!("`weir logs {run} --follow` watches it again, `weir stop {run}` ends it"))
}

fn report(workflow: &Workflow, namespace: &str, fetched: Option<&Fetched>, stage: &Stage) -> Result<(), Failure> {
    let run = &workflow.metadata.name;
    let seconds = crate::runs::seconds(workflow);
    let value = |step, name| workflow.value(step, name);
    let result = json!({
        "run": run,
        "namespace": namespace,
        "phase": workflow.status.phase,
        "seconds": seconds,
        "winner": value("selection", "winner"),
        "accuracy": value("selection", "accuracy"),
        "verdict": value("selection", "verdict"),
        "digests": {
            "features": value("features", "digest"),
            "selection": value("selection", "digest"),
            "package": value("packaging", "digest"),
            "bundle": value("packaging", "bundle"),
        },
        "endpoint": value("deploy", "endpoint"),
        "validation_accuracy": value("validation", "accuracy"),
        "out": fetched.map(|fetched| &fetched.dir),
        "report": fetched.map(Fetched::report),
        "bundle": fetched.map(Fetched::bundle),
    });
    stage.result(&result, || text(workflow, seconds, fetched))
}

fn text(workflow: &Workflow, seconds: Option<i64>, fetched: Option<&Fetched>) -> String {
    let took = seconds.map_or_else(String::new, |seconds| format!(" in {seconds} s"));
    let mut lines = vec![format!("run {} succeeded{took}", workflow.metadata.name)];
    if let Some(winner) = workflow.value("selection", "winner") {
        let accuracy = workflow.value("selection", "accuracy");
        let accuracy = accuracy.map_or_else(String::new, |accuracy| format!(", accuracy {accuracy} on test"));
        lines.push(format!("winner {winner}{accuracy}"));
    }
    if let Some(endpoint) = workflow.value("deploy", "endpoint") {
        lines.push(format!("served at {endpoint}"));
    }
    if let Some(fetched) = fetched {
        lines.push(format!("report {}", fetched.report().display()));
        lines.push(format!("bundle {}", fetched.bundle().display()));
    }
    lines.join("\n")
}
