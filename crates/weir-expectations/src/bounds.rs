//! Bounds of numbers, and the times they may be given as.

use serde_json::{Value, json};

use crate::field::integer;

/// One end of a range, as the suite gives it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Whole(i128),
    Real(f64),
}

impl Number {
    /// A finite number of JSON.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        if let Some(number) = value.as_u64() {
            return Some(Self::Whole(number.into()));
        }
        if let Some(number) = value.as_i64() {
            return Some(Self::Whole(number.into()));
        }
        let number = value.as_f64()?;
        // Great Expectations writes 2 as 2.0.
        let whole = number.fract() == 0.0 && number.abs() < 2f64.powi(100);
        Some(if whole { Self::Whole(number as i128) } else { Self::Real(number) })
    }

    pub(crate) fn real(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Real(number) => number,
        }
    }

    /// The least whole number that is not below this one.
    pub(crate) fn ceil(self) -> i128 {
        match self {
            Self::Whole(number) => number,
            Self::Real(number) => number.ceil() as i128,
        }
    }

    /// The greatest whole number that is not above this one.
    pub(crate) fn floor(self) -> i128 {
        match self {
            Self::Whole(number) => number,
            Self::Real(number) => number.floor() as i128,
        }
    }

    pub(crate) fn json(self) -> Value {
        match self {
            Self::Whole(number) => integer(number),
            Self::Real(number) => json!(number),
        }
    }
}

/// A range with either end open or absent.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Bounds {
    pub(crate) minimum: Option<Number>,
    pub(crate) maximum: Option<Number>,
    pub(crate) strict_minimum: bool,
    pub(crate) strict_maximum: bool,
}

impl Bounds {
    /// The least and the greatest whole number within.
    pub(crate) fn whole(&self) -> (i128, i128) {
        let low = self.minimum.map_or(i128::MIN, |number| match number {
            Number::Whole(number) => number + i128::from(self.strict_minimum),
            Number::Real(_) => number.ceil(),
        });
        let high = self.maximum.map_or(i128::MAX, |number| match number {
            Number::Whole(number) => number - i128::from(self.strict_maximum),
            Number::Real(_) => number.floor(),
        });
        (low, high)
    }

    pub(crate) fn hold_whole(&self, number: i128) -> bool {
        let (low, high) = self.whole();
        (low..=high).contains(&number)
    }

    pub(crate) fn hold_real(&self, value: f64) -> bool {
        let above =
            self.minimum.map(Number::real).is_none_or(|low| value > low || !self.strict_minimum && value == low);
        let below =
            self.maximum.map(Number::real).is_none_or(|high| value < high || !self.strict_maximum && value == high);
        above && below
    }
}

/// Milliseconds since 1970 UTC of an ISO 8601 date or date and time: `2026-01-31`, `2026-01-31T12:30:00.250`, with `Z`
/// or an offset such as `+02:00`, UTC without one. A space may stand for the `T`.
pub(crate) fn milliseconds(text: &str) -> Option<i64> {
    let digits = |text: &str, length: usize| -> Option<i64> {
        (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
    };
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let (year, month, day) = (digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = [31, 28 + i64::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let real = (1..=12).contains(&month) && (1..=length[month as usize - 1]).contains(&day);
    if parts.next().is_some() || !real {
        return None;
    }
    let midnight = days(year, month, day) * 86_400_000;
    let Some(time) = time else { return Some(midnight) };

    let (clock, offset) = match time.find(['Z', '+', '-']) {
        None => (time, 0),
        Some(place) if &time[place..] == "Z" => (&time[..place], 0),
        Some(place) => {
            let (hours, minutes) = time[place + 1..].split_once(':')?;
            let minutes = digits(hours, 2)? * 60 + digits(minutes, 2)?;
            (&time[..place], if time[place..].starts_with('-') { -minutes } else { minutes })
        }
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "000"));
    let mut parts = clock.split(':');
    let (hour, minute) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let second = parts.next().map_or(Some(0), |second| digits(second, 2))?;
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 || !(1..=9).contains(&fraction.len()) {
        return None;
    }
    // Finer than the column's milliseconds is cut.
    let fraction = digits(fraction, fraction.len())? * 1000 / 10i64.pow(fraction.len() as u32);
    Some(midnight + ((hour * 60 + minute - offset) * 60 + second) * 1000 + fraction)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar (years 0 to 9999).
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March here, so that the leap day is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    before + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// A time of UTC as ISO 8601 without an offset, as the column has none: the inverse of [`milliseconds`] for years 0 to
/// 9999.
pub(crate) fn iso(milliseconds: i64) -> String {
    let (day, rest) = (milliseconds.div_euclid(86_400_000), milliseconds.rem_euclid(86_400_000));
    // The year whose first of March is not after the day: a first guess, mended by at most one.
    let shifted = day + 719_468;
    let mut year = (shifted as f64 / 365.2425) as i64 + 1;
    while days(year, 3, 1) > day {
        year -= 1;
    }
    let since = day - days(year, 3, 1);
    let month = (5 * since + 2) / 153;
    let date = since - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}.{:03}", rest % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        assert_eq!(milliseconds("1970-01-01"), Some(0));
        assert_eq!(milliseconds("2022-02-25T12:19:30.013Z"), Some(1_645_791_570_013));
        assert_eq!(milliseconds("2022-02-25 14:19:30.013000+02:00"), Some(1_645_791_570_013));
        assert_eq!(milliseconds("2000-02-29T00:00"), Some(951_782_400_000));
        for wrong in ["", "2022", "2022-13-01", "1900-02-29", "2022-02-25T25:00", "2022-02-25T1:00", "yesterday"] {
            assert_eq!(milliseconds(wrong), None, "{wrong}");
        }
        for time in [0, -1, 951_782_400_000, 1_645_791_570_013, 4_102_444_800_000, -62_000_000_000_000] {
            assert_eq!(milliseconds(&iso(time)), Some(time), "{}", iso(time));
        }
    }

    #[test]
    fn strict_bounds_leave_out_the_bound_itself() {
        let bounds = |strict| Bounds {
            minimum: Number::read(&json!(2.0)),
            maximum: Number::read(&json!(3.5)),
            strict_minimum: strict,
            strict_maximum: strict,
        };
        assert_eq!((bounds(false).whole(), bounds(true).whole()), ((2, 3), (3, 3)));
        assert!(bounds(false).hold_real(2.0) && !bounds(true).hold_real(2.0) && !bounds(true).hold_real(3.5));
    }
}
