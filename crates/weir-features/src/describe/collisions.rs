//! Addresses that share their integer with another.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv6Addr};

use serde::{Deserialize, Serialize, Serializer};
use weir_contract::FlowBatch;
use weir_transform::address;

use super::distinct::mix;

/// Different IPv6 addresses that are remembered.
const CAPACITY: usize = 1 << 20;

/// Counts collisions among IPv6 addresses; every IPv4 address has an integer of its own.
///
/// Beyond 2^20 different addresses it counts among those of them, chosen by their integer, of which so many fit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Collisions {
    #[serde(serialize_with = "in_order")]
    addresses: HashSet<u128>,
    /// Only addresses whose integer has so many zero bits after mixing count; which they are does not depend on order.
    level: u32,
}

impl Collisions {
    pub(crate) fn observe(&mut self, flows: &FlowBatch) {
        for address in flows.source_ip.iter().chain(&flows.destination_ip) {
            if let IpAddr::V6(address) = address {
                self.add(u128::from(*address));
            }
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.level = self.level.max(other.level);
        let level = self.level;
        self.addresses.retain(|&address| is_in(address, level));
        other.addresses.into_iter().for_each(|address| self.add(address));
    }

    /// How many addresses share their integer with an earlier one.
    pub(crate) fn count(&self) -> u64 {
        let integers: HashSet<u64> = self.addresses.iter().map(|&address| integer(address)).collect();
        (self.addresses.len() - integers.len()) as u64
    }

    fn add(&mut self, address: u128) {
        if self.addresses.contains(&address) || !is_in(address, self.level) {
            return;
        }
        self.addresses.insert(address);
        while self.addresses.len() > CAPACITY {
            self.level += 1;
            let level = self.level;
            self.addresses.retain(|&address| is_in(address, level));
        }
    }
}

/// The same set always has the same bytes.
fn in_order<S: Serializer>(addresses: &HashSet<u128>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut sorted: Vec<u128> = addresses.iter().copied().collect();
    sorted.sort_unstable();
    sorted.serialize(serializer)
}

fn integer(address: u128) -> u64 {
    address::to_integer(IpAddr::V6(Ipv6Addr::from(address)))
}

fn is_in(address: u128, level: u32) -> bool {
    level == 0 || mix(integer(address)).leading_zeros() >= level
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_addresses_are_thinned_the_same_in_any_order() {
        let count = CAPACITY as u128 + 1_000;
        let mut forward = Collisions::default();
        (0..count).for_each(|address| forward.add(address << 64));
        assert!(forward.addresses.len() < CAPACITY && forward.level == 1);
        let (mut a, mut b) = (Collisions::default(), Collisions::default());
        (0..count).rev().for_each(|address| if address % 3 == 0 { a.add(address << 64) } else { b.add(address << 64) });
        a.merge(b);
        assert_eq!(a, forward);
        assert_eq!(forward.count(), a.count());
    }
}
