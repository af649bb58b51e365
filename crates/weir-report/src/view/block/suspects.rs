//! Clients with what they did.

use serde::Serialize;
use weir_contract::blocklist::{self, Basis, Frequent, Peak, SpareReason};

use super::{moment, plain};
use crate::text::{self, NOTHING};

/// Paths and user agents shown of a client.
const FREQUENT: usize = 5;
/// Methods and statuses shown of a client.
const STATUSES: usize = 8;

#[derive(Debug, Serialize)]
pub(crate) struct Suspect {
    basis: &'static str,
    evidence: Evidence,
}

#[derive(Debug, Serialize)]
pub(crate) struct Spared {
    reason: &'static str,
    evidence: Evidence,
}

#[derive(Debug, Serialize)]
struct Evidence {
    client: String,
    requests: String,
    share: String,
    surplus: String,
    peak_second: String,
    peak_ten_seconds: String,
    peak_ten_seconds_at: String,
    peak_minute: String,
    first: String,
    last: String,
    paths: String,
    user_agents: String,
    top_paths: Vec<Often>,
    top_user_agents: Vec<Often>,
    statuses: String,
}

#[derive(Debug, Serialize)]
struct Often {
    text: String,
    count: String,
}

pub(crate) fn listed(suspect: &blocklist::Suspect) -> Suspect {
    let basis = match suspect.basis {
        Basis::Group => "attacking group",
        Basis::Limit => "limit per second",
    };
    Suspect { basis, evidence: evidence(suspect.client, &suspect.evidence) }
}

pub(crate) fn spared(spared: &blocklist::Spared) -> Spared {
    let reason = match spared.reason {
        SpareReason::ClientCap => "more clients than one run may block",
        SpareReason::TrafficCap => "with the others, more of the ordinary requests than one run may block",
        SpareReason::Gateway => "so many ordinary requests that it looks like a proxy",
    };
    Spared { reason, evidence: evidence(spared.client, &spared.evidence) }
}

fn evidence(client: std::net::IpAddr, evidence: &blocklist::Evidence) -> Evidence {
    let peak = |peak: Peak| text::count(peak.count);
    let surplus = text::count(evidence.surplus);
    Evidence {
        client: client.to_string(),
        requests: text::count(evidence.requests),
        share: share(evidence.share),
        surplus: format!("{surplus} ({})", text::percent(evidence.surplus, evidence.requests)),
        peak_second: peak(evidence.peak_second),
        peak_ten_seconds: peak(evidence.peak_ten_seconds),
        peak_ten_seconds_at: moment(evidence.peak_ten_seconds.start),
        peak_minute: peak(evidence.peak_minute),
        first: moment(evidence.first),
        last: moment(evidence.last),
        paths: text::count(evidence.paths),
        user_agents: text::count(evidence.user_agents),
        top_paths: often(&evidence.top_paths),
        top_user_agents: often(&evidence.top_user_agents),
        statuses: statuses(&evidence.statuses),
    }
}

/// A share in percent, from a number that may be off by rounding.
fn share(share: f64) -> String {
    match share.is_finite() {
        true => text::percent((share.clamp(0.0, 1.0) * 1e9).round() as u64, 1_000_000_000),
        false => NOTHING.to_owned(),
    }
}

fn often(frequent: &[Frequent]) -> Vec<Often> {
    let often = |frequent: &Frequent| Often {
        text: if frequent.text.is_empty() { "(empty)".to_owned() } else { plain(&frequent.text) },
        count: match frequent.error {
            0 => text::count(frequent.count),
            error => {
                format!("{} to {}", text::count(frequent.count.saturating_sub(error)), text::count(frequent.count))
            }
        },
    };
    frequent.iter().take(FREQUENT).map(often).collect()
}

/// As `1 024 × GET 200, 3 × GET 503`, the most frequent first.
fn statuses(statuses: &[blocklist::StatusCount]) -> String {
    let mut order: Vec<_> = statuses.iter().collect();
    order.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.cmp(b)));
    let shown: Vec<String> = order
        .iter()
        .take(STATUSES)
        .map(|status| format!("{} × {} {}", text::count(status.count), plain(&status.method), status.status))
        .collect();
    let more = order.len().saturating_sub(STATUSES);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}
