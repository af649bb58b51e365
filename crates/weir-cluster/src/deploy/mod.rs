//! `weir deploy`.

mod canary;
mod rollout;
mod served;
mod service;

use std::time::Duration;

use clap::Parser;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};
use weir_stage::{CommonArgs, Failure, Results, ResultsArgs, Stage};

use crate::cluster::{Cluster, ClusterArgs, Doing, MANAGER, kinds};
use crate::workflow::Workflow;
use crate::{fetch, logs, manifest, runs};
use canary::Canary;
use rollout::Rollout;
use service::Service;

/// Serve a bundle through KServe, and wait until it is what is served
///
/// Makes the InferenceService or changes it. Ready alone is not believed: the rollout of the new pods is watched, and the
/// digest that the predictor shows is compared.
#[derive(Debug, Clone, Parser)]
pub struct DeployArgs {
    /// Name of the InferenceService, and of the model in its URLs
    #[arg(long, value_name = "NAME", default_value = "weir")]
    pub name: String,

    /// Where the predictor finds the bundle, such as s3://bucket/runs/RUN/package/bundle or pvc://weir/...
    #[arg(long, value_name = "URI", conflicts_with = "run")]
    pub bundle_uri: Option<String>,

    /// The run whose bundle is deployed [default: the newest that succeeded]
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,

    /// Digest of the bundle, which the predictor has to show [default: that of the run]
    #[arg(long, value_name = "DIGEST")]
    pub expect: Option<String>,

    /// Share of the requests that the new bundle gets beside the one that is served, in percent
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=99))]
    pub canary: Option<u8>,

    /// The ServingRuntime
    #[arg(long, value_name = "NAME", default_value = "weir-predictor")]
    pub runtime: String,

    /// The service account of the predictor, with the secret that opens the store
    #[arg(long, value_name = "NAME", default_value = "weir-predictor")]
    pub service_account: String,

    /// Address at which the predictor is asked for its digest [default: through the API server; in the cluster, its own]
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,

    /// Longest time until it is served, in seconds; 0 does not wait
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub wait: u64,

    /// Seconds that a pod may wait for what is not there, such as its image, or fail again and again
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub patience: u64,

    /// Print the manifest as YAML and change nothing; with --bundle-uri no cluster is asked
    #[arg(long)]
    pub dry_run: bool,

    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,

    /// Small results for workflow engines.
    #[command(flatten)]
    pub results: ResultsArgs,

    /// Common options.
    #[command(flatten)]
    pub common: CommonArgs,
}

impl AsRef<CommonArgs> for DeployArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// What is to be served.
#[derive(Debug, Clone)]
struct Bundle {
    uri: String,
    /// Its digest, where it is known.
    digest: Option<String>,
}

/// Deploys a bundle and waits until it is served; prints where.
///
/// # Errors
/// Failures of usage (exit 2) for arguments that do not hold and for a cluster that is not set up, does not allow it or
/// offers no canary; of input (exit 3) where there is no such run; of a gate (exit 4) when another bundle is served than
/// the expected one; to be retried (exit 1) for everything else.
pub fn deploy_command(args: DeployArgs, stage: &Stage) -> Result<(), Failure> {
    if args.dry_run && args.bundle_uri.is_some() && args.canary.is_none() {
        let bundle = given(&args)?.ok_or_else(|| Failure::usage("no --bundle-uri"))?;
        let service = service(&args, &bundle.uri, None);
        return manifest::print(&[service.manifest(args.cluster.namespace())], stage);
    }
    let cluster = Cluster::connect(&args.cluster)?;
    let (bundle, service) = cluster.wait(stage, prepare(&cluster, stage, &args))?;
    let manifest = service.manifest(&cluster.namespace);
    if args.dry_run {
        return manifest::print(&[manifest], stage);
    }
    let result = cluster.wait(stage, serve(&cluster, stage, &args, &bundle, &service, manifest))?;
    stage.result(&result, || text(&result))?;
    args.results.publish(&results(&result))
}

/// The bundle that the arguments name, if they do.
fn given(args: &DeployArgs) -> Result<Option<Bundle>, Failure> {
    let Some(uri) = &args.bundle_uri else { return Ok(None) };
    // How Kubeflow Pipelines names its own store, which is one of S3.
    let uri = uri.strip_prefix("minio://").map_or_else(|| uri.clone(), |rest| format!("s3://{rest}"));
    let known = ["s3://", "pvc://", "gs://", "http://", "https://", "hf://", "oci://", "oci+native://", "oci+fetch://"];
    if !known.iter().any(|scheme| uri.starts_with(scheme)) {
        return Err(Failure::usage(format!(
            "--bundle-uri {uri} names no store: expected s3://bucket/key or pvc://claim/path"
        ))
        .hint("in a workflow its beginning is the parameter storage-uri, which must not be empty"));
    }
    Ok(Some(Bundle { uri: uri.trim_end_matches('/').to_owned(), digest: expected(args, None) }))
}

