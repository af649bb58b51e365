//! Feature scaling, fitted on train only. Formulas and the treatment of constant columns are those of scikit-learn's
//! `MinMaxScaler`, `StandardScaler` and `RobustScaler`; values outside the range of train are not clipped.
//!
//! Sums run over the rows in order with Neumaier's compensation, so they depend neither on threads nor on the
//! processor.

use ndarray::{Array2, ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};
use weir_contract::feature::ScalerKind;

/// A fitted scaler.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Scaler {
    kind: ScalerKind,
    columns: Vec<Column>,
}

/// Bytes that are not a scaler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("column {column} of the scaler must have a finite offset and a finite scale other than 0")]
pub struct MalformedScaler {
    /// Number of the column, from 0.
    pub column: usize,
}

#[derive(Deserialize)]
struct Unchecked {
    kind: ScalerKind,
    columns: Vec<Column>,
}

/// What one column is scaled by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Min-max: added after scaling (scikit-learn's `min_`); standard: the mean, subtracted before scaling
    /// (`mean_`); robust: the median, likewise (`center_`); none: 0.
    pub offset: f64,
    /// Min-max: the factor 1 / (maximum - minimum); standard: the standard deviation, divided by; robust: the
    /// interquartile range, likewise; none: 1. They are 1 for a constant column (`scale_`).
    pub scale: f64,
}

impl Scaler {
    /// Learns from `x`: `[n, d]`, finite. Without rows nothing is learned and [`Scaler::transform`] changes nothing.
    #[must_use]
    pub fn fit(kind: ScalerKind, x: ArrayView2<'_, f64>) -> Self {
        if kind == ScalerKind::MinMax && x.nrows() > 0 {
            return Self { kind, columns: min_max(x) };
        }
        let columns = x
            .columns()
            .into_iter()
            .map(|column| match kind {
                _ if column.is_empty() => UNCHANGED,
                ScalerKind::Standard => standard(column),
                ScalerKind::Robust => robust(column),
                ScalerKind::MinMax | ScalerKind::None => UNCHANGED,
            })
            .collect();
        Self { kind, columns }
    }

    /// Which scaling it is.
    #[must_use]
    pub fn kind(&self) -> ScalerKind {
        self.kind
    }

    /// What each column is scaled by, in column order.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Number of features a row must have.
    #[must_use]
    pub fn features(&self) -> usize {
        self.columns.len()
    }

    /// The scaled rows of `x`: `[n, d]`, in standard (row-major) layout.
    ///
    /// # Panics
    /// When the number of columns is not that of the rows it was fitted on.
    #[must_use]
    pub fn transform(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        assert_eq!(x.ncols(), self.features(), "one column per feature");
        let mut values: Vec<f64> = Vec::with_capacity(x.len());
        for row in x.rows() {
            let start = values.len();
            values.extend(row);
            self.transform_row(&mut values[start..]);
        }
        Array2::from_shape_vec(x.raw_dim(), values).expect("as many values as before")
    }

    /// Scales one row in place; the same bits as in [`Scaler::transform`].
    ///
    /// # Panics
    /// When the length is not that of the rows it was fitted on.
    pub fn transform_row(&self, row: &mut [f64]) {
        assert_eq!(row.len(), self.features(), "one value per feature");
        for (value, column) in row.iter_mut().zip(&self.columns) {
            *value = match self.kind {
                ScalerKind::MinMax => *value * column.scale + column.offset,
                ScalerKind::Standard | ScalerKind::Robust => (*value - column.offset) / column.scale,
                ScalerKind::None => *value,
            };
        }
    }
}

impl TryFrom<Unchecked> for Scaler {
    type Error = MalformedScaler;

    fn try_from(Unchecked { kind, columns }: Unchecked) -> Result<Self, MalformedScaler> {
        let sound = |column: &Column| column.offset.is_finite() && column.scale.is_finite() && column.scale != 0.0;
        match columns.iter().position(|column| !sound(column)) {
            None => Ok(Self { kind, columns }),
            Some(column) => Err(MalformedScaler { column }),
        }
    }
}

const UNCHANGED: Column = Column { offset: 0.0, scale: 1.0 };

