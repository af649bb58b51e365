//! Decisions in the form of CrowdSec's local API, which its bouncers read.

use serde::Serialize;
use weir_contract::blocklist::Block;

/// What a decision of ours is for, in the place of the name of a CrowdSec scenario.
pub const SCENARIO: &str = "weir/http-flood";

/// A decision, as `GET /v1/decisions` gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Its number.
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
    /// How long it holds from now on, as Go writes durations: `1h0m0s`.
    pub duration: String,
    /// Why.
    pub scenario: &'static str,
    /// Whether it is not meant.
    pub simulated: bool,
}

impl Decision {
    /// The decision number `id` to ban `block` for what is left of its time at `now`; negative where it is over.
    #[must_use]
    pub fn new(id: u64, block: &Block, now: i64) -> Self {
        Self {
            id,
            origin: "weir",
            kind: "ban",
            scope: "Ip",
            value: block.address.to_string(),
            duration: duration(block.until.saturating_sub(now)),
            scenario: SCENARIO,
            simulated: false,
        }
    }
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
    fn a_decision_reads_as_crowdsec_s() {
        let decision = Decision::new(7, &Block { address: "2001:db8::1".parse().unwrap(), until: 5_000 }, 1_395);
        assert_eq!(
            serde_json::to_string(&decision).unwrap(),
            "{\"id\":7,\"origin\":\"weir\",\"type\":\"ban\",\"scope\":\"Ip\",\"value\":\"2001:db8::1\",\
             \"duration\":\"1h0m5s\",\"scenario\":\"weir/http-flood\",\"simulated\":false}"
        );
        assert_eq!(["59s", "1m0s", "-7s", "25h0m1s"], [59, 60, -7, 90_001].map(duration).as_slice());
    }
}
