//! The default: K-Means over requests, which may find that there are no two groups.
//!
//! A flood far stronger than another hides it: the weaker one is found when the stronger is kept out of the log.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use ndarray::{Array1, ArrayView1, ArrayView2, Axis};
use weir_accesslog::Client;
use weir_contract::Seed;
use weir_contract::blocklist::{Basis, Group, Grouping};
use weir_contract::feature::ScalerKind;
use weir_models::Scaler;
use weir_models::kmeans::{KMeansParams, distortions};

use super::features::{PEAK, WEIGHTS, features, in_units, requests, sample};
use super::separation::{Moments, tests};
use super::{Found, reason};
use crate::BlocklistParams;

/// The elbow curve goes up to so many clusters.
pub(super) const ELBOW: usize = 4;
/// Those that attack, and the others.
pub(super) const GROUPS: NonZeroUsize = NonZeroUsize::new(2).expect("2 is not 0");

/// Members of the attacking group with the minimum evidence, where there are two groups; where not, whoever passes the
/// limit and has it.
pub(super) fn find<'a>(clients: &[&'a Client], params: &BlocklistParams, seed: Seed) -> Found<'a> {
    let grouped = (clients.len() > 1).then(|| group(clients, params, seed));
    if let Some((grouping, high)) = &grouped
        && grouping.two_groups
    {
        let members: Vec<&Client> = pick(clients, high);
        let suspects = evident(&members, params);
        let reason = reason::two_groups(grouping, suspects.len(), params);
        return found(grouped.map(|(grouping, _)| grouping), suspects, Basis::Group, reason);
    }
    let grouping = grouped.map(|(grouping, _)| grouping);
    let over: Vec<&Client> = clients.iter().copied().filter(|client| over_limit(client, params)).collect();
    let suspects = evident(&over, params);
    let abstains = reason::abstains(clients.len(), grouping.as_ref());
    let most = clients.iter().map(|client| client.evidence.peak_second.count).max().unwrap_or(0);
    let reason = format!("{abstains} {}", reason::limit(over.len(), suspects.len(), most, params));
    found(grouping, suspects, Basis::Limit, reason)
}

fn found<'a>(grouping: Option<Grouping>, suspects: Vec<&'a Client>, basis: Basis, reason: String) -> Found<'a> {
    Found { grouping, suspects: suspects.into_iter().map(|client| (client, basis)).collect(), reason }
}

/// Those of `clients` whom there is enough to accuse of. A few requests per second of one client deny nobody anything,
/// and are what programs do that ask again and again; of many clients they are a flood.
fn evident<'a>(clients: &[&'a Client], params: &BlocklistParams) -> Vec<&'a Client> {
    let of = |minimum_surplus: u64| -> Vec<&'a Client> {
        let is_evident = |client: &&Client| {
            let evidence = &client.evidence;
            evidence.requests >= params.minimum_requests
                && evidence.peak_ten_seconds.count >= minimum_surplus
                && evidence.surplus as f64 >= params.minimum_share * evidence.requests as f64
        };
        clients.iter().copied().filter(is_evident).collect()
    };
    let many = of(params.minimum_surplus_of_many.min(params.minimum_surplus));
    if many.len() as u64 >= params.many { many } else { of(params.minimum_surplus) }
}

fn over_limit(client: &Client, params: &BlocklistParams) -> bool {
    params.limit > 0 && client.evidence.peak_second.count >= params.limit
}

/// The clients that `of` says.
fn pick<'a>(clients: &[&'a Client], of: &[bool]) -> Vec<&'a Client> {
    clients.iter().zip(of).filter(|&(_, &of)| of).map(|(&client, _)| client).collect()
}

/// The groups of `clients`, at least one, and for each client whether it is in the attacking one: that with the higher mean
/// rate at peak. Where all requests are one point nobody is. Where the groups pass the tests, whoever's rate is nearer to
/// the attackers' mean is one of them.
fn group(clients: &[&Client], params: &BlocklistParams, seed: Seed) -> (Grouping, Vec<bool>) {
    let all = features(clients);
    let points = all.select(Axis(0), &sample(clients));
    let scaler = Scaler::fit(ScalerKind::Standard, points.view());
    let weights = ArrayView1::from(&WEIGHTS);
    let points = scaler.transform(points.view()) * weights;
    let model = KMeansParams::new(GROUPS, seed).fit(points.view()).expect("features are finite, and there are clients");
    let assigned = model.predict((scaler.transform(all.view()) * weights).view());

    let of_group = |number: usize| -> Vec<bool> { assigned.iter().map(|&group| group == number).collect() };
    let peak = |members: &[bool]| moments(clients, all.column(PEAK), members);
    let (first, second) = (of_group(0), of_group(1));
    let mut high = if peak(&first).mean > peak(&second).mean && second.contains(&true) { first } else { second };
    let mut low: Vec<bool> = high.iter().map(|&high| !high).collect();
    let both = high.contains(&true) && low.contains(&true);
    let (above, below) = (peak(if both { &high } else { &low }), peak(&low));
    let tests = tests(above, below, params);
    let two_groups = both && tests.iter().all(|test| test.passed);
    if two_groups {
        // Beside a flooder who makes most of the requests, one who makes few looks like a visitor in all but the rate.
        let middle = (above.mean + below.mean) / 2.0;
        high = high.iter().zip(all.column(PEAK)).map(|(&high, &peak)| high || peak > middle).collect();
        low = high.iter().map(|&high| !high).collect();
    }
    let grouping = Grouping {
        two_groups,
        high: describe(clients, all.view(), &high),
        low: describe(clients, all.view(), &low),
        tests,
        distortions: distortions(points.view(), ELBOW, seed).expect("the points were clustered before"),
    };
    (grouping, high)
}

/// Of `values`, one per client, over the requests of the members.
fn moments(clients: &[&Client], values: ArrayView1<'_, f64>, members: &[bool]) -> Moments {
    let of_members = clients.iter().zip(values).zip(members).filter(|(_, member)| **member);
    Moments::of(of_members.map(|((client, &value), _)| (value, client.evidence.requests as f64)))
}

/// A group; its centre is the mean over the requests of all its clients, sampled or not.
fn describe(clients: &[&Client], features: ArrayView2<'_, f64>, members: &[bool]) -> Group {
    let picked = pick(clients, members);
    if picked.is_empty() {
        return Group { clients: 0, requests: 0, centre: BTreeMap::new() };
    }
    let centre: Array1<f64> =
        features.columns().into_iter().map(|column| moments(clients, column, members).mean).collect();
    Group { clients: picked.len() as u64, requests: requests(&picked), centre: in_units(centre.view()) }
}
