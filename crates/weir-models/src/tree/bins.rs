//! A column's values as numbers of bins.

use crate::data::Dataset;

use super::presort::{sort_key, value_of};

/// A column cut into bins of consecutive values.
pub(super) struct Binned {
    /// Bin of each row.
    pub(super) codes: Codes,
    /// Lowest and highest value of each bin.
    pub(super) ends: Vec<[f64; 2]>,
}

/// Bins of rows, in as few bytes as their number needs.
pub(super) enum Codes {
    Byte(Vec<u8>),
    Word(Vec<u16>),
}

/// Bins the values of `feature`: each distinct value alone if there are at most `max_bins` (2 to 65,535), and else
/// distinct values in that many bins of equal number. That is a matter of values, not of rows: a value is as fine in
/// the tails as where rows crowd.
///
/// Takes 8 bytes per row for the time of sorting.
pub(super) fn bin_column(data: Dataset<'_>, feature: usize, max_bins: usize) -> Binned {
    let key = |row: usize| sort_key(data.row(row)[feature]);
    let mut distinct: Vec<u64> = (0..data.rows()).map(key).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let bins = distinct.len().min(max_bins);
    let first = |bin: usize| distinct[bin * distinct.len() / bins];
    let last = |bin: usize| distinct[(bin + 1) * distinct.len() / bins - 1];
    let ends = (0..bins).map(|bin| [value_of(first(bin)), value_of(last(bin))]).collect();
    let highest: Vec<u64> = (0..bins).map(last).collect();
    let codes = (0..data.rows()).map(|row| {
        let key = key(row);
        highest.partition_point(|&highest| highest < key)
    });
    let codes = if bins <= 1 << u8::BITS {
        Codes::Byte(codes.map(|code| code as u8).collect())
    } else {
        Codes::Word(codes.map(|code| code as u16).collect())
    };
    Binned { codes, ends }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::ArrayView2;

    fn bins(values: &[f64], max_bins: usize) -> (Vec<u8>, Vec<[f64; 2]>) {
        let x = ArrayView2::from_shape((values.len(), 1), values).unwrap();
        let binned = bin_column(Dataset::new(x, &vec![0; values.len()]), 0, max_bins);
        let Codes::Byte(codes) = binned.codes else { panic!("few bins take a byte") };
        (codes, binned.ends)
    }

    #[test]
    fn values_get_a_bin_each_where_there_are_enough() {
        let (codes, ends) = bins(&[7.0, -0.0, -3.0, 0.0, 7.0], 3);
        assert_eq!(codes, [2, 1, 0, 1, 2]);
        assert_eq!(ends, [[-3.0; 2], [0.0; 2], [7.0; 2]]);
    }

    #[test]
    fn else_each_bin_has_as_many_distinct_values() {
        let (codes, ends) = bins(&[1.0, 1.0, 1.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0], 3);
        assert_eq!(codes, [0, 0, 0, 0, 0, 1, 1, 2, 2]);
        assert_eq!(ends, [[1.0, 2.0], [4.0, 8.0], [16.0, 32.0]]);
    }

    #[test]
    fn more_than_256_bins_take_two_bytes() {
        let values: Vec<f64> = (0..1000).map(f64::from).collect();
        let x = ArrayView2::from_shape((1000, 1), &values).unwrap();
        let binned = bin_column(Dataset::new(x, &[0; 1000]), 0, 500);
        assert!(matches!(binned.codes, Codes::Word(codes) if codes[999] == 499 && codes[2] == 1));
    }
}
