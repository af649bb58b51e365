//! K-Means: points to the nearest of `k` centres that make the sum of squared distances small.
//!
//! Lloyd's iterations are linfa-clustering's. The starts are drawn here, by k-means++ (Arthur and Vassilvitskii 2007), from
//! ChaCha8: linfa's generator is of another version of `rand` than the one of this workspace, and its sum of distances is
//! that before the last step. As in scikit-learn's `KMeans(n_init=10)` the run with the least inertia counts; the
//! iterations go on until the centres stand still, so that the result is a local optimum and not near one.

mod start;
#[cfg(test)]
mod tests;

use std::num::NonZeroUsize;

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_clustering::KMeansInit;
use ndarray::{Array2, ArrayView1, ArrayView2};
use weir_contract::Seed;

use start::Starts;

/// Parameters. Every value is allowed, so there is nothing to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KMeansParams {
    /// Number of centres.
    pub clusters: NonZeroUsize,
    /// Seed of the starts.
    pub seed: Seed,
    /// Starts, of which the best counts.
    pub runs: NonZeroUsize,
}

/// Fitted centres.
#[derive(Debug, Clone, PartialEq)]
pub struct KMeans {
    centres: Array2<f64>,
    inertia: f64,
}

/// Points that cannot be clustered.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum KMeansError {
    /// There are none.
    #[error("no points to cluster")]
    Empty,
    /// Without columns all points are the same nothing.
    #[error("points without coordinates cannot be clustered")]
    NoColumns,
    /// A coordinate is not finite, or so large that squares overflow.
    #[error("row {row}, column {column}: expected a number between -1e100 and 1e100, received {value}")]
    Value {
        /// The point, from 0.
        row: usize,
        /// Its coordinate, from 0.
        column: usize,
        /// What is there.
        value: f64,
    },
}

/// Largest coordinate: sums of squares over any number of points that fits into memory stay finite.
const LARGEST: f64 = 1e100;
/// Centres stand still when they move by less than this part of the largest coordinate.
const STILL: f64 = 1e-12;
/// Most iterations of a run; scikit-learn's and linfa's default.
const MOST_ITERATIONS: u64 = 300;

impl KMeansParams {
    /// `clusters` centres, the best of 10 runs, as in scikit-learn's `KMeans(clusters, n_init=10)`.
    #[must_use]
    pub fn new(clusters: NonZeroUsize, seed: Seed) -> Self {
        const RUNS: NonZeroUsize = NonZeroUsize::new(10).expect("10 is not 0");
        Self { clusters, seed, runs: RUNS }
    }

    /// Centres of `points`: `[n, d]`. Where there are fewer different points than clusters, each of them is a centre and
    /// there are no more. The same points in the same order give the same bits for any number of threads.
    ///
    /// # Errors
    /// [`KMeansError`] without points or coordinates, and for one that is not finite or beyond 1e100.
    pub fn fit(&self, points: ArrayView2<'_, f64>) -> Result<KMeans, KMeansError> {
        let largest = check(points)?;
        let tolerance = (largest * STILL).max(f64::MIN_POSITIVE);
        let mut starts = Starts::new(self.seed, points, self.clusters.get());
        let mut best: Option<KMeans> = None;
        for _ in 0..self.runs.get() {
            let model = settle(points, starts.draw(), tolerance);
            if best.as_ref().is_none_or(|best| model.inertia < best.inertia) {
                best = Some(model);
            }
        }
        Ok(best.expect("there is at least one run"))
    }
}

impl KMeans {
    /// The centres: `[k, d]`, in no order that means anything.
    #[must_use]
    pub fn centres(&self) -> ArrayView2<'_, f64> {
        self.centres.view()
    }

    /// Sum of the squared distances of the points to their centres.
    #[must_use]
    pub fn inertia(&self) -> f64 {
        self.inertia
    }

    /// The number of the nearest centre for each point of `points`: `[n, d]`; of equally near ones the first.
    ///
    /// # Panics
    /// When the number of columns is not that of the points it was fitted on.
    #[must_use]
    pub fn predict(&self, points: ArrayView2<'_, f64>) -> Vec<usize> {
        points.rows().into_iter().map(|point| nearest(self.centres.view(), point).0).collect()
    }

    /// Mean distance (not squared) of `points`, `[n, d]`, to the nearest centre; 0 without points.
    ///
    /// # Panics
    /// When the number of columns is not that of the points it was fitted on.
    #[must_use]
    pub fn distortion(&self, points: ArrayView2<'_, f64>) -> f64 {
        let distances = points.rows().into_iter().map(|point| nearest(self.centres.view(), point).1.sqrt());
        distances.sum::<f64>() / points.nrows().max(1) as f64
    }
}

/// The elbow curve: [`KMeans::distortion`] of `points`, `[n, d]`, for 1, 2, ... `most` clusters; shorter where there are
/// fewer different points.
///
/// # Errors
/// Those of [`KMeansParams::fit`].
pub fn distortions(points: ArrayView2<'_, f64>, most: usize, seed: Seed) -> Result<Vec<f64>, KMeansError> {
    let mut curve = Vec::new();
    for clusters in (1..=most).filter_map(NonZeroUsize::new) {
        let model = KMeansParams::new(clusters, seed).fit(points)?;
        if model.centres.nrows() < clusters.get() {
            break;
        }
        curve.push(model.distortion(points));
    }
    Ok(curve)
}

/// Refuses what cannot be clustered; returns the largest magnitude of a coordinate.
fn check(points: ArrayView2<'_, f64>) -> Result<f64, KMeansError> {
    if points.nrows() == 0 {
        return Err(KMeansError::Empty);
    }
    if points.ncols() == 0 {
        return Err(KMeansError::NoColumns);
    }
    let mut largest = 0.0f64;
    for ((row, column), &value) in points.indexed_iter() {
        if !value.is_finite() || value.abs() > LARGEST {
            return Err(KMeansError::Value { row, column, value });
        }
        largest = largest.max(value.abs());
    }
    Ok(largest)
}

/// Lloyd's iterations from `start`, `[k, d]`.
fn settle(points: ArrayView2<'_, f64>, start: Array2<f64>, tolerance: f64) -> KMeans {
    // The generator that `params` makes is not used: the start is given.
    let centres = linfa_clustering::KMeans::<f64, _>::params(start.nrows())
        .init_method(KMeansInit::Precomputed(start))
        .n_runs(1)
        .max_n_iterations(MOST_ITERATIONS)
        .tolerance(tolerance)
        .fit(&DatasetBase::from(points))
        .expect("points and parameters are checked")
        .centroids()
        .clone();
    let inertia = points.rows().into_iter().map(|point| nearest(centres.view(), point).1).sum();
    KMeans { centres, inertia }
}

/// The first of the nearest centres to `point`, and the squared distance to it.
fn nearest(centres: ArrayView2<'_, f64>, point: ArrayView1<'_, f64>) -> (usize, f64) {
    let distances = centres.rows().into_iter().map(|centre| squared_distance(centre, point));
    let nearer = |best: (usize, f64), next: (usize, f64)| if next.1 < best.1 { next } else { best };
    distances.enumerate().reduce(nearer).expect("there is at least one centre")
}

fn squared_distance(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>) -> f64 {
    assert_eq!(a.len(), b.len(), "one coordinate per column");
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}
