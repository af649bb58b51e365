//! What is handed to others: texts made of blocks and detections. Nothing here touches a file.
//!
//! ```text
//! blocked_ips.txt             the addresses, the strongest evidence first
//! decisions.json              for whatever reads CrowdSec's decisions
//! nftables.conf               for nft -f
//! ipset.restore               for ipset restore
//! networkpolicy.yaml          for kubectl apply
//! ciliumnetworkpolicy.yaml    likewise, where Cilium is
//! ```

mod decisions;
mod ipset;
mod nftables;
mod policy;

use std::net::IpAddr;

use weir_contract::blocklist::{Block, Detection};

pub(crate) use decisions::{BAN, ORIGIN, SCOPE};
pub use decisions::{Decision, SCENARIO};
pub(crate) use ipset::{FOUR, SIX, Set, ipset_sets};
pub use ipset::{LONGEST as IPSET_LONGEST, ipset};
pub use nftables::nftables;
pub use policy::{
    NETWORK_POLICY_NOTE, NO_CILIUM_NETWORK_POLICY, PolicyTarget, YamlError, cilium_network_policy, network_policy,
    to_yaml,
};

/// File with the decisions in CrowdSec's form.
pub const DECISIONS: &str = "decisions.json";
/// File for `nft -f`.
pub const NFTABLES: &str = "nftables.conf";
/// File for `ipset restore`.
pub const IPSET: &str = "ipset.restore";
/// File with the NetworkPolicy.
pub const NETWORK_POLICY: &str = "networkpolicy.yaml";
/// File with the CiliumNetworkPolicy.
pub const CILIUM_NETWORK_POLICY: &str = "ciliumnetworkpolicy.yaml";

/// Whom `detection` lists, each until `until`, the strongest evidence first.
#[must_use]
pub fn blocks(detection: &Detection, until: i64) -> Vec<Block> {
    detection.listed.iter().map(|suspect| Block { address: suspect.client, until }).collect()
}

/// `addresses`, one per line.
#[must_use]
pub fn blocked_ips(addresses: impl IntoIterator<Item = IpAddr>) -> String {
    addresses.into_iter().map(|address| format!("{address}\n")).collect()
}
