//! Decisions in the form of CrowdSec's local API, which its bouncers read.

use std::net::IpAddr;

use serde::Serialize;
use sha2::{Digest, Sha256};
use weir_contract::blocklist::Block;

/// Who decided.
pub(crate) const ORIGIN: &str = "weir";
/// What is to happen.
pub(crate) const BAN: &str = "ban";
/// What it is about: one address.
pub(crate) const SCOPE: &str = "Ip";
/// What a decision of ours is for, in the place of the name of a CrowdSec scenario.
pub const SCENARIO: &str = "weir/http-flood";

/// A decision, as `GET /v1/decisions` gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Its number: the same for the same block, and within what every JSON reader holds exactly, 53 bits.
    pub id: u64,
    /// Who decided.
    pub origin: &'static str,
    /// What is to be done.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What `value` is.
    pub scope: &'static str,
    /// The address.
    pub value: String,
    /// How long it holds from now on, as Go writes durations: `1h0m0s`; negative where it is over.
    pub duration: String,
    /// Why.
    pub scenario: &'static str,
    /// Whether it is not meant.
    pub simulated: bool,
}

impl Decision {
    /// That `block` holds at `now`, for a second at least.
    #[must_use]
    pub fn active(block: Block, now: i64) -> Self {
        Self::new(block, block.until.saturating_sub(now).max(1))
    }

    /// That `block` is over at `now`, because of its time or of a person.
    #[must_use]
    pub fn over(block: Block, now: i64) -> Self {
        Self::new(block, block.until.saturating_sub(now).min(-1))
    }

    fn new(block: Block, seconds: i64) -> Self {
        Self {
            id: id(block),
            origin: ORIGIN,
            kind: BAN,
            scope: SCOPE,
            value: block.address.to_string(),
            duration: duration(seconds),
            scenario: SCENARIO,
            simulated: false,
        }
    }
}

fn id(block: Block) -> u64 {
    let six = match block.address {
        IpAddr::V4(four) => four.to_ipv6_mapped(),
        IpAddr::V6(six) => six,
    };
    let digest = Sha256::new().chain_update(six.octets()).chain_update(block.until.to_be_bytes()).finalize();
    digest.iter().take(8).fold(0, |id, &byte| id << 8 | u64::from(byte)) >> 11
}

/// `1h0m0s`, `1m5s`, `-7s`: what Go's `time.ParseDuration` reads.
fn duration(seconds: i64) -> String {
    let (sign, left) = (if seconds < 0 { "-" } else { "" }, seconds.unsigned_abs());
    let (hours, minutes, seconds) = (left / 3600, left / 60 % 60, left % 60);
    match (hours, minutes) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, _) => format!("{sign}{minutes}m{seconds}s"),
        _ => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_has_the_form_of_crowdsec() {
        let block = Block { address: "2001:db8::1".parse().unwrap(), until: 5_000 };
        let decision = Decision::active(block, 1_395);
        assert!(decision.id < 1 << 53);
        assert_eq!(
            serde_json::to_string(&decision).unwrap(),
            format!(
                "{{\"id\":{},\"origin\":\"weir\",\"type\":\"ban\",\"scope\":\"Ip\",\"value\":\"2001:db8::1\",\
                 \"duration\":\"1h0m5s\",\"scenario\":\"weir/http-flood\",\"simulated\":false}}",
                decision.id
            )
        );
        assert_eq!(["59s", "1m0s", "-7s", "25h0m1s"], [59, 60, -7, 90_001].map(duration).as_slice());
    }

    #[test]
    fn a_block_has_one_number_until_it_is_renewed() {
        let block = Block { address: "192.0.2.66".parse().unwrap(), until: 5_000 };
        assert_eq!(Decision::over(block, 1_400).duration, "-1s");
        assert_eq!(Decision::over(block, 5_060).duration, "-1m0s");
        assert_eq!(Decision::over(block, 5_060).id, Decision::active(block, 0).id);
        assert_ne!(id(block), id(Block { until: 5_001, ..block }));
    }
}
