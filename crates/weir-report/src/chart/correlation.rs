//! Heat map of the correlation matrix, its lower triangle: opacity is strength, colour and sign are direction.

use minijinja::Value;

use super::svg::{Anchor, Svg, shorten};
use crate::text;

/// Up to this many features the numbers are written into the cells.
const NUMBERED: usize = 20;
const CHARACTER: f64 = 7.2;
const LONGEST: usize = 20;

/// `matrix` is `[names][names]`; cells that are missing are left out.
pub(crate) fn correlation(names: &[&str], matrix: &[Vec<f64>]) -> Value {
    let n = names.len();
    let cell = if n <= NUMBERED { 38.0 } else { (760.0 / n as f64).max(6.0) };
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).min(LONGEST) as f64 * CHARACTER;
    let names: Vec<String> = names.iter().map(|name| shorten(name, LONGEST)).collect();
    // The rising labels of the first columns reach above the first row: sin 60 degrees = 0.87 of their length.
    let above =
        |(i, name): (usize, &String)| name.chars().count() as f64 * CHARACTER * 0.87 - (i as f64 + 1.0) * cell + 16.0;
    let (left, top) = (longest + 12.0, names.iter().enumerate().map(above).fold(8.0, f64::max));
    let size = n as f64 * cell;

    let description = format!("Lower triangle of a matrix of {n} by {n} features, each cell from −1 to 1");
    // Labels rise from the diagonal, so the last one needs room to its right.
    let width = left + size + longest * 0.55 + 8.0;
    let mut svg = Svg::new(width, top + size, "Correlation of the features", &description);
    for (i, row) in matrix.iter().enumerate().take(n) {
        let y = top + i as f64 * cell;
        svg.text("label", (left - 8.0, y + cell / 2.0 + 4.0), Anchor::End, &names[i]);
        for (j, &r) in row.iter().enumerate().take(i) {
            let x = left + j as f64 * cell;
            let class = if r < 0.0 { "negative" } else { "positive" };
            let tip = format!("{} and {}: {}", names[i], names[j], signed(r, 3));
            svg.rect(class, [x, y, cell - 1.5, cell - 1.5], r.abs().clamp(0.04, 1.0), &tip);
            if n <= NUMBERED {
                let class = if r.abs() > 0.65 { "inverse" } else { "cell" };
                svg.text(class, (x + cell / 2.0 - 0.7, y + cell / 2.0 + 3.0), Anchor::Middle, &signed(r, 2));
            }
        }
        if i + 1 < n && n <= NUMBERED {
            svg.upward("label", (left + (i as f64 + 0.4) * cell, y + cell - 8.0), &names[i]);
        }
    }
    svg.finish()
}

fn signed(value: f64, digits: usize) -> String {
    text::decimals(value, digits).replace('-', "−")
}
