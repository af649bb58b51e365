//! A search as a plan: candidates × folds, cut into pieces that each compute once what their cells share.
//!
//! A family says which cells belong together (a kernel matrix, a neighbour pass, a tree growth, a path of warm starts);
//! the executor hands the pieces to threads, the long ones first, within a memory budget. Pieces know nothing of each
//! other, so the scores are the same in whatever order, on whatever thread and in whatever process they are computed.

mod execute;
mod plan;

pub use plan::{Cell, Estimate, Order, Piece, Plan, Score, search};

pub(crate) use execute::execute;

use crate::context::{Context, FitError};

/// How a family scores its candidates on folds.
pub(crate) trait FamilySearch: Sync {
    /// Memory that a worker keeps from piece to piece.
    type Scratch: Send;

    /// The pieces, which together hold every (candidate, fold) once. Names are unique.
    fn pieces(&self) -> Vec<Piece>;

    /// A worker's memory, of at most `bytes` where a piece can do with less.
    fn scratch(&self, bytes: usize) -> Self::Scratch;

    /// Scores the cells of piece number `piece`, in their order. Nothing of an earlier piece may show in the result.
    /// Looks at `context.check()` at the start and now and then; advances `context.progress` by one per cell.
    fn score(&self, piece: usize, scratch: &mut Self::Scratch, context: &Context<'_>) -> Result<Vec<Score>, FitError>;
}
