//! Who has which address.
//!
//! Only ranges that belong to nobody: private ones (RFC 1918), those for documentation (RFC 5737, RFC 3849) and for
//! benchmarks (RFC 2544). Kinds of clients never share a range.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Party {
    /// A program that looks whether the server lives.
    HealthCheck(u32),
    /// A program that asks for one path every few seconds.
    Poller(u32),
    Crawler(u32),
    /// Somebody who sends garbage.
    Scanner(u32),
    /// Many visitors behind one address.
    Shared(u32),
    Visitor(u32),
    Attacker(u32),
}

/// Clients of each kind that are neither visitors nor attackers, at most.
pub(super) const PARTIES: u32 = 100;

/// An address with its text, which would cost more than the rest of a line if it were made for each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Address {
    pub(super) party: Party,
    pub(super) ip: IpAddr,
    text: [u8; 39],
    length: u8,
}

impl Address {
    pub(super) fn of(party: Party) -> Self {
        let ip = match party {
            Party::HealthCheck(number) => v4([192, 168, 0, 10], number),
            Party::Poller(number) => v4([198, 51, 100, 1], number),
            Party::Crawler(number) => v4([192, 0, 2, 1], number),
            Party::Scanner(number) => v4([192, 0, 2, 128], number),
            Party::Shared(number) => v4([203, 0, 113, 1], number),
            Party::Visitor(number) if number % 8 == 5 => v6(0x1, number / 8 + 1),
            // Odd factors make these permutations of their networks, so that neighbours in number are none in address.
            Party::Visitor(number) => v4([10, 0, 0, 0], (number + 1).wrapping_mul(0x9e_3779) & 0xff_ffff),
            Party::Attacker(number) if number % 10 == 7 => v6(0xa77a, number),
            Party::Attacker(number) => v4([198, 18, 0, 0], (number + 1).wrapping_mul(0x1_3779) & 0x1_ffff),
        };
        let mut text = [0; 39];
        let mut rest = &mut text[..];
        // The longest address has 39 characters.
        let _ = write!(rest, "{ip}");
        let length = (39 - rest.len()) as u8;
        Self { party, ip, text, length }
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text[..usize::from(self.length)]
    }
}

impl Party {
    /// Running number among all clients that are no attackers.
    pub(super) fn ordinary_number(self) -> Option<usize> {
        let (kind, number) = match self {
            Self::HealthCheck(number) => (0, number),
            Self::Poller(number) => (1, number),
            Self::Crawler(number) => (2, number),
            Self::Scanner(number) => (3, number),
            Self::Shared(number) => (4, number),
            Self::Visitor(number) => (5, number),
            Self::Attacker(_) => return None,
        };
        Some((kind * PARTIES + number) as usize)
    }
}

fn v4(network: [u8; 4], host: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_bits(u32::from_be_bytes(network) + host))
}

fn v6(network: u16, host: u32) -> IpAddr {
    let (high, low) = ((host >> 16) as u16, host as u16);
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, network, high, 0, 0, 0, low))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_clients_share_an_address() {
        let few = (0..PARTIES).flat_map(|number| {
            [Party::HealthCheck(number), Party::Poller(number), Party::Crawler(number), Party::Scanner(number)]
                .into_iter()
                .chain([Party::Shared(number)])
        });
        let many = (0..200_000).map(Party::Visitor).chain((0..100_000).map(Party::Attacker));
        let addresses: Vec<IpAddr> = few.chain(many).map(|party| Address::of(party).ip).collect();
        assert_eq!(addresses.iter().collect::<BTreeSet<_>>().len(), addresses.len());
    }

    #[test]
    fn the_text_is_the_address() {
        for address in (0..1_000).flat_map(|number| [Party::Visitor(number), Party::Attacker(number)]).map(Address::of)
        {
            assert_eq!(String::from_utf8_lossy(address.text()), address.ip.to_string());
        }
    }
}
