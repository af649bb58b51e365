//! IP addresses, as text and as the numbers of the preprocessed table.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::table::Expected;
use crate::text::unsigned;

/// An IPv4 or IPv6 address; octets with leading zeros are refused because some programs read them as octal.
#[inline]
pub(crate) fn ip(text: &[u8]) -> Result<IpAddr, Expected> {
    if let Some(address) = ipv4(text) {
        return Ok(IpAddr::V4(address));
    }
    std::str::from_utf8(text).ok().and_then(|text| text.trim_ascii().parse().ok()).ok_or("an IPv4 or IPv6 address")
}

/// An IPv4 address as u32, or the largest i64, which stands for every IPv6 address and reads as `::`.
#[inline]
pub(crate) fn saturated(text: &[u8]) -> Result<IpAddr, Expected> {
    /// The largest i64, what it rounds to in double, and how the double is printed with 16 digits.
    const SATURATED: [u64; 3] = [9_223_372_036_854_775_807, 9_223_372_036_854_775_808, 9_223_372_036_854_776_000];
    let number = unsigned::whole(text);
    match number.map(u32::try_from) {
        Some(Ok(number)) => Ok(IpAddr::V4(Ipv4Addr::from_bits(number))),
        _ if number.is_some_and(|number| SATURATED.contains(&number)) => Ok(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        _ => Err("an IPv4 address as a number below 4294967296, or 9223372036854775807 for IPv6"),
    }
}

#[inline]
fn ipv4(text: &[u8]) -> Option<Ipv4Addr> {
    let (a, rest) = octet(text)?;
    let (b, rest) = octet(rest.strip_prefix(b".")?)?;
    let (c, rest) = octet(rest.strip_prefix(b".")?)?;
    let (d, rest) = octet(rest.strip_prefix(b".")?)?;
    rest.is_empty().then_some(Ipv4Addr::new(a, b, c, d))
}

/// One to three digits without a leading zero, and what follows.
#[inline]
fn octet(text: &[u8]) -> Option<(u8, &[u8])> {
    let digit = |place: usize| text.get(place).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit <= 9);
    let first = digit(0)?;
    let Some(second) = digit(1) else { return Some((first, &text[1..])) };
    if first == 0 {
        return None;
    }
    let Some(third) = digit(2) else { return Some((first * 10 + second, &text[2..])) };
    let number = (u16::from(first) * 10 + u16::from(second)) * 10 + u16::from(third);
    Some((u8::try_from(number).ok()?, &text[3..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ipv4_reads_what_the_standard_library_reads(text in "[0-9.]{0,16}", bits: u32) {
            prop_assert_eq!(ipv4(text.as_bytes()), text.parse().ok());
            let address = Ipv4Addr::from_bits(bits);
            prop_assert_eq!(ipv4(address.to_string().as_bytes()), Some(address));
        }

        #[test]
        fn ipv6_is_lossless(bits: u128) {
            let address = IpAddr::V6(Ipv6Addr::from_bits(bits));
            prop_assert_eq!(ip(address.to_string().as_bytes()), Ok(address));
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in
            ["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4/8", ":::", "fe80::1%eth0", "host", "\u{ff}"]
        {
            assert!(ip(text.as_bytes()).is_err(), "{text}");
        }
        assert!(ip(b"\xff\xfe").is_err());
    }

    #[test]
    fn saturated_ipv6_reads_as_unspecified() {
        assert_eq!(saturated(b"3201805056"), Ok("190.215.171.0".parse().unwrap()));
        assert_eq!(saturated(b"4294967295.0"), Ok("255.255.255.255".parse().unwrap()));
        for text in ["9223372036854775807", "9223372036854775807.0", "9.223372036854776e+18"] {
            assert_eq!(saturated(text.as_bytes()), Ok("::".parse().unwrap()), "{text}");
        }
        for text in ["", "4294967296", "9223372036854775806", "-1", "1.2.3.4"] {
            assert!(saturated(text.as_bytes()).is_err(), "{text}");
        }
    }
}
