//! Keeping out who is listed: what changes, doing it, and undoing it.

mod enforcer;
mod error;
mod ipset;
mod nftables;
mod program;

pub use enforcer::{Enforcer, apply};
pub use error::EnforceError;
pub use ipset::Ipset;
pub use nftables::Nftables;
