//! The last minutes of a client, in which requests of the same ten seconds can still meet.
//!
//! A request that is not refused is surplus where its path was asked for twice before within the ten seconds. So a bin of ten
//! seconds keeps, of each path, the first two seconds it was asked for: the surplus of a second is its requests less those
//! that it is kept for. That does not depend on the order of the requests within the bin.

use weir_contract::blocklist::Peak;

use crate::timeline::Timeline;

/// Minutes that are kept open; the one that was longest without a request is closed for a new one. Where lines are out of
/// order by two minutes at most, the requests of a minute all meet in it: between two of them only the minutes from two
/// before to two behind can come.
const OPEN_MINUTES: usize = 6;

/// How often a path may be asked for within ten seconds: loading a page and reloading it is no flood.
const FREE: usize = 2;

/// Requests of a bin that may be other than surplus, twice a page with a hundred parts: those for the paths with the
/// smallest hashes.
const REMEMBERED: usize = 200;

/// Requests that a bin remembers without memory of its own.
const FEW: usize = 4;

/// What closed minutes come to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Peaks {
    /// Surplus requests in all.
    pub(crate) surplus: u64,
    /// Surplus requests of the worst second.
    pub(crate) second: Peak,
    /// Surplus requests of the worst ten seconds.
    pub(crate) ten_seconds: Peak,
    /// Requests of the busiest minute.
    pub(crate) minute: Peak,
}

/// Minutes that are not closed yet: their bins, those of a minute side by side, the minute that was used last at the end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Minutes(Vec<Bin>);

/// Ten seconds.
#[derive(Debug, Clone)]
struct Bin {
    start: i64,
    /// Requests by second.
    requests: [u32; 10],
    served: Served,
}

/// The first two requests for each path that were not refused: the upper 60 bits of its hash, and the second in the lower four;
/// sorted.
#[derive(Debug, Clone)]
enum Served {
    Few([u64; FEW], usize),
    Many(Vec<u64>),
}

impl Minutes {
    /// Adds a request; `served` is the hash of its path where it was not refused.
    pub(crate) fn add(&mut self, time: i64, served: Option<u64>, peaks: &mut Peaks, timeline: &mut Timeline) {
        let second = time.rem_euclid(10);
        let start = time - second;
        let at = match self.0.last() {
            Some(bin) if bin.start == start => self.0.len() - 1,
            _ => self.bin(start, peaks, timeline),
        };
        self.0[at].add(second, served);
    }

    /// Closes the minutes that are farther than `seconds` from `now`.
    pub(crate) fn close_far(&mut self, now: i64, seconds: u64, peaks: &mut Peaks, timeline: &mut Timeline) {
        let mut from = 0;
        while let Some(bin) = self.0.get(from) {
            let length = self.length_of_minute(from);
            if bin.minute().abs_diff(now) > seconds {
                peaks.take(&self.0[from..from + length], timeline);
                self.0.drain(from..from + length);
            } else {
                from += length;
            }
        }
        if self.0.is_empty() {
            self.0 = Vec::new();
        }
    }

    /// Closes all minutes.
    pub(crate) fn close(&mut self, peaks: &mut Peaks, timeline: &mut Timeline) {
        let mut from = 0;
        while from < self.0.len() {
            let length = self.length_of_minute(from);
            peaks.take(&self.0[from..from + length], timeline);
            from += length;
        }
        self.0 = Vec::new();
    }

    /// The place of a bin, whose minute becomes the last used; it is made, and a minute closed for it, where need be.
    fn bin(&mut self, start: i64, peaks: &mut Peaks, timeline: &mut Timeline) -> usize {
        let bin = Bin { start, requests: [0; 10], served: Served::Few([0; FEW], 0) };
        let mut minutes = 0;
        let mut from = 0;
        while from < self.0.len() {
            let length = self.length_of_minute(from);
            if self.0[from].minute() == bin.minute() {
                self.0[from..].rotate_left(length);
                let minute = self.0.len() - length;
                if let Some(at) = self.0[minute..].iter().position(|bin| bin.start == start) {
                    return minute + at;
                }
                // A minute gets a bin, none is added.
                minutes = 0;
                break;
            }
            minutes += 1;
            from += length;
        }
        if minutes == OPEN_MINUTES {
            let length = self.length_of_minute(0);
            peaks.take(&self.0[..length], timeline);
            self.0.drain(..length);
        }
        if self.0.is_empty() {
            // Most clients come once.
            self.0.reserve_exact(1);
        }
        self.0.push(bin);
        self.0.len() - 1
    }

