//! Numbers as people read them. Templates receive text, so each number is written in one place.

use serde::Serialize;
use weir_contract::ParamMap;

/// Shown where there is no number.
pub(crate) const NOTHING: &str = "–";

/// A number written short, with all its digits for the title attribute.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Figure {
    /// What is shown.
    pub(crate) text: String,
    /// What a pointer resting on it shows.
    pub(crate) title: String,
}

/// A score with three decimals, as in `0.974`.
pub(crate) fn score(value: f64) -> Figure {
    Figure { text: decimals(value, 3), title: full(value) }
}

/// A score with at least `digits` decimals, and as many more as it takes not to look perfect when it is not.
pub(crate) fn exact_score(value: f64, digits: usize) -> Figure {
    let rounded_away = |digits: &usize| {
        let text = decimals(value, *digits);
        text.parse() == Ok(1.0) && value != 1.0
    };
    let digits = (digits..9).find(|digits| !rounded_away(digits)).unwrap_or(9);
    Figure { text: decimals(value, digits), title: full(value) }
}

/// A number with about four significant digits.
pub(crate) fn figure(value: f64) -> Figure {
    Figure { text: short(value), title: full(value) }
}

/// As [`figure`], with large whole numbers as `1.604e12` too, for narrow columns.
pub(crate) fn compact(value: f64) -> Figure {
    let text = if value.is_finite() && value.abs() >= 1e8 { format!("{value:.3e}") } else { short(value) };
    Figure { text, title: full(value) }
}

/// A fixed number of decimals, a dash for what is no number.
pub(crate) fn decimals(value: f64, digits: usize) -> String {
    if value.is_finite() { format!("{:.digits$}", unsigned_zero(value, digits)) } else { NOTHING.to_owned() }
}

/// All digits, the shortest text that reads back as the same number.
pub(crate) fn full(value: f64) -> String {
    if value.is_finite() { format!("{value}") } else { NOTHING.to_owned() }
}

/// A count with groups of three: `1 234 567`, with no-break spaces.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun: `1 row`, `2 rows`.
pub(crate) fn counted(value: u64, noun: &str) -> String {
    if value == 1 { format!("1 {noun}") } else { format!("{} {noun}s", count(value)) }
}

/// A share of a whole in percent, or a dash for an empty whole; small shares keep two digits.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return NOTHING.to_owned();
    }
    let percent = 100.0 * part as f64 / whole as f64;
    match percent {
        p if part == 0 || part == whole => format!("{p:.0} %"),
        p if p < 0.01 => "< 0.01 %".to_owned(),
        p if p < 1.0 => format!("{p:.2} %"),
        p if p >= 99.995 => "> 99.99 %".to_owned(),
        p if p > 99.9 => format!("{p:.2} %"),
        p => format!("{p:.1} %"),
    }
}

/// About four significant digits; whole numbers up to 10^15 in full, others that are very large or small as `1.234e-5`.
pub(crate) fn short(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        NOTHING.to_owned()
    } else if value.fract() == 0.0 && size < 1e15 {
        format!("{}{}", if value < 0.0 { "−" } else { "" }, count(size as u64))
    } else if !(1e-4..1e6).contains(&size) {
        format!("{value:.3e}")
    } else {
        let digits = (3 - libm::log10(size).floor() as i32).clamp(0, 7) as usize;
        if digits == 0 {
            return short(value.round());
        }
        format!("{value:.digits$}").trim_end_matches('0').trim_end_matches('.').replace('-', "−")
    }
}

