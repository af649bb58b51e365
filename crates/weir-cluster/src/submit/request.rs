//! From arguments to the manifest of a run.

use serde_json::{Map, Value, json};
use weir_contract::{Family, Representation};
use weir_pipeline::argo::FLOWS;
use weir_stage::{Failure, ParamsArgs};

use super::data::Data;
use super::repository::Repository;
use super::{ArtifactsArg, SubmitArgs};
use crate::manifest::labels;

/// A run that is to be created.
#[derive(Debug, Clone)]
pub(super) struct Request {
    name: Option<String>,
    template: String,
    /// Only what was given: the template has the defaults.
    parameters: Vec<(&'static str, String)>,
    /// Location of the artifact `flows`.
    flows: Option<Value>,
    /// The bucket of the flows, where its store is not known yet.
    bucket: Option<String>,
    /// Whether the predictor's storage is the bucket of the artifacts, which is not known yet.
    storage: bool,
}

impl Request {
    /// # Errors
    /// Failures of usage for parameters that do not hold.
    pub(super) fn new(args: &SubmitArgs) -> Result<Self, Failure> {
        let mut parameters = Vec::new();
        let mut add = |name, value: Option<String>| parameters.extend(value.map(|value| (name, value)));
        let (path, flows, bucket) = match &args.data {
            None => (None, None, None),
            Some(Data::Path(path)) => (Some(path.clone()), None, None),
            Some(Data::Key(key)) => (Some(FLOWS.to_owned()), Some(json!({"s3": {"key": key}})), None),
            Some(Data::S3 { bucket, key }) => {
                let location = json!({"s3": {"bucket": bucket, "key": key}});
                (Some(FLOWS.to_owned()), Some(location), Some(bucket.clone()))
            }
            Some(Data::Http(url)) => (Some(FLOWS.to_owned()), Some(json!({"http": {"url": url}})), None),
        };
        check(args)?;
        add("flows", path);
        add("flows-digest", args.data_digest.clone());
        add("format", args.format.clone());
        add("feature-set", args.feature_set.clone());
        add("params", params(args)?);
        add("trials", trials(args));
        add("parts", args.parts.map(|parts| parts.to_string()));
        add("shards", args.shards.map(|shards| shards.to_string()));
        add("deploy", args.deploy.then(|| "true".to_owned()));
        add("minimum-accuracy", args.minimum_accuracy.map(|accuracy| accuracy.to_string()));
        add("model-name", args.model_name.clone());
        let volume = args.artifacts == ArtifactsArg::Volume;
        let storage = args.storage_uri.as_ref().map(|uri| uri.trim_end_matches('/').to_owned());
        let storage = storage.or_else(|| (args.deploy && volume).then(|| "pvc://weir".to_owned()));
        let unknown = args.deploy && storage.is_none();
        add("storage-uri", storage);
        add("registry", args.registry.as_ref().map(|registry| registry.trim_end_matches('/').to_owned()));
        add("tag", args.tag.clone());
        let (name, template) = (args.name.clone(), args.template.clone());
        Ok(Self { name, template, parameters, flows, bucket, storage: unknown })
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether the run depends on where the cluster keeps its artifacts.
    pub(super) fn needs_repository(&self) -> bool {
        self.bucket.is_some() || self.storage
    }

    /// Fills in what the cluster's artifact repository says.
    ///
    /// Argo takes an artifact that names a bucket and no store for a key in the repository's own bucket, so the store
    /// has to be named as well.
    ///
    /// # Errors
    /// Failures of usage where there is no repository.
    pub(super) fn fill_in(&mut self, repository: Option<&Repository>) -> Result<(), Failure> {
        let Some(repository) = repository else {
            return Err(Failure::usage("the cluster has no ConfigMap artifact-repositories with an S3 store").hint(
                "k8s/overlays/s3 makes one; without it give flows by http(s):// or a path, and --storage-uri to deploy",
            ));
        };
        if let (Some(bucket), Some(location)) = (&self.bucket, &mut self.flows) {
            let key = location["s3"]["key"].clone();
            location["s3"] = repository.location(bucket, &key);
        }
        if self.storage {
            self.parameters.push(("storage-uri", format!("s3://{}", repository.bucket())));
        }
        (self.bucket, self.storage) = (None, false);
        Ok(())
    }

    /// The manifest.
    pub(super) fn workflow(&self, namespace: &str) -> Value {
        let mut metadata = json!({"namespace": namespace, "labels": labels(None)});
        match &self.name {
            Some(name) => metadata["name"] = json!(name),
            None => metadata["generateName"] = json!("weir-"),
        }
        let mut spec = json!({"workflowTemplateRef": {"name": self.template}});
        let mut arguments = Map::new();
        if !self.parameters.is_empty() {
            let parameters = self.parameters.iter().map(|(name, value)| json!({"name": name, "value": value}));
            arguments.insert("parameters".to_owned(), parameters.collect());
        }
        if let Some(Value::Object(location)) = self.flows.clone() {
            let mut artifact = Map::from_iter([("name".to_owned(), json!("flows"))]);
            artifact.extend(location);
            arguments.insert("artifacts".to_owned(), json!([artifact]));
        }
        if !arguments.is_empty() {
            spec["arguments"] = Value::Object(arguments);
        }
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": metadata, "spec": spec})
    }
}

fn check(args: &SubmitArgs) -> Result<(), Failure> {
    if let (Some(Data::Path(path)), ArtifactsArg::S3) = (&args.data, args.artifacts)
        && path.starts_with("/weir/")
    {
        return Err(Failure::usage(format!("{path} is on the volume, which a run with --artifacts s3 does not have"))
            .hint("use --artifacts volume, or s3:key for an object in the cluster's bucket"));
    }
    if let Some(accuracy) = args.minimum_accuracy.filter(|accuracy| !(0.0..=1.0).contains(accuracy)) {
        return Err(Failure::usage(format!("--minimum-accuracy is a share from 0 to 1, received {accuracy}")));
    }
    let hex = |digest: &String| digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    match &args.data_digest {
        Some(digest) if !hex(digest) => {
            Err(Failure::usage(format!("--data-digest is a SHA-256 in 64 hexadecimal digits, received {digest}")))
        }
        _ => Ok(()),
    }
}

/// File and `--set` as one text, where there are any.
fn params(args: &SubmitArgs) -> Result<Option<String>, Failure> {
    if args.params == ParamsArgs::default() {
        return Ok(None);
    }
    args.params.load()?.to_toml().map(Some)
}

/// The parameter `trials`, where not everything is trained.
fn trials(args: &SubmitArgs) -> Option<String> {
    if args.models.is_empty() && args.representations.is_empty() {
        return None;
    }
    let all = |given: &[Family]| if given.is_empty() { Family::ALL.to_vec() } else { given.to_vec() };
    let models = all(&args.models);
    let representations = match args.representations.as_slice() {
        [] => Representation::ALL.to_vec(),
        given => given.to_vec(),
    };
    Some(weir_pipeline::local::trials(&weir_pipeline::PipelineSpec { models, representations }))
}
