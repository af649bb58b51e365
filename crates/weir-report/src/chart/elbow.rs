//! The elbow curve: mean distance to the nearest centre against the number of clusters.

use minijinja::Value;

use super::svg::{Anchor, Svg};
use crate::text;

const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 490.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 208.0;

/// `distortions` for k = 1, 2, ...; `chosen` is the k that is marked.
pub(crate) fn elbow(distortions: &[f64], chosen: usize) -> Value {
    let finite = |value: &f64| if value.is_finite() { value.max(0.0) } else { 0.0 };
    let distortions: Vec<f64> = distortions.iter().map(finite).collect();
    let told: Vec<String> =
        distortions.iter().enumerate().map(|(i, value)| format!("{} at k = {}", text::short(*value), i + 1)).collect();
    let mut svg = Svg::new(WIDTH, HEIGHT, "Elbow curve", &format!("Distortion {}", told.join(", ")));
    let high = distortions.iter().copied().fold(0.0, f64::max);
    let high = if high > 0.0 { high } else { 1.0 };
    let last = distortions.len().max(2);
    let x = |k: usize| LEFT + (k as f64 - 1.0) / (last as f64 - 1.0) * (RIGHT - LEFT);
    let y = |value: f64| BOTTOM - value / high * (BOTTOM - TOP);

    svg.text("tick", (0.0, 11.0), Anchor::Start, "distortion: mean distance to the nearest centre");
    for share in [0.0, 0.5, 1.0] {
        let value = share * high;
        svg.line("grid", (LEFT, y(value)), (RIGHT, y(value)));
        svg.text("tick", (LEFT - 8.0, y(value) + 4.0), Anchor::End, &text::decimals(value, 2));
    }
    for k in 1..=last {
        svg.line("axis", (x(k), BOTTOM), (x(k), BOTTOM + 4.0));
        svg.text(if k == chosen { "strong" } else { "tick" }, (x(k), BOTTOM + 18.0), Anchor::Middle, &k.to_string());
    }
    svg.text("tick", ((LEFT + RIGHT) / 2.0, HEIGHT - 5.0), Anchor::Middle, "k, the number of clusters");
    svg.line("axis", (LEFT, BOTTOM), (RIGHT, BOTTOM));
    let points: Vec<(f64, f64)> = distortions.iter().enumerate().map(|(i, &value)| (x(i + 1), y(value))).collect();
    svg.path("curve", &points, None);
    for (i, (&value, &at)) in distortions.iter().zip(&points).enumerate() {
        let (k, is_chosen) = (i + 1, i + 1 == chosen);
        if is_chosen {
            svg.line("chance", (at.0, TOP), (at.0, BOTTOM));
            svg.text("strong", (at.0 + 10.0, at.1 - 10.0), Anchor::Start, &format!("k = {k}: {}", text::short(value)));
        }
        let class = if is_chosen { "dot best" } else { "dot" };
        svg.circle(class, at, if is_chosen { 5.5 } else { 4.0 }, &format!("k = {k}: {}", text::full(value)));
    }
    svg.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_number_of_clusters_is_marked() {
        let svg = elbow(&[1.0, 0.25, 0.125, 0.1], 2).to_string();
        assert_eq!(svg.matches("dot best").count(), 1);
        assert!(svg.contains("k = 2: 0.25</text>"), "{svg}");
        assert!(svg.contains(">2.0") || svg.contains(">1.00</text>"), "{svg}");
    }

    #[test]
    fn nothing_to_draw_draws_no_curve() {
        for distortions in [&[][..], &[0.0], &[f64::NAN, 0.0]] {
            let svg = elbow(distortions, 2).to_string();
            assert!(!svg.contains("NaN") && svg.ends_with("</svg>"), "{svg}");
        }
    }
}
