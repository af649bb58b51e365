//! Times to milliseconds since 1970 UTC.

use crate::table::Expected;
use crate::text::unsigned;

const ISO_8601: Expected = "an ISO-8601 time such as 2022-02-25T12:19:30.013Z or nothing";

/// An ISO-8601 time, null when empty: `2022-02-25T12:19:30.013Z`.
///
/// The fraction may have 1 to 9 digits, of which those beyond milliseconds are cut off. The zone is `Z` or an offset
/// (`+02:00`, `+0200`, `+02`); without one the time is UTC, as exporters that leave it out mean it. A space may stand
/// for `T`. A leap second counts as the first second of the next minute.
#[inline]
pub(crate) fn iso_8601(text: &[u8]) -> Result<Option<i64>, Expected> {
    if text.is_empty() {
        return Ok(None);
    }
    utc_milliseconds(text)
        .or_else(|| {
            let (seconds, nanoseconds) = any_iso_8601(text.trim_ascii())?;
            Some(seconds * 1000 + nanoseconds / 1_000_000)
        })
        .map(Some)
        .ok_or(ISO_8601)
}

/// An ISO-8601 time as [`iso_8601`] takes it, in nanoseconds since 1970 UTC.
pub(crate) fn nanoseconds(text: &[u8]) -> Result<Option<i128>, Expected> {
    if text.is_empty() {
        return Ok(None);
    }
    any_iso_8601(text.trim_ascii())
        .map(|(seconds, nanoseconds)| Some(i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)))
        .ok_or(ISO_8601)
}

/// Milliseconds since 1970 UTC as a number, null when empty.
#[inline]
pub(crate) fn milliseconds(text: &[u8]) -> Result<Option<i64>, Expected> {
    match unsigned::whole(text).map(i64::try_from) {
        Some(Ok(number)) => Ok(Some(number)),
        None if text.is_empty() => Ok(None),
        _ => Err("milliseconds since 1970 or nothing"),
    }
}

/// The form all Packetbeat files use: `YYYY-MM-DDTHH:MM:SS.mmmZ`.
#[inline]
fn utc_milliseconds(text: &[u8]) -> Option<i64> {
    let text: &[u8; 24] = text.try_into().ok()?;
    if [text[4], text[7], text[10], text[13], text[16], text[19], text[23]] != *b"--T::.Z" {
        return None;
    }
    let seconds = seconds(&text[..19])?;
    Some(seconds * 1000 + two(text[20], text[21])? * 10 + one(text[22])?)
}

/// Seconds since 1970 UTC and the nanoseconds after them.
fn any_iso_8601(text: &[u8]) -> Option<(i64, i64)> {
    let (moment, rest) = text.split_at_checked(19)?;
    if [moment[4], moment[7], moment[13], moment[16]] != *b"--::" || !matches!(moment[10], b'T' | b't' | b' ') {
        return None;
    }
    let (fraction, zone) = match rest.split_first() {
        Some((b'.' | b',', rest)) => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=9).contains(&digits) {
                return None;
            }
            rest.split_at(digits)
        }
        _ => rest.split_at(0),
    };
    let digit = |place: usize| fraction.get(place).map_or(Some(0), |&byte| one(byte));
    let mut nanoseconds = 0;
    for place in 0..9 {
        nanoseconds = nanoseconds * 10 + digit(place)?;
    }
    Some((seconds(moment)? - offset_seconds(zone)?, nanoseconds))
}

