//! The bundle: all that a predictor needs and nothing that can execute code.
//!
//! ```text
//! <bundle>/
//! ├── bundle.json          what it is: name, trial, parameters, classes, digests, provenance ([`BundleInfo`])
//! ├── transform.json       feature set and what it learned from train: flows in, features out
//! ├── features.json        the ordered features with the statistics of train
//! ├── detector.weir        scaler, encoder and model: features in, labels and scores out
//! ├── signature.json       inputs and outputs by name and type ([`Signature`])
//! ├── input-example.json   a few flows with their features
//! ├── MODEL_CARD.md        for people
//! ├── SHA256SUMS           of every other file, as coreutils writes it; checked by `sha256sum -c SHA256SUMS`
//! └── SHA256SUMS.sig       of SHA256SUMS, Ed25519, if the bundle is signed; the one file that is not listed
//! ```
//!
//! [`Bundle::files`] gives the files of a bundle, [`Bundle::open`] is the only way to read one. It opens only when
//! every checksum holds and the parts agree: a predictor that starts computes the features its model was trained on.
//! Files that `SHA256SUMS` lists and this build does not know, such as the same model for other programs, are checked
//! and otherwise left alone.
//!
//! The checksums find damage and mix-ups; whoever can replace all files can replace them too. [`sign`] and
//! [`Bundle::open_trusted`] are for that: SHA256SUMS names every byte of the bundle, so a signature of it says that the
//! holder of a key has made or approved exactly these files, wherever they were in between. It does not say that the
//! model is good, nor that the bundle is the newest: an older one with the same key opens as well, so pin the digest
//! where that matters. It keeps nothing secret, there is no list of withdrawn keys (take the key out of those that are
//! given), and whoever can change the program or its keys needs no bundle.
//!
//! This crate does not know training, HTTP, ONNX or OCI, and links no polars.

mod agree;
mod bundle;
mod error;
mod info;
mod name;
mod pem;
mod predict;
mod signing;
mod sums;
mod write;

pub use bundle::Bundle;
pub use error::BundleError;
pub use info::{BundleInfo, FORMAT, Field, Provenance, Signature, ValueType};
pub use name::{BadName, BundleName};
pub use predict::{Predictions, Refused, VectorError};
pub use signing::{BadKey, SigningKey, VerifyingKey, sign};
pub use write::BundleParts;

/// The names of the files of a bundle.
pub mod files {
    /// What the bundle is.
    pub const INFO: &str = "bundle.json";
    /// The fitted transform.
    pub const TRANSFORM: &str = "transform.json";
    /// The ordered feature schema.
    pub const FEATURES: &str = "features.json";
    /// Scaler, encoder and model.
    pub const DETECTOR: &str = "detector.weir";
    /// Inputs and outputs.
    pub const SIGNATURE: &str = "signature.json";
    /// A few flows with their features.
    pub const EXAMPLES: &str = "input-example.json";
    /// For people.
    pub const CARD: &str = "MODEL_CARD.md";
    /// Checksums of all other files.
    pub const SUMS: &str = "SHA256SUMS";
    /// Signature of [`SUMS`].
    pub const SUMS_SIGNATURE: &str = "SHA256SUMS.sig";

    /// The files that every bundle holds beside [`SUMS`], sorted by name.
    pub const REQUIRED: [&str; 7] = [CARD, INFO, DETECTOR, FEATURES, EXAMPLES, SIGNATURE, TRANSFORM];
}
