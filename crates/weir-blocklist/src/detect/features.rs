//! What is looked at of a client, and requests as points.

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayView1};
use weir_accesslog::Client;

/// Number of features.
const FEATURES: usize = 4;
/// Column of the rate at peak, by which groups are named and told apart.
pub(super) const PEAK: usize = 0;
/// What a feature counts for, once standardised. With equal weights two centres settle among attackers who ask for what
/// exists and attackers who ask for what does not, and not between these and the visitors.
pub(super) const WEIGHTS: [f64; FEATURES] = [1.0, 0.5, 0.5, 0.5];
/// Most requests that are clustered.
const SAMPLE: u64 = 8_192;

/// The features of `clients`, `[n, 4]`; all finite.
///
/// 1. ln(1 + surplus requests in the worst ten seconds)
/// 2. ln(share of the requests of all `clients`)
/// 3. share of its requests that failed
/// 4. ln(different paths)
pub(super) fn features(clients: &[&Client]) -> Array2<f64> {
    let total = requests(clients).max(1) as f64;
    let mut features = Array2::zeros((clients.len(), FEATURES));
    for (client, mut row) in clients.iter().zip(features.rows_mut()) {
        let evidence = &client.evidence;
        let failed: u64 = evidence.statuses.iter().filter(|row| row.status >= 400).map(|row| row.count).sum();
        let own = evidence.requests as f64;
        row[PEAK] = libm::log1p(evidence.peak_ten_seconds.count as f64);
        row[1] = libm::log(own / total);
        row[2] = (failed as f64 / own).min(1.0);
        row[3] = libm::log(evidence.paths.max(1) as f64);
    }
    features
}

/// A point in the units of what was counted: of logarithms, the geometric mean.
pub(super) fn in_units(point: ArrayView1<'_, f64>) -> BTreeMap<String, f64> {
    let values = [
        ("surplus in ten seconds", libm::expm1(point[PEAK])),
        ("share of requests", libm::exp(point[1])),
        ("share failed", point[2]),
        ("paths", libm::exp(point[3])),
    ];
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The clients, by their place, of a systematic sample of at most 8,192 of all requests, clients in their order: of every
/// so many requests the middle one. A client is there as often as its share of the requests says.
///
/// That every request counts makes a flooder weigh what it sends: among thousands of clients that are one point each, two
/// centres would settle among the many.
pub(super) fn sample(clients: &[&Client]) -> Vec<usize> {
    let total = requests(clients);
    let points = total.min(SAMPLE);
    let mut sample = Vec::with_capacity(points as usize);
    let (mut at, mut passed) = (0, 0);
    for point in 0..points {
        let place = ((2 * u128::from(point) + 1) * u128::from(total) / (2 * u128::from(points))) as u64;
        while passed + clients[at].evidence.requests <= place {
            passed += clients[at].evidence.requests;
            at += 1;
        }
        sample.push(at);
    }
    sample
}

/// The requests of `clients`.
pub(super) fn requests(clients: &[&Client]) -> u64 {
    clients.iter().map(|client| client.evidence.requests).sum()
}
