//! Decision tree: CART with exact splits over presorted columns, as scikit-learn's `DecisionTreeClassifier` with
//! `splitter="best"`, `max_features=None` and `min_impurity_decrease=0`.
//!
//! Every column is sorted once into ranks; a node then finds its best cut by one pass over each column
//! and hands its rows down by stable partition, so that a level of the tree costs `O(rows * features)` without any
//! further sort. A histogram of binned values would be faster on millions of rows, but its splits are not
//! scikit-learn's.
//!
//! Where this differs from scikit-learn:
//! - Values are f64 throughout; scikit-learn rounds to f32 and does not split values closer than 1e-7.
//! - Equally good splits go to the lowest feature, then the lowest threshold; scikit-learn draws the order of features
//!   at random. Gini decreases are compared as exact fractions, so a tie is a tie.
//! - The tree does not depend on the order of the rows.

mod criterion;
mod grow;
mod model;
mod params;
mod presort;
mod search;
#[cfg(test)]
mod tests;

pub use model::{MalformedTree, Node, Split, Tree};
pub use params::{Criterion, TreeParams};
pub(crate) use search::Search;

use crate::classifier::Fit;
use crate::context::{Context, FitError};
use crate::data::Dataset;

use grow::{Limits, grow};
use presort::presort;

impl TreeParams {
    /// Grows a tree on all rows of `data`. Rows of a single class give a tree of one leaf. Features are used as they
    /// are: a tree needs no scaling.
    ///
    /// # Errors
    /// [`FitError::OneClass`] when there are no rows; [`FitError::Cancelled`].
    pub fn fit(&self, data: Dataset<'_>, context: &Context<'_>) -> Result<Fit<Tree>, FitError> {
        refuse_no_rows(data)?;
        context.check()?;
        let presorted = presort(data);
        let nodes = grow(&presorted, presorted.all_rows(), self.criterion, Limits::from(self), context)?;
        Ok(Fit { model: Tree::new(data.features(), nodes), converged: true })
    }
}

fn refuse_no_rows(data: Dataset<'_>) -> Result<(), FitError> {
    if data.rows() == 0 { Err(FitError::OneClass { model: "decision tree", benign: 0, malicious: 0 }) } else { Ok(()) }
}
