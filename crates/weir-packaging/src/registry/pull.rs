//! The bundle out of an image in a registry.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Seek, Write};
use std::path::Path;

use reqwest::StatusCode;
use reqwest::header::ACCEPT;
use weir_contract::Digest;
use weir_contract::digest::Digester;
use weir_stage::Failure;

use crate::oci::{Compression, Descriptor, INDEX_TYPES, MANIFEST_TYPES, MODELS, Manifest, Sha256, unpack};
use crate::registry::client::{Setback, again};
use crate::registry::{Client, Reference};

/// Longest manifest; what registries accept as well.
const LONGEST_MANIFEST: u64 = 4 << 20;
/// Most bytes of all layers, and of all files of a bundle.
const LARGEST: u64 = 1 << 30;
/// Most layers.
const MOST_LAYERS: usize = 128;

/// What came from the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pulled {
    /// Digest of the image's manifest.
    pub(crate) digest: Sha256,
    /// Bytes of its layers.
    pub(crate) bytes: u64,
}

/// Writes the files of the bundle in the image of `reference` to `dir`, an empty directory. The digests of everything
/// that is read are compared; whether it is a bundle is not looked at.
///
/// # Errors
/// Failures of input (exit 3) when the image is not there or denied, is not what its digests say, holds no files in
/// `models`, or anything else there; to be retried (exit 1) when the registry fails on every attempt.
pub(crate) fn pull(client: &mut Client<'_>, reference: &Reference, dir: &Path) -> Result<Pulled, Failure> {
    let what = format!("pull {reference}");
    let wrong = |reason: String| Failure::input(format!("{reference} cannot be pulled: {reason}"));
    let (digest, bytes) = client.attempt(&what, |client| manifest(client, &reference.name(), reference.digest))?;
    let (digest, bytes) = match only_image(&bytes).map_err(wrong)? {
        Some(image) => client.attempt(&what, |client| manifest(client, &image.to_string(), Some(image)))?,
        None => (digest, bytes),
    };
    let layers = layers(&bytes).map_err(wrong)?;
    let (mut seen, mut limit) = (BTreeSet::new(), LARGEST);
    for (layer, compression) in &layers {
        let what = format!("pull layer {} of {reference}", layer.digest);
        // Without a name, so that nothing is left of it.
        let mut file = tempfile::tempfile_in(dir).map_err(|error| unwritten(dir, &error))?;
        client.attempt(&what, |client| blob(client, layer, &mut file, dir))?;
        file.rewind().map_err(|error| unwritten(dir, &error))?;
        limit = unpack(BufReader::new(file), *compression, dir, &mut seen, limit)
            .map_err(|failure| failure.context(format!("{reference} cannot be pulled: layer {}", layer.digest)))?;
    }
    if seen.is_empty() {
        return Err(
            wrong(format!("there are no files in its folder {MODELS}")).hint("name an image that holds a bundle")
        );
    }
    Ok(Pulled { digest, bytes: layers.iter().map(|(layer, _)| layer.size).sum() })
}

/// Gets a manifest by its name and compares its digest, if that is known; the digest and the bytes.
fn manifest(client: &mut Client<'_>, name: &str, known: Option<Sha256>) -> Result<(Sha256, Vec<u8>), Setback> {
    let url = client.url(&format!("manifests/{name}"))?;
    let accept = [MANIFEST_TYPES, INDEX_TYPES].concat().join(", ");
    let response = client.send(&url, 0, |http| http.get(url.clone()).header(ACCEPT, &accept))?;
    let response = client.expect(response, &[StatusCode::OK])?;
    let said = response.headers().get("docker-content-digest").and_then(|said| said.to_str().ok()?.parse().ok());
    let bytes = client.body(response, LONGEST_MANIFEST)?;
    let found = Sha256(Digest::of(&bytes));
    match known.or(said).filter(|expected| *expected != found) {
        Some(expected) => Err(Failure::input(format!("the manifest has digest {found} instead of {expected}")).into()),
        None => Ok((found, bytes)),
    }
}

/// If these bytes are a list of images, the only one in it.
fn only_image(bytes: &[u8]) -> Result<Option<Sha256>, String> {
    #[derive(serde::Deserialize)]
    struct Maybe {
        manifests: Option<Vec<Descriptor>>,
    }
    let Maybe { manifests } = serde_json::from_slice(bytes).map_err(|error| format!("its manifest: {error}"))?;
    let Some(manifests) = manifests else { return Ok(None) };
    // Builders put statements about the image beside it.
    let images: Vec<_> = manifests
        .iter()
        .filter(|entry| MANIFEST_TYPES.contains(&entry.media_type.as_str()))
        .filter(|entry| !entry.annotations.contains_key("vnd.docker.reference.type"))
        .collect();
    match images.as_slice() {
        [image] => Ok(Some(image.digest)),
        _ => Err(format!("it is a list of {} images; name one of them by its digest", images.len())),
    }
}

/// The layers of a manifest, all of which can be unpacked.
fn layers(bytes: &[u8]) -> Result<Vec<(Descriptor, Compression)>, String> {
    let manifest: Manifest = serde_json::from_slice(bytes).map_err(|error| format!("its manifest: {error}"))?;
    if manifest.layers.len() > MOST_LAYERS {
        return Err(format!("it has {} layers, more than {MOST_LAYERS}", manifest.layers.len()));
    }
    let size = manifest.layers.iter().fold(0_u64, |sum, layer| sum.saturating_add(layer.size));
    if size > LARGEST {
        return Err(format!("its layers have {size} bytes, more than {LARGEST}"));
    }
    let known = manifest.layers.into_iter().map(|layer| match Compression::of(&layer.media_type) {
        Some(compression) => Ok((layer, compression)),
        None => {
            Err(format!("layer {} is neither a tar nor one packed by gzip, but {}", layer.digest, layer.media_type))
        }
    });
    known.collect()
}

/// Gets a blob into `file` and compares size and digest.
fn blob(client: &mut Client<'_>, blob: &Descriptor, file: &mut File, dir: &Path) -> Result<(), Setback> {
    // What an earlier attempt left is overwritten.
    let restart = |file: &mut File| file.set_len(0).and_then(|()| file.rewind());
    restart(file).map_err(|error| unwritten(dir, &error))?;
    let url = client.url(&format!("blobs/{}", blob.digest))?;
    let response = client.send(&url, 0, |http| http.get(url.clone()))?;
    let response = client.expect(response, &[StatusCode::OK])?;
    let (mut digester, mut received) = (Digester::default(), 0);
    client.receive(response, blob.size, |chunk| {
        digester.update(chunk);
        received += chunk.len() as u64;
        file.write_all(chunk).map_err(|error| unwritten(dir, &error))
    })?;
    if received < blob.size {
        return Err(again(format!("the registry ends after {received} of {} bytes", blob.size)));
    }
    let found = Sha256(digester.finish());
    if found != blob.digest {
        return Err(Failure::input(format!("it has digest {found}")).into());
    }
    Ok(())
}

fn unwritten(dir: &Path, error: &io::Error) -> Failure {
    Failure::retry(format!("failed to write below {}: {error}", dir.display()))
}
