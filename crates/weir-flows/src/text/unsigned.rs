//! Whole numbers, also those that passed through a floating-point column.

use memchr::memchr;

use crate::table::Expected;

/// A count, null when empty.
#[inline]
pub(crate) fn count(text: &[u8]) -> Result<Option<u64>, Expected> {
    match whole(text) {
        Some(number) => Ok(Some(number)),
        None if text.is_empty() => Ok(None),
        None => Err("a whole number from 0 to 18446744073709551615 or nothing"),
    }
}

/// A port, null when empty.
#[inline]
pub(crate) fn port(text: &[u8]) -> Result<Option<u16>, Expected> {
    match whole(text).map(u16::try_from) {
        Some(Ok(number)) => Ok(Some(number)),
        None if text.is_empty() => Ok(None),
        _ => Err("a whole number from 0 to 65535 or nothing"),
    }
}

/// A duration in seconds to ns, null when empty; digits beyond nanoseconds are cut off.
#[inline]
pub(crate) fn seconds(text: &[u8]) -> Result<Option<u64>, Expected> {
    if text.is_empty() {
        return Ok(None);
    }
    scaled(text, 9).map(Some).ok_or("seconds from 0 to 18446744073 or nothing")
}

/// A duration as a whole number of a unit of `ns` nanoseconds to ns, null when empty.
#[inline]
pub(crate) fn duration(text: &[u8], ns: u64) -> Result<Option<u64>, Expected> {
    match whole(text).map(|number| number.checked_mul(ns)) {
        Some(Some(number)) => Ok(Some(number)),
        None if text.is_empty() => Ok(None),
        _ => Err("a whole number, in nanoseconds below 18446744073709551616, or nothing"),
    }
}

/// A number of at least 0 times 10 to the power of `places`, which are at most 18; what is then behind the point is cut
/// off.
#[inline]
pub(crate) fn scaled(text: &[u8], places: u32) -> Option<u64> {
    let (integer, fraction) = match memchr(b'.', text) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &b"0"[..]),
    };
    let unread = places.checked_sub(fraction.len() as u32);
    match (digits(integer), digits(fraction), unread) {
        (Some(integer), Some(fraction), Some(unread)) => {
            integer.checked_mul(10_u64.pow(places))?.checked_add(fraction * 10_u64.pow(unread))
        }
        _ => decimal(text, places, Rest::CutOff),
    }
}

/// `421`, `421.0` or `4.21e2`, exactly; nothing for a fraction, a negative number or one beyond u64.
#[inline]
pub(crate) fn whole(text: &[u8]) -> Option<u64> {
    let integral = text.strip_suffix(b".0").unwrap_or(text);
    digits(integral).or_else(|| decimal(text, 0, Rest::Refused))
}

/// Up to 19 digits, which cannot overflow.
#[inline]
fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 19 {
        return None;
    }
    let mut number = 0;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + u64::from(digit);
    }
    Some(number)
}

/// What becomes of digits behind the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    Refused,
    CutOff,
}

/// Any decimal notation, times 10 to the power of `places`.
#[cold]
fn decimal(text: &[u8], places: u32, rest: Rest) -> Option<u64> {
    let text = text.trim_ascii();
    let text = text.strip_prefix(b"+").unwrap_or(text);
    let (mantissa, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&text[..at], std::str::from_utf8(&text[at + 1..]).ok()?.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (integer, fraction) = match mantissa.iter().position(|&byte| byte == b'.') {
        Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
        None => (mantissa, &[][..]),
    };
    if integer.is_empty() && fraction.is_empty() {
        return None;
    }
    let significant = fraction.iter().rposition(|&byte| byte != b'0').map_or(0, |last| last + 1);
    let mut number: u128 = 0;
    for byte in integer.iter().chain(&fraction[..significant]) {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u128::from(byte - b'0'))?;
    }
    let mut shift = exponent.checked_add_unsigned(places)?.checked_sub(i32::try_from(significant).ok()?)?;
    while shift != 0 && number != 0 {
        if shift > 0 {
            number = number.checked_mul(10)?;
            shift -= 1;
        } else if rest == Rest::CutOff || number.is_multiple_of(10) {
            number /= 10;
            shift += 1;
        } else {
            return None;
        }
    }
    u64::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_with_whole_values_are_exact() {
        for (text, number) in [
            ("0", 0),
            ("421", 421),
            ("9200.0", 9200),
            ("950151.000", 950_151),
            ("9.50151e5", 950_151),
            ("9.50151E+05", 950_151),
            ("120e-1", 12),
            ("0e999999999", 0),
            ("0.0", 0),
            ("7.", 7),
            (".0", 0),
            (" 7 ", 7),
            ("+7", 7),
            ("00000000000000000000007", 7),
            ("9007199254740993", 9_007_199_254_740_993),
            ("18446744073709551615", u64::MAX),
            ("18446744073709551615.0", u64::MAX),
        ] {
            assert_eq!(whole(text.as_bytes()), Some(number), "{text}");
        }
    }

    #[test]
    fn what_is_no_whole_number_of_64_bits_is_refused() {
        for text in ["", ".", "e5", "1e", "-1", "-0", "12.5", "1e-1", "18446744073709551616", "1e20", "1e2147483647"]
            .into_iter()
            .chain(["1e99999999999", "0x10", "1_000", "1,000", "1 000", "nan", "inf", "1.0.0", "++1", "٣"])
        {
            assert_eq!(whole(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn seconds_are_exact_to_the_nanosecond() {
        for (text, ns) in [
            ("0", 0),
            ("0.000", 0),
            ("5.393", 5_393_000_000),
            ("3.139211", 3_139_211_000),
            ("3.1392110009", 3_139_211_000),
            ("20.000000001", 20_000_000_001),
            ("7.", 7_000_000_000),
            (".5", 500_000_000),
            ("6.1e-05", 61_000),
            ("1e-12", 0),
            ("18446744073.709551615", u64::MAX),
        ] {
            assert_eq!(seconds(text.as_bytes()), Ok(Some(ns)), "{text}");
        }
        assert_eq!(seconds(b""), Ok(None));
        for text in ["-1", "-0.5", "18446744073.709551616", "1e11", "1.2.3", "nan", "1,5", "."] {
            assert!(seconds(text.as_bytes()).is_err(), "{text}");
        }
        assert_eq!(duration(b"7.0", 1_000), Ok(Some(7_000)));
        assert!(duration(b"18446744073710", 1_000_000).is_err());
        assert!(duration(b"7.5", 1_000).is_err());
    }

    #[test]
    fn ports_end_at_65535() {
        assert_eq!(port(b"65535.0"), Ok(Some(65_535)));
        assert_eq!(port(b""), Ok(None));
        assert!(port(b"65536").is_err());
    }
}
