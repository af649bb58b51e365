//! Requests per client as horizontal bars, the clients that are listed marked by colour and by word.

use minijinja::Value;

use super::svg::{Anchor, Svg, shorten};
use crate::text;

const WIDTH: f64 = 1100.0;
const ROW: f64 = 20.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 24.0;
/// Room for an IPv6 address in full.
const LEFT: f64 = 290.0;
/// Room for `1 234 567 listed`.
const RIGHT: f64 = WIDTH - 150.0;
/// Bars that differ by more than this factor are drawn on a logarithmic axis.
const LINEAR_UP_TO: f64 = 50.0;

/// One bar.
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) value: u64,
    pub(crate) marked: bool,
}

/// Whether `bars` are drawn on a logarithmic axis.
pub(crate) fn is_logarithmic(bars: &[Bar]) -> bool {
    let values = || bars.iter().map(|bar| bar.value.max(1) as f64);
    values().fold(0.0, f64::max) > LINEAR_UP_TO * values().fold(f64::INFINITY, f64::min)
}

/// The bars from top to bottom; `mark` is the word behind those that are marked.
pub(crate) fn bars(title: &str, description: &str, bars: &[Bar], mark: &str) -> Value {
    let bottom = TOP + bars.len() as f64 * ROW;
    let mut svg = Svg::new(WIDTH, bottom + BOTTOM, title, description);
    let most = bars.iter().map(|bar| bar.value).max().unwrap_or(0).max(1) as f64;
    let logarithmic = is_logarithmic(bars);
    // A decade below one: a client with one request has a bar, too.
    let share = |value: f64| match logarithmic {
        true => (libm::log10(value) + 1.0) / (libm::log10(most) + 1.0),
        false => value / most,
    };
    let x = |value: f64| LEFT + share(value).clamp(0.0, 1.0) * (RIGHT - LEFT);

    for tick in ticks(most, logarithmic) {
        svg.line("grid", (x(tick), TOP), (x(tick), bottom));
        svg.text("tick", (x(tick), bottom + 15.0), Anchor::Middle, &text::count(tick as u64));
    }
    svg.text("tick", (0.0, 11.0), Anchor::Start, if logarithmic { "requests (logarithmic axis)" } else { "requests" });
    for (i, bar) in bars.iter().enumerate() {
        let y = TOP + (i as f64 + 0.5) * ROW;
        let (text_class, bar_class) = if bar.marked { ("strong", "malicious") } else { ("label", "benign") };
        svg.label(text_class, (LEFT - 10.0, y + 4.0), Anchor::End, &shorten(&bar.name, 40), &bar.name);
        let end = if bar.value == 0 { LEFT } else { x(bar.value as f64).max(LEFT + 1.0) };
        svg.rect(bar_class, [LEFT, y - 6.0, end - LEFT, 12.0], 1.0, "");
        let word = if bar.marked { format!("{} {mark}", text::count(bar.value)) } else { text::count(bar.value) };
        svg.text(text_class, (end + 8.0, y + 4.0), Anchor::Start, &word);
    }
    svg.line("axis", (LEFT, TOP), (LEFT, bottom));
    svg.finish()
}

/// Round whole numbers up to `most`: powers of ten, or a handful of equal steps.
fn ticks(most: f64, logarithmic: bool) -> Vec<f64> {
    let decades = libm::log10(most).floor() as i32;
    if logarithmic {
        return (0..=decades).map(|exponent| libm::pow(10.0, f64::from(exponent)).round()).collect();
    }
    let power = libm::pow(10.0, f64::from(decades)).round();
    let fits = |step: &f64| step.fract() == 0.0 && most / step <= 6.0;
    let step = [0.1, 0.2, 0.5, 1.0, 2.0].map(|factor| factor * power).into_iter().find(fits).unwrap_or(power);
    (1..=(most / step) as u32).map(|i| f64::from(i) * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(value: u64) -> Bar {
        Bar { name: value.to_string(), value, marked: value > 5_000 }
    }

    #[test]
    fn few_requests_stay_visible_beside_many() {
        assert!(is_logarithmic(&[bar(6_000), bar(100)]));
        assert!(!is_logarithmic(&[bar(5_000), bar(100)]) && !is_logarithmic(&[]));
        let svg = bars("t", "d", &[bar(10_000), bar(1)], "listed").to_string();
        // log10(1) is one of the five decades from .1 to 10,000.
        let fifth = (RIGHT - LEFT) / 5.0;
        assert!(svg.contains(&format!(r#"class="benign" x="290" y="44" width="{fifth}""#)), "{svg}");
        assert!(svg.contains("10\u{202f}000 listed</text>"), "{svg}");
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks(655.0, false), [200.0, 400.0, 600.0]);
        assert_eq!(ticks(3.0, false), [1.0, 2.0, 3.0]);
        assert_eq!(ticks(1.0, false), [1.0]);
        assert_eq!(ticks(12_345.0, true), [1.0, 10.0, 100.0, 1_000.0, 10_000.0]);
    }
}
