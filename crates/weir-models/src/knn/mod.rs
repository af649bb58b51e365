//! k nearest neighbours, as scikit-learn's `KNeighborsClassifier`.
//!
//! Neighbours are the k rows nearest by (distance, row number). scikit-learn leaves open which of several rows at the
//! same distance is taken; everything else is its definition.

mod distance;
mod index;
mod nearest;
mod params;
mod search;
#[cfg(test)]
mod tests;
mod vote;

use ndarray::ArrayView2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use distance::Metric;
pub use params::{KnnParams, Weights};
pub(crate) use search::Search;

use crate::classifier::{Classifier, Fit, ScoreKind, Scores};
use crate::context::{Context, FitError};
use crate::data::Dataset;
use index::Index;

/// Queries that are answered as one piece of parallel work.
const QUERIES: usize = 128;

/// A fitted model: the rows it was fitted on. The index over them is built again when it is read back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Knn {
    params: KnnParams,
    features: usize,
    /// `[n, d]`, row by row.
    values: Vec<f64>,
    classes: Vec<u8>,
    #[serde(skip_serializing)]
    index: Index,
}

/// What is written of a [`Knn`].
#[derive(Deserialize)]
struct Stored {
    params: KnnParams,
    features: usize,
    values: Vec<f64>,
    classes: Vec<u8>,
}

/// Bytes that are not a fitted model.
#[derive(Debug, thiserror::Error)]
#[error("corrupt KNN model: {0}")]
struct Corrupt(&'static str);

impl TryFrom<Stored> for Knn {
    type Error = Corrupt;

    fn try_from(Stored { params, features, values, classes }: Stored) -> Result<Self, Corrupt> {
        if classes.len().checked_mul(features) != Some(values.len()) || u32::try_from(classes.len()).is_err() {
            return Err(Corrupt("values, features and classes do not belong together"));
        }
        if !(1..=classes.len()).contains(&params.n_neighbors) {
            return Err(Corrupt("n_neighbors is not between 1 and the number of rows"));
        }
        if classes.iter().any(|&class| class > 1) || !values.iter().all(|value| value.is_finite()) {
            return Err(Corrupt("a class above 1 or a value that is not finite"));
        }
        let index = Index::new(&values, features, classes.len());
        Ok(Self { params, features, values, classes, index })
    }
}

impl KnnParams {
    /// Keeps the rows of `data` and arranges them for search. Always converges.
    ///
    /// # Errors
    /// [`FitError::OneClass`] without rows of both classes, [`FitError::Parameter`] when `n_neighbors` is not between
    /// 1 and the number of rows, [`FitError::Cancelled`].
    pub fn fit(&self, data: Dataset<'_>, context: &Context<'_>) -> Result<Fit<Knn>, FitError> {
        context.check()?;
        check(self, data.classes(), data.rows())?;
        let (features, values, classes) = (data.features(), data.values().to_vec(), data.classes().to_vec());
        let index = Index::new(&values, features, classes.len());
        Ok(Fit { model: Knn { params: self.clone(), features, values, classes, index }, converged: true })
    }
}

/// Whether `params` can be fitted on `rows` rows of data with these classes.
fn check(params: &KnnParams, classes: &[u8], rows: usize) -> Result<(), FitError> {
    let malicious = classes.iter().filter(|&&class| class == 1).count();
    let benign = classes.len() - malicious;
    if benign == 0 || malicious == 0 {
        return Err(FitError::OneClass { model: "KNN", benign, malicious });
    }
    if !(1..=rows).contains(&params.n_neighbors) {
        return Err(FitError::Parameter {
            parameter: "n_neighbors",
            received: params.n_neighbors.to_string(),
            reason: format!("it must be from 1 to the {rows} rows that are fitted on"),
        });
    }
    Ok(())
}

impl Knn {
    /// The parameters it was fitted with.
    #[must_use]
    pub fn params(&self) -> &KnnParams {
        &self.params
    }

    /// The rows it was fitted on: `[n, features]`, row by row.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The classes of those rows, 0 or 1.
    #[must_use]
    pub fn classes(&self) -> &[u8] {
        &self.classes
    }

    /// The k neighbours of each row of `x`: `[m, features]`, finite, as (row it was fitted on, distance), nearest
    /// first by (distance, row number).
    ///
    /// # Panics
    /// When the number of columns is not that of the rows.
    #[must_use]
    pub fn neighbours(&self, x: ArrayView2<'_, f64>) -> Vec<Vec<(usize, f64)>> {
        let metric = self.params.metric;
        self.map_neighbours(x, |found| {
            found.iter().map(|neighbour| (neighbour.row as usize, metric.distance(neighbour.reduced))).collect()
        })
    }

    fn map_neighbours<R: Send>(
        &self,
        x: ArrayView2<'_, f64>,
        read: impl Fn(&[nearest::Neighbour]) -> R + Sync,
    ) -> Vec<R> {
        assert_eq!(x.ncols(), self.features, "one column per feature");
        let x = x.as_standard_layout();
        let (queries, rows) = (x.as_slice().expect("standard layout"), x.nrows());
        let block = |first: usize| {
            let end = rows.min(first + QUERIES);
            let mut block = Vec::with_capacity(end - first);
            let queries = &queries[first * self.features..end * self.features];
            let k = self.params.n_neighbors;
            self.index.search(self.params.metric, queries, end - first, k, |_, found| block.push(read(found)));
            block
        };
        if rows <= QUERIES {
            return block(0);
        }
        let blocks: Vec<Vec<R>> = (0..rows.div_ceil(QUERIES)).into_par_iter().map(|b| block(b * QUERIES)).collect();
        blocks.into_iter().flatten().collect()
    }
}

impl Classifier for Knn {
    fn features(&self) -> usize {
        self.features
    }

    fn score_kind(&self) -> ScoreKind {
        ScoreKind::Probability
    }

    /// The score is the weighted share of class 1 among the neighbours; class 1 needs more than half. A row whose
    /// distance to every row overflows has no neighbours, and no score.
    fn predict(&self, x: ArrayView2<'_, f64>) -> Scores {
        let share = |found: &[nearest::Neighbour]| match found.first() {
            Some(nearest) if nearest.reduced.is_finite() => {
                vote::share(&self.params, found, |row| self.classes[row as usize])
            }
            _ => f64::NAN,
        };
        let scores = self.map_neighbours(x, share);
        Scores { classes: scores.iter().map(|&share| vote::class(share)).collect(), scores }
    }

    /// A difference, a product or absolute value, and a sum per row and feature, whatever the index spares.
    fn operations(&self) -> u64 {
        3 * self.values.len() as u64
    }
}
