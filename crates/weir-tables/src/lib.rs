//! Flow batches and feature tables to and from Parquet, through polars.
//!
//! polars reads and writes tables here; it computes no feature and no sum that reaches a digest, since its reductions
//! depend on the number of threads. Files are zstd-compressed with row groups of a fixed size, so that the same table
//! has the same bytes wherever it is written.
//!
//! This crate does not know stages.

mod column;
mod features;
mod flows;
mod parquet;
mod quarantine;

pub use features::{FeatureReader, FeatureTable, FeatureWriter};
pub use flows::{FlowTableReader, FlowWriter, read_flows, write_flows};
pub use parquet::TableError;
pub use quarantine::{QuarantineReader, QuarantineWriter, Quarantined};
