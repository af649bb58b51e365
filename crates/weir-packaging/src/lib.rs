//! Stage `packaging`: the winner as a bundle, with its model card, and the report of the whole run.
//!
//! Reads the features artifact (JSON files only), `selection.json` and all training artifacts. Writes `bundle/`, which
//! is all that a predictor needs, `oci/`, the bundle as an image, and `report.html`, which shows measured times and is
//! therefore outside the digest.
//!
//! This crate does not know how models are trained or flows are read; it opens no Parquet file. What a bundle is made
//! of is known to weir-bundle alone.
//!
//! ```text
//! params        the name of the bundle, the number of examples in it
//! inputs        artifacts of one run, and the winner's among them
//! run           what is read from them
//! onnx          the detector for other runtimes
//! mlflow        the files that make a bundle an MLflow model
//! card          the model card
//! report        the run report
//! stage         artifacts in, artifact out
//! command       arguments and result
//! onnx          the detector for other runtimes
//! mlflow        the bundle as an MLflow model
//! oci           the bundle as an image
//! registry      images to and from registries
//! commands      sign, push and pull
//! ```

mod card;
mod command;
mod commands;
mod inputs;
mod markdown;
pub mod mlflow;
pub mod oci;
pub mod onnx;
mod params;
mod registry;
mod report;
mod run;
mod stage;

pub use command::{Args, command};
pub use commands::{PullArgs, PushArgs, RegistryArgs, SignArgs, pull_command, push_command, sign_command};
pub use params::PackagingParams;
pub use stage::{Outcome, Request, run};
