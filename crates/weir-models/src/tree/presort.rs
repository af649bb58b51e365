//! A column's rows in the order of their values.

use crate::data::Dataset;

/// Most rows an [`Entry`] can address.
pub(super) const MAX_ROWS: usize = 1 << 30;

/// Bits of a key that one pass of the radix sort looks at: 2048 counts fit the first-level cache.
const DIGIT: u32 = 11;

/// A row seen from a sorted column: row number, class, and whether its value differs from that of the entry before.
/// Packed into 32 bits, so that a pass over a column reads little memory, and in order.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Entry(u32);

impl Entry {
    const FIRST: u32 = 1;
    const CLASS: u32 = 2;

    fn new(row: u32, class: u8, first: bool) -> Self {
        Self(row << 2 | u32::from(class) << 1 | u32::from(first))
    }

    #[inline(always)]
    pub(super) fn row(self) -> usize {
        (self.0 >> 2) as usize
    }

    #[inline(always)]
    pub(super) fn class(self) -> u32 {
        self.0 >> 1 & 1
    }

    /// Whether this is the first entry of its value.
    #[inline(always)]
    pub(super) fn is_first(self) -> bool {
        self.0 & Self::FIRST != 0
    }

    /// The same row, first of its value if `first` says so.
    #[inline(always)]
    pub(super) fn with_first(self, first: bool) -> Self {
        Self(self.0 & !Self::FIRST | u32::from(first))
    }

    /// Given the entries before and after: whether a cut before this one may be the best.
    ///
    /// It cannot where either side of it is a value that one row has, and both rows are of one class: the measures are
    /// strictly convex along such a run, so that a cut before or after the two is better. (Entropy is rounded, so that
    /// this may decide between cuts that it cannot tell apart.)
    #[inline(always)]
    pub(super) fn may_be_cut(self, before: Self, after: Self) -> bool {
        let run = before.0 & after.0 & Self::FIRST & !((before.0 ^ self.0) / Self::CLASS);
        self.0 & Self::FIRST & !run != 0
    }
}

/// Writes the rows of `data` to `sorted`: `[rows]`, ordered by the value of `feature`, then by row. Both zeros are one
/// value.
///
/// A radix sort of 64-bit words, which hold the bits in which the keys differ and the row number. Whole numbers of a few
/// bytes take two or three passes. Bits for which there is no room decide afterwards, among rows that agree in all others.
pub(super) fn sort_column(data: Dataset<'_>, feature: usize, sorted: &mut [Entry]) {
    let key = |row: usize| sort_key(data.row(row)[feature]);
    let mut words: Vec<u64> = (0..data.rows()).map(key).collect();
    let (all, any) = words.iter().fold((u64::MAX, 0), |(all, any), &key| (all & key, any | key));
    let differing = any & !all;
    let (above, below) = ((differing | 1).leading_zeros(), differing.trailing_zeros() % u64::BITS);
    let row_bits = data.rows().next_power_of_two().trailing_zeros();
    let dropped = row_bits.saturating_sub(above + below);
    for (row, word) in words.iter_mut().enumerate() {
        *word = *word << above >> (above + below + dropped) << row_bits | row as u64;
    }
    let row = |word: u64| (word & ((1 << row_bits) - 1)) as usize;
    radix_sort(&mut words, row_bits);
    if dropped > 0 {
        let runs = words.chunk_by_mut(|&a, &b| a >> row_bits == b >> row_bits);
        runs.for_each(|run| run.sort_unstable_by_key(|&word| (key(row(word)), row(word))));
    }
    let mut previous = None;
    for (entry, &word) in sorted.iter_mut().zip(&words) {
        let row = row(word);
        let value = if dropped == 0 { word >> row_bits } else { key(row) };
        *entry = Entry::new(row as u32, data.classes()[row], previous != Some(value));
        previous = Some(value);
    }
}

/// Maps a finite f64 to an integer that sorts like it; both zeros become one.
pub(super) fn sort_key(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// The value of a key.
pub(super) fn value_of(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

/// Sorts by the bits from `low` on, stably.
fn radix_sort(words: &mut Vec<u64>, low: u32) {
    let any = words.iter().fold(0, |any, word| any | word);
    let mut other = vec![0; words.len()];
    for shift in (low..u64::BITS - any.leading_zeros()).step_by(DIGIT as usize) {
        let digit = |word: u64| (word >> shift) as usize % (1 << DIGIT);
        let mut places = [0_u32; 1 << DIGIT];
        words.iter().for_each(|&word| places[digit(word)] += 1);
        let mut end = 0;
        for place in &mut places {
            end += std::mem::replace(place, end);
        }
        for &word in &*words {
            let place = &mut places[digit(word)];
            other[*place as usize] = word;
            *place += 1;
        }
        std::mem::swap(words, &mut other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn columns_are_sorted_by_value_then_row_and_know_where_values_begin() {
        let few = [-0.0, 3.5, 0.0, -1e300, 3.5, 5e-324, 2.0, -7.25, f64::MAX, 2.0];
        let mixed = |row: u64| (row * 0x9E37_79B9_7F4A_7C15 % 4099) as f64 * 1e-3 - 2.0;
        let many: Vec<f64> = few.into_iter().chain((0..5000).map(mixed)).collect();
        for values in [&many[..10], &many, &[1.5; 3]] {
            let rows = values.len();
            let x = Array2::from_shape_fn((rows, 2), |(row, column)| if column == 1 { values[row] } else { 0.0 });
            let classes: Vec<u8> = (0..rows).map(|row| (row % 3 == 0).into()).collect();
            let mut sorted = vec![Entry::default(); rows];
            sort_column(Dataset::new(x.view(), &classes), 1, &mut sorted);

            let mut expected: Vec<usize> = (0..rows).collect();
            expected.sort_by(|&a, &b| values[a].partial_cmp(&values[b]).unwrap());
            for (place, (entry, &row)) in sorted.iter().zip(&expected).enumerate() {
                let first = place == 0 || values[expected[place - 1]] != values[row];
                assert_eq!((entry.row(), entry.class(), entry.is_first()), (row, u32::from(classes[row]), first));
            }
        }
    }
}
