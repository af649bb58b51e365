//! Addresses as logs write them, and which address of a line is the client's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;

/// Where the address of the client stands in a line.
///
/// A field of a header comes from the client, who can put anything there. So it counts only where the remote address is
/// a trusted proxy, and of its addresses the rightmost that is not itself a trusted proxy: the one that the first
/// trusted proxy saw with its own eyes. Where the field is `-`, or what stands there is no address, the client is the
/// remote address, which is a trusted proxy and so on no list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientField {
    /// The remote address: the first field, or the one behind the name of the host.
    #[default]
    Remote,
    /// The n-th quoted field behind the user agent, counted from 1: `"$http_x_forwarded_for"` at the end of nginx's
    /// usual format `main` is 1.
    Header(u8),
    /// The last quoted field of the line, behind the user agent.
    HeaderLast,
}

impl FromStr for ClientField {
    type Err = String;

    /// `remote`, `last`, or the number of the quoted field behind the user agent.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "remote" => Ok(Self::Remote),
            "last" => Ok(Self::HeaderLast),
            number => match number.parse() {
                Ok(number @ 1..) => Ok(Self::Header(number)),
                _ => Err(format!(
                    "`{text}` is no client field: expected `remote`, `last`, or the number (1 to 255) of a quoted field \
                     behind the user agent"
                )),
            },
        }
    }
}

/// An address: IPv4, IPv6 with or without brackets, each with or without a port; IPv4 in IPv6 is IPv4.
pub(crate) fn parse(text: &[u8]) -> Option<IpAddr> {
    if let Some((address, rest)) = leading_v4(text)
        && is_port(rest)
    {
        return Some(IpAddr::V4(address));
    }
    let text = match text.strip_prefix(b"[") {
        Some(inner) => {
            let end = memchr::memchr(b']', inner)?;
            is_port(&inner[end + 1..]).then_some(&inner[..end])?
        }
        None => text,
    };
    // A zone (fe80::1%eth0) says which cable, not who.
    let text = text.split(|byte| *byte == b'%').next()?;
    let address: Ipv6Addr = std::str::from_utf8(text).ok()?.parse().ok()?;
    Some(IpAddr::V6(address).to_canonical())
}

/// The client by a header's value, whose addresses are separated by commas, each added by whoever received the request.
pub(crate) fn behind_proxies(header: &[u8], trusted: &[IpNet]) -> Option<IpAddr> {
    for part in header.rsplit(|byte| *byte == b',') {
        let address = parse(part.trim_ascii())?;
        if !is_in(address, trusted) {
            return Some(address);
        }
    }
    None
}

/// Whether an address belongs to one of the networks.
pub(crate) fn is_in(address: IpAddr, networks: &[IpNet]) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

fn is_port(text: &[u8]) -> bool {
    match text {
        [] => true,
        [b':', digits @ ..] => (1..=5).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// The hot path of every line: four numbers without leading zeros, and what stands behind them.
fn leading_v4(text: &[u8]) -> Option<(Ipv4Addr, &[u8])> {
    let mut octets = [0; 4];
    let mut at = 0;
    for (index, octet) in octets.iter_mut().enumerate() {
        if index > 0 {
            if text.get(at) != Some(&b'.') {
                return None;
            }
            at += 1;
        }
        let start = at;
        let mut value: u16 = 0;
        while let Some(digit) = text.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
            if at - start == 3 || (at > start && value == 0) {
                return None;
            }
            value = value * 10 + u16::from(digit);
            at += 1;
        }
        if at == start {
            return None;
        }
        *octet = u8::try_from(value).ok()?;
    }
    Some((Ipv4Addr::from(octets), &text[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        parse(text.as_bytes()).map(|address| address.to_string())
    }

    #[test]
    fn addresses_are_read_in_every_way_they_are_written() {
        for (text, address) in [
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.7:50229", "192.0.2.7"),
            ("255.255.255.255", "255.255.255.255"),
            ("0.0.0.0", "0.0.0.0"),
            ("2001:DB8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("fe80::1%eth0", "fe80::1"),
        ] {
            assert_eq!(read(text).as_deref(), Some(address), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_none() {
        for text in [
            "",
            "-",
            "1.2.3",
            "1.2.3.4.5",
            "256.1.1.1",
            "01.2.3.4",
            "1.2.3.4:",
            "1.2.3.4:x",
            "[::1",
            "[::1]x",
            "www.example.org",
            ":::",
            "1.2.3.1000",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_rightmost_address_that_is_no_trusted_proxy_is_the_client() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        let client = |header: &str| behind_proxies(header.as_bytes(), &trusted).map(|address| address.to_string());
        assert_eq!(client("192.0.2.7").as_deref(), Some("192.0.2.7"));
        assert_eq!(client("198.51.100.1, 192.0.2.7, 10.1.2.3, 2001:db8::5").as_deref(), Some("192.0.2.7"));
        assert_eq!(client("198.51.100.1, unknown, 10.1.2.3"), None, "nobody can say who was before");
        assert_eq!(client("10.1.2.3"), None);
        assert_eq!(client("-"), None);
    }

    #[test]
    fn client_fields_are_named_or_numbered() {
        assert_eq!("remote".parse(), Ok(ClientField::Remote));
        assert_eq!("last".parse(), Ok(ClientField::HeaderLast));
        assert_eq!("2".parse(), Ok(ClientField::Header(2)));
        let refused = "0".parse::<ClientField>().unwrap_err();
        assert_eq!(
            refused,
            "`0` is no client field: expected `remote`, `last`, or the number (1 to 255) of a quoted field behind the user agent"
        );
    }
}
