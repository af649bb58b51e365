//! The stage that brings logs: files, URLs and standard input become an artifact whose files no longer change.
//!
//! ```text
//! weir-block/logs/
//! ├── logs/0001-access.log      each source as it is, compressed ones compressed, in the order given
//! ├── logs/0002-access.log.1.gz
//! ├── run-info.json
//! └── manifest.json
//! ```
//!
//! A log is written to while it is read. Of one that grows, what was there at the start is taken, up to its last whole
//! line; the next run takes the rest with it. Sources are brought beside an earlier artifact, which stays until all of
//! them are there; a download that broke off goes on in the next run.

mod command;
mod copy;
mod run;
mod source;

pub use command::{FetchArgs, fetch_command};
pub use run::{Outcome, Request, STAGE, fetch};
pub(crate) use source::shown;
