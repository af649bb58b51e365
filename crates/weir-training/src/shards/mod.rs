//! One search on many machines: plan, a shard each, gather.
//!
//! A shard is a set of the search's pieces, about as long as any other. It fits scaler and encoder itself and scores its
//! pieces; gathering takes the scores as if the run had computed them, so that the artifact has the bytes of an undivided
//! run. What depends on earlier scores or on time cannot be divided: halving and budgets.

mod bench;
mod plan;
mod run;

pub(crate) use plan::PLAN;
pub use plan::{PlannedPiece, ShardPlan, plan};
pub use run::OpenPlan;

/// Version of `plan.json` and `pieces.json` written by this build.
const FORMAT: u32 = 1;
