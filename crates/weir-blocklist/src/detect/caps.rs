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
    let (count, theirs) = (suspects.len(), suspects.iter().map(|(client, _)| ordinary(client)).sum::<u64>() as f64);
    let mut capped = Capped { listed: Vec::new(), spared: Vec::new(), sentences: Vec::new() };
    let mut cut_off = 0.0;
    for (client, basis) in suspects {
        let own = ordinary(client) as f64;
        if (capped.listed.len() + 1) as f64 > most {
            capped.spared.push((client, SpareReason::ClientCap));
        } else if (cut_off + own) / all > params.traffic_cap {
            capped.spared.push((client, SpareReason::TrafficCap));
        } else {
            cut_off += own;
            capped.listed.push((client, basis));
        }
    }
    let spared = |reason: &SpareReason| capped.spared.iter().filter(|(_, other)| other == reason).count();
    let (by_clients, by_traffic) = (spared(&SpareReason::ClientCap), spared(&SpareReason::TrafficCap));
    if by_clients > 0 {
        capped.sentences.push(reason::client_cap(by_clients, count, clients.len(), most as u64));
    }
    if by_traffic > 0 {
        capped.sentences.push(reason::traffic_cap(by_traffic, theirs / all, params.traffic_cap));
    }
    capped
}

/// Requests that were neither refused nor repeated.
fn ordinary(client: &Client) -> u64 {
    client.evidence.requests.saturating_sub(client.evidence.surplus)
}
