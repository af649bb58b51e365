//! Requests over time, in stretches that grow with the log.

use std::collections::BTreeMap;

use weir_contract::blocklist::Stretch;

/// Stretches at most.
const STRETCHES: usize = 2_000;

/// Lengths of stretches, seconds, each a multiple of the one before. Behind the last they double.
const LENGTHS: [u32; 11] = [10, 30, 60, 300, 600, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400];

/// The shortest stretches of which no more than 2,000 have requests: the same whatever the order of adding and merging.
#[derive(Debug, Clone)]
pub(crate) struct Timeline {
    length: u32,
    /// Requests and surplus by start.
    stretches: BTreeMap<i64, (u64, u64)>,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { length: LENGTHS[0], stretches: BTreeMap::new() }
    }
}

impl Timeline {
    /// Adds requests of ten seconds, cut at multiples of ten, that began at `start`.
    pub(crate) fn add(&mut self, start: i64, requests: u64, surplus: u64) {
        let stretch = self.stretches.entry(floor(start, self.length)).or_default();
        stretch.0 += requests;
        stretch.1 += surplus;
        while self.stretches.len() > STRETCHES {
            self.lengthen();
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        while self.length < other.length {
            self.lengthen();
        }
        for (start, (requests, surplus)) in other.stretches {
            self.add(start, requests, surplus);
        }
    }

    /// The stretches in order, and their length in seconds.
    pub(crate) fn finish(self) -> (Vec<Stretch>, u32) {
        let stretches = self.stretches.into_iter();
        (stretches.map(|(start, (requests, surplus))| Stretch { start, requests, surplus }).collect(), self.length)
    }

    fn lengthen(&mut self) {
        self.length =
            LENGTHS.into_iter().find(|length| *length > self.length).unwrap_or_else(|| self.length.saturating_mul(2));
        for (start, (requests, surplus)) in std::mem::take(&mut self.stretches) {
            let stretch = self.stretches.entry(floor(start, self.length)).or_default();
            stretch.0 += requests;
            stretch.1 += surplus;
        }
    }
}

fn floor(time: i64, length: u32) -> i64 {
    time - time.rem_euclid(i64::from(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_grow_until_2000_hold_the_log() {
        let mut timeline = Timeline::default();
        for minute in 0..5_000 {
            timeline.add(minute * 60, 2, 1);
        }
        let (stretches, length) = timeline.finish();
        assert_eq!(length, 300, "5,000 minutes are 1,000 times five");
        assert_eq!(stretches.len(), 1_000);
        assert_eq!(stretches[1], Stretch { start: 300, requests: 10, surplus: 5 });
    }

    #[test]
    fn the_order_of_adding_and_merging_does_not_matter() {
        let starts: Vec<i64> = (0..3_000).map(|index| index * index * 70 % 1_000_000 * 10).collect();
        let mut once = Timeline::default();
        let (mut front, mut back) = (Timeline::default(), Timeline::default());
        for (index, start) in starts.iter().enumerate() {
            once.add(*start, 1, 0);
            if index < 400 { front.add(*start, 1, 0) } else { back.add(*start, 1, 0) }
        }
        front.merge(back);
        assert_eq!(front.finish(), once.finish());
    }
}
