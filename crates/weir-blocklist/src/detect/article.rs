//! The original recipe: standardised counts per client, method and status in two clusters. It finds somebody in any log
//! that has two different counts, and asks for no evidence; only the name of the cluster is by its centre here, since the
//! numbers of K-Means mean nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ndarray::Array2;
use weir_accesslog::Client;
use weir_contract::Seed;
use weir_contract::blocklist::{Basis, Group, Grouping};
use weir_contract::feature::ScalerKind;
use weir_models::Scaler;
use weir_models::kmeans::{KMeansParams, distortions};

use super::robust::{ELBOW, GROUPS};
use super::{Found, reason};

/// Requests of a client with a method and a status.
struct Row<'a> {
    client: &'a Client,
    count: u64,
}

/// Every client with a row in the cluster of the higher counts. Requests without a method count for nothing.
pub(super) fn find<'a>(clients: &[&'a Client], seed: Seed) -> Found<'a> {
    let rows: Vec<Row<'a>> = clients.iter().flat_map(rows).collect();
    let one = |reason| Found { grouping: None, suspects: Vec::new(), reason };
    if rows.is_empty() {
        return one(reason::nothing_to_cluster());
    }
    let counts = Array2::from_shape_fn((rows.len(), 1), |(row, _)| rows[row].count as f64);
    let points = Scaler::fit(ScalerKind::Standard, counts.view()).transform(counts.view());
    let model = KMeansParams::new(GROUPS, seed).fit(points.view()).expect("counts are finite, and there are some");
    if model.centres().nrows() < GROUPS.get() {
        return one(reason::nothing_to_cluster());
    }
    let number = usize::from(model.centres()[(1, 0)] > model.centres()[(0, 0)]);
    let assigned = model.predict(points.view());
    let of_group = |high: bool| rows.iter().zip(&assigned).filter(move |&(_, &group)| (group == number) == high);
    let attacking: BTreeSet<IpAddr> = of_group(true).map(|(row, _)| row.client.address).collect();
    let others = clients.len() - attacking.len();
    let grouping = Grouping {
        two_groups: true,
        high: describe(attacking.len(), of_group(true).map(|(row, _)| row)),
        low: describe(others, of_group(false).map(|(row, _)| row)),
        tests: Vec::new(),
        distortions: distortions(points.view(), ELBOW, seed).expect("the points were clustered before"),
    };
    let reason = reason::article(&grouping);
    let members = clients.iter().filter(|client| attacking.contains(&client.address));
    Found { grouping: Some(grouping), suspects: members.map(|&client| (client, Basis::Group)).collect(), reason }
}

fn rows<'a>(client: &&'a Client) -> impl Iterator<Item = Row<'a>> + use<'a> {
    let client: &'a Client = client;
    let with_method = client.evidence.statuses.iter().filter(|row| row.method != "-");
    with_method.map(move |row| Row { client, count: row.count })
}

/// A cluster of rows; its centre is their mean count.
fn describe<'a>(clients: usize, rows: impl Iterator<Item = &'a Row<'a>> + Clone) -> Group {
    let requests: u64 = rows.clone().map(|row| row.count).sum();
    let mean = requests as f64 / rows.count().max(1) as f64;
    let centre = BTreeMap::from([("requests per method and status".to_owned(), mean)]);
    Group { clients: clients as u64, requests, centre }
}