/// A duration of `value` seconds: `0.35 s`, `12.4 s`, `3 min 5 s`, `2 h 7 min`.
pub(crate) fn seconds(value: f64) -> String {
    if !value.is_finite() || value < 0.0 {
        return NOTHING.to_owned();
    }
    let whole = value.round() as u64;
    match value {
        v if v < 10.0 => format!("{v:.2} s"),
        v if v < 60.0 => format!("{v:.1} s"),
        v if v < 3600.0 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A size of `value` bytes in powers of 1024, a dash for 0 (unknown).
pub(crate) fn bytes(value: u64) -> String {
    match value {
        0 => NOTHING.to_owned(),
        v if v < 1 << 20 => format!("{:.0} KiB", v as f64 / 1024.0),
        v if v < 1 << 30 => format!("{:.0} MiB", v as f64 / (1u64 << 20) as f64),
        v => format!("{:.2} GiB", v as f64 / (1u64 << 30) as f64),
    }
}

/// Milliseconds since 1970 as `2020-11-03 14:05:09 UTC`.
///
/// Days to date by Howard Hinnant's `civil_from_days` (chrono-compatible low-level date algorithms).
#[must_use]
pub fn moment(milliseconds: i64) -> String {
    let seconds = milliseconds.div_euclid(1000);
    let (days, time) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC", time / 3600, time / 60 % 60, time % 60)
}

/// Parameters as `C = 10, kernel = rbf`; a dash where there are none.
pub(crate) fn parameters(parameters: &ParamMap) -> String {
    if parameters.is_empty() {
        return NOTHING.to_owned();
    }
    parameters.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", ")
}

/// Names as `a`, `a and b`, `a, b and 7 more`: at most `limit` of them in full.
pub(crate) fn list(names: &[String], limit: usize) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] if names.len() <= limit => format!("{} and {last}", first.join(", ")),
        _ => format!("{} and {} more", names[..limit].join(", "), names.len() - limit),
    }
}

/// The text with its first letter large.
pub(crate) fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// The text with a full stop at its end.
pub(crate) fn stopped(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// Rounds what would be written `-0.00` to 0.
fn unsigned_zero(value: f64, digits: usize) -> f64 {
    if value.abs() < 0.5 * 0.1f64.powi(digits as i32) { 0.0 } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_groups_of_three() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
    }

    #[test]
    fn percent_never_rounds_to_all_or_nothing() {
        assert_eq!(percent(99_999, 100_000), "> 99.99 %");
        assert_eq!(percent(6_510, 6_512), "99.97 %");
        assert_eq!(percent(1, 1_000_000), "< 0.01 %");
        assert_eq!(percent(0, 10), "0 %");
        assert_eq!(percent(10, 10), "100 %");
        assert_eq!(percent(1, 3), "33.3 %");
        assert_eq!(percent(0, 0), NOTHING);
    }

    #[test]
    fn short_keeps_four_digits() {
        assert_eq!(short(0.0123456), "0.01235");
        assert_eq!(short(123.456), "123.5");
        assert_eq!(short(0.5), "0.5");
        assert_eq!(short(-42.0), "−42");
        assert_eq!(short(48_213.37), "48\u{202f}213");
        assert_eq!(short(0.000_794_2), "0.0007942");
        assert_eq!(short(1.25e-9), "1.250e-9");
        assert_eq!(short(f64::NAN), NOTHING);
    }

    #[test]
    fn a_score_looks_perfect_only_when_it_is() {
        assert_eq!(exact_score(1.0, 3).text, "1.000");
        assert_eq!(exact_score(9517.0 / 9520.0, 3).text, "0.9997");
        assert_eq!(exact_score(0.974, 3).text, "0.974");
        assert_eq!(score(9517.0 / 9520.0).text, "1.000");
    }

    #[test]
    fn moments_are_utc_dates() {
        assert_eq!(moment(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(moment(951_782_400_000), "2000-02-29 00:00:00 UTC");
        assert_eq!(moment(-1), "1969-12-31 23:59:59 UTC");
    }

    #[test]
    fn a_long_list_names_the_first_and_counts_the_rest() {
        let names: Vec<String> = ["a", "b", "c", "d"].map(String::from).to_vec();
        assert_eq!(list(&names[..2], 3), "a and b");
        assert_eq!(list(&names, 3), "a, b, c and 1 more");
    }
}
