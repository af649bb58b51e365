//! Access logs of web servers to counts per client.
//!
//! This file says what the other crates see; how it comes about is in the modules.

mod counts;

pub use counts::{Client, Counts};
