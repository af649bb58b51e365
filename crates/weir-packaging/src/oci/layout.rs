//! Image layouts: made of a bundle, and read to be pushed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use weir_bundle::BundleName;
use weir_contract::{Digest, TrialId, json};
use weir_stage::Failure;

use crate::oci::layer;
use crate::oci::spec::{
    Annotations, Blob, CONFIG, Config, Container, Descriptor, History, Index, LAYER, LayoutVersion, MANIFEST, Manifest,
    RootFs, Sha256,
};

/// Version of image layouts.
const VERSION: &str = "1.0.0";
/// The start of 1970: the same bundle is the same image whenever it is made.
const CREATED: &str = "1970-01-01T00:00:00Z";
/// Where an index names its images.
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// What an image says about the bundle in it.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Name of the bundle.
    pub name: &'a BundleName,
    /// Digest of the bundle, as [`weir_bundle::Bundle::digest`].
    pub digest: Digest,
    /// The trial that was packaged.
    pub trial: TrialId,
    /// Revision of whatever the run was made for.
    pub revision: Option<&'a str>,
}

impl About<'_> {
    fn annotations(&self) -> Annotations {
        let digest = Sha256(self.digest).to_string();
        let mut annotations = Annotations::from([
            ("io.weir.bundle.digest".to_owned(), digest.clone()),
            ("io.weir.trial".to_owned(), self.trial.to_string()),
            ("org.opencontainers.image.title".to_owned(), self.name.to_string()),
            ("org.opencontainers.image.version".to_owned(), digest),
        ]);
        if let Some(revision) = self.revision {
            annotations.insert("org.opencontainers.image.revision".to_owned(), revision.to_owned());
        }
        annotations
    }
}

/// The files of an image layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Bytes by path below the layout's directory, sorted; `/` parts the folders.
    pub files: Vec<(String, Vec<u8>)>,
    /// Digest of the image's manifest: what a registry knows the image by, and what a reference by digest names.
    pub digest: Digest,
}

/// The image layout of a bundle, whose `files` are given by name. Same files, same bytes.
///
/// # Errors
/// To be retried (exit 1) if an image of these files cannot be written: a name is longer than 92 bytes.
pub fn layout(files: &[(String, Vec<u8>)], about: &About<'_>) -> Result<Layout, Failure> {
    Image::of(files, about)?.layout(about)
}

/// An image with the bytes of all its blobs.
#[derive(Debug)]
pub(crate) struct Image {
    /// The manifest.
    pub(crate) manifest: Blob,
    /// Configuration and layers.
    pub(crate) blobs: Vec<Blob>,
}

impl Image {
    /// The image of a bundle.
    pub(crate) fn of(files: &[(String, Vec<u8>)], about: &About<'_>) -> Result<Self, Failure> {
        let layer = layer::pack(files).map_err(|error| unwritten(&error))?;
        let layer = Blob::new(LAYER, layer);
        let config = Config {
            architecture: "amd64",
            os: "linux",
            created: CREATED,
            config: Container { labels: about.annotations() },
            rootfs: RootFs { kind: "layers", diff_ids: vec![layer.descriptor.digest] },
            history: vec![History { created: CREATED, created_by: "weir package" }],
        };
        let config = Blob::new(CONFIG, json::to_canonical(&config).map_err(|error| unwritten(&error))?);
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(MANIFEST.to_owned()),
            config: config.descriptor.clone(),
            layers: vec![layer.descriptor.clone()],
            annotations: about.annotations(),
        };
        let manifest = json::to_canonical(&manifest).map_err(|error| unwritten(&error))?;
        Ok(Self { manifest: Blob::new(MANIFEST, manifest), blobs: vec![config, layer] })
    }

    fn layout(self, about: &About<'_>) -> Result<Layout, Failure> {
        let digest = self.manifest.descriptor.digest.0;
        let mut named = self.manifest.descriptor.clone();
        named.annotations.insert(REF_NAME.to_owned(), about.digest.short());
        let index = Index {
            schema_version: 2,
            media_type: Some("application/vnd.oci.image.index.v1+json".to_owned()),
            manifests: vec![named],
        };
        let version = LayoutVersion { image_layout_version: VERSION.to_owned() };
        let mut files = BTreeMap::from([
            ("index.json".to_owned(), json::to_canonical(&index).map_err(|error| unwritten(&error))?),
            ("oci-layout".to_owned(), json::to_canonical(&version).map_err(|error| unwritten(&error))?),
        ]);
        for blob in self.blobs.into_iter().chain([self.manifest]) {
            files.insert(path(blob.descriptor.digest), blob.bytes);
        }
        Ok(Layout { files: files.into_iter().collect(), digest })
    }

    /// Reads the one image of the layout in `dir` and compares the digests of all its blobs.
    pub(crate) fn read(dir: &Path) -> Result<Self, Failure> {
        let version: LayoutVersion = read_json(&dir.join("oci-layout")).map_err(|failure| {
            failure.hint("name the folder `oci` that packaging wrote, or another OCI image layout")
        })?;
        if version.image_layout_version != VERSION {
            let found = version.image_layout_version;
            return Err(Failure::input(format!("{} has layout version {found:?}, not {VERSION}", dir.display())));
        }
        let index: Index = read_json(&dir.join("index.json"))?;
        let [manifest] = index.manifests.as_slice() else {
            let images = index.manifests.len();
            return Err(Failure::input(format!("{} holds {images} images instead of one", dir.display()))
                .hint("give a layout that holds one image, for one platform"));
        };
        let manifest = read_blob(dir, manifest)?;
        let parsed: Manifest = serde_json::from_slice(&manifest.bytes)
            .map_err(|error| Failure::input(format!("the manifest of {} is not valid: {error}", dir.display())))?;
        let parts = [&parsed.config].into_iter().chain(&parsed.layers);
        Ok(Self { manifest, blobs: parts.map(|part| read_blob(dir, part)).collect::<Result<_, _>>()? })
    }
}

