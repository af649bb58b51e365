//! The pipeline for Kubeflow Pipelines v2: its intermediate representation (IR), which `kfp` loads and a cluster runs.
//!
//! Every step is a component with a container; a step that fans out is one component per trial, because a component
//! writes where its name says when it runs without a cluster. The steps of the deployment are a graph of their own
//! behind the condition on `deploy`.
//!
//! The IR has no form for these: exit codes that end the tries (any failure is tried again), the longest time of a task,
//! steps divided by a number that only the run knows, and images named by parameters (a cluster would take them, a local
//! run does not). Registry, tag and trials are therefore fixed in a rendering.

mod component;
mod task;
mod unit;

use serde_json::{Map, Value, json};

use crate::dag::DagError;
use crate::definition::PARAMETERS;
use crate::local::defaults;
use crate::spec::PipelineSpec;
use unit::{FLOWS, Source, Unit, name};

/// The version of the IR.
pub const SCHEMA_VERSION: &str = "2.1.0";
/// The version of kfp whose IR this is.
pub const SDK_VERSION: &str = "kfp-2.17.0";
/// The parameter with the URI of the flows, under [`Flows::Imported`].
pub const FLOWS_URI: &str = "flows_uri";

/// What a rendering fixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// What fans out.
    pub spec: PipelineSpec,
    /// Registry of the images, with a path if they lie under one: `localhost:5000`.
    pub registry: String,
    /// Tag of the images.
    pub tag: String,
    /// Where flows come from.
    pub flows: Flows,
}

/// Where flows come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flows {
    /// A path in the container of the features step, the parameter `flows`; the sample where none is given.
    Path,
    /// An artifact imported from the parameter [`FLOWS_URI`]: `s3://`, `gs://` or `minio://`, which are what Kubeflow
    /// imports. An importer cannot be left out of a run, so that this is a pipeline of its own.
    Imported,
}

/// The IR of the pipeline.
///
/// # Errors
/// Those of [`PipelineSpec::dag`].
pub fn pipeline(options: &Options) -> Result<Value, DagError> {
    let units = unit::all(&options.spec, options.flows)?;
    let (deployment, run): (Vec<Unit>, Vec<Unit>) = units.into_iter().partition(|unit| unit.step.deployment);

    let mut components = Map::new();
    let mut executors = Map::new();
    for unit in run.iter().chain(&deployment) {
        components.insert(unit.component(), component::interface(unit));
        executors.insert(unit.executor(), component::container(unit, options));
    }
    let mut tasks: Map<String, Value> = run.iter().map(|unit| (unit.name.clone(), task::of(unit))).collect();
    if options.flows == Flows::Imported {
        components.insert(format!("comp-{FLOWS}"), component::importer_interface());
        executors.insert(format!("exec-{FLOWS}"), component::importer());
        tasks.insert(FLOWS.to_owned(), task::importer());
    }
    let (group, task) = task::deployment(&deployment);
    components.insert(format!("comp-{}", task::DEPLOYMENT), group);
    tasks.insert(task::DEPLOYMENT.to_owned(), task);

    Ok(json!({
        "pipelineInfo": {
            "name": "weir",
            "description": "Labelled flows to a packaged attack detector, deployed and validated on request",
        },
        "schemaVersion": SCHEMA_VERSION,
        "sdkVersion": SDK_VERSION,
        "components": components,
        "deploymentSpec": {"executors": executors},
        "root": {
            "dag": {"tasks": tasks},
            "inputDefinitions": {"parameters": parameters(options, run.iter().chain(&deployment))},
        },
    }))
}

/// The parameters of the run that a step takes, and the one that the deployment depends on.
fn parameters<'a>(options: &Options, units: impl Iterator<Item = &'a Unit>) -> Map<String, Value> {
    let taken: Vec<&str> = units
        .flat_map(|unit| unit.parameters())
        .filter_map(|parameter| match parameter.source {
            Source::Run(of) => Some(of),
            Source::Result { .. } => None,
        })
        .chain([task::CONDITION])
        .collect();
    let defaults = defaults(&options.spec, &options.tag);
    let mut parameters = Map::new();
    for parameter in PARAMETERS.iter().filter(|parameter| taken.contains(&parameter.name)) {
        let about = match parameter.choices {
            [] => parameter.about.to_owned(),
            choices => format!("{}: {}", parameter.about, choices.join(" or ")),
        };
        let default = defaults.get(parameter.name).map(|values| values.concat()).unwrap_or_default();
        let definition =
            json!({"parameterType": "STRING", "description": about, "isOptional": true, "defaultValue": default});
        parameters.insert(name(parameter.name), definition);
    }
    if options.flows == Flows::Imported {
        let about = "URI of the flows, a file or everything below it: s3://, gs:// or minio://";
        parameters.insert(FLOWS_URI.to_owned(), json!({"parameterType": "STRING", "description": about}));
    }
    parameters
}
