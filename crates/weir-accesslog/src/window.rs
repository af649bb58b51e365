//! The counts of the last while.

use std::collections::BTreeMap;

use memchr::memchr_iter;

use crate::counter::Counter;
use crate::counts::Counts;
use crate::parse::parse_line;
use crate::settings::Settings;

/// Slices that a window has, roughly.
const SLICES: i64 = 10;

/// Counts lines that are being written, and forgets what is older than a length of time.
///
/// Time is cut into slices of full minutes, each with a [`Counter`] of its own, so that the counts of a window are those
/// that a counter has of the same lines. That holds up to [`Settings::maximum_clients`] in the window, spread evenly: a
/// slice counts its share of them exactly, so that all slices together take the memory of one counter.
#[derive(Debug)]
pub struct Window {
    settings: Settings,
    /// Those of a slice, which counts fewer clients.
    of_slice: Settings,
    seconds: i64,
    slice_seconds: i64,
    /// By start.
    slices: BTreeMap<i64, Slice>,
}

#[derive(Debug, Clone)]
struct Slice {
    counter: Counter,
    source: String,
}

impl Window {
    /// A window over the last `seconds`, at least a minute.
    #[must_use]
    pub fn new(settings: &Settings, seconds: u32) -> Self {
        let seconds = i64::from(seconds.max(60));
        let slice_seconds = ((seconds / SLICES + 59) / 60 * 60).max(60);
        // One is cut at the start of the window, and one may be ahead of the clock.
        let slices = usize::try_from(seconds / slice_seconds).unwrap_or(usize::MAX).saturating_add(2);
        let of_slice = Settings { maximum_clients: (settings.maximum_clients / slices).max(1), ..settings.clone() };
        Self { settings: settings.clone(), of_slice, seconds, slice_seconds, slices: BTreeMap::new() }
    }

    /// Counts whole lines of a source that was read at `now`, seconds since 1970 UTC. Requests that are not of the window,
    /// or are more than a slice ahead of `now`, are left out.
    pub fn add(&mut self, source: &str, lines: &[u8], now: i64) {
        let ends = memchr_iter(b'\n', lines).map(|end| end + 1);
        let mut start = 0;
        // Lines of the same slice go to its counter together.
        let mut run: Option<(i64, usize)> = None;
        for end in ends.chain([lines.len()]) {
            if end == start {
                continue;
            }
            let line = &lines[start..end];
            let entry = parse_line(line, self.settings.client_field, &self.settings.trusted_proxies);
            let slice = self.slice(entry.map_or(now, |entry| entry.time));
            if let Some((of_run, from)) = run
                && of_run != slice
            {
                self.add_run(source, of_run, &lines[from..start], now);
                run = None;
            }
            run = run.or(Some((slice, start)));
            start = end;
        }
        if let Some((slice, from)) = run {
            self.add_run(source, slice, &lines[from..], now);
        }
        self.forget(now);
    }

    /// The counts of the window at `now`: of its seconds, and of up to a slice more, which is a tenth of them or a minute.
    pub fn counts(&mut self, now: i64) -> Counts {
        self.forget(now);
        let mut all = Counter::new(&self.settings);
        for slice in self.slices.values() {
            all.merge(slice.counter.clone());
        }
        all.finish()
    }

    fn add_run(&mut self, source: &str, start: i64, lines: &[u8], now: i64) {
        if start < self.oldest(now) || start > now + self.slice_seconds {
            return;
        }
        let settings = &self.of_slice;
        let slice = (self.slices.entry(start))
            .or_insert_with(|| Slice { counter: Counter::new(settings), source: String::new() });
        if slice.source != source {
            slice.source = source.to_owned();
            slice.counter.begin_source(source);
        }
        slice.counter.add(lines);
    }

    fn forget(&mut self, now: i64) {
        self.slices = self.slices.split_off(&self.oldest(now));
    }

    fn oldest(&self, now: i64) -> i64 {
        self.slice(now - self.seconds)
    }

    fn slice(&self, time: i64) -> i64 {
        time - time.rem_euclid(self.slice_seconds)
    }
}
