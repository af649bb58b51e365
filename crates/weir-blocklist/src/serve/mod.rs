//! The part of CrowdSec's local API that bouncers speak, over the blocklist of a state directory: whatever bouncer there
//! is for a firewall, a proxy or a web server enforces it.
//!
//! ```text
//! GET, HEAD /v1/decisions[?ip=&range=&contains=&scope=&scopes=&value=&type=&origins=&scenarios_...=]
//! GET, HEAD /v1/decisions/stream[?startup=true&scopes=&origins=&scenarios_...=]
//! GET, HEAD /health
//! ```
//!
//! Bouncers say who they are by a key in `X-Api-Key`. A stream holds what is new, and what is over, since the last pull
//! with the same key; one that starts gets everything. After a restart of the server the first pull of a key is as if
//! it started, so that nobody stays blocked whom it has missed to release.
//!
//! It only reads: `blocklist.json` when it has changed, `audit.jsonl` for who was blocked once.

mod api;
mod command;
mod filter;
mod keys;
mod server;
mod source;

pub use command::{ServeArgs, serve_command};
