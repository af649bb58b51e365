//! Mirrored histogram: benign rows above the line, malicious rows below, so that neither hides the other and
//! colour is not needed to tell them apart.

use minijinja::Value;
use weir_contract::statistics::Distribution;

use super::axis::end_label;
use super::svg::{Anchor, Svg};
use crate::text;

const WIDTH: f64 = 264.0;
const HALF: f64 = 46.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 32.0;

/// How counts become heights.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counts {
    /// In proportion.
    Linear,
    /// By the logarithm of 1 + count: a bin of one row stays visible beside one of a million.
    Logarithmic,
}

/// Both classes of one feature.
pub(crate) fn histogram(distribution: &Distribution, unit: &str, counts: Counts) -> Value {
    let Distribution { feature, range, benign, malicious } = distribution;
    let most = |bins: &[u64]| bins.iter().copied().max().unwrap_or(0);
    let (most_benign, most_malicious) = (most(benign), most(malicious));
    let scale = |rows: u64| match counts {
        Counts::Linear => rows as f64,
        Counts::Logarithmic => libm::log1p(rows as f64),
    };
    let full = scale(most_benign.max(most_malicious).max(1));
    // One row stays visible: at least half a pixel.
    let height = |rows: u64| if rows == 0 { 0.0 } else { (scale(rows) / full * HALF).max(0.6) };

    let title = format!("Distribution of {feature}");
    let description = format!(
        "{} bins from {} to {} {unit}; at most {} benign rows in a bin, drawn upwards, and {} malicious rows, drawn downwards",
        benign.len(),
        text::short(range.0),
        text::short(range.1),
        text::count(most_benign),
        text::count(most_malicious),
    );
    let middle = TOP + HALF;
    let mut svg = Svg::new(WIDTH, middle + HALF + BOTTOM, &title, &description);
    svg.path("benign", &outline(benign, |rows| middle - height(rows)), Some(middle));
    svg.path("malicious", &outline(malicious, |rows| middle + height(rows)), Some(middle));
    svg.line("axis", (0.0, middle), (WIDTH, middle));

    svg.text("tick", (WIDTH, TOP - 5.0), Anchor::End, &format!("benign, at most {}", text::count(most_benign)));
    let foot = middle + HALF + 13.0;
    let unit = if unit == "1" { String::new() } else { format!(" {unit}") };
    let mut ends = [end_label(range.0), end_label(range.1)];
    if ends[0] == ends[1] {
        ends = [text::short(range.0), text::short(range.1)];
    }
    svg.text("tick", (0.0, foot), Anchor::Start, &ends[0]);
    svg.text("tick", (WIDTH, foot), Anchor::End, &format!("{}{unit}", ends[1]));
    let caption = format!("malicious, at most {}", text::count(most_malicious));
    svg.text("tick", (WIDTH, foot + 15.0), Anchor::End, &caption);
    svg.finish()
}

/// The corners of the bars from left to right, without those between bars of equal height.
fn outline(bins: &[u64], y: impl Fn(u64) -> f64) -> Vec<(f64, f64)> {
    let width = WIDTH / bins.len().max(1) as f64;
    let mut corners = Vec::new();
    let mut start = 0;
    while start < bins.len() {
        let run = bins[start..].iter().take_while(|&&rows| rows == bins[start]).count();
        corners.push((start as f64 * width, y(bins[start])));
        corners.push(((start + run) as f64 * width, y(bins[start])));
        start += run;
    }
    corners
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_row_is_visible_beside_a_million() {
        let distribution = Distribution {
            feature: "bytes".into(),
            range: (0.0, 1.0),
            benign: vec![1_000_000, 1],
            malicious: vec![0, 0],
        };
        let svg = histogram(&distribution, "bytes", Counts::Linear).to_string();
        assert!(svg.contains("M0,62L0,16L132,16L132,61.4L264,61.4L264,62Z"), "{svg}");
    }

    #[test]
    fn a_distribution_without_bins_is_drawn_empty() {
        let distribution = Distribution { feature: "x".into(), range: (0.0, 0.0), benign: vec![], malicious: vec![] };
        assert!(histogram(&distribution, "1", Counts::Logarithmic).to_string().contains("</svg>"));
    }
}
