//! `weir push`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use weir_bundle::Bundle;
use weir_contract::files::IMAGE;
use weir_stage::{CommonArgs, Failure, Stage};

use crate::commands::RegistryArgs;
use crate::oci::{About, Image};
use crate::registry::{Reference, push};

/// Push the image of a bundle to a registry
///
/// Prints the image's reference by its digest, which never names anything else.
#[derive(Debug, Clone, Parser)]
pub struct PushArgs {
    /// Where to, as in registry.example/team/detector:v1
    #[arg(value_name = "REFERENCE")]
    reference: Reference,

    /// Directory of the packaging artifact, whose image is pushed
    #[arg(long, value_name = "DIR", default_value = "weir-run/package")]
    pub package: PathBuf,

    /// Push the image of this OCI image layout instead
    #[arg(long, value_name = "DIR", conflicts_with = "package")]
    pub layout: Option<PathBuf>,

    /// Push the image of this bundle instead, as it is now
    #[arg(long, value_name = "DIR", conflicts_with_all = ["package", "layout"])]
    pub bundle: Option<PathBuf>,

    /// The registry.
    #[command(flatten)]
    pub registry: RegistryArgs,

    /// Common options.
    #[command(flatten)]
    pub common: CommonArgs,
}

impl AsRef<CommonArgs> for PushArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// Pushes an image and prints its reference by digest.
///
/// # Errors
/// Failures of usage (exit 2) for arguments that do not hold; of input (exit 3) for an image that is not whole, and when
/// the registry denies it; to be retried (exit 1) when the registry cannot be reached or fails.
pub fn push_command(args: PushArgs, stage: &Stage) -> Result<(), Failure> {
    let PushArgs { reference, package, layout, bundle, registry, .. } = args;
    let image = match (bundle, layout) {
        (Some(bundle), _) => image_of(&bundle)?,
        (None, Some(layout)) => Image::read(&layout)?,
        (None, None) => Image::read(&package.join(IMAGE))?,
    };
    let digest = image.manifest.descriptor.digest;
    let mut client = registry.client(&reference, stage)?;
    let pushed = push(&mut client, &image, &reference)?;
    stage.detail(format!("{} blobs, {} bytes were not there yet", pushed.uploaded, pushed.bytes));
    let result = serde_json::json!({
        "reference": reference.at(digest),
        "tag": reference.tag,
        "digest": digest,
        "uploaded_blobs": pushed.uploaded,
        "uploaded_bytes": pushed.bytes,
    });
    stage.result(&result, || reference.at(digest))
}

/// The image of the bundle in `dir`, with its signature if it has one.
fn image_of(dir: &Path) -> Result<Image, Failure> {
    let bundle = Bundle::open(dir)?;
    let unread = |error: std::io::Error| Failure::input(format!("failed to read {}: {error}", dir.display()));
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(unread)? {
        let entry = entry.map_err(unread)?;
        // What is no UTF-8 would not have opened.
        files.push((entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).map_err(unread)?));
    }
    let info = bundle.info();
    let revision = info.provenance.revision.as_deref();
    Image::of(&files, &About { name: &info.name, digest: bundle.digest(), trial: info.trial, revision })
}
