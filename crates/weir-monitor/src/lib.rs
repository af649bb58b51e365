//! Validation of a deployed predictor against its endpoint.
//!
//! [`Endpoint`] speaks the Open Inference Protocol, v1 or v2, to any predictor that does; [`validate`] sends it every
//! validation flow of a features artifact once and counts the answers; [`validate_command`] is what `weir-monitor
//! validate` and `weir validate` call.
//!
//! Reads `flows-validation.parquet` (or `validation.parquet`) of a features artifact. Writes `validation-report.json`,
//! whole or not at all, and the one-value file `accuracy` beside it. The report holds what was measured, so it is no
//! artifact: nothing is ever skipped because it is there.
//!
//! This crate does not know training, models or bundles: what it knows of a predictor is what the endpoint says.
//!
//! ```text
//! wire         rows to request bodies, answers to labels; no IO
//! exchange     one HTTP request: retries, time limits, sizes
//! endpoint     a model behind a URL: which one, its version, its predictions
//! source       validation rows of a features artifact, some at a time
//! tally        what became of the rows
//! latency      times of requests
//! validate     all rows to the endpoint, and the report
//! command      arguments, files, and the table for people
//! ```

mod command;
mod endpoint;
mod error;
mod exchange;
mod latency;
mod source;
mod tally;
mod validate;
mod wire;

pub use command::{ValidateArgs, validate_command};
pub use endpoint::{Answered, Endpoint, Settings};
pub use error::EndpointError;
pub use validate::{Request, validate};
pub use wire::{Answer, Rows};
