//! Rows that train shares with test and validation: they are answered from memory.

use std::cmp::Ordering;

use rayon::prelude::*;
use weir_contract::audit::Duplicates;

use crate::Sample;

/// Rows equal in all features.
pub(crate) fn in_all_features(sample: &Sample<'_>) -> Vec<Duplicates> {
    let all: Vec<usize> = (0..sample.columns.len()).collect();
    // The digest settles nearly every comparison, the values make equality exact.
    count(sample, |a, b| sample.content[a].cmp(&sample.content[b]).then_with(|| compare(sample, &all, a, b)))
}

/// Rows equal in `features`.
pub(crate) fn within(sample: &Sample<'_>, features: &[usize]) -> Vec<Duplicates> {
    count(sample, |a, b| compare(sample, features, a, b))
}

/// Compares the values of two rows, feature by feature; all are finite.
fn compare(sample: &Sample<'_>, features: &[usize], a: usize, b: usize) -> Ordering {
    let unequal = features.iter().map(|&feature| &sample.columns[feature]).find(|column| column[a] != column[b]);
    unequal.map_or(Ordering::Equal, |column| column[a].total_cmp(&column[b]))
}

/// One count for test, one for validation.
fn count(sample: &Sample<'_>, order: impl Fn(usize, usize) -> Ordering + Sync) -> Vec<Duplicates> {
    let mut rows: Vec<usize> = (0..sample.label.len()).collect();
    rows.par_sort_unstable_by(|&a, &b| order(a, b));
    let empty = |split: &str| Duplicates { split: split.to_owned(), rows: 0, same_label: 0, other_label: 0 };
    let mut counts = [empty("test"), empty("validation")];
    for equal in rows.chunk_by(|&a, &b| order(a, b) == Ordering::Equal) {
        let mut in_train = [false; 2];
        let train = equal.iter().filter(|&&row| sample.split[row] == Sample::TRAIN);
        train.for_each(|&row| in_train[usize::from(sample.label[row])] = true);
        for &row in equal.iter().filter(|&&row| sample.split[row] != Sample::TRAIN) {
            let label = usize::from(sample.label[row]);
            let counts = &mut counts[usize::from(sample.split[row] - Sample::TEST)];
            counts.rows += 1;
            counts.same_label += u64::from(in_train[label]);
            counts.other_label += u64::from(in_train[1 - label]);
        }
    }
    counts.into()
}
