//! The layers of the autoencoder: one column of dots per layer, dead latent units hollow.

use minijinja::Value;

use super::svg::{Anchor, Svg};

const STEP: f64 = 46.0;
const UNIT: f64 = 13.0;
/// Units drawn per layer; larger layers say how many there are.
const DRAWN: usize = 16;

/// `latent` is an index of `units`, `dead` are units of that layer.
pub(crate) fn layers(units: &[usize], latent: usize, dead: &[usize]) -> Value {
    let tallest = units.iter().copied().max().unwrap_or(0).min(DRAWN) as f64 * UNIT;
    let width = (units.len() as f64 * STEP).max(STEP);
    let text = units.iter().map(usize::to_string).collect::<Vec<_>>().join(" – ");
    let mut svg = Svg::new(width, tallest + 44.0, "Layers of the autoencoder", &format!("units per layer: {text}"));
    for (i, &count) in units.iter().enumerate() {
        let x = (i as f64 + 0.5) * STEP;
        let drawn = count.min(DRAWN);
        let top = 6.0 + (tallest - drawn as f64 * UNIT) / 2.0;
        if i > 0 {
            svg.line("grid", (x - STEP + 9.0, 6.0 + tallest / 2.0), (x - 9.0, 6.0 + tallest / 2.0));
        }
        for unit in 0..drawn {
            let class = match () {
                () if i != latent => "unit",
                () if dead.contains(&unit) => "unit dead",
                () => "unit latent",
            };
            svg.circle(class, (x, top + (unit as f64 + 0.5) * UNIT), 4.5, "");
        }
        let class = if i == latent { "strong" } else { "label" };
        svg.text(class, (x, tallest + 22.0), Anchor::Middle, &count.to_string());
        let role = match i {
            0 => "input",
            _ if i == latent => "latent",
            _ if i + 1 == units.len() => "output",
            _ => "",
        };
        svg.text("tick", (x, tallest + 38.0), Anchor::Middle, role);
    }
    svg.finish()
}
