//! The split into train, test and validation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The parts of a split, in their order.
pub const NAMES: [&str; 3] = ["train", "test", "validation"];

/// How flows are split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum SplitKind {
    /// By the hash of the flow id: a flow never moves, whatever is appended later.
    #[default]
    Hash,
    /// By event time: train is the past, validation the most recent.
    Time,
}

/// A split whose borders are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// Places from the first border on are test, from the second on validation.
    Hash(u64, u64),
    /// Event times (ms since 1970 UTC) from the first border on are test, from the second on validation.
    Time(i64, i64),
    /// All in the first part.
    Whole,
}

impl Split {
    /// The split by place on the ring of 64-bit hashes: its first `train` share, then `test`, then validation.
    ///
    /// A pure function of flow id and seed: it does not depend on the order of rows, on how they were cut into files, or
    /// on rows appended later, so that a flow never moves from train to test at retraining.
    #[must_use]
    pub fn by_hash(train: f64, test: f64) -> Self {
        let place = |share: f64| (share * 2f64.powi(64)) as u64;
        Self::Hash(place(train), place(train + test))
    }

    /// The part of a flow: 0 train, 1 test, 2 validation. A flow without event time is in train of a split by time.
    #[must_use]
    pub fn part(self, place: u64, event_time: Option<i64>) -> u8 {
        match self {
            Self::Hash(test, validation) => u8::from(place >= test) + u8::from(place >= validation),
            Self::Time(test, validation) => {
                let time = event_time.unwrap_or(i64::MIN);
                u8::from(time >= test) + u8::from(time >= validation)
            }
            Self::Whole => 0,
        }
    }
}

/// Different event times that are counted one by one.
const TIMES: usize = 1 << 20;

/// Rows per event time, from which the borders of a split by time are read.
///
/// Exact to the millisecond up to 2^20 different times; beyond, neighbouring times are counted together, in steps of the
/// smallest power of two of milliseconds under which they are no more than that.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Times {
    counts: BTreeMap<i64, u64>,
    shift: u32,
}

impl Times {
    /// Counts a row.
    pub fn add(&mut self, time: i64) {
        *self.counts.entry(time >> self.shift).or_default() += 1;
        while self.counts.len() > TIMES {
            self.shift += 1;
            let mut coarser = BTreeMap::new();
            for (time, count) in std::mem::take(&mut self.counts) {
                *coarser.entry(time >> 1).or_default() += count;
            }
            self.counts = coarser;
        }
    }

    /// The split under which the earliest `train` share of the rows is train and the next `test` share test. Rows of one
    /// (counted) time are in one part.
    #[must_use]
    pub fn split(&self, train: f64, test: f64) -> Split {
        let rows: u64 = self.counts.values().sum();
        let border = |share: f64| {
            let before = share * rows as f64;
            let mut seen = 0;
            let border = self.counts.iter().find(|&(_, &count)| {
                seen += count;
                // The time that reaches the share goes to the side that it mostly lies on.
                seen as f64 - count as f64 / 2.0 >= before
            });
            border.map_or(i64::MAX, |(time, _)| time << self.shift)
        };
        Split::Time(border(train), border(train + test))
    }
}

#[cfg(test)]
mod tests {
    use weir_contract::Seed;
    use weir_contract::flow::flow_hash;

    use super::*;

    #[test]
    fn shares_are_near_70_20_10() {
        let split = Split::by_hash(0.7, 0.2);
        let mut rows = [0u32; 3];
        for id in 0..20_000 {
            rows[usize::from(split.part(flow_hash(Seed(42), &format!("flow-{id}")), None))] += 1;
        }
        for (rows, share) in rows.into_iter().zip([0.7, 0.2, 0.1]) {
            // Four standard deviations of a binomial count.
            let deviation = (20_000.0f64 * share * (1.0 - share)).sqrt();
            assert!((f64::from(rows) - 20_000.0 * share).abs() < 4.0 * deviation, "{rows} of 20000");
        }
    }

    #[test]
    fn a_split_by_time_has_the_past_in_train() {
        let mut times = Times::default();
        (0..1_000).rev().for_each(|time| times.add(time * 1_000));
        assert_eq!(times.split(0.7, 0.2), Split::Time(700_000, 900_000));
        let split = times.split(0.7, 0.2);
        assert_eq!([0, 699_999, 700_000, 900_000].map(|time| split.part(0, Some(time))), [0, 0, 1, 2]);
        assert_eq!(split.part(u64::MAX, None), 0);
    }

    #[test]
    fn too_many_times_are_counted_in_steps_whatever_their_order() {
        let count = TIMES as i64 + 10;
        let (mut forward, mut backward) = (Times::default(), Times::default());
        (0..count).for_each(|time| forward.add(time));
        (0..count).rev().for_each(|time| backward.add(time));
        assert_eq!(forward, backward);
        assert_eq!(forward.shift, 1);
        let Split::Time(test, validation) = forward.split(0.7, 0.2) else { unreachable!() };
        assert!((test - count * 7 / 10).abs() <= 2 && (validation - count * 9 / 10).abs() <= 2);
    }

    #[test]
    fn one_time_is_in_one_part() {
        let mut times = Times::default();
        (0..10).for_each(|_| times.add(5));
        assert_eq!(times.split(0.7, 0.2), Split::Time(i64::MAX, i64::MAX));
    }
}
