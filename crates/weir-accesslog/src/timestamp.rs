//! `10/Oct/2000:13:55:36 -0700`, the time of an access log.

/// Reads a time at the start of `text`: seconds since 1970 UTC, and how many bytes it takes. A fraction of the second,
/// which some formats have, is passed over; second 60 is the first of the next minute.
pub(crate) fn parse(text: &[u8]) -> Option<(i64, usize)> {
    let fixed: &[u8; 20] = text.first_chunk()?;
    if [fixed[2], fixed[6], fixed[11], fixed[14], fixed[17]] != *b"//:::" {
        return None;
    }
    let day = two(fixed, 0)?;
    let month = month(&fixed[3..6])?;
    let year = two(fixed, 7)? * 100 + two(fixed, 9)?;
    let (hour, minute, second) = (two(fixed, 12)?, two(fixed, 15)?, two(fixed, 18)?);
    if day == 0 || day > days_of_month(year, month) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let fraction = match text.get(20)? {
        b'.' | b',' => 1 + text[21..].iter().take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    };
    let zone: &[u8; 6] = text[20 + fraction..].first_chunk()?;
    let sign = match zone[..2] {
        [b' ', b'+'] => 1,
        [b' ', b'-'] => -1,
        _ => return None,
    };
    let (zone_hours, zone_minutes) = (two(zone, 2)?, two(zone, 4)?);
    if zone_hours > 23 || zone_minutes > 59 {
        return None;
    }
    let local = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some((local - sign * (zone_hours * 3_600 + zone_minutes * 60), 26 + fraction))
}

fn two(text: &[u8], at: usize) -> Option<i64> {
    let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i64::from(tens) * 10 + i64::from(ones))
}

/// Apache and nginx write English names whatever the locale.
fn month(name: &[u8]) -> Option<i64> {
    const NAMES: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    NAMES.chunks_exact(3).zip(1..).find(|(known, _)| *known == name).map(|(_, number)| number)
}

fn days_of_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the proleptic Gregorian calendar, with years that start in March so that the leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before_the_year = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    before_the_year + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<i64> {
        parse(text.as_bytes()).map(|(seconds, _)| seconds)
    }

    #[test]
    fn times_are_seconds_since_1970_in_utc() {
        assert_eq!(seconds("01/Jan/1970:00:00:00 +0000"), Some(0));
        assert_eq!(seconds("10/Oct/2000:13:55:36 -0700"), Some(971_211_336));
        assert_eq!(seconds("17/May/2015:10:05:03 +0000"), Some(1_431_857_103));
        assert_eq!(seconds("25/Oct/2021:11:05:52 +0200"), Some(1_635_152_752));
        assert_eq!(seconds("01/Jan/2024:05:29:59 +0530"), seconds("31/Dec/2023:23:59:59 +0000"));
        assert_eq!(seconds("31/Dec/1969:23:59:59 +0000"), Some(-1));
    }

    #[test]
    fn the_day_before_march_is_right_in_every_year() {
        assert_eq!(
            seconds("01/Mar/2024:00:00:00 +0000").unwrap() - seconds("29/Feb/2024:00:00:00 +0000").unwrap(),
            86_400
        );
        assert_eq!(
            seconds("01/Mar/2023:00:00:00 +0000").unwrap() - seconds("28/Feb/2023:00:00:00 +0000").unwrap(),
            86_400
        );
        assert!(seconds("29/Feb/2000:00:00:00 +0000").is_some(), "divisible by 400");
        assert_eq!(seconds("29/Feb/2023:00:00:00 +0000"), None);
        assert_eq!(seconds("29/Feb/1900:00:00:00 +0000"), None, "divisible by 100");
        assert_eq!(seconds("31/Apr/2023:00:00:00 +0000"), None);
    }

    #[test]
    fn leap_seconds_and_fractions_are_read() {
        assert_eq!(seconds("31/Dec/2016:23:59:60 +0000"), seconds("01/Jan/2017:00:00:00 +0000"));
        assert_eq!(parse(b"10/Oct/2000:13:55:36.123 -0700] rest"), Some((971_211_336, 30)));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "10/Oct/2000",
            "10/Okt/2000:13:55:36 -0700",
            "10/Oct/2000:24:00:00 +0000",
            "10/Oct/2000:13:55:36",
            "10/Oct/2000:13:55:36 Z    ",
            "Thu Oct 13 12:24:49.880562 2022",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
