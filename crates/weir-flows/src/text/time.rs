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

/// What Argus writes, in µs since 1970 UTC, null when empty: `2011/08/10 09:46:53.047277`, seconds since 1970, or an
/// ISO-8601 time.
pub(crate) fn argus(text: &[u8]) -> Result<Option<i64>, Expected> {
    let text = text.trim_ascii();
    if text.is_empty() {
        return Ok(None);
    }
    year_first(text, b'/')
        .or_else(|| year_first(text, b'-'))
        .map(microseconds)
        .or_else(|| seconds_since_1970(text))
        .map(Some)
        .ok_or("a time such as 2011/08/10 09:46:53.047277, seconds since 1970, or nothing")
}

/// What CICFlowMeter writes, in µs since 1970 UTC, null when empty: `14/02/2018 08:31:01 PM`, always day first, seconds
/// and half of the day optional, or an ISO-8601 time.
pub(crate) fn cicflowmeter(text: &[u8]) -> Result<Option<i64>, Expected> {
    let text = text.trim_ascii();
    if text.is_empty() {
        return Ok(None);
    }
    day_first(text)
        .or_else(|| year_first(text, b'-').map(microseconds))
        .map(Some)
        .ok_or("a time such as 14/02/2018 08:31:01 PM, day first, or 2018-02-14 20:31:01, or nothing")
}

/// What nfdump writes, in µs since 1970 UTC, null when empty: `2018-02-14 20:31:01.123`, ms since 1970 as a whole
/// number, or seconds since 1970 with a fraction.
pub(crate) fn nfdump(text: &[u8]) -> Result<Option<i64>, Expected> {
    let text = text.trim_ascii();
    if text.is_empty() {
        return Ok(None);
    }
    let whole = || unsigned::whole(text).and_then(|number| i64::try_from(number).ok()?.checked_mul(1000));
    let number = || if text.contains(&b'.') { seconds_since_1970(text) } else { whole() };
    year_first(text, b'-')
        .map(microseconds)
        .or_else(number)
        .map(Some)
        .ok_or("a time such as 2018-02-14 20:31:01.123, milliseconds or seconds with a fraction since 1970, or nothing")
}

/// Seconds since 1970 to µs, null when empty; digits beyond microseconds are cut off.
pub(crate) fn epoch_seconds(text: &[u8]) -> Result<Option<i64>, Expected> {
    if text.is_empty() {
        return Ok(None);
    }
    seconds_since_1970(text).map(Some).ok_or("seconds since 1970 or nothing")
}

/// Milliseconds since 1970 to µs, null when empty.
pub(crate) fn epoch_milliseconds(text: &[u8]) -> Result<Option<i64>, Expected> {
    match milliseconds(text)?.map(|number| number.checked_mul(1000)) {
        Some(None) => Err("milliseconds since 1970 or nothing"),
        Some(number) => Ok(number),
        None => Ok(None),
    }
}

fn seconds_since_1970(text: &[u8]) -> Option<i64> {
    i64::try_from(unsigned::scaled(text, 6)?).ok()
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
    year_first(text, b'-')
}

