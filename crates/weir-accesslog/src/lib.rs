//! Access logs of web servers to counts per client.
//!
//! [`count`] reads files and streams to the end. For logs that are still written, a [`Follower`] yields lines as they come,
//! and a [`Window`] counts those of the last while. Reads plain text, gzip and zstd; writes nothing. It does not know what a flood is,
//! who is to be blocked, or any model.

mod address;
mod bins;
mod blocks;
mod client;
mod count;
mod counter;
mod counts;
mod follow;
mod hyperloglog;
mod parse;
mod settings;
mod shard;
mod texts;
mod timeline;
mod timestamp;
mod window;

pub use address::ClientField;
pub use count::{LogError, Source, count};
pub use counter::Counter;
pub use counts::{Client, Counts};
pub use follow::Follower;
pub use parse::{Entry, LINE_LIMIT, Method, Unreadable, parse_line};
pub use settings::Settings;
pub use window::Window;
