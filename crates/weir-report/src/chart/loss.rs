//! Loss per epoch on a logarithmic axis.

use minijinja::Value;

use super::svg::{Anchor, Svg};
use crate::text;

const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 500.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 208.0;

/// `losses` from epoch 1; what has no logarithm leaves a gap. `last` is the loss after the last epoch.
pub(crate) fn loss(losses: &[f64], last: f64) -> Value {
    let drawable = |value: &f64| value.is_finite() && *value > 0.0;
    let logs: Vec<f64> = losses.iter().copied().chain([last]).filter(drawable).map(libm::log10).collect();
    let low = logs.iter().copied().fold(f64::INFINITY, f64::min).floor();
    let high = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max).ceil();
    let (low, high) = if low < high { (low, high) } else { (low.min(0.0) - 1.0, high.max(-1.0) + 1.0) };
    let epochs = losses.len().max(1);
    let x = |epoch: usize| LEFT + (epoch as f64 - 1.0) / (epochs.max(2) - 1) as f64 * (RIGHT - LEFT);
    let y = |value: f64| BOTTOM - (libm::log10(value) - low) / (high - low) * (BOTTOM - TOP);

    let description = format!("Mean squared error over {epochs} epochs, {} after the last", text::short(last));
    let mut svg = Svg::new(WIDTH, HEIGHT, "Reconstruction loss per epoch", &description);
    if logs.is_empty() {
        svg.text("label", (LEFT, TOP + 20.0), Anchor::Start, "no epoch has a positive loss");
        return svg.finish();
    }
    svg.text("tick", (0.0, 11.0), Anchor::Start, "mean squared error (logarithmic axis)");
    for exponent in low as i32..=high as i32 {
        let power = libm::pow(10.0, f64::from(exponent));
        svg.line("grid", (LEFT, y(power)), (RIGHT, y(power)));
        let label = if (-4..=3).contains(&exponent) { format!("{power}") } else { format!("1e{exponent}") };
        svg.text("tick", (LEFT - 8.0, y(power) + 4.0), Anchor::End, &label);
    }
    for epoch in marks(epochs) {
        svg.line("axis", (x(epoch), BOTTOM), (x(epoch), BOTTOM + 4.0));
        svg.text("tick", (x(epoch), BOTTOM + 18.0), Anchor::Middle, &epoch.to_string());
    }
    svg.text("tick", ((LEFT + RIGHT) / 2.0, HEIGHT - 5.0), Anchor::Middle, "epoch");
    svg.line("axis", (LEFT, BOTTOM), (RIGHT, BOTTOM));

    let mut start = 0;
    for piece in losses.split(|value| !drawable(value)) {
        let points: Vec<_> = piece.iter().enumerate().map(|(i, &value)| (x(start + i + 1), y(value))).collect();
        svg.path("curve", &points, None);
        start += piece.len() + 1;
    }
    if drawable(&last) {
        let at = (x(epochs), y(last));
        svg.circle("dot best", at, 4.0, &format!("after the last epoch: {}", text::full(last)));
        // Losses fall, so that the place under the end of the curve is empty.
        let label = if at.1 + 22.0 < BOTTOM { at.1 + 18.0 } else { at.1 - 24.0 };
        svg.text("strong", (RIGHT, label), Anchor::End, &format!("{} after the last epoch", text::short(last)));
    }
    svg.finish()
}

/// The first and last epoch and round ones between them.
fn marks(epochs: usize) -> Vec<usize> {
    let round = [1, 2, 5, 10, 20, 50, 100, 200, 500].into_iter().find(|step| epochs / step <= 6);
    let step = if epochs.is_multiple_of(32) { epochs / 4 } else { round.unwrap_or(epochs.div_ceil(6)).max(1) };
    let mut marks = vec![1];
    marks.extend((step..epochs).step_by(step).filter(|&epoch| epoch > 1 && epochs - epoch >= step.div_ceil(2)));
    if epochs > 1 {
        marks.push(epochs);
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_have_both_ends() {
        assert_eq!(marks(128), [1, 32, 64, 96, 128]);
        assert_eq!(marks(1), [1]);
        assert_eq!(marks(3), [1, 2, 3]);
    }

    #[test]
    fn a_loss_without_logarithm_leaves_a_gap() {
        let svg = loss(&[0.1, 0.0, f64::NAN, 0.01, 0.01], 0.01).to_string();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert_eq!(svg.matches("class=\"curve\"").count(), 2);
        assert!(loss(&[], 0.0).to_string().contains("no epoch"));
    }
}
