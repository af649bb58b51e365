//! What tests of several crates share: temporary runs, the sample data, digests of whole directories.
//!
//! [`run`] starts a binary and gives back its code and its words, [`tree_digests`] tells whether two runs left the
//! same bytes, [`sample`] and [`shared_data`] find data, [`Random`] mutates. `tests/architecture.rs` holds the table of crates against
//! what cargo says of them.
//!
//! Nothing but tests depends on this crate; its functions panic, with the path, where a test cannot go on. It does
//! not know stages, tables or models.

mod data;
mod digests;
mod process;
mod random;
mod temp_run;

pub use data::{sample, shared_data};
pub use digests::tree_digests;
pub use process::{Output, run};
pub use random::Random;
pub use temp_run::TempRun;
