//! Deterministic labelled flows of a small cluster, as the CSV that Packetbeat's users export, and access logs of a web
//! server ([`access_log`]).
//!
//! A guestbook, a blog, databases, name resolution, administrators and monitoring produce benign flows;
//! five attacks run against them and out of them. Some attackers share addresses, ports and volumes with
//! legitimate users (behind one NAT, from compromised pods, through ports that are also served), so that
//! no rule over a single column separates the classes and no model gets everything right.
//!
//! [`simulate`] writes rows in time order to anything that implements [`std::io::Write`], in memory that
//! does not grow with their number. The same parameters give the same bytes on every machine: the only
//! random source is ChaCha8, and logarithms and exponentials come from the `libm` crate.
//!
//! This crate knows neither files nor features nor models.
//!
//! ```text
//! params        what to simulate, checked once
//! cluster       who lives where: nodes, pods, clients, attackers
//! traffic       the next flow: benign services (traffic/benign) and attacks (traffic/attack)
//! open_flows    flows being exported: a record every 10 s, then a final one
//! csv           a record as a line
//! access_log    access logs of a web server, apart from all this
//! ```

pub mod access_log;
mod cluster;
mod csv;
mod line_text;
mod open_flows;
mod params;
mod random;
mod summary;
mod traffic;

use std::io::{self, Write};

pub use params::{MAX_ROWS, MAX_START, SimulateError, SimulationParams, ValidSimulationParams};
pub use summary::{Counts, SimulationSummary};
pub use traffic::Attack;

use crate::csv::CsvWriter;
use crate::open_flows::OpenFlows;
use crate::random::Random;
use crate::traffic::Traffic;

/// Mean time between the starts of two flows. The simulated span therefore grows with the rows:
/// about 0.1 s per record, 30 minutes for 18,000 records, at the same intensity throughout.
const MEAN_GAP_NS: f64 = 200e6;

/// Writes a header and exactly `params.rows` records to `out`, in ascending order of time.
///
/// The stream ends in mid-traffic as a capture does: flows still open then have no final record.
/// Memory is bounded by the flows that are open at one moment ([`SimulationSummary::most_open_flows`]).
///
/// # Errors
/// What `out` returns.
pub fn simulate(params: &ValidSimulationParams, out: &mut impl Write) -> io::Result<SimulationSummary> {
    let mut random = Random::new(params.seed());
    let traffic = Traffic::new(params);
    let mut open = OpenFlows::default();
    let mut csv = CsvWriter::new(out, params.start())?;
    let mut summary = SimulationSummary::default();

    let mut arrival_ns = random.exponential_ns(MEAN_GAP_NS);
    while summary.records < params.rows() {
        match open.next_record_before(arrival_ns) {
            Some(record) => {
                csv.write(&record)?;
                summary.count(&record);
            }
            None => {
                let flow = traffic.next_flow(&mut random, arrival_ns);
                open.start(flow, arrival_ns, &mut random);
                summary.most_open_flows = summary.most_open_flows.max(open.len());
                arrival_ns += random.exponential_ns(MEAN_GAP_NS);
            }
        }
    }
    csv.finish()?;
    Ok(summary)
}
