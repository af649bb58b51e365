//! The JSON of the OCI image specification 1.1, as far as an image of files needs it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use weir_contract::Digest;

/// Media type of a manifest.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Manifests that can be read: those of Docker have the same fields.
pub(crate) const MANIFEST_TYPES: [&str; 2] = [MANIFEST, "application/vnd.docker.distribution.manifest.v2+json"];
/// Lists of images for several platforms.
pub(crate) const INDEX_TYPES: [&str; 2] =
    ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];
/// Media type of an image's configuration.
pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// Media type of a layer that is not compressed.
pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// Strings by name.
pub(crate) type Annotations = BTreeMap<String, String>;

/// A digest as images write it: `sha256:` and 64 hex digits. Others are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Sha256(pub(crate) Digest);

impl FromStr for Sha256 {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected sha256: and 64 hex digits, received {text:?}");
        let digits = text.strip_prefix("sha256:").ok_or_else(wrong)?;
        digits.parse().map(Self).map_err(|_| wrong())
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}

impl TryFrom<String> for Sha256 {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Sha256> for String {
    fn from(digest: Sha256) -> Self {
        digest.to_string()
    }
}

/// What a blob is, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    pub(crate) digest: Sha256,
    /// Bytes.
    pub(crate) size: u64,
    #[serde(default, skip_serializing_if = "Annotations::is_empty")]
    pub(crate) annotations: Annotations,
}

/// A blob with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Blob {
    pub(crate) descriptor: Descriptor,
    pub(crate) bytes: Vec<u8>,
}

impl Blob {
    pub(crate) fn new(media_type: &str, bytes: Vec<u8>) -> Self {
        let digest = Sha256(Digest::of(&bytes));
        let size = bytes.len() as u64;
        let media_type = media_type.to_owned();
        Self { descriptor: Descriptor { media_type, digest, size, annotations: Annotations::new() }, bytes }
    }
}

/// `oci-layout`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LayoutVersion {
    pub(crate) image_layout_version: String,
}

/// `index.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Index {
    pub(crate) schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) media_type: Option<String>,
    pub(crate) manifests: Vec<Descriptor>,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    pub(crate) schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) media_type: Option<String>,
    pub(crate) config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Annotations::is_empty")]
    pub(crate) annotations: Annotations,
}

/// What a container of the image would be.
#[derive(Debug, Serialize)]
pub(crate) struct Config {
    pub(crate) architecture: &'static str,
    pub(crate) os: &'static str,
    pub(crate) created: &'static str,
    pub(crate) config: Container,
    pub(crate) rootfs: RootFs,
    pub(crate) history: Vec<History>,
}

/// Settings of a container.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Container {
    pub(crate) labels: Annotations,
}

/// The layers, unpacked.
#[derive(Debug, Serialize)]
pub(crate) struct RootFs {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) diff_ids: Vec<Sha256>,
}

/// Where a layer comes from.
#[derive(Debug, Serialize)]
pub(crate) struct History {
    pub(crate) created: &'static str,
    pub(crate) created_by: &'static str,
}
