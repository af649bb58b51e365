//! Markdown, as far as a model card needs it.

/// A table with a head and rows of cells, and an empty line behind it.
pub(crate) fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let rule: Vec<String> = head.iter().map(|_| "---".to_owned()).collect();
    let mut text = line(&head) + &line(&rule);
    rows.into_iter().for_each(|cells| text += &line(&cells));
    text + "\n"
}

/// Text that comes from data or parameters, with nothing in it that Markdown or HTML would read as its own.
pub(crate) fn plain(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' => escaped.push(' '),
            '|' | '*' | '_' | '`' | '[' | ']' | '<' | '>' | '\\' | '#' | '&' | '!' => {
                escaped.push('\\');
                escaped.push(character);
            }
            control if control.is_control() => {}
            other => escaped.push(other),
        }
    }
    escaped
}

/// A share with four decimals, and as many more, up to nine, as it takes not to look perfect when it is not.
pub(crate) fn share(value: f64) -> String {
    let text = |digits: usize| format!("{value:.digits$}");
    let looks_perfect = |digits: usize| value != 1.0 && text(digits).parse() == Ok(1.0);
    text((4..9).find(|&digits| !looks_perfect(digits)).unwrap_or(9))
}

/// A moment in UTC, from milliseconds since 1970: `2022-02-25 12:19:30`.
///
/// Days to date after Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`.
pub(crate) fn moment(milliseconds: i64) -> String {
    let seconds = milliseconds.div_euclid(1000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days since 0000-03-01, in eras of 400 years = 146,097 days.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Months count from March: their lengths then repeat every five months, 153 days.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_data_cannot_break_out_of_a_cell() {
        assert_eq!(plain("a|b\n<script>"), "a\\|b \\<script\\>");
        assert_eq!(table(&["x"], [vec![plain("a|b")]]), "| x |\n| --- |\n| a\\|b |\n\n");
    }

    #[test]
    fn one_error_in_a_million_does_not_look_like_none() {
        assert_eq!(share(0.5), "0.5000");
        assert_eq!(share(1.0), "1.0000");
        assert_eq!(share(999_999.0 / 1_000_000.0), "0.999999");
    }

    #[test]
    fn moments_are_written_as_by_gnu_date() {
        for (milliseconds, text) in [
            (0, "1970-01-01 00:00:00"),
            (-1, "1969-12-31 23:59:59"),
            (951_782_400_999, "2000-02-29 00:00:00"),
            (1_645_791_570_013, "2022-02-25 12:19:30"),
            (4_107_542_400_000, "2100-03-01 00:00:00"),
        ] {
            assert_eq!(moment(milliseconds), text);
        }
    }
}
