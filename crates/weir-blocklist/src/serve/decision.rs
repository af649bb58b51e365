//! A block in CrowdSec's words.

use std::net::IpAddr;

use serde::Serialize;
use sha2::{Digest, Sha256};
use weir_contract::blocklist::Block;

/// Who decided.
pub(super) const ORIGIN: &str = "weir";
/// What is to happen.
pub(super) const BAN: &str = "ban";
/// What it is about: one address.
pub(super) const SCOPE: &str = "Ip";
/// What was seen.
pub(super) const SCENARIO: &str = "weir/http-flood";

/// What a bouncer is told of an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Decision {
    id: u64,
    origin: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    scope: &'static str,
    value: String,
    /// As Go writes it; of what is over it is negative.
    duration: String,
    scenario: &'static str,
}

impl Decision {
    /// That `block` holds at `now`.
    pub(super) fn active(block: Block, now: i64) -> Self {
        Self::new(block, block.until.saturating_sub(now).max(1))
    }

    /// That `block` is over at `now`, because of its time or of a person.
    pub(super) fn over(block: Block, now: i64) -> Self {
        Self::new(block, block.until.saturating_sub(now).min(-1))
    }

    fn new(block: Block, seconds: i64) -> Self {
        Self {
            id: id(block),
            origin: ORIGIN,
            kind: BAN,
            scope: SCOPE,
            value: block.address.to_string(),
            duration: format!("{seconds}s"),
            scenario: SCENARIO,
        }
    }
}

/// The same for the same block, and within what every JSON reader holds exactly: 53 bits.
fn id(block: Block) -> u64 {
    let six = match block.address {
        IpAddr::V4(four) => four.to_ipv6_mapped(),
        IpAddr::V6(six) => six,
    };
    let digest = Sha256::new().chain_update(six.octets()).chain_update(block.until.to_be_bytes()).finalize();
    digest.iter().take(8).fold(0, |id, &byte| id << 8 | u64::from(byte)) >> 11
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_has_the_form_of_crowdsec() {
        let block = Block { address: "192.0.2.66".parse().unwrap(), until: 5_000 };
        let json = serde_json::to_value(Decision::active(block, 1_400)).unwrap();
        assert!(json["id"].as_u64().unwrap() < 1 << 53);
        let expected = serde_json::json!({
            "id": json["id"], "origin": "weir", "type": "ban", "scope": "Ip", "value": "192.0.2.66",
            "duration": "3600s", "scenario": "weir/http-flood",
        });
        assert_eq!(json, expected);
        assert_eq!(Decision::over(block, 1_400).duration, "-1s");
        assert_eq!(Decision::over(block, 5_060).duration, "-60s");
        assert_eq!(Decision::over(block, 5_060).id, Decision::active(block, 0).id);
        assert_ne!(id(block), id(Block { until: 5_001, ..block }));
    }
}
