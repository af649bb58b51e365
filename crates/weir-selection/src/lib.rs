//! Stage `selection`: the best of all trials on test, and whether it should replace the champion.
//!
//! [`select`] is a function over trials and parameters; [`run`] opens the artifacts and commits the result,
//! [`command`] is what `weir-selection` and `weir select` call.
//!
//! Reads `trials.json` of every training artifact and of the champion's. Writes `selection.json` and the one-value
//! files `winner`, `accuracy` and `verdict`, which end without a newline: a workflow takes their content as it is.
//!
//! This crate does not know how trials were made: it opens no model and no table of features.
//!
//! ```text
//! params        what to rank by, and when a champion is replaced
//! select        the ranking, the winner, the reason, the warnings
//! rule          what decides between two trials, in order
//! check         whether trials can be compared at all
//! champion      winner against champion
//! mcnemar       the exact test on rows that only one of the two gets right
//! run           artifacts in, artifact out
//! command       arguments, and the table for people
//! ```

mod champion;
mod check;
mod command;
mod mcnemar;
mod params;
mod rule;
mod run;
mod select;

pub use check::SelectionError;
pub use command::{Args, command};
pub use mcnemar::mcnemar;
pub use params::SelectionParams;
pub use run::{Outcome, Request, run};
pub use select::select;