/// An empty digest is none: workflows pass what they do not know as empty texts.
fn expected(args: &DeployArgs, run: Option<&Workflow>) -> Option<String> {
    let given = args.expect.clone().filter(|digest| !digest.is_empty());
    given.or_else(|| run?.value("packaging", "bundle"))
}

async fn prepare(cluster: &Cluster, stage: &Stage, args: &DeployArgs) -> Result<(Bundle, Service), Failure> {
    let bundle = match given(args)? {
        Some(bundle) => bundle,
        None => of_run(cluster, stage, args).await?,
    };
    let canary = match args.canary {
        None => None,
        Some(percent) => Some(canary::plan(cluster, &args.name, percent).await?),
    };
    let service = service(args, &bundle.uri, canary);
    Ok((bundle, service))
}

fn service(args: &DeployArgs, uri: &str, canary: Option<Canary>) -> Service {
    Service {
        name: args.name.clone(),
        uri: uri.to_owned(),
        runtime: args.runtime.clone(),
        account: args.service_account.clone(),
        canary,
    }
}

async fn of_run(cluster: &Cluster, stage: &Stage, args: &DeployArgs) -> Result<Bundle, Failure> {
    let run = match &args.run {
        Some(name) => logs::find(cluster, Some(name)).await?,
        None => {
            let mut runs = runs::list(cluster, "weir").await?.into_iter();
            let newest = runs.find(|run| run.status.phase == "Succeeded");
            newest.ok_or_else(|| {
                Failure::input(format!("no run in namespace {} has succeeded", cluster.namespace))
                    .hint("`weir submit` makes one; --bundle-uri deploys a bundle from elsewhere")
            })?
        }
    };
    let name = &run.metadata.name;
    if run.status.phase != "Succeeded" {
        let phase = if run.status.phase.is_empty() { "Waiting" } else { &run.status.phase };
        return Err(Failure::input(format!("run {name} has not succeeded: it is {phase}")));
    }
    let uri = match fetch::location(&run) {
        Some(place) => format!("s3://{}/{}/bundle", place.bucket, place.key.trim_end_matches('/')),
        None => format!("pvc://weir/runs/{name}/package/bundle"),
    };
    stage.note(format!("the bundle of run {name}: {uri}"));
    Ok(Bundle { uri, digest: expected(args, Some(&run)) })
}

async fn serve(
    cluster: &Cluster,
    stage: &Stage,
    args: &DeployArgs,
    bundle: &Bundle,
    service: &Service,
    manifest: Value,
) -> Result<Value, Failure> {
    let name = &args.name;
    match apply(cluster, name, &manifest).await {
        Err(failure) if service::is_refused_for_its_word(&failure) => {
            apply(cluster, name, &service::in_older_words(&manifest)).await?;
        }
        applied => applied?,
    }
    stage.note(format!("InferenceService {name} in namespace {}: {}", cluster.namespace, bundle.uri));
    let mut result = json!({
        "name": name,
        "namespace": cluster.namespace,
        "bundle_uri": bundle.uri,
        "canary": args.canary,
        "ready": false,
        "endpoint": null,
        "digest": null,
    });
    if args.wait == 0 {
        return Ok(result);
    }
    let rollout = Rollout {
        cluster,
        stage,
        name,
        uri: &bundle.uri,
        manifest: &manifest,
        canary: service.canary.is_some(),
        expect: bundle.digest.as_deref(),
        endpoint: args.endpoint.as_deref(),
        wait: Duration::from_secs(args.wait),
        patience: Duration::from_secs(args.patience),
    };
    let served = rollout.wait().await?;
    result["ready"] = json!(true);
    result["endpoint"] = json!(served.endpoint);
    result["digest"] = json!(served.digest);
    Ok(result)
}

/// What is served is what this command is for: it takes the fields over from whoever set them.
async fn apply(cluster: &Cluster, name: &str, manifest: &Value) -> Result<(), Failure> {
    let object: DynamicObject = manifest::object(manifest.clone())?;
    let params = PatchParams::apply(MANAGER).force();
    let applied = cluster.custom(&kinds::inference_service()).patch(name, &params, &Patch::Apply(&object)).await;
    applied.map_err(cluster.failed(Doing::new("patch", "inferenceservices.serving.kserve.io", name)))?;
    Ok(())
}

fn results(result: &Value) -> Results {
    let value = |name: &'static str| Some((name, result[name].as_str()?.to_owned()));
    Results { values: ["endpoint", "digest"].into_iter().filter_map(value).collect(), ..Results::default() }
}

fn text(result: &Value) -> String {
    let get = |name: &str| result[name].as_str().unwrap_or("unknown");
    if result["ready"] != json!(true) {
        return format!("InferenceService {} was changed; nobody waited for it", get("name"));
    }
    let share =
        result["canary"].as_u64().map_or_else(String::new, |percent| format!(" for {percent} % of the requests"));
    format!("{} is served at {}{share}\ndigest {}", get("name"), get("endpoint"), get("digest"))
}
