//! A run on the cluster: what its workflow and its pods say, and what that means.

mod changes;
mod follow;
mod lines;
mod pod;
mod status;
mod step;
mod verdict;

pub(crate) use changes::{Change, Changes};
pub(crate) use follow::{Follow, follow, label};
pub(crate) use lines::{MAIN, last_lines, node_of, stream};
pub(crate) use pod::{Trouble, trouble};
pub(crate) use status::{Node, S3, Workflow, between};
pub(crate) use step::Step;
pub(crate) use verdict::{Verdict, verdict};