/// Seconds since 1970 of `YYYY-MM-DDTHH:MM:SS`, whose punctuation has been checked.
#[inline]
fn seconds(text: &[u8]) -> Option<i64> {
    let year = two(text[0], text[1])? * 100 + two(text[2], text[3])?;
    let (month, day) = (two(text[5], text[6])?, two(text[8], text[9])?);
    let (hour, minute, second) = (two(text[11], text[12])?, two(text[14], text[15])?, two(text[17], text[18])?);
    if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Seconds east of UTC.
fn offset_seconds(zone: &[u8]) -> Option<i64> {
    let (sign, hours, minutes) = match *zone {
        [] | [b'Z' | b'z'] => return Some(0),
        [sign, a, b] => (sign, two(a, b)?, 0),
        [sign, a, b, c, d] | [sign, a, b, b':', c, d] => (sign, two(a, b)?, two(c, d)?),
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    match sign {
        b'+' => Some(hours * 3600 + minutes * 60),
        b'-' => Some(-(hours * 3600 + minutes * 60)),
        _ => None,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `days_from_civil`).
#[inline]
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[inline]
fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

#[inline]
fn two(tens: u8, ones: u8) -> Option<i64> {
    Some(one(tens)? * 10 + one(ones)?)
}

#[inline]
fn one(digit: u8) -> Option<i64> {
    let value = digit.wrapping_sub(b'0');
    (value <= 9).then_some(i64::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_give_milliseconds_of_utc() {
        for (text, expected) in [
            ("1970-01-01T00:00:00.000Z", 0),
            ("2022-02-25T12:19:30.013Z", 1_645_791_570_013),
            ("2022-02-25T12:19:30Z", 1_645_791_570_000),
            ("2022-02-25T12:19:30", 1_645_791_570_000),
            ("2022-02-25 12:19:30.013", 1_645_791_570_013),
            ("2022-02-25T12:19:30.0Z", 1_645_791_570_000),
            ("2022-02-25T12:19:30.5z", 1_645_791_570_500),
            ("2022-02-25T12:19:30.013999Z", 1_645_791_570_013),
            ("2022-02-25T12:19:30.013999999Z", 1_645_791_570_013),
            ("2022-02-25T14:19:30.013+02:00", 1_645_791_570_013),
            ("2022-02-25T06:49:30.013-0530", 1_645_791_570_013),
            ("2022-02-25T14:19:30.013+02", 1_645_791_570_013),
            ("1969-12-31T23:59:59.999Z", -1),
            ("2016-12-31T23:59:60.000Z", 1_483_228_800_000),
            ("2000-02-29T00:00:00.000Z", 951_782_400_000),
            ("0000-01-01T00:00:00.000Z", -62_167_219_200_000),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ] {
            assert_eq!(iso_8601(text.as_bytes()), Ok(Some(expected)), "{text}");
        }
        assert_eq!(iso_8601(b""), Ok(None));
    }

    #[test]
    fn nanoseconds_keep_every_digit() {
        for (text, expected) in [
            ("2022-02-25T12:19:30.013Z", 1_645_791_570_013_000_000),
            ("2022-02-25T14:19:30.013999001+0200", 1_645_791_570_013_999_001),
            ("2017-01-01T00:00:00.000000+0000", 1_483_228_800_000_000_000),
            ("1969-12-31T23:59:59.999999999Z", -1),
        ] {
            assert_eq!(nanoseconds(text.as_bytes()), Ok(Some(expected)), "{text}");
            assert_eq!(iso_8601(text.as_bytes()), Ok(Some(i64::try_from(expected.div_euclid(1_000_000)).unwrap())));
        }
        assert_eq!(nanoseconds(b""), Ok(None));
        assert!(nanoseconds(b"2022-02-25").is_err());
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "yesterday",
            "2022-02-25",
            "2022-02-30T00:00:00.000Z",
            "2100-02-29T00:00:00.000Z",
            "2022-13-01T00:00:00.000Z",
            "2022-00-01T00:00:00.000Z",
            "2022-01-00T00:00:00.000Z",
            "2022-01-01T24:00:00.000Z",
            "2022-01-01T00:60:00.000Z",
            "2022-01-01T00:00:61.000Z",
            "2022-01-01T00:00:00.Z",
            "2022-01-01T00:00:00.0000000001Z",
            "2022-01-01T00:00:00+24:00",
            "2022-01-01T00:00:00+2",
            "2022-01-01T00:00:00 02:00",
            "2022-01-01T00:00:00.00aZ",
            "2022/01/01T00:00:00.000Z",
            "1645791570013",
        ] {
            assert!(iso_8601(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn days_run_on_without_a_gap() {
        let mut expected = days_from_civil(1899, 12, 31);
        for year in 1900..2101 {
            for month in 1..=12 {
                for day in 1..=days_in_month(year, month) {
                    expected += 1;
                    assert_eq!(days_from_civil(year, month, day), expected, "{year}-{month}-{day}");
                }
            }
        }
        assert_eq!(days_from_civil(1970, 1, 1), 0);
    }
}
