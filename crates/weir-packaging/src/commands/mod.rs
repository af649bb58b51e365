//! `weir sign`, `weir push` and `weir pull`: what becomes of a package.

mod pull;
mod push;
mod registry;
mod sign;

pub use pull::{PullArgs, pull_command};
pub use push::{PushArgs, push_command};
pub use registry::RegistryArgs;
pub use sign::{SignArgs, sign_command};
