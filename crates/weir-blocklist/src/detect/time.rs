//! Since when, and until when.

use std::time::{SystemTime, UNIX_EPOCH};

use weir_stage::Failure;

/// Seconds since 1970 UTC; a clock before that reads as 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// The time that `text`, given for `argument`, names: RFC 3339, or how long before `now` it is, as in `90s`, `15m`, `1h`,
/// `7d`. Seconds since 1970 UTC.
pub(super) fn parse(argument: &str, text: &str, now: i64) -> Result<i64, Failure> {
    before(text).map(|seconds| now.saturating_sub(seconds)).or_else(|| rfc3339(text)).ok_or_else(|| {
        Failure::usage(format!(
            "{argument}: expected a time such as 2026-11-21T08:00:00Z, or one before now such as 1h, received {text}"
        ))
    })
}

fn before(text: &str) -> Option<i64> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let number: u32 = text[..text.len() - 1].parse().ok()?;
    i64::from(number).checked_mul(unit)
}

fn rfc3339(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let (time, zone) = rest.get(1..)?.split_at_checked(8)?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let between = matches!(&rest[..1], "T" | "t" | " ");
    if !between || day == 0 || day > days_of_month(year, month)? || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let zone =
        zone.strip_prefix('.').map_or(zone, |fraction| fraction.trim_start_matches(|c: char| c.is_ascii_digit()));
    let east = match zone.split_at_checked(1)? {
        ("Z" | "z", "") => 0,
        (sign @ ("+" | "-"), offset) => {
            let [hours, minutes] = numbers(offset, ':', [2, 2])?;
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if sign == "+" { 60 } else { -60 }
        }
        _ => return None,
    };
    Some(days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - east)
}

/// The numbers of `text`, cut at `separator`, each of so many digits.
fn numbers<const N: usize>(text: &str, separator: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut numbers = [0; N];
    let mut parts = text.split(separator);
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next()?;
        if part.len() != digits || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

fn days_of_month(year: i64, month: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => Some(if leap { 29 } else { 28 }),
        4 | 6 | 9 | 11 => Some(30),
        1..=12 => Some(31),
        _ => None,
    }
}

/// After Howard Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_time_is_absolute_or_before_now() {
        let now = 1_795_000_000;
        for (text, time) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-10-10T13:55:36-07:00", 971_211_336),
            ("2024-02-29 00:00:00.25+01:30", 1_709_164_800 - 5_400),
            ("90s", now - 90),
            ("15m", now - 900),
            ("7d", now - 604_800),
        ] {
            assert_eq!(parse("--since", text, now).unwrap(), time, "{text}");
        }
        for text in
            ["", "1", "h", "-1h", "2023-02-29T00:00:00Z", "2024-02-29T00:00:00", "2024-1-1T00:00:00Z", "ähä", "T"]
        {
            assert!(parse("--since", text, now).is_err(), "{text}");
        }
    }
}
