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

mod build;
mod columns;
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

use build::Builder;
use columns::Columns;
use criterion::{Entropy, Gini, Measure};
use grow::{Limits, Splitter, grow};
use presort::MAX_ROWS;

impl TreeParams {
    /// Grows a tree on all rows of `data`. Rows of a single class give a tree of one leaf. Features are used as they
    /// are: a tree needs no scaling.
    ///
    /// # Errors
    /// [`FitError::OneClass`] when there are no rows; [`FitError::Cancelled`].
    pub fn fit(&self, data: Dataset<'_>, context: &Context<'_>) -> Result<Fit<Tree>, FitError> {
        refuse(data)?;
        context.check()?;
        let mut columns = Columns::all(data);
        let nodes = match self.criterion {
            Criterion::Gini => self.build(&mut columns, &Gini, context),
            Criterion::Entropy => self.build(&mut columns, &Entropy::new(data.rows()), context),
        }?;
        Ok(Fit { model: Tree::new(data.features(), nodes), converged: true })
    }

    fn build(
        &self,
        splitter: &mut impl Splitter,
        measure: &impl Measure,
        context: &Context<'_>,
    ) -> Result<Vec<Node>, FitError> {
        let mut builder = Builder::default();
        grow(splitter, measure, &[Limits::from(self)], &mut builder, (), context)?;
        Ok(builder.finish())
    }
}

fn refuse(data: Dataset<'_>) -> Result<(), FitError> {
    if data.rows() == 0 {
        return Err(FitError::OneClass { model: "decision tree", benign: 0, malicious: 0 });
    }
    if data.rows() > MAX_ROWS {
        return Err(FitError::Data(format!("a decision tree takes at most {MAX_ROWS} rows, found {}", data.rows())));
    }
    Ok(())
}
