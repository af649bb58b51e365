//! Columns sorted once, shared by every tree grown on the data.

use rayon::prelude::*;

use crate::data::Dataset;

/// Most rows an [`Entry`] can address.
const MAX_ROWS: usize = 1 << 31;

/// A row seen from one column: rank of its value among the column's distinct values, row number and class, packed into
/// 64 bits so that a pass over a column reads memory in order.
#[derive(Clone, Copy)]
pub(super) struct Entry(u64);

/// The columns of a data set, each sorted by value.
pub(super) struct Presorted {
    pub(super) columns: Vec<Column>,
    classes: Vec<u8>,
}

/// One sorted column.
pub(super) struct Column {
    /// All rows by (value, row).
    pub(super) entries: Vec<Entry>,
    /// The distinct values, ascending; an entry's rank is an index into them.
    pub(super) values: Vec<f64>,
}

impl Entry {
    fn new(rank: u32, row: u32, class: u8) -> Self {
        Self(u64::from(rank) << 32 | u64::from(row) << 1 | u64::from(class))
    }

    pub(super) fn rank(self) -> u32 {
        (self.0 >> 32) as u32
    }

    pub(super) fn row(self) -> usize {
        (self.0 as u32 >> 1) as usize
    }

    pub(super) fn class(self) -> u32 {
        self.0 as u32 & 1
    }
}

impl Presorted {
    /// Number of rows of the data set.
    pub(super) fn rows(&self) -> usize {
        self.classes.len()
    }

    /// Class of each row.
    pub(super) fn classes(&self) -> &[u8] {
        &self.classes
    }

    /// Every row.
    pub(super) fn all_rows(&self) -> Vec<bool> {
        vec![true; self.rows()]
    }
}

/// Sorts the columns of `data`, in parallel.
///
/// # Panics
/// Above 2^31 rows.
pub(super) fn presort(data: Dataset<'_>) -> Presorted {
    assert!(data.rows() <= MAX_ROWS, "at most 2^31 rows");
    let columns = (0..data.features()).into_par_iter().map(|feature| sort_column(data, feature)).collect();
    Presorted { columns, classes: data.classes().to_vec() }
}

fn sort_column(data: Dataset<'_>, feature: usize) -> Column {
    // Key and row in one integer: comparing two of them takes no branch.
    let mut keyed: Vec<u128> = (0..data.rows())
        .map(|row| u128::from(sort_key(data.values()[row * data.features() + feature])) << 32 | row as u128)
        .collect();
    keyed.sort_unstable();

    let mut values: Vec<f64> = Vec::new();
    let mut entries = Vec::with_capacity(keyed.len());
    let mut previous = None;
    for key_and_row in keyed {
        let (key, row) = (key_and_row >> 32, key_and_row as u32);
        if previous != Some(key) {
            values.push(data.values()[row as usize * data.features() + feature]);
            previous = Some(key);
        }
        entries.push(Entry::new((values.len() - 1) as u32, row, data.classes()[row as usize]));
    }
    Column { entries, values }
}

/// Maps a finite f64 to an integer that sorts like it; both zeros become one.
fn sort_key(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}