/// scikit-learn's `MinMaxScaler`: a range below 10 epsilon counts as constant (`_handle_zeros_in_scale`). One pass over
/// the rows; a pass per column would fetch every row as often as it has columns.
fn min_max(x: ArrayView2<'_, f64>) -> Vec<Column> {
    let mut ends = vec![(f64::INFINITY, f64::NEG_INFINITY); x.ncols()];
    for row in x.rows() {
        for ((minimum, maximum), &value) in ends.iter_mut().zip(row) {
            *minimum = if value < *minimum { value } else { *minimum };
            *maximum = if value > *maximum { value } else { *maximum };
        }
    }
    let column = |(minimum, maximum): (f64, f64)| {
        let range = maximum - minimum;
        let scale = match range {
            _ if range < 10.0 * f64::EPSILON => 1.0,
            // The range of values beyond 1e308 is no number, half of it is.
            f64::INFINITY => 0.5 / (0.5 * maximum - 0.5 * minimum),
            _ => 1.0 / range,
        };
        Column { offset: 0.0 - minimum * scale, scale }
    };
    ends.into_iter().map(column).collect()
}

/// scikit-learn's `StandardScaler`: population variance in two passes, the second corrected for the rounding of the
/// mean; a variance within its own rounding error counts as constant (`_is_constant_feature`).
fn standard(column: ArrayView1<'_, f64>) -> Column {
    let rows = column.len() as f64;
    let mean = sum(column.iter().copied()) / rows;
    let correction = sum(column.iter().map(|value| value - mean));
    let squares = sum(column.iter().map(|value| (value - mean) * (value - mean)));
    let variance = (squares - correction * correction / rows) / rows;
    let rounding = mean * rows * f64::EPSILON;
    let constant = variance <= rows * f64::EPSILON * variance + rounding * rounding;
    Column { offset: mean, scale: if constant { 1.0 } else { variance.sqrt() } }
}

/// scikit-learn's `RobustScaler`: median, and the range between the quartiles by linear interpolation.
fn robust(column: ArrayView1<'_, f64>) -> Column {
    let mut sorted = column.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let range = quantile(&sorted, 0.75) - quantile(&sorted, 0.25);
    let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    let scale = if range < 10.0 * f64::EPSILON || !range.is_finite() { 1.0 } else { range };
    Column { offset: 0.5 * low + 0.5 * high, scale }
}

/// NumPy's quantile of ascending values with linear interpolation.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, part) = (sorted[place as usize], place.fract());
    let above = sorted[(place as usize + 1).min(sorted.len() - 1)];
    if part < 0.5 { below + (above - below) * part } else { above - (above - below) * (1.0 - part) }
}

