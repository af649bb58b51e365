//! Requests over time, upwards, and below the line those of them that are surplus.

use minijinja::Value;

use super::svg::{Anchor, Svg};
use crate::text;

const WIDTH: f64 = 1100.0;
/// A column of pixels is the finest that is drawn.
const COLUMN: f64 = 2.0;
const COLUMNS: usize = 550;
const HALF: f64 = 80.0;
const TOP: f64 = 20.0;

/// Requests and surplus ones of a stretch of time that begins at `start`, seconds since 1970 UTC.
#[derive(Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) start: i64,
    pub(crate) requests: u64,
    pub(crate) surplus: u64,
}

/// `stretches` in order, each `seconds` long. Stretches that share a column show the largest of them.
pub(crate) fn timeline(stretches: &[Counted], seconds: u32) -> Value {
    let seconds = i128::from(seconds.max(1));
    let first = stretches.first().map_or(0, |stretch| i128::from(stretch.start));
    let last = stretches.last().map_or(first, |stretch| i128::from(stretch.start)).max(first);
    let span = last + seconds - first;
    // The column that a moment is in, and the last one that a stretch up to a moment reaches into.
    let within = |column: i128| column.clamp(0, COLUMNS as i128 - 1) as usize;
    let column = |time: i128| within((time - first) * COLUMNS as i128 / span);
    let reached = |time: i128| within(((time - first) * COLUMNS as i128 - 1) / span);
    let mut columns = [(0_u64, 0_u64); COLUMNS];
    for stretch in stretches {
        let start = i128::from(stretch.start);
        let (from, to) = (column(start), reached(start + seconds));
        for (requests, surplus) in &mut columns[from..=to.max(from)] {
            *requests = (*requests).max(stretch.requests);
            *surplus = (*surplus).max(stretch.surplus);
        }
    }
    let most = columns.iter().map(|column| column.0).max().unwrap_or(0);
    let most_surplus = columns.iter().map(|column| column.1).max().unwrap_or(0);

    let length = duration(seconds as u64);
    let description = format!(
        "At most {} requests in {length}, drawn upwards, and {} surplus requests, drawn downwards",
        text::count(most),
        text::count(most_surplus)
    );
    let middle = TOP + HALF;
    let height = |value: u64| value as f64 / most.max(1) as f64 * HALF;
    let shown = |value: u64| if value == 0 { 0.0 } else { height(value).max(0.8) };
    let mut svg = Svg::new(WIDTH, middle + HALF + 40.0, "Requests over time", &description);
    svg.path("benign", &outline(&columns.map(|column| middle - shown(column.0))), Some(middle));
    svg.path("malicious", &outline(&columns.map(|column| middle + shown(column.1))), Some(middle));
    svg.line("axis", (0.0, middle), (WIDTH, middle));
    let caption = format!("requests in {length}, at most {}", text::count(most));
    svg.text("tick", (WIDTH, TOP - 7.0), Anchor::End, &caption);
    let foot = middle + HALF + 16.0;
    let moment = |time: i128| text::moment(i64::try_from(time * 1000).unwrap_or(0));
    svg.text("tick", (0.0, foot), Anchor::Start, &moment(first));
    svg.text("tick", (WIDTH, foot), Anchor::End, &moment(last + seconds));
    let caption = format!("surplus, at most {}", text::count(most_surplus));
    svg.text("tick", (WIDTH, foot + 16.0), Anchor::End, &caption);
    svg.finish()
}

/// `1 s`, `10 s`, `5 min`, `2 h`.
pub(crate) fn duration(seconds: u64) -> String {
    match seconds {
        s if s >= 3_600 && s.is_multiple_of(3_600) => format!("{} h", s / 3_600),
        s if s >= 60 && s.is_multiple_of(60) => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

/// The corners of the columns from left to right, without those between columns of equal height.
fn outline(columns: &[f64]) -> Vec<(f64, f64)> {
    let mut corners = Vec::new();
    let mut start = 0;
    for run in columns.chunk_by(|a, b| a == b) {
        let end = start + run.len();
        corners.extend([(start as f64 * COLUMN, run[0]), (end as f64 * COLUMN, run[0])]);
        start = end;
    }
    corners
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(start: i64, requests: u64, surplus: u64) -> Counted {
        Counted { start, requests, surplus }
    }

    #[test]
    fn silence_between_stretches_is_empty() {
        // 11 stretches of 10 s: 50 columns each; nothing but the first and the last.
        let svg = timeline(&[stretch(0, 10, 0), stretch(100, 5, 5)], 10).to_string();
        assert!(
            svg.contains(r#"class="benign" d="M0,100L0,20L100,20L100,100L1000,100L1000,60L1100,60L1100,100Z""#),
            "{svg}"
        );
        assert!(svg.contains("1970-01-01 00:01:50 UTC"), "{svg}");
    }

    #[test]
    fn times_far_apart_and_none_at_all_are_drawn() {
        for stretches in [&[][..], &[stretch(i64::MIN, 1, 1), stretch(i64::MAX, 1, 0)]] {
            assert!(timeline(stretches, u32::MAX).to_string().ends_with("</svg>"));
        }
    }

    #[test]
    fn durations_are_round() {
        assert_eq!([1, 10, 60, 90, 300, 7_200].map(duration), ["1 s", "10 s", "1 min", "90 s", "5 min", "2 h"]);
    }
}
