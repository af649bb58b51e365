//! Flows that are being exported: a record every ten seconds while they last, then a final one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::random::Random;
use crate::traffic::Flow;

/// The exporter reports what it has seen this often.
const PERIOD_NS: u64 = 10_000_000_000;

/// An exporter that did not see a flow's end reports it as over after this much silence.
const IDLE_TIMEOUT_NS: u64 = 30_000_000_000;

/// When, within its period, the exporter of each node reports.
const EXPORTER_PHASES_NS: [u64; 6] =
    [13_000_000, 1_702_000_000, 3_340_000_000, 5_195_000_000, 6_871_000_000, 8_503_000_000];

/// While this many flows are open a new one ends with its first record. Intensity and lifetimes keep the queue at
/// about a tenth of it.
pub(crate) const MAX_OPEN_FLOWS: usize = 4_096;

/// A line of the export.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record {
    pub(crate) flow: Flow,
    /// Running number of the flow.
    pub(crate) number: u64,
    /// Nanoseconds since the start of the simulation.
    pub(crate) time_ns: u64,
    pub(crate) duration_ns: u64,
    pub(crate) bytes: u64,
    pub(crate) packets: u64,
    /// Whether the exporter marked it as the flow's last.
    pub(crate) last: bool,
    /// Whether it is the flow's first.
    pub(crate) first: bool,
}

/// What the exporter does with a flow that has ended.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Closing {
    /// The next record is final.
    Seen,
    /// The next record looks like any other; the final one follows after the idle timeout.
    TimesOut,
    /// The final record got lost.
    Lost,
    /// The end was reported once; the next record is final.
    TimedOut,
}

#[derive(Debug, Clone, Copy)]
struct OpenFlow {
    flow: Flow,
    number: u64,
    start_ns: u64,
    /// Time of the next record.
    due_ns: u64,
    /// Time before a report at which the last packet was seen.
    silence_ns: u64,
    closing: Closing,
    reported: bool,
}

/// The open flows, ordered by the time of their next record.
#[derive(Default)]
pub(crate) struct OpenFlows {
    /// (time of the next record, running number of the flow, place in `flows`)
    queue: BinaryHeap<Reverse<(u64, u64, usize)>>,
    flows: Vec<OpenFlow>,
    free: Vec<usize>,
    started: u64,
}

impl OpenFlows {
    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Takes in a flow that starts now. When full, the flow is cut to its first record.
    pub(crate) fn start(&mut self, mut flow: Flow, start_ns: u64, random: &mut Random) {
        let closing = match random.below(100) {
            0..60 => Closing::Seen,
            60..85 => Closing::TimesOut,
            _ => Closing::Lost,
        };
        let phase = random.pick(&EXPORTER_PHASES_NS);
        let silence_ns = u64::from(random.below(900_000)) * 1_000;
        let due_ns = (start_ns + PERIOD_NS - phase) / PERIOD_NS * PERIOD_NS + phase;
        let room = MAX_OPEN_FLOWS.saturating_sub(self.len());
        let closing = if room == 0 { Closing::Seen } else { closing };
        if room == 0 {
            flow.duration_ns = flow.duration_ns.min(due_ns - start_ns);
        }
        let open = OpenFlow { flow, number: self.started, start_ns, due_ns, silence_ns, closing, reported: false };
        self.started += 1;
        let place = self.free.pop().unwrap_or(self.flows.len());
        if place == self.flows.len() {
            self.flows.push(open);
        } else {
            self.flows[place] = open;
        }
        self.queue.push(Reverse((due_ns, open.number, place)));
    }

    /// The earliest record that is due before `time_ns`, if there is one.
    pub(crate) fn next_record_before(&mut self, time_ns: u64) -> Option<Record> {
        let &Reverse((due_ns, number, place)) = self.queue.peek()?;
        if due_ns >= time_ns {
            return None;
        }
        self.queue.pop();
        let (record, next_ns) = self.flows[place].report();
        match next_ns {
            Some(next_ns) => self.queue.push(Reverse((next_ns, number, place))),
            None => self.free.push(place),
        }
        Some(record)
    }
}

impl OpenFlow {
    /// The record that is due, and when the next one is.
    fn report(&mut self) -> (Record, Option<u64>) {
        let time_ns = self.due_ns;
        let age_ns = time_ns - self.start_ns;
        let ended = age_ns >= self.flow.duration_ns;
        let duration_ns = if ended { self.flow.duration_ns } else { age_ns.saturating_sub(self.silence_ns) };
        let record = Record {
            flow: self.flow,
            number: self.number,
            time_ns,
            duration_ns,
            bytes: part(self.flow.bytes, self.flow.bytes_per_packet(), duration_ns, self.flow.duration_ns),
            packets: part(self.flow.packets, 1, duration_ns, self.flow.duration_ns),
            last: ended && matches!(self.closing, Closing::Seen | Closing::TimedOut),
            first: !self.reported,
        };
        self.reported = true;
        let next_ns = match (ended, self.closing) {
            (false, _) => Some(time_ns + PERIOD_NS),
            (true, Closing::TimesOut) => {
                self.closing = Closing::TimedOut;
                Some(time_ns + IDLE_TIMEOUT_NS)
            }
            (true, _) => None,
        };
        self.due_ns = next_ns.unwrap_or(time_ns);
        (record, next_ns)
    }
}

/// What has passed of `total` after `elapsed_ns` of `duration_ns`: `first` at once, the rest evenly.
fn part(total: u64, first: u64, elapsed_ns: u64, duration_ns: u64) -> u64 {
    if elapsed_ns >= duration_ns {
        return total;
    }
    let rest = u128::from(total.saturating_sub(first)) * u128::from(elapsed_ns) / u128::from(duration_ns);
    first.min(total) + rest as u64
}

#[cfg(test)]
mod tests {
    use weir_contract::Seed;

    use super::*;
    use crate::params::SimulationParams;
    use crate::traffic::{MAX_LIFETIME_NS, Traffic};

    #[test]
    fn the_queue_stays_bounded_when_flows_arrive_far_too_fast() {
        let params = SimulationParams::default().check().unwrap();
        let (mut random, traffic, mut open) = (Random::new(Seed(7)), Traffic::new(&params), OpenFlows::default());
        let mut most = 0;
        for number in 0..400_000 {
            let now = number * 100_000;
            while open.next_record_before(now).is_some() {}
            let mut flow = traffic.next_flow(&mut random, now);
            flow.duration_ns = MAX_LIFETIME_NS;
            open.start(flow, now, &mut random);
            most = most.max(open.flows.len());
        }
        // A full queue still holds each flow until its first report: ten seconds, 10,000 arrivals a second.
        assert!(most <= MAX_OPEN_FLOWS + 100_001, "{most}");
    }

    #[test]
    fn bytes_grow_evenly_from_the_first_packet_to_the_total() {
        assert_eq!([0, 25, 50, 100].map(|elapsed| part(1_060, 60, elapsed, 100)), [60, 310, 560, 1_060]);
        assert_eq!(part(60, 60, 0, 0), 60);
    }
}
