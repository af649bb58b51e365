//! Access logs of web servers to counts per client.
//!
//! [`count`] reads files and streams to the end; a [`Counter`] takes lines as they come. It does not know what a flood is,
//! who is to be blocked, or any model.

mod address;
mod bins;
mod blocks;
mod client;
mod count;
mod counter;
mod counts;
mod hyperloglog;
mod parse;
mod settings;
mod shard;
mod texts;
mod timeline;
mod timestamp;

pub use address::ClientField;
pub use count::{LogError, Source, count};
pub use counter::Counter;
pub use counts::{Client, Counts};
pub use parse::{Entry, LINE_LIMIT, Method, Unreadable, parse_line};
pub use settings::Settings;
