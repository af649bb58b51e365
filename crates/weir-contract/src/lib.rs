//! What crosses a border between two stages of Weir, and nothing else.
//!
//! Flows as plain columns, the manifest of an artifact directory, the feature schema, search results,
//! trials, the selection, metrics, exit codes and file names. What one stage writes for another carries a format version
//! (`expectations.json` has Great Expectations' form) and has one canonical JSON form ([`json::to_canonical`]).
//!
//! This crate does not know files, command lines, polars or models: it can be read in full before any
//! other crate of the workspace.
//!
//! ```text
//! run directory
//! ├── features/                     stage features
//! │   ├── train.parquet test.parquet validation.parquet
//! │   ├── flows-test.parquet flows-validation.parquet quarantine.parquet
//! │   ├── features.json transform.json statistics.json expectations.json audit.json examples.json
//! │   └── manifest.json run-info.json
//! ├── trials/<representation>-<family>/   stage training, one directory per fan-out
//! │   ├── search.json trials.json default.model best.model [encoder.json]
//! │   └── manifest.json run-info.json
//! ├── selection/                    stage selection
//! │   ├── selection.json winner accuracy verdict
//! │   └── manifest.json run-info.json
//! ├── package/                      stage packaging
//! │   ├── bundle/                   all that a predictor needs
//! │   ├── report.html
//! │   └── manifest.json run-info.json
//! └── validation/                   what a deployed predictor was seen to do; measured, so no artifact
//!     └── validation-report.json accuracy
//! ```

pub mod audit;
pub mod blocklist;
pub mod calibration;
pub mod digest;
pub mod exit;
pub mod expectation;
pub mod feature;
pub mod files;
pub mod flow;
pub mod json;
pub mod manifest;
pub mod metrics;
pub mod nearest;
pub mod number;
pub mod parameter;
pub mod search;
pub mod selection;
pub mod statistics;
pub mod trial;
pub mod validation;

pub use calibration::Calibration;
pub use digest::Digest;
pub use exit::{Classify, ExitCode};
pub use flow::{Flow, FlowBatch, Label, Transport};
pub use metrics::{ConfusionMatrix, Metric};
pub use nearest::nearest;
pub use number::{Seed, Share};
pub use parameter::{Family, ParamMap, ParamValue, Representation, Setting, TrialId};
