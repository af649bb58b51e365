//! A labelled matrix, borrowed.

use ndarray::ArrayView2;

/// Rows with their classes.
#[derive(Clone, Copy)]
pub struct Dataset<'a> {
    /// `[rows, features]` f64, row-major and contiguous.
    x: &'a [f64],
    features: usize,
    y: &'a [u8],
}

impl<'a> Dataset<'a> {
    /// Joins `x`: `[n, d]`, finite, with `y`: `[n]` of 0 and 1.
    ///
    /// # Panics
    /// When the number of rows differs, a class is above 1, or `x` is not in standard (row-major) layout: both come
    /// from one feature table, so a mismatch is a bug in the caller.
    #[must_use]
    pub fn new(x: ArrayView2<'a, f64>, y: &'a [u8]) -> Self {
        assert_eq!(x.nrows(), y.len(), "one class per row");
        assert!(y.iter().all(|&class| class <= 1), "classes are 0 and 1");
        let features = x.ncols();
        Self { x: x.to_slice().expect("row-major matrix"), features, y }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.y.len()
    }

    /// Number of features.
    #[must_use]
    pub fn features(&self) -> usize {
        self.features
    }

    /// The first `rows` rows.
    ///
    /// # Panics
    /// When there are fewer.
    #[must_use]
    pub fn head(&self, rows: usize) -> Self {
        Self { x: &self.x[..rows * self.features], features: self.features, y: &self.y[..rows] }
    }

    /// All values, row by row.
    #[must_use]
    pub fn values(&self) -> &'a [f64] {
        self.x
    }

    /// The values of a row.
    #[must_use]
    pub fn row(&self, row: usize) -> &'a [f64] {
        &self.x[row * self.features..(row + 1) * self.features]
    }

    /// The classes, 0 or 1 per row.
    #[must_use]
    pub fn classes(&self) -> &'a [u8] {
        self.y
    }
}
