//! The commands `enforce`, `list` and `remove`.

mod args;
mod enforce;
mod list;
mod remove;

pub use args::{EnforcerArgs, Others, no_others};
pub use enforce::{EnforceArgs, Rules, enforce_command, enforce_detection};

pub(crate) use enforce::enforced;
pub use list::{ListArgs, list_command};
pub use remove::{RemoveArgs, remove_command};