fn path(digest: Sha256) -> String {
    format!("blobs/sha256/{}", digest.0)
}

fn read_blob(dir: &Path, descriptor: &Descriptor) -> Result<Blob, Failure> {
    let path = dir.join(path(descriptor.digest));
    let bytes = read(&path)?;
    let found = (Sha256(Digest::of(&bytes)), bytes.len() as u64);
    if found != (descriptor.digest, descriptor.size) {
        let what = format!("{} was changed: it has {} bytes of digest {}", path.display(), found.1, found.0);
        return Err(Failure::input(what).hint("package the bundle again"));
    }
    Ok(Blob { descriptor: descriptor.clone(), bytes })
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    serde_json::from_slice(&read(path)?)
        .map_err(|error| Failure::input(format!("{} is not valid: {error}", path.display())))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::input(format!("failed to read {}: {error}", path.display())))
}

fn unwritten(error: &dyn std::error::Error) -> Failure {
    Failure::retry(format!("failed to write the image: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Vec<(String, Vec<u8>)> {
        vec![("SHA256SUMS".to_owned(), b"sums".to_vec()), ("bundle.json".to_owned(), b"{}".to_vec())]
    }

    fn sample() -> Layout {
        let name: BundleName = "small-detector".parse().unwrap();
        let trial = "baseline-knn-best".parse().unwrap();
        let about = About { name: &name, digest: Digest::of(b"sums"), trial, revision: Some("v1.2") };
        layout(&files(), &about).unwrap()
    }

    fn write(layout: &Layout) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, bytes) in &layout.files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        dir
    }

    #[test]
    fn the_same_bundle_is_the_same_image_in_every_build() {
        let layout = sample();
        assert_eq!(sample(), layout);
        assert_eq!(layout.digest.to_string(), "fefe99db7a7c3584d8b353c07f85dfd29247e119f893ac24fbc2bb3cebfd4dbd");
        let paths: Vec<&str> = layout.files.iter().map(|(path, _)| path.as_str()).collect();
        assert!(paths.contains(&format!("blobs/sha256/{}", layout.digest).as_str()), "{paths:?}");
        assert_eq!(paths[3..], ["index.json", "oci-layout"]);
    }

    #[test]
    fn the_manifest_says_which_bundle_it_is() {
        let image = Image::read(write(&sample()).path()).unwrap();
        let manifest: serde_json::Value = serde_json::from_slice(&image.manifest.bytes).unwrap();
        let digest = format!("sha256:{}", Digest::of(b"sums"));
        let expected = serde_json::json!({
            "io.weir.bundle.digest": digest,
            "io.weir.trial": "baseline-knn-best",
            "org.opencontainers.image.revision": "v1.2",
            "org.opencontainers.image.title": "small-detector",
            "org.opencontainers.image.version": digest,
        });
        assert_eq!(manifest["annotations"], expected);
        let config: serde_json::Value = serde_json::from_slice(&image.blobs[0].bytes).unwrap();
        assert_eq!(config["config"]["Labels"], expected);
        assert_eq!(config["rootfs"]["diff_ids"][0], manifest["layers"][0]["digest"]);
    }

    #[test]
    fn a_layout_with_a_changed_or_missing_blob_is_refused() {
        let layout = sample();
        for (path, _) in layout.files.iter().filter(|(path, _)| path.starts_with("blobs/")) {
            let dir = write(&layout);
            fs::write(dir.path().join(path), b"x").unwrap();
            let error = Image::read(dir.path()).unwrap_err();
            assert!(error.message.contains("was changed: it has 1 bytes of digest sha256:"), "{error}");
            fs::remove_file(dir.path().join(path)).unwrap();
            assert!(Image::read(dir.path()).unwrap_err().message.starts_with("failed to read "));
        }
    }

    #[test]
    fn a_directory_without_layout_is_refused_with_what_to_name() {
        let dir = tempfile::tempdir().unwrap();
        let error = Image::read(dir.path()).unwrap_err();
        assert!(error.hint.unwrap().starts_with("name the folder `oci`"));
    }
}
