//! `weir pipeline`: the pipeline in the forms that others run.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use serde_json::{Value, json};
use weir_cluster::ArtifactsArg;
use weir_contract::{Family, Representation};
use weir_pipeline::yaml::to_yaml;
use weir_pipeline::{PipelineSpec, argo, kfp, local};
use weir_stage::{CommonArgs, Failure, Stage};

#[derive(Parser)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,

    #[command(flatten)]
    common: CommonArgs,
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

#[derive(Subcommand)]
enum Action {
    /// Write the pipeline as a workflow of a cluster, or as the plan of a local run
    #[command(subcommand)]
    Render(Form),
}

#[derive(Subcommand)]
enum Form {
    /// The WorkflowTemplate of Argo Workflows, and with --cron the CronWorkflow that retrains
    Argo {
        /// Where artifacts are between steps
        #[arg(long, value_enum, value_name = "WHERE", default_value_t)]
        artifacts: ArtifactsArg,

        /// Let Argo remember features and trials by what they are made of; its controller needs the right to write
        /// ConfigMaps
        #[arg(long)]
        memoize: bool,

        /// The CronWorkflow instead of the WorkflowTemplate
        #[arg(long, conflicts_with = "memoize")]
        cron: bool,

        #[command(flatten)]
        trials: TrialsArgs,

        #[command(flatten)]
        out: OutArgs,
    },
    /// The intermediate representation (IR) of Kubeflow Pipelines v2
    Kfp {
        /// Take the flows from the URI in the parameter flows_uri instead of a path in the image
        #[arg(long)]
        import: bool,

        /// Registry of the images
        #[arg(long, value_name = "HOST[/PATH]", default_value = weir_pipeline::REGISTRY)]
        registry: String,

        /// Tag of the images [default: the version of this build]
        #[arg(long, value_name = "TAG")]
        tag: Option<String>,

        #[command(flatten)]
        trials: TrialsArgs,

        #[command(flatten)]
        out: OutArgs,
    },
    /// What `weir run` calls, step by step, as --engine containers does
    Local {
        #[command(flatten)]
        trials: TrialsArgs,

        #[command(flatten)]
        out: OutArgs,
    },
}

#[derive(clap::Args)]
pub(crate) struct TrialsArgs {
    /// Model families [default: all]
    #[arg(long, value_delimiter = ',', value_name = "MODEL")]
    models: Vec<Family>,

    /// What the models see [default: baseline,autoencoder]
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    representations: Vec<Representation>,
}

impl TrialsArgs {
    /// What is named; everything where nothing is.
    pub(crate) fn spec(&self) -> PipelineSpec {
        PipelineSpec {
            models: named_or_all(&self.models, Family::ALL),
            representations: named_or_all(&self.representations, Representation::ALL),
        }
    }
}

fn named_or_all<T: Clone>(named: &[T], all: &[T]) -> Vec<T> {
    if named.is_empty() { all.to_vec() } else { named.to_vec() }
}

#[derive(clap::Args)]
struct OutArgs {
    /// File to write to [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) fn command(args: Args, stage: &Stage) -> Result<(), Failure> {
    let Action::Render(form) = args.action;
    let version = stage.version();
    let (value, out) = match form {
        Form::Argo { artifacts, memoize, cron, trials, out } => {
            let artifacts = artifacts.into();
            let value = match cron {
                true => argo::cron_workflow(artifacts),
                false => argo::workflow_template(&checked(&trials)?, version, argo::Options { artifacts, memoize }),
            };
            (value, out)
        }
        Form::Kfp { import, registry, tag, trials, out } => {
            let options = kfp::Options {
                spec: checked(&trials)?,
                registry,
                tag: tag.unwrap_or_else(|| version.to_owned()),
                flows: if import { kfp::Flows::Imported } else { kfp::Flows::Path },
            };
            let value = kfp::pipeline(&options).map_err(|error| Failure::usage(error.to_string()))?;
            (value, out)
        }
        Form::Local { trials, out } => (plan(&checked(&trials)?, version)?, out),
    };
    write(&value, out.out.as_deref())
}

/// The trials, if there is a graph of them.
fn checked(trials: &TrialsArgs) -> Result<PipelineSpec, Failure> {
    let spec = trials.spec();
    spec.dag().map_err(|error| Failure::usage(error.to_string()))?;
    Ok(spec)
}

/// The parameters that the steps of a local run take, and their calls, with directories relative to that of the run.
fn plan(spec: &PipelineSpec, version: &str) -> Result<Value, Failure> {
    let dag = spec.dag().map_err(|error| Failure::usage(error.to_string()))?;
    let values = local::defaults(spec, version);
    Ok(json!({ "parameters": local::parameters(&values), "steps": local::calls(&dag, &values, str::to_owned) }))
}

fn write(value: &Value, out: Option<&Path>) -> Result<(), Failure> {
    let text = to_yaml(value).map_err(|error| Failure::retry(error.to_string()))?;
    match out {
        None => io::stdout().lock().write_all(text.as_bytes()),
        Some(path) => fs::write(path, text),
    }
    .or_else(|error| match error.kind() {
        // Whoever closed it has what they wanted.
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(error),
    })
    .map_err(|error| {
        let to = out.map_or_else(|| "standard output".to_owned(), |path| path.display().to_string());
        Failure::retry(format!("failed to write {to}: {error}"))
    })
}