/// An ISO-8601 time, or one with another mark between the parts of its date, as seconds since 1970 UTC and the nanoseconds
/// after them.
fn year_first(text: &[u8], mark: u8) -> Option<(i64, i64)> {
    let (moment, rest) = text.split_at_checked(19)?;
    let marks = [moment[4], moment[7], moment[13], moment[16]];
    if marks != [mark, mark, b':', b':'] || !matches!(moment[10], b'T' | b't' | b' ') {
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

fn microseconds((seconds, nanoseconds): (i64, i64)) -> i64 {
    seconds * 1_000_000 + nanoseconds / 1000
}

/// `14/02/2018 8:31[:01] [PM]`, day first; the numbers of day, month and hour may have one digit.
fn day_first(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let (date, time) = text.split_once(' ')?;
    let mut date = date.split('/').map(|part| number(part, 4));
    let (day, month, year) = (date.next()??, date.next()??, date.next()??);
    let (time, half) = match time.split_once(' ') {
        Some((time, half)) => (time, Some(half)),
        None => (time, None),
    };
    let mut time = time.split(':').map(|part| number(part, 2));
    let (mut hour, minute, second) = (time.next()??, time.next()??, time.next().unwrap_or(Some(0))?);
    if date.next().is_some() || time.next().is_some() || year < 1970 {
        return None;
    }
    if let Some(half) = half {
        let afternoon = half.eq_ignore_ascii_case("pm");
        if !(1..=12).contains(&hour) || !(afternoon || half.eq_ignore_ascii_case("am")) {
            return None;
        }
        hour = hour % 12 + if afternoon { 12 } else { 0 };
    }
    Some(moment(year, month, day, hour, minute, second)? * 1_000_000)
}

/// One to `most` digits.
fn number(text: &str, most: usize) -> Option<i64> {
    let digits = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// Seconds since 1970 of `YYYY-MM-DDTHH:MM:SS`, whose punctuation has been checked.
#[inline]
fn seconds(text: &[u8]) -> Option<i64> {
    let year = two(text[0], text[1])? * 100 + two(text[2], text[3])?;
    let (month, day) = (two(text[5], text[6])?, two(text[8], text[9])?);
    let (hour, minute, second) = (two(text[11], text[12])?, two(text[14], text[15])?, two(text[17], text[18])?);
    moment(year, month, day, hour, minute, second)
}

/// Seconds since 1970 of a time whose parts may be out of range.
#[inline]
fn moment(year: i64, month: i64, day: i64, hour: i64, minute: i64, second: i64) -> Option<i64> {
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
    fn every_tool_has_its_forms() {
        const MOMENT: i64 = 1_518_640_261_000_000;
        for (text, expected) in [
            ("14/02/2018 20:31:01", MOMENT),
            ("14/2/2018 08:31:01 PM", MOMENT),
            ("14/2/2018 8:31:01 pm", MOMENT),
            ("14/2/2018 8:31 PM", MOMENT - 1_000_000),
            ("14/02/2018 20:31", MOMENT - 1_000_000),
            ("14/02/2018 12:31:01 AM", MOMENT - 20 * 3_600_000_000),
            ("14/02/2018 12:31:01 PM", MOMENT - 8 * 3_600_000_000),
            ("2018-02-14 20:31:01", MOMENT),
            ("2018-02-14 20:31:01.123456", MOMENT + 123_456),
        ] {
            assert_eq!(cicflowmeter(text.as_bytes()), Ok(Some(expected)), "{text}");
        }
        for text in ["2018/02/14 20:31:01.5", "2018-02-14 20:31:01.5", "1518640261.5", "1518640261.5000009"] {
            assert_eq!(argus(text.as_bytes()), Ok(Some(MOMENT + 500_000)), "{text}");
        }
        for text in ["2018-02-14 20:31:01.5", "1518640261500", "1518640261.500"] {
            assert_eq!(nfdump(text.as_bytes()), Ok(Some(MOMENT + 500_000)), "{text}");
        }
        assert_eq!(epoch_seconds(b"1518640261"), Ok(Some(MOMENT)));
        assert_eq!(epoch_milliseconds(b"1518640261000.0"), Ok(Some(MOMENT)));
        assert_eq!(cicflowmeter(b""), Ok(None));
    }

    #[test]
    fn a_month_beyond_12_is_not_taken_for_a_day() {
        for text in [
            "12/25/2018 08:31:01",
            "30/02/2018 08:31:01",
            "14/02/18 08:31:01",
            "14/02/2018",
            "14/02/2018 24:00:00",
            "14/02/2018 13:00:00 PM",
            "14/02/2018 0:00:00 AM",
            "14/02/2018 08:31:01 XM",
            "14/02/2018 08:31:01:07",
            "14/02/2018/1 08:31:01",
            "+4/02/2018 08:31:01",
        ] {
            assert!(cicflowmeter(text.as_bytes()).is_err(), "{text}");
        }
        for text in ["09:46:53.047277", "10/08/2011 09:46:53", "-1.5", "1e30", "nan"] {
            assert!(argus(text.as_bytes()).is_err(), "{text}");
        }
        assert!(nfdump(b"99999999999999999999").is_err());
        assert!(epoch_milliseconds(b"9223372036854775807").is_err());
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
