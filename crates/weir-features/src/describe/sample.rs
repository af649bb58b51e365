//! A uniform sample of the kept rows, chosen by hash.

use serde::{Deserialize, Serialize};
use weir_contract::flow::Column;

use super::distinct::mix;

/// Rows of the sample. With up to so many kept rows, what is computed from the sample is exact.
pub(crate) const CAPACITY: usize = 100_000;

/// Rows that may become part of a sample; all columns are of one length.
pub(crate) struct Rows<'a> {
    pub(crate) places: &'a [u64],
    pub(crate) features: &'a [Vec<f64>],
    /// 0 where there is no label.
    pub(crate) label: &'a [u8],
    pub(crate) split: &'a [u8],
    pub(crate) event_time: &'a Column<i64>,
}

/// The rows whose places have the smallest [`mix`]: every kept row has the same chance, and which rows they are depends
/// neither on order nor on cutting. Quantiles of a sample of `n` rows have a standard error of `sqrt(p (1 - p) / n)` in
/// rank: 0.16 percentage points at the median of 100,000 rows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Sample {
    keys: Vec<u64>,
    /// One column per feature.
    pub(crate) features: Vec<Vec<f64>>,
    pub(crate) label: Vec<u8>,
    /// 0 train, 1 test, 2 validation.
    pub(crate) split: Vec<u8>,
    pub(crate) event_time: Vec<Option<i64>>,
    /// Rows it was chosen from.
    pub(crate) of: u64,
    /// Keys from here on are out.
    limit: Option<u64>,
}

impl Sample {
    /// Looks at the next rows.
    pub(crate) fn observe(&mut self, rows: &Rows<'_>) {
        if self.features.is_empty() {
            self.features = vec![Vec::new(); rows.features.len()];
        }
        self.of += rows.places.len() as u64;
        for (row, &place) in rows.places.iter().enumerate() {
            let key = mix(place);
            if self.limit.is_some_and(|limit| key >= limit) {
                continue;
            }
            self.keys.push(key);
            for (column, values) in self.features.iter_mut().zip(rows.features) {
                column.push(values[row]);
            }
            self.label.push(rows.label[row]);
            self.split.push(rows.split[row]);
            self.event_time.push(rows.event_time.get(row));
        }
        if self.keys.len() > 2 * CAPACITY {
            self.shrink();
        }
    }

    /// Adds the sample of the cells that follow.
    pub(crate) fn merge(&mut self, next: Self) {
        if self.features.is_empty() {
            self.features = vec![Vec::new(); next.features.len()];
        }
        self.keys.extend(next.keys);
        for (column, values) in self.features.iter_mut().zip(next.features) {
            column.extend(values);
        }
        self.label.extend(next.label);
        self.split.extend(next.split);
        self.event_time.extend(next.event_time);
        self.of += next.of;
        self.shrink();
    }

    /// The finished sample, in the order of the rows.
    pub(crate) fn finish(mut self) -> Self {
        self.shrink();
        self
    }

    /// The columns' values in the rows of train, and their labels.
    pub(crate) fn train(&self) -> (Vec<Vec<f64>>, Vec<u8>) {
        let rows: Vec<usize> = (0..self.split.len()).filter(|&row| self.split[row] == 0).collect();
        let columns = self.features.iter().map(|column| rows.iter().map(|&row| column[row]).collect());
        (columns.collect(), rows.iter().map(|&row| self.label[row]).collect())
    }

    fn shrink(&mut self) {
        if self.keys.len() <= CAPACITY {
            return;
        }
        let mut keys = self.keys.clone();
        let limit = *keys.select_nth_unstable(CAPACITY).1;
        // Equal keys are the records of one place; the first of them stay.
        let mut ties = CAPACITY - self.keys.iter().filter(|&&key| key < limit).count();
        let keep: Vec<bool> = self
            .keys
            .iter()
            .map(|&key| {
                let tie = key == limit && ties > 0;
                ties -= usize::from(tie);
                key < limit || tie
            })
            .collect();
        retain(&mut self.keys, &keep);
        self.features.iter_mut().for_each(|column| retain(column, &keep));
        retain(&mut self.label, &keep);
        retain(&mut self.split, &keep);
        retain(&mut self.event_time, &keep);
        self.limit = Some(limit.saturating_add(1));
    }
}

fn retain<T>(values: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    values.retain(|_| keep.next().copied().unwrap_or(false));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sample that holds these keys, each with itself as its feature.
    fn sample(keys: &[u64]) -> Sample {
        Sample {
            keys: keys.to_vec(),
            features: vec![keys.iter().map(|&key| key as f64).collect()],
            label: vec![0; keys.len()],
            split: vec![0; keys.len()],
            event_time: vec![None; keys.len()],
            of: keys.len() as u64,
            limit: None,
        }
    }

    #[test]
    fn the_smallest_keys_stay_in_their_order_however_they_were_cut() {
        let keys: Vec<u64> = (0..260_000u64).map(|row| mix(row) % 200_000).collect();
        let whole = sample(&keys).finish();
        assert_eq!(whole.keys.len(), CAPACITY);
        let mut smallest = keys.clone();
        smallest.sort_unstable();
        let mut kept = whole.keys.clone();
        kept.sort_unstable();
        assert_eq!(kept, smallest[..CAPACITY]);
        let mut merged = Sample::default();
        for part in keys.chunks(77_777) {
            merged.merge(sample(part).finish());
        }
        assert_eq!((merged.keys, merged.features, merged.of), (whole.keys, whole.features, 260_000));
    }
}