    /// How many bins the minute has whose first is at `from`.
    fn length_of_minute(&self, from: usize) -> usize {
        let minute = self.0[from].minute();
        self.0[from..].iter().take_while(|bin| bin.minute() == minute).count()
    }
}

impl Peaks {
    /// Takes in the counts of the same client over another time.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.surplus += other.surplus;
        raise(&mut self.second, other.second);
        raise(&mut self.ten_seconds, other.ten_seconds);
        raise(&mut self.minute, other.minute);
    }

    /// Takes in the bins of a minute.
    fn take(&mut self, minute: &[Bin], timeline: &mut Timeline) {
        let mut requests_of_minute = 0;
        for bin in minute {
            let surplus = bin.surplus();
            for (second, count) in (0..).zip(surplus) {
                raise(&mut self.second, Peak { count: u64::from(count), start: bin.start + second });
            }
            let requests = sum(&bin.requests);
            let surplus = sum(&surplus);
            raise(&mut self.ten_seconds, Peak { count: surplus, start: bin.start });
            timeline.add(bin.start, requests, surplus);
            self.surplus += surplus;
            requests_of_minute += requests;
        }
        let start = minute.first().map_or(0, Bin::minute);
        raise(&mut self.minute, Peak { count: requests_of_minute, start });
    }
}

impl Bin {
    fn minute(&self) -> i64 {
        self.start - self.start.rem_euclid(60)
    }

    fn add(&mut self, second: i64, served: Option<u64>) {
        let requests = &mut self.requests[second as usize];
        *requests = requests.saturating_add(1);
        if let Some(hash) = served {
            self.served.add(hash >> 4, second as u64);
        }
    }

    /// Surplus requests by second.
    fn surplus(&self) -> [u32; 10] {
        let mut surplus = self.requests;
        for request in self.served.requests() {
            surplus[(request & 15) as usize] -= 1;
        }
        surplus
    }
}

impl Served {
    fn add(&mut self, path: u64, second: u64) {
        let new = path << 4 | second;
        let known = self.requests();
        let from = known.partition_point(|known| known >> 4 < path);
        let same = known[from..].iter().take(FREE).take_while(|known| **known >> 4 == path);
        let (count, earlier) =
            same.fold((0, 0), |(count, earlier), known| (count + 1, earlier + usize::from(*known <= new)));
        let at = from + earlier;
        match self {
            _ if earlier == FREE => {}
            // The last of them goes for the new one.
            Self::Few(requests, _) if count == FREE => requests[at..from + FREE].rotate_right(1),
            Self::Many(requests) if count == FREE => requests[at..from + FREE].rotate_right(1),
            Self::Few(requests, length) if *length < FEW => {
                requests.copy_within(at..*length, at + 1);
                *length += 1;
            }
            Self::Few(..) => {
                let mut requests = Vec::with_capacity(4 * FEW);
                requests.extend_from_slice(self.requests());
                requests.insert(at, new);
                *self = Self::Many(requests);
            }
            Self::Many(requests) if at < REMEMBERED => {
                requests.truncate(REMEMBERED - 1);
                requests.insert(at, new);
            }
            Self::Many(_) => return,
        }
        if earlier < FREE {
            self.requests_mut()[at] = new;
        }
    }

    fn requests(&self) -> &[u64] {
        match self {
            Self::Few(requests, length) => &requests[..*length],
            Self::Many(requests) => requests,
        }
    }

    fn requests_mut(&mut self) -> &mut [u64] {
        match self {
            Self::Few(requests, length) => &mut requests[..*length],
            Self::Many(requests) => requests,
        }
    }
}

fn sum(seconds: &[u32]) -> u64 {
    seconds.iter().copied().map(u64::from).sum()
}

/// Takes over a higher peak, and of equal ones the earlier; a peak of nothing is none.
fn raise(peak: &mut Peak, other: Peak) {
    if other.count > peak.count || (other.count > 0 && other.count == peak.count && other.start < peak.start) {
        *peak = other;
    }
}
