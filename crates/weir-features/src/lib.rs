//! Stage `features`: labelled flows in, validated and split feature tables out.
//!
//! Reads flow files, a feature set and an expectation suite. Writes the artifact `features/`: the splits as Parquet
//! (unscaled f64 features, label, flow id, event time), the canonical flows of the test and validation rows, what was
//! set aside, and JSON about all of it (`features.json`, `transform.json`, `statistics.json`, `expectations.json`,
//! `audit.json`, `examples.json`).
//!
//! The order of work, each step its own module: read ([`read`]) → rows left out by rule → one record per flow
//! ([`deduplicate`]) → expectations ([`expectations`]) → features → split and order by flow hash ([`split`]) →
//! statistics ([`statistics`]). Every input row ends in exactly one of kept, quarantined, deduplicated, excluded.
//!
//! This crate does not know models, searches, selection or bundles.

mod command;
pub mod deduplicate;
pub mod expectations;
mod params;
pub mod read;
pub mod split;
mod stage;
pub mod statistics;

pub use command::{Args, command};
pub use params::FeaturesParams;
pub use stage::{Outcome, Request, run};