/// Neumaier's compensated sum, in order.
fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0f64, 0.0);
    for value in values {
        let next = sum + value;
        lost += if sum.abs() >= value.abs() { (sum - next) + value } else { (value - next) + sum };
        sum = next;
    }
    sum + lost
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn min_max_maps_train_to_zero_and_one_and_does_not_clip() {
        let scaler = Scaler::fit(ScalerKind::MinMax, array![[2.0, 7.0], [6.0, 7.0], [4.0, 7.0]].view());
        // The constant column is shifted and not scaled.
        assert_eq!(scaler.columns()[1], Column { offset: -7.0, scale: 1.0 });
        let scaled = scaler.transform(array![[2.0, 7.0], [6.0, 7.0], [10.0, 9.0], [1.0, 6.5]].view());
        assert_eq!(scaled, array![[0.0, 0.0], [1.0, 0.0], [2.0, 2.0], [-0.25, -0.5]]);
    }

    #[test]
    fn robust_gives_median_zero_and_interquartile_range_one_whatever_the_outliers() {
        let scaler = Scaler::fit(ScalerKind::Robust, array![[5.0], [1.0], [9e9], [2.0], [4.0]].view());
        assert_eq!(scaler.columns(), [Column { offset: 4.0, scale: 3.0 }]);
        assert_eq!(scaler.transform(array![[4.0], [7.0]].view()), array![[0.0], [1.0]]);
    }

    #[test]
    fn a_range_beyond_all_numbers_is_scaled_all_the_same() {
        let scaler = Scaler::fit(ScalerKind::MinMax, array![[-1.7e308], [1.7e308]].view());
        let scaled = scaler.transform(array![[-1.7e308], [1.7e308]].view());
        assert!(scaled[(0, 0)] == 0.0 && (scaled[(1, 0)] - 1.0).abs() < 1e-12, "{scaled}");
        let bytes = postcard::to_allocvec(&scaler).unwrap();
        assert_eq!(postcard::from_bytes::<Scaler>(&bytes).unwrap(), scaler);
    }

    #[test]
    fn standard_gives_mean_zero_and_population_variance_one() {
        let scaler = Scaler::fit(ScalerKind::Standard, array![[1.0, 3.0], [5.0, 3.0]].view());
        assert_eq!(scaler.columns(), [Column { offset: 3.0, scale: 2.0 }, Column { offset: 3.0, scale: 1.0 }]);
        assert_eq!(scaler.transform(array![[1.0, 3.0], [7.0, 4.0]].view()), array![[-1.0, 0.0], [2.0, 1.0]]);
    }

    /// `MinMaxScaler`, `StandardScaler` and `RobustScaler` of scikit-learn 1.9 on milliseconds, a nearly constant and a wide column.
    #[test]
    fn columns_are_those_of_scikit_learn() {
        let x = array![
            [1_645_795_940_002.0, 0.1 + 0.2, 14350.0],
            [1_645_796_270_003.0, 0.3, 356.0],
            [1_645_790_000_007.0, 0.3, 1.8e9],
            [1_645_799_123_456.0, 0.3, 0.0],
        ];
        let close = |ours: f64, theirs: f64| (ours - theirs).abs() <= 4.0 * f64::EPSILON * theirs.abs();
        for (kind, offsets, scales) in [
            (ScalerKind::MinMax, MIN_MAX_OFFSETS, MIN_MAX_SCALES),
            (ScalerKind::Standard, STANDARD_OFFSETS, STANDARD_SCALES),
            (ScalerKind::Robust, ROBUST_OFFSETS, ROBUST_SCALES),
        ] {
            let scaler = Scaler::fit(kind, x.view());
            for (column, (offset, scale)) in scaler.columns().iter().zip(offsets.into_iter().zip(scales)) {
                assert!(close(column.offset, offset) && close(column.scale, scale), "{kind:?}: {column:?}");
            }
        }
    }

    #[test]
    fn a_row_is_scaled_to_the_same_bits_alone_and_among_others() {
        let x = Array2::from_shape_fn((50, 3), |(row, column)| ((row * 37 + column * 11) % 41) as f64 * 0.3);
        for kind in [ScalerKind::MinMax, ScalerKind::Standard, ScalerKind::Robust, ScalerKind::None] {
            let scaler = Scaler::fit(kind, x.view());
            let scaled = scaler.transform(x.view());
            let mut row = x.row(17).to_vec();
            scaler.transform_row(&mut row);
            assert_eq!(scaled.row(17).to_vec(), row);
            if kind == ScalerKind::None {
                assert_eq!(scaled, x);
            }
        }
    }

    #[test]
    fn without_rows_nothing_is_scaled() {
        for kind in [ScalerKind::MinMax, ScalerKind::Standard, ScalerKind::Robust, ScalerKind::None] {
            let scaler = Scaler::fit(kind, Array2::zeros((0, 2)).view());
            assert_eq!(scaler.transform(array![[3.0, -1.0]].view()), array![[3.0, -1.0]]);
        }
    }

    #[test]
    fn a_scaler_read_back_is_the_same_and_a_damaged_one_is_refused() {
        let scaler = Scaler::fit(ScalerKind::Standard, array![[1.0, 3.0], [5.0, 3.0]].view());
        let bytes = postcard::to_allocvec(&scaler).unwrap();
        assert_eq!(postcard::from_bytes::<Scaler>(&bytes).unwrap(), scaler);
        for (offset, scale) in [(f64::NAN, 1.0), (0.0, 0.0), (0.0, f64::INFINITY)] {
            let mut spoilt = scaler.clone();
            spoilt.columns[1] = Column { offset, scale };
            assert!(postcard::from_bytes::<Scaler>(&postcard::to_allocvec(&spoilt).unwrap()).is_err());
        }
    }

    const MIN_MAX_OFFSETS: [f64; 3] = [-180391.20950936427, -0.3, 0.0];
    const MIN_MAX_SCALES: [f64; 3] = [1.0960767139707802e-07, 1.0, 5.555555555555555e-10];
    const STANDARD_OFFSETS: [f64; 3] = [1645795333367.0, 0.30000000000000004, 450003676.5];
    const STANDARD_SCALES: [f64; 3] = [3318689.369963766, 1.0, 779420740.7992141];
    const ROBUST_OFFSETS: [f64; 3] = [1645796105002.5, 0.3, 7353.0];
    const ROBUST_SCALES: [f64; 3] = [2528363.0, 1.0, 450010495.5];
}
