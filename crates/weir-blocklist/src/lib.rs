//! Access logs to a blocklist that is enforced.

pub mod allow;
pub mod detect;
pub mod enforce;
pub mod fetch;
pub mod notice;
pub mod out;
pub mod params;
mod run;
pub mod serve;
pub mod state;

pub use params::BlocklistParams;
pub use run::{RunArgs, run_command};
