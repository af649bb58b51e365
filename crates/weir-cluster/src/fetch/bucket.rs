//! A package in an S3 store.

use std::fs;
use std::path::{Path, PathBuf};

use weir_stage::{Failure, Stage};
use weir_store::{Access, Files, Location, S3Access};

use crate::workflow::{S3, Workflow};

/// Where the packaging step of `run` left its artifact, if that is a bucket.
pub(crate) fn location(run: &Workflow) -> Option<S3> {
    let repository = run.status.artifact_repository_ref.artifact_repository.s3.clone();
    let steps = run.status.nodes.values().filter(|node| node.template_name == "packaging" && node.phase == "Succeeded");
    let mut artifacts = steps.flat_map(|node| &node.outputs.artifacts).filter(|artifact| artifact.name != "main-logs");
    let artifact = artifacts.find_map(|artifact| artifact.s3.clone())?;
    let place = match repository {
        // Argo writes no more than the key where the rest is the repository's.
        Some(repository) if artifact.bucket.is_empty() => S3 { key: artifact.key, ..repository },
        _ => artifact,
    };
    (!place.bucket.is_empty() && !place.key.is_empty()).then_some(place)
}

/// Fetches all files below the key into `dir`.
///
/// # Errors
/// Failures of usage for credentials that are not there; of input where there is nothing; those of the store.
pub(super) fn fetch(place: &S3, endpoint: Option<&str>, stage: &Stage, dir: &Path) -> Result<(), Failure> {
    let shown = format!("s3://{}/{}", place.bucket, place.key);
    let get = |name: &str| stage.variable(name);
    let (Some(access_key), Some(secret_key)) = (get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY")) else {
        return Err(Failure::usage(format!("there are no credentials to fetch {shown} with"))
            .hint("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and --s3-endpoint where the store has another address here"));
    };
    let given = endpoint.map(str::to_owned).or_else(|| get("AWS_ENDPOINT_URL_S3")).or_else(|| get("AWS_ENDPOINT_URL"));
    let region = Some(place.region.clone()).filter(|region| !region.is_empty());
    let access = S3Access {
        endpoint: given.or_else(|| address(place)),
        region: get("AWS_REGION").or_else(|| get("AWS_DEFAULT_REGION")).or(region),
        access_key,
        secret_key,
        session_token: get("AWS_SESSION_TOKEN"),
        certificates: get("AWS_CA_BUNDLE").map(PathBuf::from),
    };
    let asked = access.endpoint.clone().unwrap_or_else(|| "Amazon S3".to_owned());
    let access = Access { s3: Some(access), cache: Some(dir.to_owned()) };
    let location = Location::S3 { bucket: place.bucket.clone(), prefix: place.key.trim_end_matches('/').to_owned() };
    let store = |error: weir_store::StoreError| {
        let failure = Failure::from(error).context(format!("failed to fetch {shown} from {asked}"));
        failure.hint("--s3-endpoint is the store's address as seen from here; the credentials are those of AWS_*")
    };
    let files = Files::connect(&location, &access).map_err(store)?;
    let found = files.list().map_err(store)?;
    if found.is_empty() {
        return Err(Failure::input(format!("there is nothing at {shown} in {asked}")));
    }
    let progress = stage.progress("fetch (bytes)", found.iter().map(|(_, size)| size).sum());
    for (path, size) in found {
        stage.check()?;
        if Path::new(&path).components().any(|part| !matches!(part, std::path::Component::Normal(_))) {
            return Err(Failure::input(format!("{shown} holds {path:?}, which is no name of a file")));
        }
        let Some(bytes) = files.read(&path).map_err(store)? else { continue };
        let target = dir.join(&path);
        let written = target.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&target, bytes));
        written.map_err(|error| Failure::retry(format!("failed to write {}: {error}", target.display())))?;
        progress.advance(size);
    }
    Ok(())
}

/// The store's address as Argo has it; none is Amazon's own.
fn address(place: &S3) -> Option<String> {
    let own = place.endpoint.is_empty() || place.endpoint.ends_with("amazonaws.com");
    let scheme = if place.insecure { "http" } else { "https" };
    (!own).then(|| format!("{scheme}://{}", place.endpoint))
}
