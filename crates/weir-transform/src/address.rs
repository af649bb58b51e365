//! Addresses as numbers that an f64 holds exactly.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sha2::{Digest as _, Sha256};

/// An address as an integer: IPv4 is its 32 bits; IPv6 is 2^32 plus the first 32 bits of the SHA-256 of its 16 bytes.
///
/// IPv4 keeps one half of the range and IPv6 the other, so that min-max scaling flattens neither. Two of n IPv6
/// addresses share a number with probability n²/2³³.
#[must_use]
pub fn to_integer(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(address) => u64::from(u32::from(address)),
        IpAddr::V6(address) => {
            let hash = Sha256::digest(address.octets());
            (1 << 32) + u64::from(u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]))
        }
    }
}

/// Whether an address is not routed on the internet: private, loopback, link-local or carrier-grade NAT for IPv4
/// (RFC 1918, 1122, 3927, 6598); unique local, loopback or link-local for IPv6 (RFC 4193, 4291).
#[must_use]
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let shared = u32::from(address) & 0xffc0_0000 == u32::from(Ipv4Addr::new(100, 64, 0, 0));
            address.is_private() || address.is_loopback() || address.is_link_local() || shared
        }
        IpAddr::V6(address) => {
            let in_prefix = |mask: u16, prefix: u16| address.segments()[0] & mask == prefix;
            address == Ipv6Addr::LOCALHOST || in_prefix(0xfe00, 0xfc00) || in_prefix(0xffc0, 0xfe80)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integer(text: &str) -> u64 {
        to_integer(text.parse().unwrap())
    }

    #[test]
    fn ipv4_is_its_32_bits() {
        assert_eq!(integer("190.215.9.28"), 190 << 24 | 215 << 16 | 9 << 8 | 28);
        assert_eq!(integer("255.255.255.255"), u64::from(u32::MAX));
    }

    /// `2**32 + int.from_bytes(hashlib.sha256(ipaddress.ip_address("::1").packed).digest()[:4])` of Python.
    #[test]
    fn ipv6_is_the_hash_of_its_bytes() {
        assert_eq!(integer("::1"), 6_379_326_736);
    }

    #[test]
    fn ipv6_lies_above_ipv4_and_within_33_bits() {
        for text in ["::", "::1", "fd00::8", "2001:db8::1"] {
            assert!((1 << 32..1 << 33).contains(&integer(text)), "{text}");
        }
        assert_ne!(integer("fd00::8"), integer("fd00::9"));
    }

    #[test]
    fn private_ranges_are_those_of_the_rfcs() {
        let private = |text: &str| is_private(text.parse().unwrap());
        assert!(["10.1.2.3", "172.31.0.1", "192.168.1.1", "100.127.0.1", "127.0.0.1"].into_iter().all(private));
        assert!(["fd00::1", "fe80::1", "::1"].into_iter().all(private));
        assert!(!["172.32.0.1", "100.128.0.1", "8.8.8.8", "2001:db8::1", "::"].into_iter().any(private));
    }
}
