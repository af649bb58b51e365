//! Sets of addresses: single ones and networks.

use std::collections::HashSet;
use std::net::IpAddr;

/// Addresses and networks.
#[derive(Debug, Clone, Default)]
pub(super) struct AddressSet {
    hosts: HashSet<IpAddr>,
    networks: Vec<Network>,
}

/// The addresses that share the first bits.
#[derive(Debug, Clone, Copy)]
struct Network {
    is_v4: bool,
    /// Number of bits after the shared ones.
    shift: u32,
    /// The shared bits.
    bits: u128,
}

impl AddressSet {
    /// Adds `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`. A network with bits beyond its prefix is refused: whether
    /// the host or the network was meant nobody knows.
    pub(super) fn add(&mut self, text: &str) -> Result<(), String> {
        let wrong = || format!("expected an address or a network such as 192.0.2.0/24, received {text:?}");
        let Some((address, prefix)) = text.split_once('/') else {
            self.hosts.insert(text.parse().map_err(|_| wrong())?);
            return Ok(());
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix: u32 = prefix.parse().map_err(|_| wrong())?;
        let shift = u32::checked_sub(width, prefix).ok_or_else(wrong)?;
        let network = Network { is_v4: address.is_ipv4(), shift, bits: shared(address, shift) };
        let rest = if shift == 128 { number(address) } else { number(address) ^ (network.bits << shift) };
        if rest != 0 {
            return Err(format!("{text:?} has bits beyond its prefix: write the network's own address, or no prefix"));
        }
        self.networks.push(network);
        Ok(())
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let inside =
            |network: &Network| network.is_v4 == address.is_ipv4() && shared(address, network.shift) == network.bits;
        self.networks.iter().any(inside) || !self.hosts.is_empty() && self.hosts.contains(&address)
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn shared(address: IpAddr, shift: u32) -> u128 {
    number(address).checked_shr(shift).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(texts: &[&str]) -> AddressSet {
        let mut set = AddressSet::default();
        texts.iter().for_each(|text| set.add(text).unwrap());
        set
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_holds_its_first_and_last_address_and_no_neighbour() {
        let set = set(&["192.0.2.128/25", "2001:db8::/127"]);
        for inside in ["192.0.2.128", "192.0.2.255", "2001:db8::", "2001:db8::1"] {
            assert!(set.contains(ip(inside)), "{inside}");
        }
        for outside in ["192.0.2.127", "192.0.3.0", "2001:db8::2", "2001:db7:ffff::", "::c000:280"] {
            assert!(!set.contains(ip(outside)), "{outside}");
        }
    }

    #[test]
    fn prefix_zero_is_every_address_of_its_kind() {
        assert!(set(&["0.0.0.0/0"]).contains(ip("255.255.255.255")) && !set(&["0.0.0.0/0"]).contains(ip("::")));
        assert!(set(&["::/0"]).contains(ip("ffff::")) && !set(&["::/0"]).contains(ip("0.0.0.0")));
        assert!(set(&["::7/128", "10.0.0.1/32", "10.0.0.2"]).contains(ip("::7")));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "10.0.0", "10.0.0.0/33", "::/129", "10.0.0.1/8", "::1/0", "10.0.0.0/-1", "host"] {
            assert!(AddressSet::default().add(text).is_err(), "{text}");
        }
    }
}
