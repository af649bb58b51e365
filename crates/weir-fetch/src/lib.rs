//! Published data sets on this machine: download that goes on where it stopped, verified unpacking, attribution.
//!
//! [`download`] brings one file over HTTP(S), [`unpack`] takes the wanted files out of a zip, [`fetch`] does both for
//! one of the [`DATASETS`], and [`command`] is `weir fetch`. Nothing half-written ever has its final name.
//!
//! ```text
//! data/assuremoss/
//! ├── elastic_*.csv             the members of the data set
//! ├── fetch.json                where they came from, with digests; later fetches compare with it
//! ├── assuremoss.zip            only between download and unpacking, or with --keep-archive
//! └── *.part, *.part.json       what is being written, and what it is a part of
//! ```
//!
//! The client is asynchronous inside and blocking outside: its runtime belongs to one download, so that a stalled
//! server delays neither Ctrl-C nor the time limit, which a blocking read would.
//!
//! This crate does not know what is in the files it brings: no flows, no polars, no other crate's artifacts.

mod attempt;
mod client;
mod command;
mod dataset;
mod download;
mod error;
mod fetch;
mod part;
mod record;
mod tally;
mod unpack;
mod watcher;

pub use client::Settings;
pub use command::{Args, command};
pub use dataset::{DATASETS, Dataset, Wanted};
pub use download::{Download, Downloaded, Expected, Retry, download};
pub use error::{FetchError, Progress};
pub use fetch::{Fetched, Request, fetch};
pub use record::{Archive, FETCH, Record};
pub use tally::Member;
pub use unpack::{Unpacked, unpack};
pub use watcher::{Event, Watcher};
