//! Stage `features`: labelled flows in, validated and split feature tables out.
//!
//! Reads flow files, a feature set and an expectation suite. Writes the artifact `features/`: the splits as Parquet
//! (unscaled f64 features, label, flow id, event time), the canonical flows of the test and validation rows, what was
//! set aside, and JSON about all of it (`features.json`, `transform.json`, `statistics.json`, `expectations.json`,
//! `audit.json`, `examples.json`).
//!
//! The order of work:
//!
//! 1. **Scan** ([`scan`](self)): threads decode pieces of the files side by side. Rows left out by rule are counted; the
//!    others become records, grouped by the place of their flow on the ring of 64-bit hashes, in memory up to a limit and
//!    in a temporary file beyond.
//! 2. **Cells**: the ring is cut into 1,024 cells, which hold all records of a flow and, one after the other, give the
//!    rows in the order of the tables. Each is deduplicated (one record per flow), held against the expectations, split,
//!    transformed, written and described.
//! 3. **Seal**: statistics, audit and examples are written, and the manifest last.
//!
//! Memory does not grow with the number of rows, and every input row ends in exactly one of kept, quarantined,
//! deduplicated, excluded. Same flows, parameters and seed give the same bytes, whatever the number of threads, the limit
//! of memory, or the order and cutting of the files' rows.
//!
//! This crate does not know searches, selection or bundles.

mod aside;
mod cell;
mod command;
mod definitions;
mod describe;
mod engine;
mod ingest;
mod input;
mod leakage;
mod look;
mod params;
mod parts;
mod scan;
mod shuffle;
pub mod split;
mod stage;
mod statistics;
mod sweep;
mod tables;
mod work;

pub use command::{Args, command};
pub use definitions::{Documents, shipped_or_file};
pub use ingest::{Ingest, Ingested, ingest};
pub use input::{flow_files, is_parquet, role};
pub use leakage::audit_tables;
pub use look::{FlowsArgs, each_batch, flows_command};
pub use params::FeaturesParams;
pub use parts::{Plan, gather, run_part};
pub use scan::Relabel;
pub use stage::{DEFAULT_MEMORY, Outcome, Request, run};
