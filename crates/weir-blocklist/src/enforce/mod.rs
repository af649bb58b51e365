//! Keeping out who is listed: what changes, doing it, and undoing it.
//!
//! [`enforce`] takes a detection and a [state directory](crate::state) and tells an [`Enforcer`]. What it keeps out is
//! the blocklist and nobody else; allowed addresses, the host's own and that of the operator's session never are.

mod act;
pub(crate) mod command;
mod enforcer;
mod error;
mod ipset;
mod nftables;
mod plan;
mod program;
mod protected;
mod removal;

pub use act::{Order, Report, enforce, preview};
pub use command::{
    EnforceArgs, EnforcerArgs, ListArgs, Others, RemoveArgs, Rules, enforce_command, enforce_detection, list_command,
    no_others, remove_command,
};
pub use enforcer::{Enforcer, apply};
pub use error::EnforceError;
pub use ipset::Ipset;
pub use nftables::Nftables;
pub use plan::{Changes, LeftAlone};
pub use protected::{Exempt, Protected, session_peer};
pub use removal::{Removal, remove};
