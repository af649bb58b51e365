//! How much one run may block. Beyond, nobody is: who exceeds a cap is not a few more attackers than expected, but a sign
//! that something else is wrong, most often a proxy of one's own in the place of the clients.

use weir_accesslog::Client;
use weir_contract::blocklist::{Basis, SpareReason};

use super::reason;
use crate::BlocklistParams;

/// A cap that is exceeded.
pub(super) struct Exceeded {
    pub(super) reason: SpareReason,
    pub(super) sentence: String,
}

/// The first cap that listing `suspects` among `clients` would exceed.
pub(super) fn exceeded(
    suspects: &[(&Client, Basis)],
    clients: &[&Client],
    params: &BlocklistParams,
) -> Option<Exceeded> {
    let most = (params.client_cap * clients.len() as f64).max(params.clients_always as f64);
    if suspects.len() as f64 > most {
        let sentence = reason::client_cap(suspects.len(), clients.len(), most as u64);
        return Some(Exceeded { reason: SpareReason::ClientCap, sentence });
    }
    let theirs: u64 = suspects.iter().map(|(client, _)| ordinary(client)).sum();
    let all: u64 = clients.iter().map(|client| ordinary(client)).sum();
    let share = theirs as f64 / all.max(1) as f64;
    if share > params.traffic_cap {
        let sentence = reason::traffic_cap(suspects.len(), share, params.traffic_cap);
        return Some(Exceeded { reason: SpareReason::TrafficCap, sentence });
    }
    None
}

/// Requests that were neither refused nor repeated.
fn ordinary(client: &Client) -> u64 {
    client.evidence.requests.saturating_sub(client.evidence.surplus)
}
