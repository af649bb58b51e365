//! Why somebody is listed or nobody is, in sentences. They name numbers and no client.

use weir_contract::blocklist::{Grouping, SeparationTest};

use crate::BlocklistParams;

/// There are two groups, and `listed` of the upper one have the minimum evidence.
pub(super) fn two_groups(grouping: &Grouping, listed: usize, params: &BlocklistParams) -> String {
    let members = grouping.high.clients;
    let tests: Vec<String> = grouping.tests.iter().map(sentence).collect();
    let upper = format!("Of the upper group's {}, {}", plural(members, "client"), who(listed, members));
    format!("The counts are two groups: {}. {upper} {}.", tests.join("; "), minimum(params))
}

/// There are no two groups, or not enough clients for any.
pub(super) fn abstains(clients: usize, grouping: Option<&Grouping>) -> String {
    let Some(grouping) = grouping else {
        let there = if clients == 0 { "there is no client" } else { "there is one client" };
        return format!("The clustering abstains: {there}, and two groups take at least two.");
    };
    if grouping.high.clients == 0 || grouping.low.clients == 0 {
        return "The clustering abstains: all clients are alike.".to_owned();
    }
    let failed: Vec<String> = grouping.tests.iter().filter(|test| !test.passed).map(sentence).collect();
    format!("The clustering abstains, because the counts are not two groups: {}.", failed.join("; "))
}

/// What the limit says: `over` clients passed it, `listed` of them with the minimum evidence; `most` is the most that
/// anybody made in a second.
pub(super) fn limit(over: usize, listed: usize, most: u64, params: &BlocklistParams) -> String {
    let limit = params.limit;
    if limit == 0 {
        return "Without two groups nobody is listed, since blocklist.limit is 0.".to_owned();
    }
    let surplus = "surplus requests (refused or repeated) within one second";
    if over == 0 {
        return format!("Nobody made {limit} {surplus}; the most was {most}.");
    }
    let (over, who) = (plural(over as u64, "client"), who(listed, over as u64));
    format!("{over} made {limit} or more {surplus}; of these, {who} {}.", minimum(params))
}

/// The original recipe found its clusters.
pub(super) fn article(grouping: &Grouping) -> String {
    let mean = |centre: &std::collections::BTreeMap<String, f64>| shown(centre.values().next().copied().unwrap_or(0.0));
    format!(
        "By the original recipe, which neither tests whether there are two groups nor asks for evidence: {} in the \
         cluster of the higher counts per method and status, whose mean is {} against {}.",
        plural(grouping.high.clients, "client"),
        mean(&grouping.high.centre),
        mean(&grouping.low.centre)
    )
}

/// The original recipe has nothing to tell apart.
pub(super) fn nothing_to_cluster() -> String {
    "The original recipe finds no two different counts per client, method and status.".to_owned()
}

/// More clients than may be listed.
pub(super) fn client_cap(spared: usize, suspects: usize, clients: usize, most: u64) -> String {
    let (who, suspects) = (are_spared(spared), plural(suspects as u64, "client"));
    format!(
        "{who} all the same: all together would be {suspects} of {clients}, and one run may list {most} \
         (blocklist.client_cap and blocklist.clients_always)."
    )
}

/// Addresses that look as if many stood behind them.
pub(super) fn gateway(spared: usize, params: &BlocklistParams) -> String {
    let BlocklistParams { gateway_rate, gateway_share, traffic_cap, .. } = params;
    format!(
        "{} all the same, since proxies and load balancers look so: {gateway_rate} or more ordinary requests per second \
         (neither refused nor repeated), {} % of all from one address or {} % from several (blocklist.gateway_rate, \
         gateway_share and traffic_cap). Name yours with --trusted-proxy, and with --client-header-field where the log has \
         the client's own address.",
        are_spared(spared),
        shown(gateway_share * 100.0),
        shown(traffic_cap * 100.0)
    )
}

/// More of the ordinary requests than may be cut off.
pub(super) fn traffic_cap(spared: usize, share: f64, cap: f64) -> String {
    format!(
        "{} all the same: with all of them {} % of the requests that were neither refused nor repeated would be cut off, and \
         one run may cut off {} % (blocklist.traffic_cap; 1 where hardly anybody but attackers is in the log, and no proxy \
         stands before the server).",
        are_spared(spared),
        shown(share * 100.0),
        shown(cap * 100.0)
    )
}

fn are_spared(spared: usize) -> String {
    if spared == 1 { "1 client is spared".to_owned() } else { format!("{spared} clients are spared") }
}

fn sentence(test: &SeparationTest) -> String {
    let value = shown(test.value);
    let asked = format!("where two groups take {}", test.threshold);
    match test.name.as_str() {
        "rate ratio" => format!("at peak their rates of surplus requests differ {value}-fold, {asked}"),
        name => format!("{name} of these rates is {value}, {asked}"),
    }
}

fn who(listed: usize, of: u64) -> String {
    match listed as u64 {
        0 => "none has".to_owned(),
        all if all == of => "all have".to_owned(),
        1 => "1 has".to_owned(),
        some => format!("{some} have"),
    }
}

fn minimum(params: &BlocklistParams) -> String {
    let BlocklistParams { minimum_requests, minimum_surplus, minimum_surplus_of_many, many, minimum_share, .. } =
        params;
    format!(
        "the evidence asked for, {minimum_requests} requests, {minimum_surplus} surplus ones within ten seconds \
         ({minimum_surplus_of_many} where {many} clients or more make them), and {} % of all surplus",
        shown(minimum_share * 100.0)
    )
}

fn plural(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Two digits after the point, cut and not rounded, so that what is below a threshold looks so.
fn shown(value: f64) -> String {
    let cut = (value * 100.0).trunc() / 100.0;
    if value >= 100.0 { format!("{}", value.trunc()) } else { format!("{cut}") }
}
