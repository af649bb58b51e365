//! How much one run may block. Of more suspects than that, those with the strongest evidence are listed, and the others
//! spared: what exceeds a cap may be more attackers than expected, and may be something else, most often a proxy of one's
//! own in the place of the clients.

use weir_accesslog::Client;
use weir_contract::blocklist::{Basis, SpareReason};

use super::reason;
use crate::BlocklistParams;

type Suspects<'a> = Vec<(&'a Client, Basis)>;

/// Who of the suspects is listed, and who spared.
pub(super) struct Capped<'a> {
    pub(super) listed: Suspects<'a>,
    pub(super) spared: Vec<(&'a Client, SpareReason)>,
    /// Why somebody is spared, for each cap.
    pub(super) sentences: Vec<String>,
}

/// Cuts `suspects`, the strongest first, where listing them among `clients` would exceed a cap.
pub(super) fn capped<'a>(suspects: Suspects<'a>, clients: &[&Client], params: &BlocklistParams) -> Capped<'a> {
    let most = (params.client_cap * clients.len() as f64).max(params.clients_always as f64);
    let all = clients.iter().map(|client| ordinary(client)).sum::<u64>().max(1) as f64;
    let share = |client: &Client| ordinary(client) as f64 / all;
    let carries = |client: &Client| rate(client) >= params.gateway_rate;
    let carried: f64 = suspects.iter().map(|(client, _)| *client).filter(|client| carries(client)).map(share).sum();
    let is_gateway =
        |client: &Client| carries(client) && (share(client) > params.gateway_share || carried > params.traffic_cap);

    let mut capped = Capped { listed: Vec::new(), spared: Vec::new(), sentences: Vec::new() };
    let count = suspects.len();
    let (mut cut_off, mut asked) = (0.0, 0.0);
    for (client, basis) in suspects {
        if is_gateway(client) {
            capped.spared.push((client, SpareReason::Gateway));
            continue;
        }
        asked += share(client);
        if (capped.listed.len() + 1) as f64 > most {
            capped.spared.push((client, SpareReason::ClientCap));
        } else if cut_off + share(client) > params.traffic_cap {
            capped.spared.push((client, SpareReason::TrafficCap));
        } else {
            cut_off += share(client);
            capped.listed.push((client, basis));
        }
    }
    let spared = |reason: SpareReason| capped.spared.iter().filter(|(_, other)| *other == reason).count();
    let (gateways, by_clients, by_traffic) =
        (spared(SpareReason::Gateway), spared(SpareReason::ClientCap), spared(SpareReason::TrafficCap));
    if gateways > 0 {
        capped.sentences.push(reason::gateway(gateways, params));
    }
    if by_clients > 0 {
        capped.sentences.push(reason::client_cap(by_clients, count - gateways, clients.len(), most as u64));
    }
    if by_traffic > 0 {
        capped.sentences.push(reason::traffic_cap(by_traffic, asked, params.traffic_cap));
    }
    capped
}

/// Requests that were neither refused nor repeated.
fn ordinary(client: &Client) -> u64 {
    client.evidence.requests.saturating_sub(client.evidence.surplus)
}

/// Ordinary requests per second, over the time from the first request to the last and ten seconds more. Whoever repeats a
/// few addresses makes one in five seconds for each of them; a proxy makes those of all who stand behind it.
fn rate(client: &Client) -> f64 {
    let seconds = client.evidence.last.saturating_sub(client.evidence.first).saturating_add(10);
    ordinary(client) as f64 / seconds as f64
}
