//! The last minutes of a client, in which requests of the same ten seconds can still meet.
//!
//! A request that succeeds is surplus where its path was asked for before within the ten seconds. So a bin of ten seconds
//! keeps, of each path, the first second it was asked for: the surplus of a second is its requests less the paths that it
//! was the first for. That does not depend on the order of the requests within the bin.

use weir_contract::blocklist::Peak;

/// Minutes that are kept open; the one that was longest without a request is closed for a new one. Where lines are out of
/// order by two minutes at most, the requests of a minute all meet in it: between two of them only the minutes from two
/// before to two behind can come.
const OPEN_MINUTES: usize = 6;

/// Paths of a bin that are remembered, the ones with the smallest hashes. A path beyond counts as asked for before.
const REMEMBERED_PATHS: usize = 256;

/// Minutes that are not closed yet, the last one used last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Minutes(Vec<Minute>);

#[derive(Debug, Clone)]
pub(crate) struct Minute {
    start: i64,
    bins: Vec<Bin>,
}

/// Ten seconds.
#[derive(Debug, Clone)]
struct Bin {
    start: i64,
    /// Requests by second.
    requests: [u32; 10],
    /// The paths that were served: the upper 60 bits of their hash, and the first second in the lower four; sorted.
    served: Vec<u64>,
}

/// What a closed minute comes to.
pub(crate) struct ClosedMinute {
    /// The requests of the minute.
    pub(crate) requests: Peak,
    /// Its bins.
    pub(crate) bins: Vec<ClosedBin>,
}

/// What a closed bin comes to.
pub(crate) struct ClosedBin {
    /// Its requests.
    pub(crate) requests: u64,
    /// Of these, surplus ones.
    pub(crate) surplus: Peak,
    /// Surplus requests of its worst second.
    pub(crate) worst_second: Peak,
}

impl Minutes {
    /// Adds a request; `served` is the hash of its path where it succeeded. The minute that has to close for it.
    pub(crate) fn add(&mut self, time: i64, served: Option<u64>) -> Option<ClosedMinute> {
        let start = time - time.rem_euclid(60);
        let mut closed = None;
        match self.0.iter().rposition(|minute| minute.start == start) {
            Some(at) if at + 1 == self.0.len() => {}
            Some(at) => self.0[at..].rotate_left(1),
            None => {
                if self.0.len() == OPEN_MINUTES {
                    closed = Some(self.0.remove(0).close());
                }
                self.0.push(Minute { start, bins: Vec::new() });
            }
        }
        if let Some(minute) = self.0.last_mut() {
            minute.add(time, served);
        }
        closed
    }

    /// Takes out the minutes that are farther than `seconds` from `now`, or all.
    pub(crate) fn close(&mut self, far_from: Option<(i64, u64)>) -> impl Iterator<Item = ClosedMinute> + use<> {
        let is_far = |minute: &Minute| far_from.is_none_or(|(now, seconds)| minute.start.abs_diff(now) > seconds);
        let closed: Vec<Minute> = if self.0.iter().any(is_far) {
            let (closed, open) = std::mem::take(&mut self.0).into_iter().partition(is_far);
            self.0 = open;
            closed
        } else {
            Vec::new()
        };
        closed.into_iter().map(Minute::close)
    }
}

impl Minute {
    fn add(&mut self, time: i64, served: Option<u64>) {
        let second = time.rem_euclid(10);
        let start = time - second;
        let at = self.bins.iter().rposition(|bin| bin.start == start).unwrap_or_else(|| {
            self.bins.push(Bin { start, requests: [0; 10], served: Vec::new() });
            self.bins.len() - 1
        });
        let bin = &mut self.bins[at];
        let requests = &mut bin.requests[second as usize];
        *requests = requests.saturating_add(1);
        if let Some(hash) = served {
            bin.serve(hash, second as u64);
        }
    }

    fn close(self) -> ClosedMinute {
        let bins: Vec<ClosedBin> = self.bins.into_iter().map(Bin::close).collect();
        let requests = bins.iter().map(|bin| bin.requests).sum();
        ClosedMinute { requests: Peak { count: requests, start: self.start }, bins }
    }
}

impl Bin {
    fn serve(&mut self, hash: u64, second: u64) {
        let path = hash >> 4;
        match self.served.binary_search_by_key(&path, |served| served >> 4) {
            Ok(at) => self.served[at] = self.served[at].min(path << 4 | second),
            Err(at) if at < REMEMBERED_PATHS => {
                self.served.truncate(REMEMBERED_PATHS - 1);
                self.served.insert(at, path << 4 | second);
            }
            Err(_) => {}
        }
    }

    fn close(self) -> ClosedBin {
        let mut surplus = self.requests;
        for served in &self.served {
            surplus[(served & 15) as usize] -= 1;
        }
        let mut worst = Peak { count: 0, start: self.start };
        for (second, count) in (0..).zip(surplus) {
            raise(&mut worst, Peak { count: u64::from(count), start: self.start + second });
        }
        ClosedBin {
            requests: self.requests.iter().copied().map(u64::from).sum(),
            surplus: Peak { count: surplus.iter().copied().map(u64::from).sum(), start: self.start },
            worst_second: worst,
        }
    }
}

/// Takes over a higher peak, and of equal ones the earlier; a peak of nothing is none.
pub(crate) fn raise(peak: &mut Peak, other: Peak) {
    if other.count > peak.count || (other.count > 0 && other.count == peak.count && other.start < peak.start) {
        *peak = other;
    }
}
