//! An image into a registry: blobs first, then the manifest that names them.

use reqwest::StatusCode;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, LOCATION};
use weir_stage::Failure;

use crate::oci::{Blob, Image, Sha256};
use crate::registry::client::Setback;
use crate::registry::{Client, Reference};

/// What went to the registry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Pushed {
    /// Blobs that were not there yet.
    pub(crate) uploaded: usize,
    /// Their bytes.
    pub(crate) bytes: u64,
}

/// Pushes `image` under the tag of `reference`, or under its digest alone.
///
/// # Errors
/// Failures of usage for a reference with another digest; of input (exit 3) when the registry denies or changes it; to
/// be retried (exit 1) when it fails on every attempt.
pub(crate) fn push(client: &mut Client<'_>, image: &Image, reference: &Reference) -> Result<Pushed, Failure> {
    let digest = image.manifest.descriptor.digest;
    if let Some(other) = reference.digest.filter(|other| *other != digest) {
        return Err(Failure::usage(format!("the image has digest {digest}, {reference} names {other}"))
            .hint("leave the digest out and give a tag"));
    }
    let mut pushed = Pushed::default();
    for blob in &image.blobs {
        let what = format!("push blob {} to {reference}", blob.descriptor.digest);
        if client.attempt(&what, |client| upload(client, blob))? {
            pushed.uploaded += 1;
            pushed.bytes += blob.descriptor.size;
        }
    }
    // A tag beside a digest is for people who read the reference.
    let name = reference.tag.clone().unwrap_or_else(|| reference.name());
    client.attempt(&format!("push the manifest to {reference}"), |client| manifest(client, &image.manifest, &name))?;
    Ok(pushed)
}

/// Uploads a blob in one piece; false if it was there.
fn upload(client: &mut Client<'_>, blob: &Blob) -> Result<bool, Setback> {
    let digest = blob.descriptor.digest;
    let url = client.url(&format!("blobs/{digest}"))?;
    let there = client.send(&url, 0, |http| http.head(url.clone()))?;
    if client.expect(there, &[StatusCode::OK, StatusCode::NOT_FOUND])?.status() == StatusCode::OK {
        return Ok(false);
    }
    let url = client.url("blobs/uploads/")?;
    let begun = client.send(&url, 0, |http| http.post(url.clone()).header(CONTENT_LENGTH, 0))?;
    let begun = client.expect(begun, &[StatusCode::ACCEPTED])?;
    let location = text(begun.headers(), LOCATION.as_str());
    let location = location.ok_or_else(|| Failure::input("the registry does not say where to upload to"))?;
    let mut url = client.next(begun.url(), location)?;
    url.query_pairs_mut().append_pair("digest", &digest.to_string());
    let size = blob.descriptor.size;
    let sent = client.send(&url, size, |http| {
        http.put(url.clone()).header(CONTENT_TYPE, "application/octet-stream").body(blob.bytes.clone())
    })?;
    client.expect(sent, &[StatusCode::CREATED])?;
    Ok(true)
}

fn manifest(client: &mut Client<'_>, manifest: &Blob, name: &str) -> Result<(), Setback> {
    let url = client.url(&format!("manifests/{name}"))?;
    let descriptor = &manifest.descriptor;
    let sent = client.send(&url, descriptor.size, |http| {
        http.put(url.clone()).header(CONTENT_TYPE, &descriptor.media_type).body(manifest.bytes.clone())
    })?;
    let sent = client.expect(sent, &[StatusCode::CREATED])?;
    match text(sent.headers(), "docker-content-digest").map(str::parse::<Sha256>) {
        Some(said) if said != Ok(descriptor.digest) => {
            let said = said.map_or_else(|error| error, |said| said.to_string());
            let digest = descriptor.digest;
            Err(Failure::input(format!("the registry says that the manifest is {said}, not {digest}")).into())
        }
        _ => Ok(()),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
