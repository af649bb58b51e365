//! Moments in UTC, to the millisecond.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use weir_contract::{Classify, ExitCode};

/// Milliseconds since 1970 UTC; written as `2026-11-21T00:05:02.250Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Time(pub i64);

/// A text that is no moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a time such as 2026-11-21T00:05:02Z, 2026-11-21T02:05:02+02:00 or 2026-11-21, received {0:?}")]
pub struct TimeError(pub String);

impl Classify for TimeError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }
}

const DAY: i64 = 86_400_000;

impl Time {
    /// The clock of this machine.
    #[must_use]
    pub fn now() -> Self {
        let milliseconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        Self(i64::try_from(milliseconds).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date(self.0.div_euclid(DAY));
        let milliseconds = self.0.rem_euclid(DAY);
        let (seconds, fraction) = (milliseconds / 1000, milliseconds % 1000);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if fraction != 0 { write!(f, ".{fraction:03}Z") } else { write!(f, "Z") }
    }
}

/// ISO 8601: a date (midnight UTC), or date and time with `Z` or an offset. Fractions below a millisecond are cut.
impl FromStr for Time {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        parse(text).map(Self).ok_or_else(|| TimeError(text.to_owned()))
    }
}

impl TryFrom<String> for Time {
    type Error = TimeError;

    fn try_from(text: String) -> Result<Self, TimeError> {
        text.parse()
    }
}

impl From<Time> for String {
    fn from(time: Time) -> Self {
        time.to_string()
    }
}

fn parse(text: &str) -> Option<i64> {
    if !text.is_ascii() {
        return None;
    }
    let (date, clock) = match text.split_once(['T', ' ']) {
        Some((date, clock)) => (date, Some(clock)),
        None => (text, None),
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_of = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let longest = *days_of.get(usize::try_from(month - 1).ok()?)?;
    if day < 1 || day > longest {
        return None;
    }
    let midnight = days(year, month, day) * DAY;
    clock.map_or(Some(midnight), |clock| Some(midnight + milliseconds_of_day(clock)?))
}

/// Milliseconds since midnight UTC of `hh:mm:ss[.fff]` followed by `Z`, `+hh:mm` or `-hh:mm`.
fn milliseconds_of_day(text: &str) -> Option<i64> {
    let at = text.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = text.split_at(at);
    let offset = match zone {
        "Z" | "z" => 0,
        _ => {
            let [hours, minutes] = numbers(&zone[1..], ':', [2, 2])?;
            let minutes = (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)?;
            if zone.starts_with('-') { -minutes } else { minutes }
        }
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    if hour > 23 || minute > 59 || second > 59 || fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction: i64 = format!("{fraction:0<3}")[..3].parse().ok()?;
    Some(((hour * 60 + minute - offset) * 60 + second) * 1000 + fraction)
}

/// Numbers of exactly the given widths, with `separator` between them.
fn numbers<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(separator);
    let mut found = [0; N];
    for (number, width) in found.iter_mut().zip(widths) {
        let part = parts.next().filter(|part| part.len() == width && part.bytes().all(|b| b.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

/// Days since 1970 of a date; after Howard Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    // Months count from March: their lengths then repeat every five months, 153 days.
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a number of days since 1970; ibid., `civil_from_days`.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_and_read_as_by_gnu_date() {
        for (milliseconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_795_219_502_250, "2026-11-21T00:05:02.250Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Time(milliseconds).to_string(), text);
            assert_eq!(text.parse(), Ok(Time(milliseconds)));
        }
    }

    #[test]
    fn a_date_is_its_midnight_and_an_offset_is_taken_off() {
        assert_eq!("2026-11-21".parse(), "2026-11-21T00:00:00Z".parse::<Time>());
        assert_eq!("2026-11-21T02:05:02+02:00".parse(), "2026-11-21T00:05:02Z".parse::<Time>());
        assert_eq!("2026-11-20T23:05:02.5-01:00".parse(), "2026-11-21T00:05:02.500Z".parse::<Time>());
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in ["", "now", "2026-02-29", "2026-13-01", "2026-11-21T00:05:02", "2026-11-21T24:00:00Z", "1-1-1", "ü"]
        {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
    }
}
